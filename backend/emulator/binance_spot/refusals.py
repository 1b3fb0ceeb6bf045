"""Binance's codes and texts on spot: one code has many texts, and they say what is the matter."""

from __future__ import annotations

from ..refusals import Reason, VenueError

MISSING = "Mandatory parameter '{detail}' was not sent, was empty/null, or malformed."
ERRORS: dict[Reason, tuple[int, str]] = {
    Reason.PARAMETER_MISSING: (-1102, MISSING),
    Reason.PARAMETER_MALFORMED: (-1100, "Illegal characters found in parameter '{detail}'."),
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Reason.INACTIVE: (-1013, "Market is closed."),
    Reason.QUANTITY_PRECISION: (-1013, "Filter failure: LOT_SIZE"),
    Reason.QUANTITY_MINIMUM: (-1013, "Filter failure: LOT_SIZE"),
    Reason.QUANTITY_MAXIMUM: (-1013, "Filter failure: {detail}LOT_SIZE"),
    Reason.QUANTITY_MISSING: (-1102, MISSING.format(detail="quantity")),
    Reason.PRICE_PRECISION: (-1013, "Filter failure: PRICE_FILTER"),
    Reason.PRICE_TICK: (-1013, "Filter failure: PRICE_FILTER"),
    Reason.PRICE_MISSING: (-1102, MISSING.format(detail="price")),
    Reason.NOTIONAL_MINIMUM: (-1013, "Filter failure: NOTIONAL"),
    Reason.MARGIN: (-2010, "Account has insufficient balance for requested action."),
    Reason.WOULD_TRIGGER: (-2010, "Stop price would trigger immediately."),
    Reason.POST_ONLY: (-2010, "Order would immediately match and take."),
    Reason.PAIR_PRICES: (-2010, "The relationship of the prices for the orders is not correct."),
    Reason.DUPLICATE: (-2010, "Duplicate order sent."),
    Reason.TOO_MANY_STOPS: (-2010, "Filter failure: MAX_NUM_ALGO_ORDERS"),
    Reason.CLIENT_ID: (
        -1100,
        "Illegal characters found in parameter '{detail}'; legal range is '^[a-zA-Z0-9-_]{{1,36}}$'.",
    ),
}
UNKNOWN = VenueError(-2011, "Unknown order sent.")
NO_SUCH_ORDER = VenueError(-2013, "Order does not exist.")
NO_SUCH_LIST = VenueError(-2013, "Order list does not exist.")

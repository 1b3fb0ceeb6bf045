"""BingX's codes for what it refuses."""

from __future__ import annotations

from ..refusals import Reason

ERRORS: dict[Reason, tuple[int, str]] = {
    Reason.PARAMETER_MISSING: (109400, "Invalid parameters, err:{detail}: This field is required"),
    Reason.PARAMETER_MALFORMED: (109400, "Invalid parameters, err:{detail}: This field is malformed"),
    Reason.UNKNOWN_SYMBOL: (109425, "{detail} not exist, please verify it"),
    Reason.UNKNOWN_ORDER: (109421, "order not exist"),
    Reason.INACTIVE: (109418, "this trading pair is offline and cannot be ordered through the api"),
    Reason.QUANTITY_PRECISION: (109400, "Invalid parameters, err:quantity precision is over the maximum"),
    Reason.QUANTITY_MINIMUM: (101400, "The minimum order amount is not reached."),
    Reason.QUANTITY_MAXIMUM: (101400, "The maximum order amount is exceeded."),
    Reason.QUANTITY_MISSING: (109400, "Invalid parameters, err:quantity: This field is required"),
    Reason.PRICE_PRECISION: (109400, "Invalid parameters, err:price precision is over the maximum"),
    Reason.PRICE_TICK: (109400, "Invalid parameters, err:price is not on the tick"),
    Reason.PRICE_MISSING: (109400, "Invalid parameters, err:{detail}: This field is required"),
    Reason.NOTIONAL_MINIMUM: (
        110425,
        "Please ensure that the minimum nominal value of the order placed must be greater than {detail}u",
    ),
    Reason.MARGIN: (101204, "Insufficient margin"),
    Reason.TIER: (101209, "The maximum position value for this leverage is exceeded."),
    Reason.REDUCE_ONLY: (101205, "No position to close"),
    Reason.REDUCE_ONLY_BUDGET: (110424, "The order size must be less than the available amount"),
    Reason.WOULD_TRIGGER: (110411, "The trigger price is already passed by the current price."),
    Reason.POST_ONLY: (
        101215,
        "The Maker (Post Only) order ensures that the user will always be the maker.",
    ),
    Reason.DUPLICATE: (101481, "clientOrderID unique check failed, please use a different clientOrderID"),
    Reason.CLIENT_ID: (109400, "Invalid parameters, err:clientOrderID: 1 to 40 characters"),
    Reason.POSITION_SIDE: (109400, "In this position mode the 'PositionSide' field cannot be set to {detail}."),
    Reason.CLOSE_EXISTS: (109400, "There is a stop or take profit for the whole position already."),
    Reason.TOO_MANY_STOPS: (101400, "Too many stop orders."),
    Reason.LEVERAGE: (109400, "Invalid parameters, err:leverage"),
    Reason.MARGIN_MODE_SAME: (0, ""),
    Reason.MARGIN_MODE_ORDERS: (109400, "Margin mode cannot be changed while there are open orders."),
    Reason.MARGIN_MODE_POSITION: (109400, "Margin mode cannot be changed while there is a position."),
    Reason.POSITION_MODE_SAME: (0, ""),
    Reason.POSITION_MODE_ORDERS: (109400, "Position mode cannot be changed while there are open orders."),
    Reason.POSITION_MODE_POSITION: (109400, "Position mode cannot be changed while there is a position."),
    Reason.NOTHING_TO_AMEND: (109400, "Nothing to change."),
}

"""Binance's codes for what it refuses."""

from __future__ import annotations

from ..refusals import Reason

ERRORS: dict[Reason, tuple[int, str]] = {
    Reason.PARAMETER_MISSING: (-1102, "Mandatory parameter '{detail}' was not sent, was empty/null, or malformed."),
    Reason.PARAMETER_MALFORMED: (-1100, "Illegal characters found in parameter '{detail}'."),
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Reason.INACTIVE: (-4140, "Invalid symbol status for opening position."),
    Reason.QUANTITY_PRECISION: (-1111, "Precision is over the maximum defined for this asset."),
    Reason.QUANTITY_MINIMUM: (-4003, "Quantity less than or equal to zero."),
    Reason.QUANTITY_MAXIMUM: (-4005, "Quantity greater than max quantity."),
    Reason.QUANTITY_MISSING: (-1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."),
    Reason.PRICE_PRECISION: (-1111, "Precision is over the maximum defined for this asset."),
    Reason.PRICE_TICK: (-4014, "Price not increased by tick size."),
    Reason.PRICE_MISSING: (-1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
    Reason.NOTIONAL_MINIMUM: (
        -4164,
        "Order's notional must be no smaller than {detail} (unless you choose reduce only).",
    ),
    Reason.MARGIN: (-2019, "Margin is insufficient."),
    Reason.TIER: (-2027, "Exceeded the maximum allowable position at current leverage."),
    Reason.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    Reason.REDUCE_ONLY_BUDGET: (
        -4118,
        "ReduceOnly Order Failed. Please check your existing position and open orders.",
    ),
    Reason.WOULD_TRIGGER: (-2021, "Order would immediately trigger."),
    Reason.POST_ONLY: (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    ),
    Reason.DUPLICATE: (-4116, "ClientOrderId is duplicated."),
    Reason.CLIENT_ID: (-4015, "Client order id is not valid."),
    Reason.POSITION_SIDE: (-4061, "Order's position side does not match user's setting."),
    Reason.CLOSE_EXISTS: (
        -4130,
        "An open stop or take profit order with GTE and closePosition in the direction is existing.",
    ),
    Reason.TOO_MANY_STOPS: (-4045, "Reach max stop order limit."),
    Reason.LEVERAGE: (-4028, "Leverage is not valid."),
    Reason.MARGIN_MODE_SAME: (-4046, "No need to change margin type."),
    Reason.MARGIN_MODE_ORDERS: (-4047, "Margin type cannot be changed if there exists open orders."),
    Reason.MARGIN_MODE_POSITION: (-4048, "Margin type cannot be changed if there exists position."),
    Reason.POSITION_MODE_SAME: (-4059, "No need to change position side."),
    Reason.POSITION_MODE_ORDERS: (-4067, "Position side cannot be changed if there exists open orders."),
    Reason.POSITION_MODE_POSITION: (-4068, "Position side cannot be changed if there exists position."),
    Reason.NOTHING_TO_AMEND: (-5027, "No need to modify the order."),
}

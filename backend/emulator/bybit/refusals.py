"""Bybit's codes for what it refuses."""

from __future__ import annotations

from ..refusals import Reason, Refused

ERRORS: dict[Reason, tuple[int, str]] = {
    Reason.PARAMETER_MISSING: (10001, "params error: {detail} is required"),
    Reason.PARAMETER_MALFORMED: (10001, "params error: {detail} invalid"),
    Reason.UNKNOWN_SYMBOL: (10001, "params error: symbol invalid {detail}"),
    Reason.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    Reason.INACTIVE: (110074, "This contract is not live"),
    Reason.QUANTITY_PRECISION: (10001, "Qty invalid"),
    Reason.QUANTITY_MINIMUM: (10001, "The number of contracts exceeds minimum limit allowed"),
    Reason.QUANTITY_MAXIMUM: (10001, "The number of contracts exceeds maximum limit allowed: too large"),
    Reason.QUANTITY_MISSING: (10001, "params error: qty is required"),
    Reason.PRICE_PRECISION: (10001, "Price invalid"),
    Reason.PRICE_TICK: (10001, "Price invalid"),
    Reason.PRICE_MISSING: (10001, "params error: {detail} is required"),
    Reason.NOTIONAL_MINIMUM: (110094, "Order does not meet minimum order value {detail}USDT"),
    Reason.MARGIN: (110007, "ab not enough for new order"),
    Reason.TIER: (110090, "order placement failed as your position may exceed the max limit"),
    Reason.REDUCE_ONLY: (110017, "current position is zero, cannot fix reduce-only order qty"),
    Reason.REDUCE_ONLY_BUDGET: (110017, "Reduce-only rule not satisfied"),
    Reason.POST_ONLY: (10001, "PostOnly"),
    Reason.DUPLICATE: (110072, "OrderLinkedID is duplicate"),
    Reason.CLIENT_ID: (10001, "params error: orderLinkId length exceeds 36"),
    Reason.POSITION_SIDE: (10001, "position idx not match position mode"),
    Reason.CLOSE_EXISTS: (110061, "There is an order that closes the position already"),
    Reason.TOO_MANY_STOPS: (110009, "The number of stop orders exceeds the maximum allowable limit"),
    Reason.LEVERAGE: (110013, "cannot set leverage due to risk limit level"),
    Reason.MARGIN_MODE_SAME: (0, "OK"),
    Reason.MARGIN_MODE_ORDERS: (110073, "Set margin mode failed: open orders"),
    Reason.MARGIN_MODE_POSITION: (110073, "Set margin mode failed: open position"),
    Reason.POSITION_MODE_SAME: (110025, "Position mode is not modified"),
    Reason.POSITION_MODE_ORDERS: (110028, "You have existing open orders, so position mode cannot be switched"),
    Reason.POSITION_MODE_POSITION: (110024, "You have an existing position, so position mode cannot be switched"),
    Reason.NOTHING_TO_AMEND: (10001, "order not modified"),
}


def error_of(refused: Refused) -> tuple[int, str]:
    """Code and message."""
    if refused.reason is Reason.WOULD_TRIGGER:
        rising = refused.detail == "rise"
        return (
            (110092, "expect Rising, but trigger_price <= current")
            if rising
            else (
                110093,
                "expect Falling, but trigger_price >= current",
            )
        )
    code, message = ERRORS[refused.reason]
    return code, message.format(detail=refused.detail)

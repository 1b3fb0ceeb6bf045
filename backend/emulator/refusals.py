"""Why a venue refuses, in words no venue owns; each protocol has its own codes for them."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    PARAMETER_MISSING = "parameter_missing"
    PARAMETER_MALFORMED = "parameter_malformed"
    UNKNOWN_SYMBOL = "unknown_symbol"
    UNKNOWN_ORDER = "unknown_order"
    INACTIVE = "inactive"
    QUANTITY_PRECISION = "quantity_precision"
    QUANTITY_MINIMUM = "quantity_minimum"
    QUANTITY_MAXIMUM = "quantity_maximum"
    QUANTITY_MISSING = "quantity_missing"
    PRICE_PRECISION = "price_precision"
    PRICE_TICK = "price_tick"
    PRICE_MISSING = "price_missing"
    NOTIONAL_MINIMUM = "notional_minimum"
    MARGIN = "margin"
    TIER = "tier"
    """The position would be larger than its leverage allows."""
    REDUCE_ONLY = "reduce_only"
    REDUCE_ONLY_BUDGET = "reduce_only_budget"
    """Orders that reduce already rest for all that is held."""
    PAIR_PRICES = "pair_prices"
    """The price must lie between the two orders of a pair."""
    WOULD_TRIGGER = "would_trigger"
    POST_ONLY = "post_only"
    DUPLICATE = "duplicate"
    CLIENT_ID = "client_id"
    POSITION_SIDE = "position_side"
    CLOSE_EXISTS = "close_exists"
    TOO_MANY_STOPS = "too_many_stops"
    LEVERAGE = "leverage"
    MARGIN_MODE_SAME = "margin_mode_same"
    MARGIN_MODE_ORDERS = "margin_mode_orders"
    MARGIN_MODE_POSITION = "margin_mode_position"
    POSITION_MODE_SAME = "position_mode_same"
    POSITION_MODE_ORDERS = "position_mode_orders"
    POSITION_MODE_POSITION = "position_mode_position"
    NOTHING_TO_AMEND = "nothing_to_amend"


class VenueError(Exception):
    """A refusal in the venue's own words. `status`: its HTTP status, if it is not the one its refusals have."""

    def __init__(self, code: int, message: str, status: int | None = None) -> None:
        self.code = code
        self.message = message
        self.status = status
        super().__init__(f"{code} {message}")


class Refused(Exception):
    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else str(reason))

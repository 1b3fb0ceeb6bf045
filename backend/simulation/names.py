"""The names that can be asked for and are counted, without the product behind them."""

from __future__ import annotations

from collections.abc import Mapping

from .story import LASTING, MORE_ONCE, ONCE

KINDS = (*ONCE, *MORE_ONCE, *LASTING)
STATES = ("nothing", "hands off", "waiting", "held", "entering", "leaving")
PLANTS = (
    "stop_taken_before_the_new_one",
    "passed_stop_tried_for_ever",
    "targets_never_grow",
    "close_of_the_first_fill_only",
    "unlisted_is_filled",
    "unlisted_position_is_closed",
    "failed_order_is_forgotten",
    "last_limit_order_is_cancelled",
    "no_fee_no_end",
    "newest_order_of_the_symbol",
    "one_trouble_stops_all",
    "break_even_without_costs",
    "set_up_errors_ignored",
    "targets_rounded_up",
    "no_lease",
    "price_never_withdraws",
    "unknown_is_failed",
    "new_id_on_retry",
    "resend_without_look_up",
    "target_not_reduce_only",
    "fencing_off",
    "dedup_in_the_store",
    "floats",
    "stop_of_the_planned_size",
)


def state_of(status: str, risk: object, directives: Mapping[str, object], hands_off: bool) -> str:
    """What a trade is in the middle of, by its row."""
    if hands_off:
        return "hands off"
    if directives.get("reduce_to") is not None:
        return "leaving"
    if status == "pending":
        return "waiting"
    return "entering" if risk is None else "held"

"""A trade that was believed over, and an execution told afterwards by which it holds something: it is worked on again.

An entry that was taken back may have filled a moment before, and a venue may tell of that late. What it holds needs a
stop at once, so nothing but the trade that asked for it can be its home.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from buddy.core.market import Side
from buddy.core.position import Directives, Withdrawal

from . import booking
from .models import ExitReason, Fill, Trade
from .moments import to_ms
from .states import WORKING
from .telling import hint, tell, text

UNFROZEN: dict[str, Any] = {
    "withdrawal": "",
    "exit_reason": "",
    "closed_at": None,
    "average_entry": None,
    "average_exit": None,
    "entered_quantity": 0,
    "gross": None,
    "fees": None,
    "funding": None,
    "net": None,
    "r": None,
}
"""What was frozen at the end."""


def reopen(touched: Collection[int]) -> set[int]:
    """Of the trades `touched` by what has just been booked, those that were over and hold something.

    Call inside the transaction that booked it.
    """
    ended = Trade.objects.filter(pk__in=touched).exclude(status__in=WORKING)
    over = list(ended.exclude(exit_reason=ExitReason.BY_WORD))  # of those the trader has the last word
    held = booking.held_by(over)
    found = [trade for trade in over if held[trade.pk] > 0]
    for trade in found:
        _reopen(trade)
        what = f"{text(held[trade.pk])} {trade.symbol}"
        sentence = f"The exchange told an execution after this trade had ended: {what} is held, and gets its stop."
        tell(trade, "trade_reopened", sentence, to_ms(_entering(trade)[-1]), quantity=text(held[trade.pk]))
        hint(trade)
    return {trade.pk for trade in found}


def _reopen(trade: Trade) -> None:
    """What remains of its entry stays withdrawn, whatever it was that had ended it."""
    directives = Directives.read(trade.directives)
    why = directives.withdraw_entry or Withdrawal(trade.withdrawal or Withdrawal.MANUAL)
    risk = None if trade.initial_risk else trade.initial_risk  # one that leaves at once is without R from the start
    Trade.objects.filter(pk=trade.pk).exclude(status__in=WORKING).update(
        status=Trade.Status.OPEN,
        opened_at=trade.opened_at or _entering(trade)[0],
        directives=replace(directives, withdraw_entry=why).document(),
        initial_risk=risk,
        **UNFROZEN,
    )


def _entering(trade: Trade) -> list[Any]:
    """When its executions entered, the first first."""
    side = Side(trade.side).entry_order_side
    fills = Fill.objects.filter(trade=trade, order_side=side).order_by("time")
    return list(fills.values_list("time", flat=True))

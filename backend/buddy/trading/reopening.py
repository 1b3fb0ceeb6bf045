"""A trade that was believed over, and an execution told afterwards by which it holds something: it is worked on again.

An entry that was taken back may have filled a moment before, and a venue may tell of that late. What it holds needs a
stop at once, so nothing but the trade that asked for it can be its home. An exit that could not be taken back may have
closed what others hold of the same symbol and side: that is told apart as of a trade that works (`overdone`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from buddy.core.market import OrderSide, Side
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


def reopen(touched: Collection[int], *, are_coins: bool) -> set[int]:
    """Of the trades `touched` by what has just been booked, those that were over and hold something.

    Of contracts those, too, of which more has left than they held. Call inside the transaction that booked it.
    """
    ended = Trade.objects.filter(pk__in=touched).exclude(status__in=WORKING)
    over = list(ended.exclude(exit_reason=ExitReason.BY_WORD))  # of those the trader has the last word
    held = booking.held_by(over)
    found = [trade for trade in over if held[trade.pk] > 0 or (held[trade.pk] < 0 and not are_coins)]
    for trade in found:
        _reopen(trade)
        moment, sentence = _told(trade, held[trade.pk])
        tell(trade, "trade_reopened", sentence, to_ms(moment), quantity=text(held[trade.pk]))
        hint(trade)
    return {trade.pk for trade in found}


def _told(trade: Trade, held: Decimal) -> tuple[datetime, str]:
    """When it happened, and in words."""
    begins, what = "The exchange told an execution after this trade had ended", f"{text(abs(held))} {trade.symbol}"
    if held > 0:
        return _executed(trade, Side(trade.side).entry_order_side)[-1], f"{begins}: {what} is held, and gets its stop."
    closed = _executed(trade, Side(trade.side).exit_order_side)[-1]
    return closed, f"{begins}: {what} more was closed than it held; whose that was is being found out."


def _reopen(trade: Trade) -> None:
    """What remains of its entry stays withdrawn, whatever it was that had ended it."""
    directives = Directives.read(trade.directives)
    why = directives.withdraw_entry or Withdrawal(trade.withdrawal or Withdrawal.MANUAL)
    risk = None if trade.initial_risk else trade.initial_risk  # one that leaves at once is without R from the start
    Trade.objects.filter(pk=trade.pk).exclude(status__in=WORKING).update(
        status=Trade.Status.OPEN,
        opened_at=trade.opened_at or _executed(trade, *OrderSide)[0],
        directives=replace(directives, withdraw_entry=why).document(),
        initial_risk=risk,
        **UNFROZEN,
    )


def _executed(trade: Trade, *ways: OrderSide) -> list[datetime]:
    """When, the first first."""
    fills = Fill.objects.filter(trade=trade, order_side__in=ways).order_by("time")
    return list(fills.values_list("time", flat=True))

"""What the venue holds beyond what its trade has executed: a hand has added it, and it was booked as nobody's.

So it is when the hand's execution is told before the entry beside which it happened, or while the venue's list of
positions did not show it. What a hand adds belongs to the only trade there is, and is under its stop.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from buddy.core.market import ZERO, OrderSide, Side

from . import adopted
from .case import Case
from .models import Fill, ForeignPosition
from .moments import at
from .taken import SURE_MS, assigned, tell_of
from .telling import hint


def settle(case: Case, lag_ms: int) -> bool:
    """Give the trade what explains the surplus; True when anything did. `lag_ms`: how late a read may be.

    Only what executed so long ago that no list can lag behind it: until then nothing is lost but time.
    """
    if case.exits.is_spot or case.unread or case.possible != case.position.held:
        return False
    surplus = case.held - case.position.held - case.entering
    if surplus <= 0 or (room := min(surplus, _unexplained(case))) <= 0:
        return False
    told = Fill.objects.filter(
        account=case.trade.account,
        symbol=case.trade.symbol,
        trade=None,
        order_side=case.position.side.entry_order_side,
        time__lte=at(case.market.time) - timedelta(milliseconds=lag_ms + SURE_MS),
    )
    rows = list(told.order_by("-time", "-id"))
    if not rows:
        return False
    with case.lease.writing():
        for row in rows:
            part = min(row.quantity, room)
            if part > 0:
                room -= part
                tell_of(case, assigned(row, case, part), "Executed outside this desk")
        hint(case.trade)
    return True


def _unexplained(case: Case) -> Decimal:
    """What was nobody's of this side and is neither a position that is nobody's nor was adopted since."""
    here = {"account": case.trade.account, "symbol": case.trade.symbol}
    strangers = _signed(Fill.objects.filter(trade=None, **here).values_list("order_side", "quantity"))
    taken_over = Fill.objects.filter(fill_id__startswith=adopted.PREFIX, **here)
    known = _signed(taken_over.values_list("order_side", "quantity"))
    for side, quantity in ForeignPosition.objects.filter(**here).values_list("side", "quantity"):
        known += Side(side).sign * quantity
    return case.position.side.sign * (strangers - known)


def _signed(ways: Iterable[tuple[str, Decimal]]) -> Decimal:
    return sum((quantity if way == OrderSide.BUY else -quantity for way, quantity in ways), ZERO)

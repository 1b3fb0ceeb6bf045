"""What the venue holds beyond what its trade has executed: a hand's execution was booked to the wrong one.

What a hand had added was booked as nobody's, because it was told before the entry beside which it happened, or while
the list of positions did not show it: what a hand adds belongs to the only trade there is, and is under its stop. Or
what it had sold was booked as having left the trade, while that list showed nothing at all; where longs and shorts lie
side by side, although it had enlarged the other side.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet

from buddy.core.market import ZERO, Side

from . import adopted, booking
from .case import Case
from .ledger import Ledger
from .models import Fill, ForeignPosition, Trade
from .moments import at
from .taken import SURE_MS, moved, tell_of
from .telling import hint


def settle(case: Case, ledger: Ledger) -> bool:
    """Book anew what explains the surplus; True when anything did.

    Only what executed so long ago that no list can lag behind it: until then nothing is lost but time.
    """
    if case.exits.is_spot or case.unread or case.possible != case.position.held:
        return False
    surplus = case.held - case.position.held
    if surplus <= 0:
        return False
    found, room = _by_hand(case), min(surplus, _unexplained(case))
    if room <= 0:
        found, room = found.filter(trade=case.trade), min(surplus, _beyond_other_side(case, ledger))
    rows = list(found.filter(time__lte=at(case.market.time) - timedelta(milliseconds=case.lag_ms + SURE_MS)))
    if room <= 0 or not rows:
        return False
    with case.lease.writing():
        for row in rows:
            part = min(row.quantity, room)
            if part > 0:
                room -= part
                _book_anew(case, row, part)
        hint(case.trade)
    return True


def _by_hand(case: Case) -> QuerySet[Fill]:
    """What could have been booked wrong, the newest first: entries that are nobody's, and exits without an order."""
    side = case.position.side
    entries = Q(trade=None, order_side=side.entry_order_side)
    exits = Q(trade=case.trade, order=None, order_side=side.exit_order_side)
    here = Fill.objects.filter(entries | exits, account=case.trade.account, symbol=case.trade.symbol)
    return here.order_by("-time", "-id")


def _book_anew(case: Case, row: Fill, part: Decimal) -> None:
    if row.trade_id is None:
        tell_of(case, moved(row, case.trade, part), "Executed outside this desk")
    else:
        tell_of(case, moved(row, None, part), "Not this trade's after all")


def _unexplained(case: Case) -> Decimal:
    """What was nobody's of this side and is neither a position that is nobody's nor was adopted since."""
    trade = case.trade
    known = sum((Side(side).sign * quantity for side, quantity in _foreign(trade)), ZERO)
    return case.position.side.sign * (adopted.nobodys_executions(trade) - known)


def _beyond_other_side(case: Case, ledger: Ledger) -> Decimal:
    """How much more of the other side the venue lists than our trades have entered and is nobody's."""
    trade, other = case.trade, case.position.side.opposite
    held = booking.held_by(ledger.working)
    ours = sum((held[each.pk] for each in ledger.working if (each.symbol, each.side) == (trade.symbol, other)), ZERO)
    nobodys = sum((quantity for side, quantity in _foreign(trade) if side == other), ZERO)
    return ledger.listed(trade.symbol, other) - ours - nobodys


def _foreign(trade: Trade) -> QuerySet[ForeignPosition, tuple[str, Decimal]]:
    here = ForeignPosition.objects.filter(account=trade.account, symbol=trade.symbol)
    return here.values_list("side", "quantity")

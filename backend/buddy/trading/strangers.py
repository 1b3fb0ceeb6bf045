"""Executions that are nobody's here: what a hand has opened with them, before a look has found it as a position."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from buddy.core.exchange import PositionMode
from buddy.core.market import ZERO, Side
from buddy.exchanges.models import Account
from buddy.prepared import Select

from .models import Fill, ForeignPosition
from .moments import at, to_ms

LATELY_MS = 60_000
"""A look finds what a hand has opened within that time."""
_STRANGERS = Select(
    lambda account, symbol, since: Fill.objects.filter(
        account_id=account, symbol=symbol, trade=None, time__gt=since
    ).values_list("order_side", "quantity")
)
_FOUND = Select(
    lambda account, symbol, side: ForeignPosition.objects.filter(
        account_id=account, symbol=symbol, side=side, confirmed=False
    ).values_list("first_seen")
)


def opened_by_hands(
    account: Account, symbol: str, side: Side, now: int, until: Mapping[str, int], more: Iterable[Fill] = ()
) -> Decimal:
    """By the executions of the last minute, and `more`, that were nobody's: how much of `side` they have opened.

    Where a look has found that as a position of which it cannot be said yet whose it is, of the minute before. `until`:
    what `adopted.known_until` says. Only where a symbol is held one way, so that a purchase is not the end of a short.
    """
    if account.position_mode != PositionMode.ONE_WAY:
        return ZERO
    found = [to_ms(first_seen) for (first_seen,) in _FOUND.rows(account=account.pk, symbol=symbol, side=side)]
    since = at(max(min([now, *found]) - LATELY_MS, until.get(symbol, -1)))
    ways = _STRANGERS.rows(account=account.pk, symbol=symbol, since=since)
    ways += [(row.order_side, row.quantity) for row in more]
    return sum((quantity if way == side.entry_order_side else -quantity for way, quantity in ways), ZERO)

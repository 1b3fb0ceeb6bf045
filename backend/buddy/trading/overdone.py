"""What the exits of a trade have closed beyond what it held: of another trade's, or of what is nobody's.

A stop that executes before it could be made smaller, after part of its position has left another way, closes what
others hold of the same symbol and side. The venue knows one position; whose part left is told here, when it is sure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from buddy.core.market import ZERO

from . import booking
from .case import Case
from .endings import AHEAD_MS
from .ledger import Ledger
from .models import Fill, Trade
from .moments import to_ms
from .taken import SURE_MS, moved
from .telling import hint, tell, text


def settle(case: Case, ledger: Ledger) -> bool:
    """Give what was closed too much to those it was taken from; True when there was any.

    First to trades that miss it, the youngest first, as soon as no list can lag any more. What none of them misses is
    nobody's, once no entry of this trade can be told any more.
    """
    position, last = case.position, case.position.last_exit_time
    excess = position.exited - position.entered
    if case.exits.is_spot or excess <= 0 or last is None or case.unread or case.possible:
        return False
    waited = case.market.time - last
    if waited < case.lag_ms + SURE_MS:
        return False
    losers: list[tuple[Trade | None, Decimal]] = list(_losers(case, ledger, excess))
    excess -= sum((part for _, part in losers), ZERO)
    if excess > 0 and waited >= AHEAD_MS:
        losers.append((None, excess))
    if not losers:
        return False
    with case.lease.writing():
        for trade, part in losers:
            _give(case, trade, part)
        hint(case.trade)
    return True


def _losers(case: Case, ledger: Ledger, most: Decimal) -> Iterator[tuple[Trade, Decimal]]:
    """Trades of which more is gone than their own executions tell, by what the venue still lists."""
    key = (case.trade.symbol, case.position.side)
    others = [each for each in ledger.working if each.pk != case.trade.pk and (each.symbol, each.side) == key]
    if _have_unread(others, ledger):  # what has left them may be told yet
        return
    holding = booking.held_by(others)
    there = case.there.quantity if case.there is not None else ZERO
    listed = max(there - ledger.nobodys.get(key, ZERO), ZERO)
    missing = min(sum(holding.values(), ZERO) - listed, most)
    for trade in reversed(others):
        part = min(holding[trade.pk], missing)
        if part > 0:
            missing -= part
            yield trade, part


def _have_unread(trades: Sequence[Trade], ledger: Ledger) -> bool:
    orders = [order for trade in trades for order in ledger.rows.orders[trade.pk] if order.filled]
    told = booking.told_of([order.pk for order in orders])
    return any(order.filled > told[order.pk] for order in orders)


def _give(case: Case, trade: Trade | None, part: Decimal) -> None:
    """Its last exits become the other's."""
    exits = Fill.objects.filter(trade=case.trade, order_side=case.position.side.exit_order_side)
    for row in exits.order_by("-time", "-id"):
        taken = min(row.quantity, part)
        if taken <= 0:
            return
        part -= taken
        row = moved(row, trade, taken)
        if trade is not None:
            price = text(case.position.instrument.round_price(row.price))
            sentence = f"An exit of another trade of this position closed {text(taken)} of this one at {price}."
            figures = {"price": text(row.price), "quantity": text(taken), "leg": None}
            tell(trade, "external_fill", sentence, to_ms(row.time), **figures)
            hint(trade)

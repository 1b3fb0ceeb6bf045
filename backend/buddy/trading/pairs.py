"""Pairs (`Exits.PAIRED`): a stop and a limit order of the same coins, written, sent and taken back together.

Each is a row with a name of its own, since the venue tells of each by itself; whichever executes ends the other.
"""

from __future__ import annotations

from buddy.core.exchange import OrderKind, Role
from buddy.core.position import Cause, Wish

from .models import Order
from .rows import Rows
from .states import LIVE


def other_half(order: Order, rows: Rows) -> Order | None:
    """The row it was sent together with, as it is in hand; None when there is none, or it is over without a fill."""
    return next((each for each in rows.orders[order.trade_id] if are_pair(order, each)), None)


def are_pair(one: Order, other: Order) -> bool:
    return one.pk == other.paired_with_id or other.pk == one.paired_with_id


def together(order: Order, rows: Rows) -> list[Order]:
    """The order and, unless it is over, its other half."""
    half = other_half(order, rows)
    return [order, half] if half is not None and half.status in LIVE else [order]


def limit_half(stop: Wish) -> Wish:
    """What rests beside the stop of a pair; the stops of targets are counted from 1."""
    return stop._replace(
        role=Role.TAKE_PROFIT,
        leg=stop.leg - 1,
        kind=OrderKind.LIMIT,
        price=stop.beside,
        trigger=None,
        reason=Cause.TAKE_PROFIT,
        beside=None,
    )

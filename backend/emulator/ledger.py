"""Everything one account of a venue ever did: its orders, executions and payments, by their ids."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import count

from .orders import Funds, HeldPosition, VenueIncome, VenueOrder, VenueTrade

REMEMBERED = 400
"""Views kept for reads that lag."""


class Ids:
    """The venue's own numbers, never used twice."""

    def __init__(self, first: int = 8_389_765_000_000) -> None:
        self.orders = count(first)
        self.algos = count(first // 4)
        self.trades = count(first // 1000)
        self.payments = count(first // 100)
        self.lists = count(first // 10_000)


@dataclass(frozen=True, slots=True)
class View:
    """What the account looked like at one moment: open orders of both kinds, and what is held."""

    time: int
    orders: tuple[VenueOrder, ...]
    positions: tuple[HeldPosition, ...]
    funds: Mapping[str, Funds]
    """On spot: what it owns of each coin."""


@dataclass(slots=True)
class Ledger:
    """`algos` are conditional orders; they live in a number space of their own."""

    orders: dict[int, VenueOrder] = field(default_factory=dict)
    algos: dict[int, VenueOrder] = field(default_factory=dict)
    trades: list[VenueTrade] = field(default_factory=list)
    income: list[VenueIncome] = field(default_factory=list)
    views: deque[View] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    archived_until: int = -1
    """Ended orders up to this time are no longer told of."""

    def find(
        self, book: dict[int, VenueOrder], order_id: int | None, client_id: str, known: Callable[[VenueOrder], bool]
    ) -> VenueOrder | None:
        """By the venue's id when there is one, else the newest with that client id; only what is `known`."""
        if order_id is not None:
            found = book.get(order_id)
            return found if found is not None and known(found) else None
        same = (order for order in reversed(book.values()) if order.client_id == client_id and known(order))
        return next(same, None)

    def is_archived(self, order: VenueOrder) -> bool:
        return not order.status.is_open and order.updated <= self.archived_until

    def remember(self, view: View) -> None:
        self.views.append(replace(view, orders=tuple(copy(order) for order in view.orders)))

    def view(self, at: int) -> View:
        """The newest view that is not younger than `at`; before the first one nothing was there."""
        return next((view for view in reversed(self.views) if view.time <= at), View(at, (), (), {}))

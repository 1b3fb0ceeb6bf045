"""Prices that the stream listens to, and whom one concerns: where an order or a target of ours waits, its account is
looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Q

from buddy.core.exchange import Exits
from buddy.exchanges.models import Account
from buddy.exchanges.stream import Market
from buddy.exchanges.venues import VENUES

from .models import Order, Trade
from .states import RESTING

Place = tuple[Market, str]
REAL = ~Q(account__mode=Account.Mode.PAPER) | Q(account__price_source=Account.PriceSource.LIVE)
"""Accounts on prices of a venue."""


class Touches:
    def __init__(self) -> None:
        self._levels: Mapping[Place, list[tuple[Decimal, int]]] = {}
        self.last: dict[Place, Decimal] = {}
        """The newest price told."""

    def symbols(self) -> Mapping[Market, frozenset[str]]:
        """Read the levels anew; which symbols they are of."""
        levels: dict[Place, list[tuple[Decimal, int]]] = defaultdict(list)
        for account_id, venue, mode, symbol, *wanted in (*_resting(), *_targets()):
            environment = "testnet" if mode == Account.Mode.TESTNET else "live"
            place = Market(venue, environment), symbol
            levels[place] += [(level, account_id) for level in wanted if level is not None]
        self._levels = levels
        self.last = {place: price for place, price in self.last.items() if place in levels}
        return _by_market(levels)

    def touched(self, market: Market, symbol: str, price: Decimal) -> Iterable[int]:
        """Accounts with a level between the price before and this one."""
        place = (market, symbol)
        before, self.last[place] = self.last.get(place, price), price
        low, high = min(before, price), max(before, price)
        return {account_id for level, account_id in self._levels.get(place, ()) if low <= level <= high}


def _resting() -> Iterator[tuple[Any, ...]]:
    """Account, venue, mode and symbol of every order that rests, with its prices."""
    orders = Order.objects.filter(REAL, status__in=RESTING, account__archived_at=None)
    yield from orders.values_list("account_id", "account__venue", "account__mode", "symbol", "price", "trigger")


def _targets() -> Iterator[tuple[Any, ...]]:
    """The same of targets that no order waits at, since they are sold from here when the price is there."""
    venues = [name for name, venue in VENUES.items() if venue.exits is Exits.SINGLE]
    trades = Trade.objects.filter(REAL, status=Trade.Status.OPEN, account__venue__in=venues)
    for *where, plan in trades.values_list("account_id", "account__venue", "account__mode", "symbol", "plan"):
        yield *where, *(Decimal(target["price"]) for target in plan.get("take_profits", ()))


def _by_market(places: Iterable[Place]) -> dict[Market, frozenset[str]]:
    found: dict[Market, set[str]] = defaultdict(set)
    for market, symbol in places:
        found[market].add(symbol)
    return {market: frozenset(symbols) for market, symbols in found.items()}

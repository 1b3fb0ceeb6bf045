"""Prices that the stream listens to, and whom one concerns: where an order of ours waits, its account is looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db.models import Q

from buddy.exchanges.models import Account
from buddy.exchanges.stream import Market

from .models import Order
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
        rows = Order.objects.filter(REAL, status__in=RESTING, account__archived_at=None)
        for account_id, venue, mode, symbol, price, trigger in rows.values_list(
            "account_id", "account__venue", "account__mode", "symbol", "price", "trigger"
        ):
            environment = "testnet" if mode == Account.Mode.TESTNET else "live"
            wanted = [level for level in (price, trigger) if level is not None]
            levels[Market(venue, environment), symbol] += [(level, account_id) for level in wanted]
        self._levels = levels
        self.last = {place: price for place, price in self.last.items() if place in levels}
        return _by_market(levels)

    def touched(self, market: Market, symbol: str, price: Decimal) -> Iterable[int]:
        """Accounts with a level between the price before and this one."""
        place = (market, symbol)
        before, self.last[place] = self.last.get(place, price), price
        low, high = min(before, price), max(before, price)
        return {account_id for level, account_id in self._levels.get(place, ()) if low <= level <= high}


def _by_market(places: Iterable[Place]) -> dict[Market, frozenset[str]]:
    found: dict[Market, set[str]] = defaultdict(set)
    for market, symbol in places:
        found[market].add(symbol)
    return {market: frozenset(symbols) for market, symbols in found.items()}

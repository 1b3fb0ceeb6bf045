"""Every second: prices to the pages that show them, and a look at once where a price has touched a working level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from threading import Lock

import redis

from buddy.core.errors import CoreError
from buddy.core.exchange import Quote
from buddy.events import live
from buddy.exchanges.connect import source_for
from buddy.exchanges.market_data.source import UnknownSymbol
from buddy.exchanges.models import Account
from buddy.store import store

from .models import Order, Trade
from .rounds import look_quietly
from .states import RESTING, WORKING

Market = tuple[int, datetime, str, str, int, str, str]
_LAST: dict[Market, Quote] = {}
"""The newest quote this process has told, by market."""
MOST_KEPT = 10_000
_ASKED: defaultdict[str, Lock] = defaultdict(Lock)
"""By venue: somebody of this process asks it for prices."""


def tick() -> None:
    """Tell the prices somebody watches or trades on; look where one touched an order's price."""
    levels = _levels()
    wanted = _watched()
    for account_id, symbol in _working():
        wanted[account_id].add(symbol)
    for venue, accounts in _by_venue(Account.objects.filter(pk__in=wanted, archived_at=None)).items():
        with _free(venue) as free:
            touched = [account.pk for account in accounts if free and _tell(account, wanted[account.pk], levels)]
        for account_id in touched:
            look_quietly(account_id)


def _by_venue(accounts: Iterable[Account]) -> dict[str, list[Account]]:
    """Those whose prices are asked for over the network by whom they come from; all others, which never wait, first."""
    found: dict[str, list[Account]] = {"": []}
    for account in accounts:
        ours = account.is_paper and account.price_source != Account.PriceSource.LIVE
        found.setdefault("" if ours else f"{account.venue} {account.mode}", []).append(account)
    return found


@contextmanager
def _free(venue: str) -> Iterator[bool]:
    """Whether no tick before this one still waits for the venue: each would hold one more thread that stops need."""
    free = not venue or _ASKED[venue].acquire(blocking=False)
    try:
        yield free
    finally:
        if venue and free:
            _ASKED[venue].release()


def _working() -> list[tuple[int, str]]:
    return list(Trade.objects.filter(status__in=WORKING).values_list("account_id", "symbol").distinct())


def _watched() -> dict[int, set[str]]:
    """Account → symbols that some open page shows."""
    found: dict[int, set[str]] = defaultdict(set)
    try:
        keys = list(store().scan_iter(match="watched:*", count=1000))
    except redis.RedisError:
        return found
    for key in keys:
        _, account, symbol = str(key).split(":", 2)
        if account.isdigit():
            found[int(account)].add(symbol)
    return found


def _levels() -> dict[tuple[int, str], list[Decimal]]:
    """Prices at which a resting order would execute."""
    found: dict[tuple[int, str], list[Decimal]] = defaultdict(list)
    rows = Order.objects.filter(status__in=RESTING).values_list("account_id", "symbol", "price", "trigger")
    for account_id, symbol, price, trigger in rows:
        found[account_id, symbol] += [level for level in (price, trigger) if level is not None]
    return found


def _tell(account: Account, symbols: set[str], levels: Mapping[tuple[int, str], list[Decimal]]) -> bool:
    """Publish the account's new prices; whether one of them touched a level."""
    try:
        source = source_for(account)
    except CoreError:
        return False
    touched = False
    for symbol in sorted(symbols):
        try:
            quote = source.quote(symbol)
        except (CoreError, UnknownSymbol):
            continue
        touched |= _tell_quote(account, quote, levels.get((account.pk, symbol), []))
    return touched


def _market(account: Account, symbol: str) -> Market:
    """All that decides a price: after a restored dump the same account number may be another account."""
    source = (account.price_source, account.venue, account.seed, account.replay_file)
    return (account.pk, account.created_at, *source, symbol)


def _tell_quote(account: Account, quote: Quote, levels: list[Decimal]) -> bool:
    market = _market(account, quote.symbol)
    before = _LAST.get(market)
    if before is not None and before.time == quote.time and before.last == quote.last:
        return False
    if len(_LAST) >= MOST_KEPT:
        _LAST.clear()
    _LAST[market] = quote
    live.publish_price(account.pk, quote.symbol, format(quote.last, "f"), quote.time)
    return _touches(before.last if before else quote.last, quote.last, levels)


def _touches(before: Decimal, now: Decimal, levels: list[Decimal]) -> bool:
    low, high = min(before, now), max(before, now)
    return any(low <= level <= high for level in levels)

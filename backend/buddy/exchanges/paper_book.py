"""The paper exchange's books in the database: an account's whole state, replaced as one, guarded by its version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from buddy.core.costs import Costs
from buddy.core.exchange import Quote
from buddy.core.market import ZERO, Candle, Instrument
from buddy.core.simulated_market import FundingRate, SymbolMarket
from buddy.core.simulator import SimulatedExchange
from buddy.core.watching import Watch
from buddy.prepared import Select, Update

from . import instrument_json
from .market_data.source import Quiet, Step
from .models import Account, PaperBook
from .venues import VENUES

FIRST = 0
"""Version of books that are not in the database yet."""
INFINITE = Decimal("Infinity")
FOREVER = 2**62

_BOOKS = Select(lambda account: PaperBook.objects.filter(account_id=account).values_list("state", "version"))
_VERSION = Select(lambda account: PaperBook.objects.filter(account_id=account).values_list("version"))
_UNCHANGED = Update(lambda account, version: PaperBook.objects.filter(account_id=account, version=version))


@dataclass(slots=True)
class Book:
    """`cursor`: the market has been fed up to here (ms). `walked`: of each running candle what was fed of it.

    `unreacted`: symbols whose manager has not said yet what it waits for, after something happened.
    `closed`: by client id, what was last written of orders that are over; those never change again.
    """

    exchange: SimulatedExchange
    cursor: int = 0
    walked: dict[str, Candle] = field(default_factory=dict)
    unreacted: set[str] = field(default_factory=set)
    version: int = FIRST
    closed: dict[str, Any] = field(default_factory=dict)

    @property
    def time(self) -> int:
        """The exchange's clock: inside a candle that is still walked it is the candle's."""
        if not self.exchange.is_behind:
            return self.cursor
        return max(market.time for market in self.exchange.markets.values())

    def at_work(self, symbols: Iterable[str]) -> set[str]:
        """Symbols with an order or a position: something may happen to them on the way.

        To coins nothing happens, unless they are among the `symbols` whose manager waits for something.
        """
        resting = {order.intent.symbol for order in self.exchange.orders.values()}
        return resting | set(self.exchange.books.holdings) | {symbol for symbol in symbols if self._is_managed(symbol)}

    def _is_managed(self, symbol: str) -> bool:
        """Whether somebody waits for a price of coins."""
        return self.exchange.instruments[symbol].spot and self.exchange.markets[symbol].watch != Watch()

    def quiet(self, symbol: str) -> Quiet:
        """Where the price may go without meeting an order, a watch or the liquidation."""
        market, orders = self.exchange.markets[symbol], self.exchange.orders.values()
        levels = [order.level for order in orders if order.intent.symbol == symbol]
        levels += [self.exchange.liquidation(symbol), *market.watch.levels]
        levels += [best for _, best in market.watch.follow]
        known = [level for level in levels if level is not None]
        times = [*market.watch.times, *(rate.time for rate in self.exchange.funding.get(symbol, ()))]
        return Quiet(
            low=max((level for level in known if level <= market.last), default=ZERO),
            high=min((level for level in known if level >= market.last), default=INFINITE),
            until=min(times, default=FOREVER),
        )

    def stand(self, quote: Quote, so_far: Candle | None) -> None:
        """The market of a symbol without work stands here now, however it came here; `so_far` is behind it."""
        known = self.exchange.markets.get(quote.symbol)
        watch = known.watch if known else Watch()
        self.exchange.markets[quote.symbol] = SymbolMarket(quote.last, quote.time, watch=watch)
        self.walked.pop(quote.symbol, None)
        if so_far is not None:
            self.walked[quote.symbol] = so_far

    def fund(self, symbol: str, told: Iterable[FundingRate]) -> None:
        """Rates still to come, what was told of them last; one whose time is over concerned whoever held then."""
        known = {rate.time: rate for rate in (*self.exchange.funding.get(symbol, ()), *told)}
        now = self.exchange.markets[symbol].time
        self.exchange.funding[symbol] = [known[time] for time in sorted(known) if time > now]

    def feed(self, step: Step) -> None:
        self.exchange.feed(step.symbol, step.played)
        if step.whole is not None:
            self.walked[step.symbol] = step.whole

    def stand_still(self, symbols: Iterable[str]) -> None:
        """Until the managers of these have reacted."""
        self.exchange.waiting = True
        self.unreacted.update(symbols)

    def awaits(self, symbol: str, watch: Watch) -> bool:
        """Whether `react` would change anything."""
        market = self.exchange.markets.get(symbol)
        return market is not None and (market.watch != watch or symbol in self.unreacted or market.crossed)

    def react(self, watches: Mapping[str, Watch]) -> None:
        """The managers of these symbols have reacted and wait for this; the market goes on when all have."""
        for symbol, watch in watches.items():
            if self.awaits(symbol, watch):
                market = self.exchange.markets[symbol]
                market.watch, market.crossed = watch, False
                self.unreacted.discard(symbol)
                self.exchange.waiting = bool(self.unreacted)

    def forget_all_but(self, symbols: Iterable[str]) -> None:
        """A symbol that nobody reads any more has nobody who could react."""
        self.unreacted &= set(symbols)
        if not self.unreacted:
            for market in self.exchange.markets.values():
                market.crossed = False
            self.exchange.waiting = False

    def document(self) -> dict[str, Any]:
        return {
            "exchange": self._state(),
            "instruments": [instrument_json.to_json(one) for one in self.exchange.instruments.values()],
            "cursor": self.cursor,
            "walked": {symbol: [candle.time, *map(str, candle[1:])] for symbol, candle in self.walked.items()},
            "unreacted": sorted(self.unreacted),
        }

    def _state(self) -> dict[str, Any]:
        """The exchange as plain JSON; only what is new of the closed orders is told anew: they are most of it."""
        exchange, closed = self.exchange, self.exchange.closed
        exchange.closed = {client_id: order for client_id, order in closed.items() if client_id not in self.closed}
        try:
            state = exchange.to_state()
        finally:
            exchange.closed = closed
        known = self.closed | _by_client_id(state["closed"])
        self.closed = {client_id: known[client_id] for client_id in closed}
        return state | {"closed": list(self.closed.values())}


def _by_client_id(orders: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {order["intent"]["client_id"]: order for order in orders}


def costs_of(account: Account) -> Costs:
    return Costs(maker=account.maker_fee, taker=account.taker_fee, slippage=account.slippage)


def _kind(account: Account) -> dict[str, Any]:
    """What differs by the venue whose habits the account has."""
    venue = VENUES.get(account.venue)
    return {"exits": venue.exits, "withholds": venue.fee_in_coins} if venue else {}


def with_fees(instrument: Instrument, account: Account) -> Instrument:
    """The account's own fees, whatever the venue's list says."""
    return replace(instrument, maker_fee=account.maker_fee, taker_fee=account.taker_fee)


def load(account: Account) -> Book:
    """The books as they are now; new ones with the opening balance when there are none."""
    row = _BOOKS.first(account=account.pk)
    if row is None:
        return Book(SimulatedExchange({}, wallet=account.opening_balance, costs=costs_of(account), **_kind(account)))
    state, version = row
    instruments = [with_fees(instrument_json.from_json(told), account) for told in state["instruments"]]
    known = {instrument.symbol: instrument for instrument in instruments}
    exchange = SimulatedExchange.from_state(state["exchange"], known, costs=costs_of(account), **_kind(account))
    return Book(
        exchange,
        cursor=state["cursor"],
        walked={symbol: Candle(row[0], *map(Decimal, row[1:])) for symbol, row in state["walked"].items()},
        unreacted=set(state["unreacted"]),
        version=version,
        closed=_by_client_id(state["exchange"]["closed"]),
    )


def store(account: Account, book: Book, *, clock: bool) -> bool:
    """Replace the books unless somebody else has in the meantime; with `clock` the replay's clock goes along."""
    document, version = book.document(), book.version
    try:
        with transaction.atomic():
            if version == FIRST:
                PaperBook.objects.create(account=account, state=document, version=1)
            elif not _replace(account, document, version):
                return False
            if clock:
                Account.objects.filter(pk=account.pk).update(clock_time=book.time)
    except IntegrityError:  # someone else opened the books first
        return False
    book.version = version + 1
    if clock:
        account.clock_time = book.time
    return True


def newest_version(account: Account) -> int:
    found = _VERSION.first(account=account.pk)
    return int(found[0]) if found else FIRST


def _replace(account: Account, document: dict[str, Any], version: int) -> int:
    return _UNCHANGED({"state": document, "version": version + 1}, account=account.pk, version=version)

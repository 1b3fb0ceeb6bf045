"""The paper exchange: the simulated exchange on an account's prices, with its books in the database.

It never runs past an event. `read` plays everything that traded since the last time, but only until the first
execution or the first price or time that management waits for; then it stands still until `watch` has been called for
every symbol that was read, and says `behind`, so that the manager reacts at that very instant of the exchange's time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import groupby
from typing import TypeVar

from buddy.core.errors import Temporary
from buddy.core.exchange import (
    Balance,
    CancelOutcome,
    OrderIntent,
    OrderRef,
    OrderState,
    PositionMode,
    Profile,
    Reading,
)
from buddy.core.market import Instrument, Side
from buddy.core.watching import Watch

from . import paper_book
from .market_data.source import DAY, PriceSource, UnknownSymbol
from .models import Account
from .paper_book import Book
from .venues import exits_of

T = TypeVar("T")
TRIES = 5
"""Against another process that writes the same books in between."""
STEPS = 20_000
"""Most steps of a path in one reading."""
STRETCH = 30 * DAY
"""Longest stretch of the exchange's time in one reading: its funding is asked for in advance."""


class PaperExchange:
    """One paper account; implements `core.exchange.Exchange`. Cheap to make; its books are read at the first need."""

    def __init__(self, account: Account, source: PriceSource) -> None:
        self.account = account
        self.source = source
        self._held: Book | None = None

    @property
    def profile(self) -> Profile:
        return Profile("paper", exits=exits_of(self.account.venue))

    def instrument(self, symbol: str) -> Instrument:
        return paper_book.with_fees(self.source.instrument(symbol), self.account)

    def balance(self) -> Balance:
        return self._now().exchange.balance()

    def find(self, ref: OrderRef) -> OrderState | None:
        return self._now().exchange.find(ref)

    def read(self, symbols: Sequence[str], cursor: str) -> Reading:
        """What can be read: a symbol that its source trades no more is left out, and hides no other."""
        gone: set[str] = set()
        while True:
            try:
                return self._change(lambda book: self._read(book, symbols, cursor, gone))
            except UnknownSymbol as unknown:
                if unknown.symbol in gone:
                    raise
                gone.add(unknown.symbol)

    def write_off(self, symbol: str, side: Side, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
        """Let go of what is held of a symbol that can be traded no more, at this price, with the orders for it."""

        def operation(book: Book) -> None:
            exchange = book.exchange
            for client_id, order in list(exchange.orders.items()):
                if order.intent.symbol == symbol:
                    exchange.cancel(OrderRef(symbol, client_id))
            if quantity:
                exchange.books.execute(exchange.instruments[symbol], side.exit_order_side, quantity, price, fee)
            book.unreacted.discard(symbol)
            exchange.waiting = exchange.waiting and bool(book.unreacted)

        self._change(operation)

    def set_up(self, symbol: str, leverage: Decimal, margin_mode: str) -> None:
        def operation(book: Book) -> None:
            self._open_market(book, symbol)
            book.exchange.set_up(symbol, leverage, margin_mode)

        self._change(operation)

    def position_mode(self) -> PositionMode | None:
        return None

    def place(self, intent: OrderIntent) -> OrderState:
        def operation(book: Book) -> OrderState:
            self._open_market(book, intent.symbol)
            state = book.exchange.place(intent)
            book.stand_still([intent.symbol])
            return state

        return self._change(operation)

    def cancel(self, ref: OrderRef) -> CancelOutcome:
        return self._change(lambda book: book.exchange.cancel(ref))

    def watch(self, watches: Mapping[str, Watch]) -> None:
        """The managers of these symbols have reacted and wait for this now. When all have, the market goes on."""
        if not watches:
            return
        known = self._now()
        if any(known.awaits(symbol, watch) for symbol, watch in watches.items()):
            self._change(lambda book: book.react(watches))

    # The books

    def _now(self) -> Book:
        """The books as they are in the database, read again only when somebody else has written them."""
        if self._held is None or self._held.version != paper_book.newest_version(self.account):
            self._held = paper_book.load(self.account)
        return self._held

    def _change(self, operation: Callable[[Book], T]) -> T:
        """Do it on the newest books and store them; once more when another process was faster. All or nothing."""
        for _ in range(TRIES):
            book = self._now()
            self._held = None  # half-changed books are never used again
            answer = operation(book)
            if paper_book.store(self.account, book, clock=self.source.leaps):
                self._held = book
                return answer
        raise Temporary("The paper exchange is busy.")

    # The market

    def _read(self, book: Book, wanted: Sequence[str], cursor: str, gone: Collection[str]) -> Reading:
        exchange, symbols = book.exchange, [symbol for symbol in wanted if symbol not in gone]
        for symbol in symbols:
            self._open_market(book, symbol)
        working = book.at_work(symbols).difference(gone)
        book.forget_all_but(symbols)
        until = max(self.source.horizon(at_work=bool(working)), book.cursor)
        if not exchange.waiting:
            self._play(book, sorted(working), until, gone)
        if exchange.waiting and not book.unreacted:
            book.stand_still(symbols)
        if not exchange.waiting:
            self._bring_up(book, symbols, working)
        reading = exchange.read(symbols, cursor)
        return replace(reading, time=book.time, behind=exchange.is_behind or book.cursor < until)

    def _play(self, book: Book, symbols: Sequence[str], until: int, gone: Collection[str]) -> None:
        """Walk on, what is left of the path first, until something happens or all of it is walked."""
        if symbols:
            until = min(until, book.cursor + STRETCH)
        self._fund(book, until, gone)
        if not book.exchange.run():
            return
        if not symbols:  # nothing to walk past, and new books would walk from 1970 on
            book.cursor = until
            return
        quiet = partial(book.quiet, symbols[0]) if len(symbols) == 1 else None
        steps = self.source.path(symbols, book.cursor, until, walked=book.walked, quiet=quiet)
        for count, (end, together) in enumerate(groupby(steps, key=lambda step: step.end)):
            for step in together:
                book.feed(step)
            book.cursor = end
            if not book.exchange.run() or count >= STEPS:
                return
        book.cursor = until

    def _fund(self, book: Book, until: int, gone: Collection[str]) -> None:
        """Before a walk: what those who hold something owe on the way. A walk ends where somebody begins to hold."""
        for symbol in [held for held in book.exchange.books.holdings if held not in gone]:
            since = book.exchange.markets[symbol].time
            book.fund(symbol, self.source.funding(symbol, since, until))

    def _open_market(self, book: Book, symbol: str) -> None:
        """A symbol's first appearance: its instrument and the price it stands at."""
        if symbol not in book.exchange.markets:
            book.cursor = book.cursor or self.source.horizon(at_work=False)
            book.exchange.instruments[symbol] = self.instrument(symbol)
            book.stand(self.source.quote(symbol, book.cursor), self.source.so_far(symbol))

    def _bring_up(self, book: Book, symbols: Iterable[str], working: Container[str]) -> None:
        """Where nothing is at work nothing can happen on the way, so the price may jump to where it is now."""
        for symbol in symbols:
            quote = self.source.quote(symbol, book.cursor)
            if symbol not in working:
                book.stand(quote, self.source.so_far(symbol))


def balance_of(account: Account) -> Balance:
    """The account's money at the prices of the last look, without asking any price source."""
    return paper_book.load(account).exchange.balance()

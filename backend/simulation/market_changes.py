"""What goes on around the product: prices, what venues do to their markets, and position modes that a hand sets."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from .clock import EPOCH
from .markets import FIRST, beside
from .story import Trouble
from .world import World


class MarketChanges:
    """`paused`: by symbol the price elsewhere of what does not trade now."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.paused: dict[str, Decimal] = {}

    def plan(self) -> None:
        """All that is going to happen of it."""
        clock, story = self.world.clock, self.world.story
        for move in story.moves:
            clock.at(EPOCH + move.at, partial(self._move, move.symbol, move.factor, move.jump))
        for number, fate in enumerate(self.world.fates):
            for edge in fate.edges():
                clock.at(edge, partial(self.world.changes, number))
        for trouble in self.world.rules.troubles:
            clock.at(EPOCH + trouble.at, partial(self._begins, trouble))
            clock.at(EPOCH + trouble.at + trouble.lasts, partial(self._ends, trouble))
        for trouble in story.troubles:
            if trouble.kind == "mode_changed":
                clock.at(EPOCH + trouble.at, partial(self._wants_mode, trouble, True))
                clock.at(EPOCH + trouble.at + trouble.lasts, partial(self._wants_mode, trouble, False))
            if trouble.kind == "store_away":  # it comes back empty
                clock.at(EPOCH + trouble.at + trouble.lasts, self.world.forget_store)

    def _move(self, symbol: str, factor: Decimal, jump: bool) -> None:
        """Of a perpetual, and of the coins behind it."""
        for each in beside(symbol, self.world.markets):
            price = self.world.markets[each].round_price(FIRST[each] * factor)
            if self.world.rules.stands(each):
                self.paused[each] = price
                continue
            self._trades(each, price, jump)

    def _trades(self, symbol: str, price: Decimal, jump: bool) -> None:
        for book in self.world.books:
            if symbol in book.markets:
                book.move(symbol, price, jump)
        self.world.ways[symbol].go(self.world.clock.now, price)
        self.world.tell(f"{symbol} {price}{' (jump)' if jump else ''}")
        self.world.unsettled = True

    def _begins(self, trouble: Trouble) -> None:
        """A venue's rules of one symbol are others now."""
        if any(fate.over for fate in self.world.fates):
            return
        self.world.rules.begin(trouble)
        for number, fate in enumerate(self.world.fates):
            fate.strikes(trouble.kind, is_new=number == trouble.account)
            if trouble.kind == "settled":
                self.world.books[number].settle_symbol(trouble.role)
        self._follow(trouble, f"is {trouble.kind}")

    def _ends(self, trouble: Trouble) -> None:
        if trouble not in self.world.rules.on:
            return
        self.world.rules.end(trouble)
        self._follow(trouble, f"is {trouble.kind} no more")
        if trouble.role in self.paused and not self.world.rules.stands(trouble.role):
            self._trades(trouble.role, self.paused.pop(trouble.role), True)

    def _follow(self, trouble: Trouble, what: str) -> None:
        market = self.world.rules.there[trouble.role]
        for number, book in enumerate(self.world.books):
            book.follow(market, restricted=self.world.rules.takes_no_entries(market.symbol))
            self.world.changes(number)
        self.world.tell(f"{market.symbol} {what}: lots of {market.lot_size}, ticks of {market.tick_size}")
        self.world.unsettled = True

    def _wants_mode(self, trouble: Trouble, other: bool) -> None:
        book = self.world.books[trouble.account]
        book.wants_hedge = book.seat.hedge is not (other and not self.world.fates[trouble.account].over)
        book.arrive()

    def mode_changed(self, number: int) -> None:
        self.world.tell(f"[{number}] a hand sets {'hedge' if self.world.books[number].hedge else 'one-way'} mode")
        self.world.fates[number].strikes("mode_changed", is_new=True)
        self.world.changes(number)
        self.world.unsettled = True

    def as_before(self) -> None:
        """Whatever their venues have changed is taken back, and known; a position mode as soon as it can be."""
        for book in self.world.books:
            book.wants_hedge = book.seat.hedge
        for trouble in list(self.world.rules.on):
            self._ends(trouble)
        self.world.rules.read_anew()

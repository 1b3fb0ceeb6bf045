"""An account on spot as its venue knows it: money and coins, of which some may be the trader's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from buddy.core.exchange import OrderIntent, OrderState, PositionState
from buddy.core.market import ZERO, Side
from buddy.core.simulated_books import Resting
from buddy.core.simulator import Tick
from buddy.exchanges.venues import VENUES

from .books import WALLET, Book, Key
from .clock import EPOCH
from .exchange import Exchange
from .markets import FIRST, costs_at

FINEST = Decimal("1E-8")
"""What venues keep of a coin."""


class CoinBook(Book):
    """What is held of a symbol is all there is of its coin, whoever bought it. `before` and `after` of an execution are
    what was bought and sold since the beginning."""

    def _exchange(self) -> Exchange:
        venue, costs = VENUES[self.seat.venue], costs_at(self.seat.venue)
        costs = replace(costs, maker=ZERO) if self.seat.free_makers else costs
        slices, withholds = self.seat.slices, venue.fee_in_coins
        made = Exchange(self.markets, wallet=WALLET, costs=costs, slices=slices, exits=venue.exits, withholds=withholds)
        made.books.coins = self.own()
        for symbol in self.markets:
            made.feed(symbol, Tick(EPOCH, FIRST[symbol]))
        while not made.run():
            made.watch({})
        return made

    def own(self) -> dict[str, Decimal]:
        """By coin, what the trader had of it at first."""
        worth = Decimal(self.seat.own)
        return {each.base: (worth / FIRST[each.symbol]).quantize(FINEST) for each in self.markets.values()}

    @property
    def sim(self) -> Exchange:
        return self.sims[""]

    def held(self, symbol: str, side: Side) -> Decimal:
        return self.sim.books.coins.get(self.markets[symbol].base, ZERO) if side is Side.LONG else ZERO

    def holdings(self) -> list[Key]:
        keys = [(symbol, Side.LONG) for symbol in self.markets]
        return [key for key in keys if self.held(*key)]

    def sales(self) -> list[Resting]:
        """Resting sales, each coin once: of a pair its stop."""
        orders = [order for order in self.sim.orders.values() if not order.intent.order_side.is_buy]
        return [order for order in orders if not order.other or not order.live]

    def number_of(self, name: str) -> str:
        """The venue's own, of an order that it has taken."""
        return next(self._id(side, order) for side, order in self._all() if order.intent.client_id == name)

    def free(self, symbol: str) -> Decimal:
        """Coins that no order sells."""
        return self.sim.free_coins(symbol)

    def accept(self, intent: OrderIntent) -> OrderState:
        if intent.beside is not None:
            self._forget_name(self.sim, intent.beside.client_id)
        state = super().accept(intent)
        if intent.beside is not None:
            self.on_acceptance(intent.beside.client_id)
        return state

    def _positions(self) -> Iterator[PositionState]:
        return (PositionState(symbol, side, self.held(symbol, side), ZERO) for symbol, side in self.holdings())

"""One trade managed on the simulated exchange, its ledger in memory: what the watcher is to a paper account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Self

from .errors import Rejected
from .exchange import Beside, CancelOutcome, Fill, Income, OrderIntent, OrderKind, OrderRef, OrderStatus, Role
from .holding import Booked, Cause, Market, Position
from .manage import Action, Cancel, Place, Working, actions_of, carry_out
from .market import ZERO, Candle, Side, sellable
from .position import Wish, observed
from .simulated_books import copied
from .simulated_market import Step
from .simulator import SimulatedExchange
from .stops import entry_is_open
from .watching import interest

ROUNDS = 20
"""A look that is not done by then goes in circles: a defect."""


class SimulatedTrade:
    """`look` does all there is to do and lets the market go on.

    `base`: length in milliseconds of the candles that a trail without a timeframe looks at; 0 when `see` tells it of
    closed candles.
    """

    def __init__(self, exchange: SimulatedExchange, position: Position, *, base: int = 0) -> None:
        self.exchange = exchange
        self.position = position
        self.symbol = position.plan.symbol
        self.candles: Sequence[Candle] = ()
        self.atr: Decimal | None = None
        self.base = base
        self._tags: dict[str, Wish] = {}
        self._booked = exchange.number

    @property
    def held(self) -> Decimal:
        """On spot never more than our fills say: other coins in the wallet are not the trade's."""
        if self.exchange.exits.is_spot:
            owned = self.exchange.books.coins.get(self.position.instrument.base, ZERO)
            return min(self.position.held, owned)
        holding = self.exchange.books.holdings.get(self.symbol)
        return holding.quantity if holding is not None and holding.side is self.position.side else ZERO

    @property
    def is_over(self) -> bool:
        """Nothing is held but dust, and nothing can enter any more."""
        left = self.held
        if left and self.exchange.exits.is_spot:
            left = sellable(self.position.instrument, left, self.exchange.markets[self.symbol].last)
        return not left and not self._tags and not entry_is_open(self.position)

    def look(self) -> None:
        """Book what happened, close the gap, say what is waited for."""
        for _ in range(ROUNDS):
            self._book()
            market = self.market()
            working = self.working()
            self.position = observed(self.position, market)
            actions = actions_of(self.position, working, market, self.held, self.exchange.exits)
            before = self.exchange.number
            if not actions or (not carry_out(actions, self) and self._is_done(actions, working, before)):
                break
        else:
            raise AssertionError(f"the look does not end: {actions}")
        self.exchange.watch({self.symbol: interest(self.position, market, base=self.base, exits=self.exchange.exits)})

    def _is_done(self, actions: Sequence[Action], working: Sequence[Working], before: int) -> bool:
        """Whether nothing can follow from these: old stops are gone, or first orders rest and none has executed."""
        if all(isinstance(action, Cancel) and action.working.role is Role.STOP for action in actions):
            return True
        placed = all(isinstance(action, Place) for action in actions)
        return placed and not working and self.exchange.number == before + len(actions)

    def see(self, candles: Sequence[Candle], atr: Decimal | None, time: int) -> None:
        """These candles have closed: look at `time`, before anything trades then."""
        self.candles, self.atr = candles, atr
        market = self.exchange.markets.get(self.symbol)
        if market is not None:
            market.watch = market.watch.with_time(time)

    def play(self, *steps: Step) -> None:
        """Let the market walk these, reacting to all that happens on the way."""
        self.exchange.feed(self.symbol, *steps)
        while not self.exchange.run():
            self.look()

    @property
    def followed(self) -> frozenset[tuple[Side, Decimal]]:
        """The side whose stop follows the price, and the best price it has seen."""
        return self.exchange.markets[self.symbol].watch.follow

    def waits_within(self, low: Decimal, high: Decimal) -> tuple[bool, bool]:
        """Whether something waits between here and `low`, and between here and `high`.

        A rule that would follow the price to a new best waits there, too.
        """
        below, above = self.exchange.edges(self.symbol)
        down, up = below is not None and below >= low, above is not None and above <= high
        for side, best in self.followed:
            down |= side is Side.SHORT and low < best
            up |= side is Side.LONG and high > best
        return down, up

    def skip(self, time: int, low: Decimal, high: Decimal, close: Decimal) -> None:
        """Pass over candles in which nothing waits; a stop that follows the price is brought up to its best."""
        self.exchange.skip(self.symbol, time, low, high, close)
        if any(side.better(high if side is Side.LONG else low, best) for side, best in self.followed):
            self.look()

    def twin(self, path: Iterable[Step]) -> Self:
        """A copy of the trade and its exchange, to see what `path` would lead to."""
        other = copied(self)
        other.exchange = self.exchange.trial(self.symbol, path)
        other._tags = dict(self._tags)
        while not other.exchange.run():
            other.look()
        return other

    def market(self) -> Market:
        """What is to be seen of the market now; the range since the look before is forgotten with it."""
        market = self.exchange.markets[self.symbol]
        low, high = market.low, market.high
        market.low = market.high = None
        return Market(market.last, market.mark_price, market.time, low, high, self.candles, self.atr)

    def working(self) -> list[Working]:
        orders = self.exchange.orders
        for client_id in [each for each in self._tags if each not in orders]:
            self._forget(client_id)
        return [
            Working(
                client_id,
                wish.role,
                wish.leg,
                wish.kind,
                orders[client_id].intent.quantity,
                orders[client_id].filled,
                wish.price,
                wish.trigger,
                orders[client_id].status,
                wish.beside,
            )
            for client_id, wish in self._tags.items()
            if not (orders[client_id].other and orders[client_id].live)  # its stop speaks for both halves
        ]

    # The desk

    def place(self, wish: Wish) -> None:
        """What is refused for good is not asked for again."""
        client_id = f"{wish.role.value}.{wish.leg}.{wish.reason.value}.{self.exchange.number}"
        beside = None if wish.beside is None else Beside(_target_id(wish, self.exchange.number), wish.beside)
        intent = OrderIntent(
            client_id,
            self.symbol,
            wish.order_side,
            wish.kind,
            wish.quantity,
            wish.price,
            wish.trigger,
            wish.trigger_by,
            wish.reduce_only,
            beside=beside,
        )
        try:
            self.exchange.take(intent)
        except Rejected:
            self._decline(wish)
            raise
        self._tags[client_id] = wish
        if beside is not None:
            self._tags[beside.client_id] = _limit_half(wish, beside)

    def cancel(self, working: Working, reason: str) -> None:
        order = self.exchange.orders.get(working.client_id)
        half = order.other if order is not None else ""
        if self.exchange.cancel(OrderRef(self.symbol, working.client_id)) is CancelOutcome.CANCELLED:
            del self._tags[working.client_id]
            if half:
                del self._tags[half]

    def withdraw(self, working: Working, reason: str) -> bool:
        order = self.exchange.orders.get(working.client_id)
        if order is None or order.filled != working.filled:
            return False
        self.cancel(working, reason)
        return True

    def _forget(self, client_id: str) -> None:
        """An order that rests no more. An entry or a target that a hand has cancelled is not placed again.

        Who cancels a pair has cancelled its stop as well, and that comes back: so does the pair.
        """
        wish = self._tags.pop(client_id)
        order = self.exchange.closed.get(client_id)
        if order is not None and order.status is OrderStatus.CANCELLED and not self._had_its_stop(client_id):
            self._decline(wish)

    def _had_its_stop(self, client_id: str) -> bool:
        """Whether it was cancelled as the limit half of a pair."""
        stops = [order for order in self.exchange.closed.values() if order.status is OrderStatus.CANCELLED]
        return any(o.intent.beside is not None and o.intent.beside.client_id == client_id for o in stops)

    def _decline(self, wish: Wish) -> None:
        if wish.role in (Role.ENTRY, Role.TAKE_PROFIT):
            self.position = replace(self.position, declined=self.position.declined | {(wish.role, wish.leg)})

    def _book(self) -> None:
        """Take in what executed since the last time."""
        log = self.exchange.log
        if not log or log[-1].number <= self._booked:
            return
        new = [each for each in log if each.number > self._booked]
        self._booked = new[-1].number
        fills = tuple(_booked(each.row) for each in new if isinstance(each.row, Fill))
        paid = sum((each.row.amount for each in new if isinstance(each.row, Income)), ZERO)
        self.position = self.position.with_fills(fills, paid)


def _booked(fill: Fill) -> Booked:
    """The fill with what its order was for, which the client id tells."""
    if not fill.client_id:
        return Booked(fill, Role.CLOSE)
    role, leg, reason, _ = fill.client_id.split(".")
    return Booked(fill, Role(role), int(leg), reason)


def _target_id(wish: Wish, number: int) -> str:
    """The client id of the limit order beside a stop."""
    target = Role.TAKE_PROFIT.value
    return f"{target}.{wish.leg - 1}.{target}.{number}"


def _limit_half(wish: Wish, beside: Beside) -> Wish:
    leg, cause = wish.leg - 1, Cause.TAKE_PROFIT
    return Wish(
        Role.TAKE_PROFIT, leg, wish.order_side, OrderKind.LIMIT, wish.quantity, price=beside.price, reason=cause
    )

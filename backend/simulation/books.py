"""One account as its venue knows it: the truth, how it came about, and how it looked a while ago."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import NamedTuple

from buddy.core.costs import PRECISE, Costs
from buddy.core.errors import Rejected
from buddy.core.exchange import (
    CancelOutcome,
    Fill,
    Income,
    OrderIntent,
    OrderKind,
    OrderRef,
    OrderState,
    PositionState,
    Quote,
)
from buddy.core.market import ZERO, Instrument, OrderSide, Side
from buddy.core.simulated_books import Resting
from buddy.core.simulated_market import FundingRate, Opening, Tick
from buddy.trading.client_ids import is_ours

from .clock import EPOCH, HOUR, MINUTE, Clock
from .exchange import Exchange
from .markets import COSTS, EVERY, FIRST, markets_at
from .story import Seat

WALLET = Decimal(10_000)
REMEMBERED = 2 * MINUTE
"""How far back the venue's lists may lag."""
KNOWS_WHAT_RESTS = ("binance", "binance-spot")
"""Venues that take a name again once its order is over."""
Key = tuple[str, Side]
"""A symbol and the side that is held of it."""


def leaves(intent: OrderIntent) -> bool:
    """Whether an order can only take out of what is held."""
    return intent.reduce_only or (not intent.order_side.is_buy and EVERY[intent.symbol].spot)


class Executed(NamedTuple):
    """An execution as it was. `name`: the order's own, empty for a liquidation. `before`, `after`: signed contracts."""

    name: str
    fill: Fill
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Told:
    """What the venue's lists said at `time`."""

    time: int
    orders: tuple[OrderState, ...]
    positions: tuple[PositionState, ...]


def _sides(hedge: bool) -> tuple[str, ...]:
    return ("L", "S") if hedge else ("",)


class Book:
    """`wallet` began as `WALLET`. Names of orders: ours as we sent them, `hand-`, `sl-` and `tp-` of others."""

    def __init__(self, seat: Seat, clock: Clock) -> None:
        self.seat, self.clock, self.markets = seat, clock, markets_at(seat.venue)
        self.hedge = self.wants_hedge = seat.hedge
        """The position mode, and the one that a hand wants."""
        self.sims = {side: self._exchange() for side in _sides(seat.hedge)}
        self.net: dict[tuple[str, str], Decimal] = {}
        """Signed contracts by side of the book and symbol."""
        self.read_until = dict.fromkeys(self.sims, 0)
        self.executed: list[Executed] = []
        self.told: list[tuple[int, Fill | Income]] = []
        """Executions and funding with the moment from which on they are told."""
        self.hidden: dict[str, int] = {}
        """Orders that are not told before that moment."""
        self.delay_next = 0
        """Milliseconds by which the next execution is told late."""
        self.protects: dict[str, OrderIntent] = {}
        self.lists: deque[Told] = deque()
        self.hands = 0
        self.on_execution: Callable[[Executed], None] = lambda executed: None
        self.on_acceptance: Callable[[str], None] = lambda name: None
        self.on_delay: Callable[[int], None] = lambda milliseconds: None
        self.on_mode: Callable[[], None] = lambda: None
        self.note()

    def _exchange(self) -> Exchange:
        costs = replace(COSTS, maker=ZERO) if self.seat.free_makers else COSTS
        made = Exchange(self.markets, wallet=WALLET, costs=costs, slices=self.seat.slices, checks_margin=False)
        for symbol in self.markets:
            made.feed(symbol, Tick(EPOCH, FIRST[symbol]))
            made.fund(symbol, *(FundingRate(EPOCH + n * 8 * HOUR, Decimal("0.0001")) for n in range(1, 200)))
        while not made.run():
            made.watch({})
        return made

    # --- the market and the hand ---

    def move(self, symbol: str, price: Decimal, jump: bool) -> None:
        self.arrive()
        step = Opening(self.clock.now, price) if jump else Tick(self.clock.now, price)
        for sim in self.sims.values():
            sim.feed(symbol, step)
        self.settle()

    def arrive(self) -> None:
        """Let time pass where the prices stand."""
        if self.hedge != self.wants_hedge:
            self._switch()
        for sim in self.sims.values():
            for symbol, market in sim.markets.items():
                if market.time < self.clock.now:
                    sim.feed(symbol, Tick(self.clock.now, market.last))
        self.settle()

    def settle(self) -> None:
        """Let it trade until nothing happens, attaching protection to what has entered."""
        for side, sim in self.sims.items():
            sim.watch({})
            while not sim.run():
                self._take_in(side, sim)
                sim.watch({})
            self._take_in(side, sim)
        self.note()

    def by_hand(
        self, side: OrderSide, quantity: Decimal, symbol: str, *, reduce_only: bool, price: Decimal | None = None
    ) -> str:
        self.hands += 1
        kind = OrderKind.LIMIT if price is not None else OrderKind.MARKET
        name = f"hand-{self.hands}"
        self.accept(OrderIntent(name, symbol, side, kind, quantity, price, reduce_only=reduce_only))
        return name

    def deleverage(self, key: Key, quantity: Decimal) -> None:
        """The venue takes a part of a position away."""
        symbol, side = key
        sim = self._sim(side)
        market = sim.markets[symbol]
        intent = OrderIntent("", symbol, side.exit_order_side, OrderKind.MARKET, quantity)
        free, sim.costs = sim.costs, Costs()  # venues take no fee for it
        sim._book(intent, f"adl{sim.number}", "", market.last, quantity, False, self.clock.now)
        sim.costs = free
        self.settle()

    def liquidate(self, key: Key) -> None:
        """The venue takes back what rests on a symbol, and closes all that is held of it."""
        symbol, side = key
        sim = self._sim(side)
        sim._liquidate(symbol, sim.markets[symbol])
        self.settle()

    def settle_symbol(self, symbol: str) -> None:
        """The venue takes back what rests on it, and closes what is held at its last price, for no fee."""
        for sim in self.sims.values():
            for order in [order for order in sim.orders.values() if order.intent.symbol == symbol]:
                sim.cancel(OrderRef(symbol, order.intent.client_id))
        for key in [key for key in self.holdings() if key[0] == symbol]:
            self.deleverage(key, self.held(*key))
        self.note()

    def _switch(self) -> None:
        """Venues change the mode only while nothing is held and nothing rests."""
        if self.holdings() or self.resting():
            return
        self.hedge = self.wants_hedge
        like = next(iter(self.sims.values()))
        for side in _sides(self.hedge):
            if side not in self.sims:
                self.sims[side], self.read_until[side] = self._exchange(), 0
            sim = self.sims[side]
            sim.instruments, sim.restricted = dict(like.instruments), like.restricted
            sim.books.setups = dict(like.books.setups)  # leverage and margin mode are a symbol's, in either mode
            for symbol, market in like.markets.items():
                sim.feed(symbol, Opening(self.clock.now, market.last))
        self.settle()
        self.on_mode()

    def follow(self, market: Instrument, *, restricted: bool) -> None:
        """From now on these are the rules of its symbol, for what is sent."""
        for sim in self.sims.values():
            sim.instruments[market.symbol] = market
            without = sim.restricted - {market.symbol}
            sim.restricted = without | {market.symbol} if restricted else without

    # --- orders ---

    def accept(self, intent: OrderIntent) -> OrderState:
        """Raises Rejected."""
        self.arrive()
        sim = self.sims[self.place_of(intent)]
        self._forget_name(sim, intent.client_id)
        if intent.attached_stop is not None:
            self.protects[intent.client_id] = intent
        try:
            sim.take(replace(intent, attached_stop=None, attached_target=None))
        except Rejected:
            self.protects.pop(intent.client_id, None)
            raise
        self.on_acceptance(intent.client_id)
        self.settle()
        return next(
            self._state(side, order) for side, order in self._all() if order.intent.client_id == intent.client_id
        )

    def _forget_name(self, sim: Exchange, name: str) -> None:
        if self.seat.venue in KNOWS_WHAT_RESTS and name in sim.closed:
            sim.closed[f"earlier {name}"] = sim.closed.pop(name)

    def place_of(self, intent: OrderIntent) -> str:
        if not self.hedge:
            return ""
        return "L" if intent.order_side.is_buy is not intent.reduce_only else "S"

    def cancel_by_name(self, name: str) -> CancelOutcome:
        self.arrive()
        for sim in self.sims.values():
            order = sim.orders.get(name) or sim.closed.get(name)
            if order is not None:
                outcome = sim.cancel(OrderRef(order.intent.symbol, name))
                self.note()
                return outcome
        return CancelOutcome.NOT_FOUND

    def name_of(self, ref: OrderRef) -> str | None:
        """An order's own name, by whatever name is given."""
        for side, order in self._all():
            ids = {self._id(side, order), self._child(side, order)} - {""}
            if ref.symbol != order.intent.symbol:
                continue
            if self._told_name(order) == ref.client_id != "" or (ref.exchange_id and ref.exchange_id in ids):
                return order.intent.client_id
        return None

    def find_by_name(self, name: str) -> OrderState | None:
        """As the venue tells one order that it is asked for."""
        if self.hidden.get(name, 0) > self.clock.now:
            return None
        found = next(((side, order) for side, order in self._all() if order.intent.client_id == name), None)
        return None if found is None else self._state(*found)

    # --- what is, and what is told ---

    @property
    def wallet(self) -> Decimal:
        with localcontext(PRECISE):
            return sum((sim.books.wallet - WALLET for sim in self.sims.values()), WALLET)

    def held(self, symbol: str, side: Side) -> Decimal:
        """Contracts of that side."""
        sim = self._sim(side)
        holding = sim.books.holdings.get(symbol)
        return holding.quantity if holding is not None and holding.side is side else ZERO

    def holdings(self) -> list[Key]:
        """What is held."""
        return [(symbol, h.side) for sim in self.sims.values() for symbol, h in sim.books.holdings.items()]

    def resting(self) -> list[tuple[str, OrderIntent, Decimal]]:
        """Side of the book, order as it stands, and how much of it is left."""
        return [(side, o.intent, o.remaining) for side, sim in self.sims.items() for o in sim.orders.values()]

    def side_of(self, place: str, intent: OrderIntent) -> Side:
        """Which side's position an exit would leave."""
        if place:
            return Side.LONG if place == "L" else Side.SHORT
        return Side.SHORT if intent.order_side.is_buy else Side.LONG

    def quote(self, symbol: str) -> Quote:
        return replace(next(iter(self.sims.values())).quote(symbol), time=self.clock.now)

    def known_at(self, moment: int) -> Told:
        return next((told for told in reversed(self.lists) if told.time <= moment), self.lists[0])

    def note(self) -> None:
        """Keep what the lists say now."""
        orders = tuple(self._listed(side, order) for side, sim in self.sims.items() for order in sim.orders.values())
        told = Told(self.clock.now, orders, tuple(self._positions()))
        if self.lists and (self.lists[-1].orders, self.lists[-1].positions) == (told.orders, told.positions):
            return
        self.lists.append(told)
        while len(self.lists) > 1 and self.lists[1].time < self.clock.now - REMEMBERED:
            self.lists.popleft()

    def _positions(self) -> Iterator[PositionState]:
        for sim in self.sims.values():
            yield from sim.books.positions(sim._liquidations())

    # --- how it tells ---

    def _sim(self, side: Side) -> Exchange:
        return self.sims[("L" if side is Side.LONG else "S") if self.hedge else ""]

    def _all(self) -> Iterator[tuple[str, Resting]]:
        for side, sim in self.sims.items():
            yield from ((side, order) for order in (*sim.orders.values(), *sim.closed.values()))

    def _id(self, side: str, order: Resting) -> str:
        return side + order.exchange_id

    def _child(self, side: str, order: Resting) -> str:
        has_one = self.seat.childlike and order.intent.trigger is not None and order.live
        return f"child-{self._id(side, order)}" if has_one else ""

    def _told_name(self, order: Resting) -> str:
        name = order.intent.client_id
        named = is_ours(name) and (self.seat.venue != "bingx" or order.intent.trigger is None)
        return name if named else ""

    def _state(self, side: str, order: Resting) -> OrderState:
        name = order.intent.client_id
        return replace(
            order.state(),
            client_id=self._told_name(order),
            exchange_id=self._id(side, order),
            child_id=self._child(side, order),
            is_attached=name.startswith(("sl-", "tp-")),
        )

    def _listed(self, side: str, order: Resting) -> OrderState:
        """In the list a triggered order stands as what it became."""
        state = self._state(side, order)
        if not state.child_id:
            return state
        kind = OrderKind.LIMIT if state.price is not None else OrderKind.MARKET
        return replace(state, exchange_id=state.child_id, child_id="", trigger=None, kind=kind)

    def _take_in(self, side: str, sim: Exchange) -> None:
        """Note the executions since the last time, each with what was held before and after it."""
        new = [each for each in sim.log if each.number > self.read_until[side]]
        for number, row in new:
            self.read_until[side] = number
            if isinstance(row, Income):
                self.told.append((self.clock.now, replace(row, income_id=side + row.income_id)))
            else:
                self._executed(side, sim, row)
        sim.log.clear()

    def _executed(self, side: str, sim: Exchange, row: Fill) -> None:
        key = (side, row.symbol)
        before = self.net.get(key, ZERO)
        self.net[key] = before + (row.quantity if row.order_side.is_buy else -row.quantity)
        order = sim.orders.get(row.client_id) or sim.closed.get(row.client_id)
        number = side + row.exchange_id if order is None else self._child(side, order) or self._id(side, order)
        name = "" if order is None else self._told_name(order)
        fill = replace(row, fill_id=side + row.fill_id, exchange_id=number, client_id=name, time=self.clock.now)
        self.told.append((self.clock.now + self.delay_next, fill))
        if self.delay_next:
            self.on_delay(self.delay_next)
        self.delay_next = 0
        executed = Executed(row.client_id, fill, before, self.net[key])
        self.executed.append(executed)
        if order is not None:
            self._attach(side, sim, order)
        self.on_execution(executed)

    def _attach(self, side: str, sim: Exchange, entry: Resting) -> None:
        """The protection that travelled with an entry covers what has filled of it."""
        asked = self.protects.get(entry.intent.client_id)
        if asked is None:
            return
        way, total = asked.order_side.opposite, entry.filled
        wanted: list[tuple[str, OrderKind, Decimal | None, Decimal | None]] = [
            ("sl", OrderKind.STOP_MARKET, None, asked.attached_stop)
        ]
        if asked.attached_target is not None:
            wanted.append(("tp", OrderKind.LIMIT, asked.attached_target, None))
        for prefix, kind, price, trigger in wanted:
            name = f"{prefix}-{asked.client_id}"
            if name in sim.orders:
                sim.orders[name].intent = replace(sim.orders[name].intent, quantity=total)
            elif name not in sim.closed:
                only = not self.seat.is_spot
                self._protect(sim, OrderIntent(name, asked.symbol, way, kind, total, price, trigger, reduce_only=only))

    def _protect(self, sim: Exchange, intent: OrderIntent) -> None:
        """Where the price is beyond it already, the venue closes at once."""
        market = sim.markets[intent.symbol]
        sim.number += 1
        order = Resting(intent, f"x{sim.number}", market.time, live=intent.trigger is None, fresh=False)
        order.was_resting = order.live
        sim.orders[intent.client_id] = order

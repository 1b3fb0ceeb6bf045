"""The simulated exchange made as awkward as a venue: names it does not keep, executions it tells late, children,
protection it attaches by itself. The market stands where the test put it and waits for nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.costs import Costs
from buddy.core.errors import CouldNotRead
from buddy.core.exchange import (
    Balance,
    CancelOutcome,
    Exits,
    Fill,
    Income,
    OrderIntent,
    OrderKind,
    OrderRef,
    OrderState,
    PositionMode,
    Profile,
    Quote,
    Reading,
)
from buddy.core.market import Instrument, OrderSide
from buddy.core.simulator import SimulatedExchange, Tick
from buddy.exchanges.market_data.source import Candles
from buddy.exchanges.models import Account

D = Decimal
SYMBOL = "BTC/USDT:USDT"
START = 1_750_000_000_000
SECOND = 1_000
BTC = Instrument(
    SYMBOL, "BTC", "USDT", "USDT", tick_size=D("0.1"), lot_size=D("0.001"), min_quantity=D("0.001"), min_notional=D(5)
)
COIN = replace(BTC, symbol="BTC/USDT", lot_size=D("0.00001"), min_quantity=D("0.00001"), spot=True)
COSTS = Costs(maker=D("0.0002"), taker=D("0.0005"), slippage=D("0.0002"))
Fault = Callable[["VenueLike", OrderIntent], OrderState]


@dataclass
class VenueLike:
    """`lag`: readings for which an execution is not told yet. `hidden`: client ids that cannot be seen for now.

    `faults`: what happens to the next orders that a condition picks, instead of their being placed.
    """

    profile: Profile = field(default_factory=lambda: Profile("venue"))
    market: Instrument = BTC
    mode: PositionMode = PositionMode.ONE_WAY
    lag: int = 0
    hidden: set[str] = field(default_factory=set)
    faults: list[tuple[Callable[[OrderIntent], bool], Fault]] = field(default_factory=list)
    altered: Callable[[Reading], Reading] = lambda reading: reading
    cannot_find: bool = False

    def __post_init__(self) -> None:
        instruments, exits = {self.market.symbol: self.market}, self.profile.exits
        withholds = exits is Exits.PAIRED
        self.sim = SimulatedExchange(
            instruments, wallet=D(10_000), costs=COSTS, checks_margin=False, exits=exits, withholds=withholds
        )
        self.sent: list[OrderIntent] = []
        self.cancelled: list[OrderRef] = []
        self.told: list[tuple[int, Fill | Income]] = []
        self.reads = self.hands = 0
        self.time, self.known = START, ""
        self.protects: dict[str, OrderIntent] = {}
        self.go(D(100_500))

    # what the test does

    def go(self, *prices: Any) -> None:
        """Trade at each of these prices, a second apart."""
        for price in prices:
            self.time += SECOND
            self.sim.feed(self.market.symbol, Tick(self.time, D(price)))
            self._settle()

    def hand(self, order_side: str, kind: str, quantity: Any, **more: Any) -> str:
        """An order made on the venue's own site; its id there."""
        self.hands += 1
        numbers = {key: D(str(more.pop(key))) for key in ("price", "trigger") if key in more}
        name = f"hand-{self.hands}"
        self.sim.place(
            OrderIntent(
                name, self.market.symbol, OrderSide(order_side), OrderKind(kind), D(str(quantity)), **numbers, **more
            )
        )
        self._settle()
        return name

    def cancel_by_hand(self, client_id: str) -> None:
        assert self.sim.cancel(OrderRef(self.market.symbol, client_id)) is CancelOutcome.CANCELLED

    def held(self) -> Decimal:
        """Signed contracts."""
        return sum((p.quantity * p.side.sign for p in self.sim.books.positions({})), D(0))

    def resting(self) -> list[OrderState]:
        return [order.state() for order in self.sim.orders.values()]

    def drop(self, fault: Fault, wanted: Callable[[OrderIntent], bool] = lambda intent: True, times: int = 1) -> None:
        self.faults += [(wanted, fault)] * times

    # the port

    def instrument(self, symbol: str) -> Instrument:
        return self.market

    def balance(self) -> Balance:
        return self.sim.balance()

    def set_up(self, symbol: str, leverage: Decimal, margin_mode: str) -> None:
        self.sim.set_up(symbol, leverage, margin_mode)

    def position_mode(self) -> PositionMode:
        return self.mode

    def place(self, intent: OrderIntent) -> OrderState:
        self.sent.append(intent)
        for number, (wanted, fault) in enumerate(self.faults):
            if wanted(intent):
                del self.faults[number]
                return fault(self, intent)
        return self.accept(intent)

    def accept(self, intent: OrderIntent) -> OrderState:
        """Take the order as a venue that is well."""
        if intent.attached_stop is not None:
            self.protects[intent.client_id] = intent
        state = self.sim.place(replace(intent, attached_stop=None, attached_target=None))
        self._settle()
        return self._as_told(replace(state, filled=self._now(intent.client_id).filled))

    def find(self, ref: OrderRef) -> OrderState | None:
        if self.cannot_find:
            raise CouldNotRead("This order cannot be read.")
        name = self._name(ref)
        if name is None or name in self.hidden:
            return None
        return self._as_told(self._now(name))

    def cancel(self, ref: OrderRef) -> CancelOutcome:
        self.cancelled.append(ref)
        name = self._name(ref)
        return CancelOutcome.NOT_FOUND if name is None else self.sim.cancel(OrderRef(ref.symbol, name))

    def read(self, symbols: Sequence[str], cursor: str) -> Reading:
        self.reads += 1
        reading = self.sim.read([self.market.symbol], self.known)
        self.known = reading.cursor
        self.told += [(self.reads, row) for row in (*reading.fills, *reading.income)]
        begin = int(cursor or 0)
        ready = [row for seen, row in self.told if seen + self.lag <= self.reads]
        fills = [self._fill(row) for row in ready[begin:] if isinstance(row, Fill)]
        orders = [
            self._as_told(state)
            for state in reading.orders
            if state.symbol in symbols and state.client_id not in self.hidden
        ]
        return self.altered(
            replace(
                reading,
                time=self.time,
                fills=fills,
                income=[row for row in ready[begin:] if isinstance(row, Income)],
                orders=orders,
                cursor=str(len(ready)),
                position_mode=self.mode,
                behind=False,
            )
        )

    # how it tells

    def _settle(self) -> None:
        """Let it trade until nothing happens, attaching protection to what has entered."""
        self.sim.watch({})
        while not self.sim.run():
            self.sim.watch({})
        for client_id, intent in list(self.protects.items()):
            if self._now(client_id).filled:
                del self.protects[client_id]
                self._attach(intent)

    def _attach(self, intent: OrderIntent) -> None:
        side, filled = intent.order_side.opposite, self._now(intent.client_id).filled
        stop = OrderIntent(
            f"sl-{intent.client_id}",
            self.market.symbol,
            side,
            OrderKind.STOP_MARKET,
            filled,
            trigger=intent.attached_stop,
        )
        self.sim.place(replace(stop, reduce_only=not self.market.spot))
        if intent.attached_target is not None:
            target = OrderIntent(
                f"tp-{intent.client_id}", self.market.symbol, side, OrderKind.LIMIT, filled, intent.attached_target
            )
            self.sim.place(replace(target, reduce_only=True))

    def _now(self, name: str) -> OrderState:
        state = self.sim.find(OrderRef(self.market.symbol, name))
        assert state is not None
        return state

    def _name(self, ref: OrderRef) -> str | None:
        """The simulator's name of an order, by whatever name is given."""
        for name, order in (*self.sim.orders.items(), *self.sim.closed.items()):
            ids = {order.exchange_id, f"child-{order.exchange_id}"}
            if self._told_name(order.state()) == ref.client_id != "" or ref.exchange_id in ids:
                return name
        return None

    def _told_name(self, state: OrderState) -> str:
        if state.client_id.startswith(("hand-", "sl-", "tp-")):
            return ""
        return state.client_id if self.profile.names_stops or state.trigger is None else ""

    def _as_told(self, state: OrderState) -> OrderState:
        child = f"child-{state.exchange_id}" if state.trigger is not None and state.status.is_final else ""
        attached = state.client_id.startswith(("sl-", "tp-"))
        if state.status == "cancelled":
            child = ""
        return replace(state, client_id=self._told_name(state), child_id=child, is_attached=attached)

    def _fill(self, fill: Fill) -> Fill:
        """Executions carry the venue's id alone; of a triggered order that of what it became."""
        order = self.sim.orders.get(fill.client_id) or self.sim.closed.get(fill.client_id)
        assert order is not None
        child = order.intent.trigger is not None
        name = f"child-{fill.exchange_id}" if child else fill.exchange_id
        return replace(fill, exchange_id=name, client_id="", raw={"orderId": name, "qty": str(fill.quantity)})


class Prices:
    """The venue's prices as an account's price source."""

    label, leaps = "venue", False

    def __init__(self, venue: VenueLike) -> None:
        self.venue = venue

    def now(self) -> int:
        return self.venue.time

    def instruments(self) -> list[Instrument]:
        return [self.venue.market]

    def instrument(self, symbol: str) -> Instrument:
        return self.venue.market

    def quote(self, symbol: str, at: int | None = None) -> Quote:
        return self.venue.sim.quote(self.venue.market.symbol)

    def candles(self, symbol: str, timeframe: str, *window: Any) -> Candles:
        return Candles(symbol, timeframe, [], complete=True)


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> VenueLike:
    return everywhere(VenueLike(), monkeypatch)


def everywhere(made: VenueLike, monkeypatch: pytest.MonkeyPatch) -> VenueLike:
    """Every account lies at this venue."""
    monkeypatch.setattr("buddy.trading.watcher.connect", lambda account: made)
    monkeypatch.setattr("buddy.trading.executor.glance", lambda account: made)
    for module in ("executor", "cases", "story", "preview", "ticker"):
        monkeypatch.setattr(f"buddy.trading.{module}.source_for", lambda account: Prices(made))
    monkeypatch.setattr("buddy.trading.watcher.PATIENCE", ())
    monkeypatch.setattr("buddy.trading.executor.LOOK_SECONDS", 0.0)
    return made


@pytest.fixture
def account(alice: Any) -> Account:
    return Account.objects.create(owner=alice, name="At the venue", is_main=True, max_leverage=50)

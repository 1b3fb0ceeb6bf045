"""An exchange in memory: the paper exchange, the backtest and the stand-in venues all run on it.

The market is played along a path: candles (open, the two extremes in an order, close) and ticks. Between two points of
a path every price trades, so orders fill at their own price; a jump between a close and the next open is a gap, and
what lies in it fills at that open. `run` stops at the first execution, watched price or watched time, and stands still
until `watch` says that the manager has reacted, so a result never depends on how often anyone looked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from .costs import Costs
from .errors import Rejected
from .exchange import (
    Balance,
    Beside,
    CancelOutcome,
    Exits,
    Fill,
    Income,
    OrderIntent,
    OrderKind,
    OrderRef,
    OrderState,
    OrderStatus,
    PositionMode,
    PositionState,
    Profile,
    Quote,
    Reading,
    Refusal,
    TriggerBy,
)
from .intrabar import pessimistic
from .market import ZERO, Instrument, OrderSide, Side
from .matching import LowFirst, Matching
from .simulated_books import TRIGGERED, Resting, Setup, reducible
from .simulated_market import FundingRate, Step, Tick
from .simulated_state import dump, load

__all__ = ["FundingRate", "SimulatedExchange", "Step", "Tick"]


class Span(NamedTuple):
    """The prices that one reading reported, until the next reading acknowledges it."""

    number: int
    symbol: str
    low: Decimal
    high: Decimal


class SimulatedExchange(Matching):
    """One account in one-way mode; implements the port `core.exchange.Exchange`.

    `costs` are the account's fees and slippage (fractions), `wallet` its money in settle currency. `slices` (a seed)
    makes orders fill in parts; None fills them whole. `checks_margin`: refuse what the free balance cannot carry.
    `exits` is what its profile says. On spot `books.coins` is what is owned; `withholds`: the fee of a purchase is
    taken out of the coins bought.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        *,
        wallet: Decimal,
        costs: Costs,
        low_first: LowFirst = pessimistic,
        slices: int | None = None,
        checks_margin: bool = True,
        liquidates: bool = True,
        exits: Exits = Exits.REDUCE_ONLY,
        withholds: bool = True,
    ) -> None:
        super().__init__(
            instruments,
            wallet=wallet,
            costs=costs,
            low_first=low_first,
            slices=slices,
            liquidates=liquidates,
            withholds=withholds,
        )
        self.checks_margin = checks_margin
        self.exits = exits
        self.spans: list[Span] = []

    def to_state(self) -> dict[str, Any]:
        """Plain JSON from which `from_state` makes the same exchange again."""
        spans = [[s.number, s.symbol, str(s.low), str(s.high)] for s in self.spans]
        return dump(self) | {"spans": spans}

    @classmethod
    def from_state(
        cls,
        state: dict[str, Any],
        instruments: Mapping[str, Instrument],
        *,
        costs: Costs,
        low_first: LowFirst = pessimistic,
        exits: Exits = Exits.REDUCE_ONLY,
        withholds: bool = True,
    ) -> SimulatedExchange:
        """`instruments` must hold every symbol the state speaks of."""
        exchange = cls(instruments, wallet=ZERO, costs=costs, low_first=low_first, exits=exits, withholds=withholds)
        load(exchange, state)
        exchange.spans = [Span(n, symbol, Decimal(low), Decimal(high)) for n, symbol, low, high in state["spans"]]
        return exchange

    @property
    def profile(self) -> Profile:
        return Profile("simulated", exits=self.exits)

    def instrument(self, symbol: str) -> Instrument:
        return self.instruments[symbol]

    def balance(self) -> Balance:
        if self.exits.is_spot:
            wallet = self.books.wallet
            return Balance(wallet, self.equity, max(wallet - self._reserved(), ZERO))
        marks = {symbol: self.markets[symbol].mark_price for symbol in self.books.holdings}
        return self.books.balance(marks, self._reserved())

    def read(self, symbols: Sequence[str], cursor: str) -> Reading:
        """What is, and what happened after `cursor`. `behind`: path is left; react, `watch`, `run` and read again.

        What a cursor handed back acknowledges is forgotten.
        """
        known = int(cursor or 0)
        self.log = [each for each in self.log if each.number > known]
        self._close_spans(known)
        rows = [each.row for each in self.log]
        return Reading(
            time=max((market.time for market in self.markets.values()), default=0),
            orders=[order.state() for order in self.orders.values() if order.intent.symbol in symbols],
            positions=[*self.books.positions(self._liquidations()), *self._coins(symbols)],
            fills=[row for row in rows if isinstance(row, Fill)],
            income=[row for row in rows if isinstance(row, Income)],
            quotes={symbol: self.quote(symbol) for symbol in symbols if symbol in self.markets},
            ranges=self._ranges(symbols),
            cursor=str(self.number),
            behind=self.is_behind,
        )

    def quote(self, symbol: str) -> Quote:
        market = self.markets[symbol]
        return Quote(symbol, market.last, market.mark_price, market.time)

    def set_up(self, symbol: str, leverage: Decimal, margin_mode: str) -> None:
        """Raises Rejected beyond the instrument's leverage, or when the margin mode changes under an open position.

        On spot there is neither.
        """
        if self.instruments[symbol].spot:
            return
        if leverage > self.instruments[symbol].max_leverage:
            raise Rejected(f"leverage {leverage} is over the maximum of {symbol}", Refusal.OTHER)
        if symbol in self.books.holdings and self.books.setup(symbol).margin_mode != margin_mode:
            raise Rejected("the margin mode cannot change while a position is open", Refusal.OTHER)
        self.books.setups[symbol] = Setup(leverage, margin_mode)

    def position_mode(self) -> PositionMode | None:
        return None

    def place(self, intent: OrderIntent) -> OrderState:
        return self.take(intent).state()

    def take(self, intent: OrderIntent) -> Resting:
        """Takes the order, and executes at once what is due where the market stands."""
        self._check(intent)
        self.number += 1
        market = self.markets[intent.symbol]
        order = Resting(intent, f"x{self.number}", market.time, live=intent.kind not in TRIGGERED)
        self.orders[intent.client_id] = order
        if intent.beside is not None:
            self._pair(order, intent.beside)
        while self.is_due(order, market):
            self.execute(order, market)
        order.fresh, order.was_resting = False, order.live
        return order

    def _pair(self, order: Resting, beside: Beside) -> None:
        """The limit order that rests beside a stop."""
        kind, client_id = OrderKind.LIMIT, beside.client_id
        intent = replace(order.intent, client_id=client_id, kind=kind, price=beside.price, trigger=None, beside=None)
        other = Resting(intent, f"{order.exchange_id}b", order.time, was_resting=True, fresh=False)
        order.other, other.other = client_id, order.intent.client_id
        self.orders[client_id] = other

    def find(self, ref: OrderRef) -> OrderState | None:
        order = self.orders.get(ref.client_id) or self.closed.get(ref.client_id)
        return order.state() if order is not None and order.intent.symbol == ref.symbol else None

    def cancel(self, ref: OrderRef) -> CancelOutcome:
        order = self.orders.get(ref.client_id)
        if order is None or order.intent.symbol != ref.symbol:
            return CancelOutcome.ALREADY_CLOSED if ref.client_id in self.closed else CancelOutcome.NOT_FOUND
        if order.other:
            self.part(order, OrderStatus.CANCELLED)
        self.close(order, OrderStatus.CANCELLED)
        return CancelOutcome.CANCELLED

    # Readings

    def _close_spans(self, known: int) -> None:
        """Forget the acknowledged ranges and number the running ones."""
        self.spans = [span for span in self.spans if span.number > known]
        for symbol, market in self.markets.items():
            if market.low is not None and market.high is not None:
                self.number += 1
                self.spans.append(Span(self.number, symbol, market.low, market.high))
                market.low = market.high = None

    def _ranges(self, symbols: Sequence[str]) -> dict[str, tuple[Decimal, Decimal]]:
        ranges: dict[str, tuple[Decimal, Decimal]] = {}
        for span in self.spans:
            if span.symbol in symbols:
                low, high = ranges.get(span.symbol, (span.low, span.high))
                ranges[span.symbol] = (min(low, span.low), max(high, span.high))
        return ranges

    def _liquidations(self) -> dict[str, Decimal | None]:
        return {symbol: self.liquidation(symbol) for symbol in self.books.holdings}

    def _coins(self, symbols: Sequence[str]) -> list[PositionState]:
        """What is owned of the coins of `symbols`, as far as they are on spot."""
        spot = [i for symbol in symbols if (i := self.instruments.get(symbol)) is not None and i.spot]
        owned = [(i.symbol, self.books.coins.get(i.base, ZERO)) for i in spot]
        return [PositionState(symbol, Side.LONG, quantity, ZERO) for symbol, quantity in owned if quantity]

    # What a venue refuses

    def _check(self, intent: OrderIntent) -> None:
        """Raises Rejected with the reason a venue would give."""
        self._check_name(intent.client_id)
        self._check_numbers(intent)
        if intent.kind in TRIGGERED and self._would_trigger(intent):
            raise Rejected(f"the price is already beyond {intent.trigger}", Refusal.WOULD_TRIGGER)
        if self.instruments[intent.symbol].spot:
            self._check_coins(intent)
            return
        if intent.reduce_only:
            if not reducible(self.books, intent):
                raise Rejected("there is nothing to reduce", Refusal.REDUCE_ONLY)
            return
        self._check_entry(intent)

    def _check_name(self, client_id: str) -> None:
        if client_id in self.orders or client_id in self.closed:
            raise Rejected(f"client id {client_id} was used before", Refusal.DUPLICATE)

    def _check_numbers(self, intent: OrderIntent) -> None:
        instrument = self.instruments[intent.symbol]
        if not instrument.active:
            raise Rejected(f"{intent.symbol} is not traded", Refusal.INACTIVE)
        if intent.quantity <= 0 or instrument.round_quantity(intent.quantity) != intent.quantity:
            raise Rejected(f"{intent.quantity} is not in whole lots of {instrument.lot_size}", Refusal.PRECISION)
        for price in (intent.price, intent.trigger):
            if price is not None and (price <= 0 or not instrument.on_tick(price)):
                raise Rejected(f"{price} is not on the tick {instrument.tick_size}", Refusal.PRECISION)

    def _would_trigger(self, intent: OrderIntent) -> bool:
        market = self.markets[intent.symbol]
        price = market.mark_price if intent.trigger_by is TriggerBy.MARK else market.last
        trigger = intent.trigger or ZERO
        return price >= trigger if intent.order_side is OrderSide.BUY else price <= trigger

    def _check_coins(self, intent: OrderIntent) -> None:
        """What is refused where coins are owned: to sell more than is free of them, to buy for more than is free."""
        if intent.reduce_only:
            raise Rejected("there is nothing to reduce on spot", Refusal.REDUCE_ONLY)
        if intent.beside is not None:
            self._check_pair(intent, intent.beside)
        self._check_size(intent)
        if not intent.order_side.is_buy:
            if intent.quantity > self.free_coins(intent.symbol):
                raise Rejected(f"there are not {intent.quantity:f} free to be sold", Refusal.MARGIN)
        elif self.checks_margin and (cost := self._cost(intent, intent.quantity)) > self.balance().free:
            raise Rejected(f"needs {cost:f}", Refusal.MARGIN)

    def _check_pair(self, intent: OrderIntent, beside: Beside) -> None:
        if self.exits is not Exits.PAIRED or intent.kind is not OrderKind.STOP_MARKET or intent.order_side.is_buy:
            raise Rejected("no such pair can be placed here", Refusal.OTHER)
        self._check_name(beside.client_id)
        if not self.instruments[intent.symbol].on_tick(beside.price):
            raise Rejected(f"{beside.price} is not on the tick", Refusal.PRECISION)
        if beside.price <= self.markets[intent.symbol].last:
            raise Rejected(f"the price is already at {beside.price}", Refusal.OTHER)

    def free_coins(self, symbol: str) -> Decimal:
        """What may be sold at a spot market: what is owned and locked by no sale of any of the coin's markets."""
        base = self.instruments[symbol].base
        selling = [order for order in self.orders.values() if not order.intent.order_side.is_buy]
        locked = [o for o in selling if self._sells(o, base) and (not o.other or not o.live)]  # of a pair the stop
        return self.books.coins.get(base, ZERO) - sum((order.remaining for order in locked), ZERO)

    def _sells(self, order: Resting, coin: str) -> bool:
        instrument = self.instruments[order.intent.symbol]
        return instrument.spot and instrument.base == coin

    def _cost(self, intent: OrderIntent, quantity: Decimal) -> Decimal:
        """The money that a purchase of coins may take: slipped at market, with a fee that is not taken in coins."""
        value = self.instruments[intent.symbol].notional(self._expected(intent), quantity)
        extra = self.costs.slippage if intent.price is None else ZERO
        return value * (1 + extra) * (1 if self.withholds else 1 + self.costs.taker)

    def _check_entry(self, intent: OrderIntent) -> None:
        value = self._check_size(intent)
        if self.checks_margin and not reducible(self.books, intent):
            needed = value / self.books.setup(intent.symbol).leverage + value * self.costs.taker
            if needed > self.balance().free:
                raise Rejected(f"needs {needed:f} of margin and fee", Refusal.MARGIN)

    def _check_size(self, intent: OrderIntent) -> Decimal:
        """The value that is expected of it, between the instrument's minimum and maximum."""
        instrument = self.instruments[intent.symbol]
        value = instrument.notional(self._expected(intent), intent.quantity)
        if intent.quantity < instrument.min_quantity or value < instrument.min_notional:
            raise Rejected(f"{intent.quantity} is under the minimum of {intent.symbol}", Refusal.MINIMUM)
        most = instrument.market_max_quantity if intent.kind is OrderKind.MARKET else instrument.max_quantity
        if most is not None and intent.quantity > most:
            raise Rejected(f"{intent.quantity} is over the maximum of {intent.symbol}", Refusal.OTHER)
        return value

    def _expected(self, intent: OrderIntent) -> Decimal:
        return intent.price or intent.trigger or self.markets[intent.symbol].last

    def _reserved(self) -> Decimal:
        """Margin bound by resting orders that may open something."""
        return sum((self._bound(order) for order in self.orders.values()), ZERO)

    def _bound(self, order: Resting) -> Decimal:
        intent = order.intent
        if intent.reduce_only:
            return ZERO
        if self.instruments[intent.symbol].spot:
            return self._cost(intent, order.remaining) if intent.order_side.is_buy else ZERO
        value = self.instruments[intent.symbol].notional(self._expected(intent), order.remaining)
        return value / self.books.setup(intent.symbol).leverage

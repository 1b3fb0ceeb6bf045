"""The engine of the simulated exchange: walks the paths, triggers, executes, liquidates, pays funding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple, Self

from .costs import Costs
from .exchange import Fill, Income, IncomeKind, Liquidity, OrderIntent, OrderKind, OrderStatus, TriggerBy
from .market import ZERO, Candle, Instrument
from .simulated_books import Books, Resting, copied, reducible
from .simulated_market import FundingRate, Opening, Rest, Step, SymbolMarket, Tick, extremes, first_price, first_time
from .watching import Watch

KEPT = 200
"""Closed orders that stay readable."""


class Logged(NamedTuple):
    """Something that happened, numbered for `read`'s cursor."""

    number: int
    row: Fill | Income


LowFirst = Callable[["Matching", str, Candle], bool]
"""Decides the order of a candle's extremes once its open has been settled: whether the low comes first."""


class Matching:
    """Orders, money and markets of one account, and what happens to them while the markets move."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        *,
        wallet: Decimal,
        costs: Costs,
        low_first: LowFirst,
        slices: int | None = None,
        liquidates: bool = True,
        withholds: bool = True,
    ) -> None:
        self.instruments = dict(instruments)
        self.costs = costs
        self.books = Books(wallet)
        self.markets: dict[str, SymbolMarket] = {}
        self.low_first = low_first
        self.slices = slices
        self.liquidates = liquidates
        self.withholds = withholds
        self.waiting = False
        """Something has happened and nobody has said yet that it was reacted to."""
        self.orders: dict[str, Resting] = {}
        self.closed: dict[str, Resting] = {}
        self.log: list[Logged] = []
        self.funding: dict[str, list[FundingRate]] = {}
        self.number = 0

    @property
    def is_behind(self) -> bool:
        """Whether there is path that was not walked yet."""
        return any(market.path for market in self.markets.values())

    def feed(self, symbol: str, *steps: Step) -> None:
        """Put candles and ticks at the end of a symbol's path; the first price of a symbol stands at once."""
        for step in steps:
            if symbol not in self.markets:
                self.markets[symbol] = SymbolMarket(first_price(step), first_time(step))
            self.markets[symbol].path.append(step)

    def fund(self, symbol: str, *rates: FundingRate) -> None:
        """Funding to be paid when its time comes, oldest first."""
        self.funding.setdefault(symbol, []).extend(rates)

    def watch(self, watches: Mapping[str, Watch]) -> None:
        """The manager has reacted: stand still at these prices and times (all others are forgotten), and go on."""
        for symbol, market in self.markets.items():
            market.watch = watches.get(symbol, Watch())
            market.crossed = False
        self.waiting = False

    @property
    def equity(self) -> Decimal:
        """Wallet, unrealised profit at the mark prices and what coins are worth."""
        held = self.books.holdings.items()
        unrealised = sum((h.unrealised(self.markets[s].mark_price) for s, h in held), ZERO)
        return self.books.wallet + unrealised + (self._worth_of_coins() if self.books.coins else ZERO)

    def _worth_of_coins(self) -> Decimal:
        """At the last price of any market that trades them for money."""
        coins = {i.base: self.markets[s].last for s, i in self.instruments.items() if i.spot and s in self.markets}
        return sum((price * self.books.coins.get(coin, ZERO) for coin, price in coins.items()), ZERO)

    def trial(self, symbol: str, path: Iterable[Step] = ()) -> Self:
        """A copy to try something on: the same account, with nothing ahead but `path` on one symbol."""
        twin = copied(self)
        twin.books = self.books.clone()
        twin.orders = {key: copied(order) for key, order in self.orders.items()}
        twin.closed = dict(self.closed)
        twin.log = list(self.log)
        twin.funding = {key: list(rates) for key, rates in self.funding.items()}
        twin.markets = {key: market.standing() for key, market in self.markets.items()}
        twin.markets[symbol].path.extend(path)
        return twin

    def run(self) -> bool:
        """Walk the paths until something happens; True when they are walked to the end."""
        while not self.waiting:
            if not any(self._settle(symbol) for symbol in self.markets) and not self._move():
                break
        return not self.waiting

    def edges(self, symbol: str) -> tuple[Decimal | None, Decimal | None]:
        """The nearest prices at or below and at or above the market at which something waits."""
        market = self.markets[symbol]
        levels, here = self._levels(symbol, market), market.last
        below = max([level for level in levels if level <= here], default=None)
        return below, min([level for level in levels if level >= here], default=None)

    def skip(self, symbol: str, time: int, low: Decimal, high: Decimal, close: Decimal) -> None:
        """Pass over candles in which nothing waited: the caller has made sure of that."""
        market = self.markets[symbol]
        market.go(low)
        market.go(high)
        market.go(close)
        market.time = time
        market.leg += 1

    def next_time(self, symbol: str) -> int | None:
        """The next time at which something waits."""
        rates = self.funding.get(symbol, [])
        return min([*self.markets[symbol].watch.times, *(rate.time for rate in rates[:1])], default=None)

    # One move

    def _settle(self, symbol: str) -> bool:
        """Execute what is due where the market stands; whether something happened."""
        market = self.markets[symbol]
        if self._is_liquidated(symbol, market):
            self._liquidate(symbol, market)
            return True
        due = [o for o in self._orders_of(symbol) if o.touched != market.leg and self.is_due(o, market)]
        if due:
            self.execute(max(due, key=lambda order: order.passed_by(market.last)), market)
            return True
        self.waiting = self.waiting or market.crossed
        return market.crossed

    def _move(self) -> bool:
        """Take the earliest market one step further; False when no path is left."""
        ahead = [(first_time(m.path[0]), symbol) for symbol, m in self.markets.items() if m.path]
        if not ahead:
            return False
        _, symbol = min(ahead)
        market = self.markets[symbol]
        step = market.path[0]
        if isinstance(step, Tick):
            self._walk(symbol, market, step)
        elif isinstance(step, Opening):
            self._open(symbol, market, step)
        elif isinstance(step, Candle):
            market.path.popleft()
            market.path.extendleft((Rest(step), Opening(step.time, step.open)))
        else:
            low_first = self.low_first(self, symbol, step.candle)
            market.path.popleft()
            market.path.extendleft(reversed(list(extremes(step.candle, low_first))))
        return True

    def _open(self, symbol: str, market: SymbolMarket, step: Opening) -> None:
        """Jump to the open: what was crossed on the way is met there, the nearest first.

        A deadline is kept before that; other rules of time see what the jump has met.
        """
        before = market.last
        market.path.popleft()
        market.leg += 1
        market.jumped = True
        market.mark = None
        urgent = any(time <= step.time for time in market.watch.deadlines)
        happened = self._pass_time(symbol, market, step.time)
        self.waiting = urgent
        market.go(step.price)
        market.crossed = happened or market.passes(before) or market.makes_new_best()

    def _walk(self, symbol: str, market: SymbolMarket, step: Tick) -> None:
        """Trade at every price up to the step's, or up to the first at which something waits."""
        if step.time > market.time and self._pass_time(symbol, market, step.time):
            return
        if step.mark is not None and market.mark is None:
            market.mark = market.last  # it has a life of its own now, and moves at the end of this leg
        nearest = self._nearest(symbol, market, step.price)
        market.jumped = False
        if nearest is not None and nearest != step.price:
            market.go(nearest)
            market.crossed = nearest in market.watch.levels
            return
        market.path.popleft()
        market.leg += 1
        market.go(step.price)
        market.mark = step.mark
        market.crossed = step.price in market.watch.levels or market.makes_new_best()

    def _nearest(self, symbol: str, market: SymbolMarket, goal: Decimal) -> Decimal | None:
        """The first price on the way to `goal` at which an order or a watch waits."""
        levels, here = self._levels(symbol, market), market.last
        if goal > here:
            return min([level for level in levels if here < level <= goal], default=None)
        return max([level for level in levels if goal <= level < here], default=None)

    def _levels(self, symbol: str, market: SymbolMarket) -> list[Decimal]:
        """Where orders, watches and the liquidation wait."""
        orders = [order.level for order in self._orders_of(symbol) if order.touched != market.leg]
        levels = [*market.watch.levels, *orders, self.liquidation(symbol)]
        return [level for level in levels if level is not None]

    def _pass_time(self, symbol: str, market: SymbolMarket, time: int) -> bool:
        """Move the clock: funding and watched times on the way happen before the price does."""
        market.time = time
        paid = self._pay_funding(symbol, market)
        due = {each for each in market.watch.times if each <= time}
        market.watch = market.watch.without_times(due)
        self.waiting = self.waiting or paid or bool(due)
        return self.waiting

    # Executions

    def _orders_of(self, symbol: str) -> list[Resting]:
        return [order for order in self.orders.values() if order.intent.symbol == symbol]

    def is_due(self, order: Resting, market: SymbolMarket) -> bool:
        """Whether it executes (or triggers, and is then looked at again) where the market stands."""
        if order.status.is_final:
            return False
        by_mark = not order.live and order.intent.trigger_by is TriggerBy.MARK
        return order.due(market.mark_price if by_mark else market.last)

    def execute(self, order: Resting, market: SymbolMarket) -> None:
        """Trigger it, or fill it where the market stands; never more of a reduce-only order than is held."""
        if not order.live:
            order.trigger()
            if not self.is_due(order, market):
                order.was_resting = True
                return
        room = reducible(self.books, order.intent) if order.intent.reduce_only else order.remaining
        quantity = min(order.remaining, room)
        if not quantity:
            self.close(order, OrderStatus.EXPIRED)
            return
        order.touched = market.leg
        self._fill(order, market, self._slice(order, quantity))
        if order.remaining == ZERO:
            self.close(order, OrderStatus.FILLED)
        elif order.intent.reduce_only and not reducible(self.books, order.intent):
            self.close(order, OrderStatus.EXPIRED)
        else:
            order.status = OrderStatus.PARTIAL

    def _slice(self, order: Resting, quantity: Decimal) -> Decimal:
        """All of it, or with `slices` a part between a quarter and the whole."""
        if self.slices is None or order.fresh:
            return quantity
        self.slices = (self.slices * 1_103_515_245 + 12_345) % 2**31
        quarters = 1 + (self.slices >> 16) % 4
        instrument = self.instruments[order.intent.symbol]
        return instrument.round_quantity(quantity * quarters / 4) or quantity

    def _fill(self, order: Resting, market: SymbolMarket, quantity: Decimal) -> None:
        intent = order.intent
        maker = order.was_resting and intent.price is not None
        price = self._price(order, market)
        if order.other:
            self.part(order, OrderStatus.EXPIRED)
        order.filled += quantity
        self._book(intent, order.exchange_id, intent.client_id, price, quantity, maker, market.time)

    def _price(self, order: Resting, market: SymbolMarket) -> Decimal:
        """Resting limits fill at their price, or at a better open; market orders at the price there is, slipped."""
        limit = order.intent.price
        if limit is not None:
            return limit if order.was_resting and not market.jumped else market.last
        slip = 1 + self.costs.slippage if order.intent.order_side.is_buy else 1 - self.costs.slippage
        return market.last * slip

    def _book(
        self,
        intent: OrderIntent,
        exchange_id: str,
        client_id: str,
        price: Decimal,
        quantity: Decimal,
        maker: bool,
        time: int,
        liquidation: bool = False,
    ) -> None:
        instrument = self.instruments[intent.symbol]
        rate = self.costs.maker if maker else self.costs.taker
        withheld = quantity * rate if instrument.spot and self.withholds and intent.order_side.is_buy else ZERO
        fee = withheld * price if withheld else instrument.notional(price, quantity) * rate
        self.books.execute(instrument, intent.order_side, quantity, price, fee, withheld)
        self.number += 1
        liquidity = Liquidity.MAKER if maker else Liquidity.TAKER
        fill = Fill(
            fill_id=f"f{self.number}",
            exchange_id=exchange_id,
            client_id=client_id,
            symbol=intent.symbol,
            order_side=intent.order_side,
            price=price,
            quantity=quantity,
            fee=fee,
            liquidity=liquidity,
            time=time,
            liquidation=liquidation,
            withheld=withheld,
        )
        self.log.append(Logged(self.number, fill))
        self.waiting = True

    def part(self, order: Resting, status: OrderStatus) -> None:
        """Half of a pair executes or is cancelled: that is the end of the other half."""
        other = self.orders[order.other]
        order.other = other.other = ""
        self.close(other, status)

    def close(self, order: Resting, status: OrderStatus) -> None:
        """The order's end; it stays readable for a while."""
        order.status = status
        self.closed[order.intent.client_id] = self.orders.pop(order.intent.client_id)
        while len(self.closed) > KEPT:
            del self.closed[next(iter(self.closed))]

    # Liquidation and funding

    def liquidation(self, symbol: str) -> Decimal | None:
        """The mark price at which the venue closes the position of `symbol`; None when there is none."""
        held = self.books.holdings.get(symbol) if self.liquidates else None
        return None if held is None else held.liquidation(self._collateral(symbol))

    def _collateral(self, symbol: str) -> Decimal:
        """What stands behind a position: its own margin, or for cross margin all that no isolated position binds."""
        if self.books.setup(symbol).margin_mode == "isolated":
            return self.books.margin(symbol)
        free = self.books.wallet
        for other, held in self.books.holdings.items():
            if other != symbol and self.books.setup(other).margin_mode == "isolated":
                free -= self.books.margin(other)
            elif other != symbol:
                free += held.unrealised(self.markets[other].mark_price)
        return free

    def _is_liquidated(self, symbol: str, market: SymbolMarket) -> bool:
        price = self.liquidation(symbol)
        return price is not None and not self.books.holdings[symbol].side.better(market.mark_price, price)

    def _liquidate(self, symbol: str, market: SymbolMarket) -> None:
        """The venue cancels what rests and closes the position, at worst where its collateral is used up."""
        held = self.books.holdings[symbol]
        for order in self._orders_of(symbol):
            self.close(order, OrderStatus.CANCELLED)
        ruin = held.ruin(self._collateral(symbol))
        price = market.mark_price
        if ruin is not None and held.side.better(ruin, price):
            price = held.instrument.round_stop(held.side, ruin)
        intent = OrderIntent("", symbol, held.side.exit_order_side, OrderKind.MARKET, held.quantity)
        self._book(intent, f"liq{self.number}", "", price, held.quantity, False, market.time, liquidation=True)

    def _pay_funding(self, symbol: str, market: SymbolMarket) -> bool:
        """Funding whose time has come; whether a position paid or received any."""
        rates = self.funding.get(symbol, [])
        paid = False
        while rates and rates[0].time <= market.time:
            rate = rates.pop(0)
            held = self.books.holdings.get(symbol)
            if held is None:
                continue
            value = held.instrument.notional(market.mark_price, held.quantity)
            amount = -held.side.sign * rate.rate * value
            self.books.pay(amount)
            self.number += 1
            row = Income(f"i{self.number}", IncomeKind.FUNDING, symbol, amount, rate.time)
            self.log.append(Logged(self.number, row))
            paid = True
        return paid

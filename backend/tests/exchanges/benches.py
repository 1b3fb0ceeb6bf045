"""Exchanges behind the port, each with a hand that moves its market: simulated, on paper, at the stand-in venues."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.costs import Costs
from buddy.core.exchange import Beside, Exits, OrderIntent, OrderKind, OrderRef, OrderState, Reading
from buddy.core.market import ZERO, OrderSide
from buddy.core.simulator import SimulatedExchange, Tick
from buddy.core.watching import Watch
from buddy.exchanges.models import Account
from buddy.exchanges.paper import PaperExchange
from emulator.handle import StandIn

from .market_of_steps import COIN, OWNED, GivenCoinPrices, GivenPrices, instrument
from .venues_over_http import desk_at

D = Decimal
BUY, SELL = OrderSide.BUY, OrderSide.SELL
MARKET, LIMIT, STOP = OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP_MARKET
MAKER, TAKER = D("0.0002"), D("0.0005")
CONTRACTS = ("simulated", "paper", "binance", "bybit", "bingx")
COINS = ("simulated-spot", "paper-spot", "binance-spot")
STASH = D(10)
"""Coins bought before a test begins, where coins are traded."""
numbers = itertools.count(1)


class Bench:
    """An exchange that stands at 100 and a hand that moves its market, one tick a second."""

    def __init__(
        self, exchange: Any, go: Callable[[D], None], let_go: Callable[[], None], symbol: str = COIN, most: int = 50
    ) -> None:
        self.exchange, self._go, self._let_go = exchange, go, let_go
        self.symbol, self.most_leverage = symbol, most
        self.is_spot = exchange.profile.exits.is_spot
        self.cursor = ""
        self.look()
        if self.is_spot:
            self.order(BUY, MARKET, STASH)
            self.look()

    def look(self) -> Reading:
        reading = self.exchange.read([self.symbol], self.cursor)
        self.cursor = reading.cursor
        return reading

    def held(self) -> Decimal:
        """Signed; of coins all that is owned."""
        return sum((each.side.sign * each.quantity for each in self.look().positions), ZERO)

    def grown(self) -> Decimal:
        """What is held more than in the beginning, in whole coins: a venue keeps far less than half of one."""
        return (self.held() - (STASH if self.is_spot else ZERO)).to_integral_value()

    def go(self, *prices: Any) -> list[Reading]:
        """Move the price, looking until nothing more has happened."""
        readings = []
        for price in prices:
            self._let_go()
            self._go(D(str(price)))
            readings.append(self.look())
            while readings[-1].behind:
                self._let_go()
                readings.append(self.look())
        return readings

    def order(self, side: OrderSide, kind: OrderKind, quantity: Any = 1, client_id: str = "", **more: Any) -> Any:
        """What only reduces is said to, where anything else could be meant."""
        values = {key: D(str(value)) if key in ("price", "trigger") else value for key, value in more.items()}
        if self.is_spot:
            values.pop("reduce_only", None)
        return self.exchange.place(
            OrderIntent(client_id or f"tb{next(numbers)}", self.symbol, side, kind, D(str(quantity)), **values)
        )

    def pair(self, quantity: Any, trigger: Any, price: Any) -> tuple[OrderState, OrderRef]:
        """A stop, and the name of the limit order beside it."""
        beside = Beside(f"tb{next(numbers)}", D(str(price)))
        stop = self.order(SELL, STOP, quantity, trigger=trigger, beside=beside)
        return stop, OrderRef(self.symbol, beside.client_id)

    def told(self, order: OrderState) -> OrderState:
        """What became of it: some venues answer an order with its number and nothing else."""
        return order if order.status.is_final else self.exchange.find(self.ref(order))

    def ref(self, order: OrderState) -> OrderRef:
        """By all that is known of it: a stop's client id is nothing to some venues."""
        return OrderRef(self.symbol, order.client_id, order.exchange_id, is_conditional=order.trigger is not None)


def bench_of(request: pytest.FixtureRequest) -> Bench:
    """Of the fixture's parameter."""
    kind, _, coins = request.param.partition("-")
    if kind == "simulated":
        return simulated(spot=bool(coins))
    if kind == "paper":
        return paper(request.getfixturevalue("alice"), spot=bool(coins))
    request.getfixturevalue("store")
    return over_http(request.getfixturevalue("venues"), request.param)


class RunsFirst(SimulatedExchange):
    """Reads like a venue: its market goes on by itself."""

    def read(self, symbols: Any, cursor: str) -> Reading:
        self.run()
        return super().read(symbols, cursor)


def simulated(*, spot: bool) -> Bench:
    symbol, exits, wallet = (OWNED, Exits.PAIRED, D(10_000)) if spot else (COIN, Exits.REDUCE_ONLY, D(1000))
    costs = Costs(MAKER, TAKER, ZERO)
    exchange = RunsFirst({symbol: instrument(symbol)}, wallet=wallet, costs=costs, exits=exits)
    seconds = itertools.count(1)
    exchange.feed(symbol, Tick(0, D(100)))
    exchange.set_up(symbol, D(10), "isolated")
    return Bench(
        exchange,
        lambda price: exchange.feed(symbol, Tick(next(seconds) * 1000, price)),
        lambda: exchange.watch({}),
        symbol,
    )


def paper(owner: Any, *, spot: bool) -> Bench:
    venue, wallet = ("binance-spot", D(10_000)) if spot else ("binance", D(1000))
    account = Account.objects.create(
        owner=owner,
        name="Paper",
        venue=venue,
        opening_balance=wallet,
        maker_fee=MAKER,
        taker_fee=TAKER,
        slippage=ZERO,
    )
    source = GivenCoinPrices(COIN=[100]) if spot else GivenPrices(COIN=[100])
    symbol = OWNED if spot else COIN
    exchange = PaperExchange(account, source)

    def go(price: D) -> None:
        source.prices[symbol].append(price)
        source.forward(1)

    exchange.set_up(symbol, D(10), "isolated")
    return Bench(exchange, go, lambda: exchange.watch({symbol: Watch()}), symbol)


def over_http(stand_in: StandIn, venue: str) -> Bench:
    """The real client over HTTP, against a venue that speaks its protocol."""
    wallet = "10000" if venue in COINS else "1000"
    desk = desk_at(stand_in, venue, maker=str(MAKER), taker=str(TAKER), wallet=wallet)
    most = int(desk.exchange.instrument(desk.symbol).max_leverage)
    return Bench(desk.exchange, desk.price, lambda: None, desk.symbol, most)

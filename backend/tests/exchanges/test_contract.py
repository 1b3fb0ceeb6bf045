"""What every exchange behind the port must do, asked of each of them alike."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.costs import Costs
from buddy.core.errors import Rejected
from buddy.core.exchange import (
    CancelOutcome,
    Liquidity,
    OrderIntent,
    OrderKind,
    OrderRef,
    OrderState,
    OrderStatus,
    Reading,
    Refusal,
)
from buddy.core.market import OrderSide, Side
from buddy.core.simulator import SimulatedExchange, Tick
from buddy.core.watching import Watch
from buddy.exchanges.models import Account
from buddy.exchanges.paper import PaperExchange
from emulator.handle import StandIn

from .market_of_steps import COIN, GivenPrices, instrument
from .venues_over_http import SYMBOL, desk_at, stand_ins

D = Decimal

pytestmark = pytest.mark.django_db

BUY, SELL = OrderSide.BUY, OrderSide.SELL
MARKET, LIMIT, STOP = OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP_MARKET
MAKER, TAKER = D("0.0002"), D("0.0005")
numbers = itertools.count(1)


class Bench:
    """An exchange that stands at 100 and a hand that moves its market, one tick a second."""

    def __init__(
        self, exchange: Any, go: Callable[[D], None], let_go: Callable[[], None], symbol: str = COIN, most: int = 50
    ) -> None:
        self.exchange, self._go, self._let_go = exchange, go, let_go
        self.symbol, self.most_leverage = symbol, most
        self.cursor = ""
        self.look()

    def look(self) -> Reading:
        reading = self.exchange.read([self.symbol], self.cursor)
        self.cursor = reading.cursor
        return reading

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
        values = {key: D(str(value)) if key in ("price", "trigger") else value for key, value in more.items()}
        return self.exchange.place(
            OrderIntent(client_id or f"tb{next(numbers)}", self.symbol, side, kind, D(str(quantity)), **values)
        )

    def told(self, order: OrderState) -> OrderState:
        """What became of it: some venues answer an order with its number and nothing else."""
        return order if order.status.is_final else self.exchange.find(self.ref(order))

    def ref(self, order: OrderState) -> OrderRef:
        """By all that is known of it: a stop's client id is nothing to some venues."""
        return OrderRef(self.symbol, order.client_id, order.exchange_id, is_conditional=order.trigger is not None)


@pytest.fixture(params=["simulated", "paper", "binance", "bybit", "bingx"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "simulated":
        return simulated()
    if request.param == "paper":
        return paper(request.getfixturevalue("alice"))
    request.getfixturevalue("store")
    return over_http(request.getfixturevalue("stand_in"), request.param)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with stand_ins() as venues:
        yield venues


class RunsFirst(SimulatedExchange):
    """Reads like a venue: its market goes on by itself."""

    def read(self, symbols: Any, cursor: str) -> Reading:
        self.run()
        return super().read(symbols, cursor)


def simulated() -> Bench:
    exchange = RunsFirst({COIN: instrument(COIN)}, wallet=D(1000), costs=Costs(MAKER, TAKER, D(0)))
    seconds = itertools.count(1)
    exchange.feed(COIN, Tick(0, D(100)))
    exchange.set_up(COIN, D(10), "isolated")
    return Bench(
        exchange,
        lambda price: exchange.feed(COIN, Tick(next(seconds) * 1000, price)),
        lambda: exchange.watch({}),
    )


def paper(owner: Any) -> Bench:
    account = Account.objects.create(
        owner=owner, name="Paper", opening_balance=D(1000), maker_fee=MAKER, taker_fee=TAKER, slippage=D(0)
    )
    source = GivenPrices(COIN=[100])
    exchange = PaperExchange(account, source)

    def go(price: D) -> None:
        source.prices[COIN].append(price)
        source.forward(1)

    bench = Bench(exchange, go, lambda: exchange.watch(COIN, Watch()))
    exchange.set_up(COIN, D(10), "isolated")
    return bench


def over_http(stand_in: StandIn, venue: str) -> Bench:
    """The real client over HTTP, against a venue that speaks its protocol."""
    desk = desk_at(stand_in, venue, maker=str(MAKER), taker=str(TAKER))
    most = int(desk.exchange.instrument(SYMBOL).max_leverage)
    return Bench(desk.exchange, desk.price, lambda: None, SYMBOL, most)


def test_a_market_order_fills_at_once_and_pays_the_taker_fee(bench):
    order = bench.order(BUY, MARKET)
    told = bench.told(order)
    assert (told.status, told.filled) == (OrderStatus.FILLED, D(1))
    (fill,) = bench.look().fills
    assert (fill.price, fill.fee, fill.liquidity, fill.client_id) == (
        D(100),
        D("0.05"),
        Liquidity.TAKER,
        order.client_id,
    )


def test_a_resting_limit_fills_at_its_price_and_pays_the_maker_fee(bench):
    order = bench.order(BUY, LIMIT, price="99.5")
    assert order.status is OrderStatus.OPEN
    (reading,) = (r for r in bench.go("99.4") if r.fills)
    (fill,) = reading.fills
    assert (fill.price, fill.fee, fill.liquidity) == (D("99.5"), D("99.5") * MAKER, Liquidity.MAKER)
    assert bench.exchange.find(bench.ref(order)).status is OrderStatus.FILLED


def test_a_limit_beyond_the_market_takes(bench):
    assert bench.told(bench.order(BUY, LIMIT, price=101)).status is OrderStatus.FILLED
    assert bench.look().fills[0].liquidity is Liquidity.TAKER


def test_a_stop_rests_until_its_price_trades(bench):
    bench.order(BUY, MARKET)
    stop = bench.order(SELL, STOP, trigger=98, reduce_only=True)
    bench.go("98.1")
    assert bench.exchange.find(bench.ref(stop)).status is OrderStatus.OPEN
    bench.go("97.9")
    assert bench.exchange.find(bench.ref(stop)).status is OrderStatus.FILLED
    assert bench.look().positions == []


def test_a_stop_already_beyond_the_price_is_refused_by_that_name(bench):
    bench.order(BUY, MARKET)
    with pytest.raises(Rejected) as refused:
        bench.order(SELL, STOP, trigger=100, reduce_only=True)
    assert refused.value.code == Refusal.WOULD_TRIGGER


def test_a_client_id_places_one_order_for_ever(bench):
    order = bench.order(BUY, MARKET, client_id="same")
    with pytest.raises(Rejected) as refused:
        bench.order(BUY, MARKET, client_id="same")
    assert refused.value.code == Refusal.DUPLICATE
    assert bench.exchange.find(OrderRef(bench.symbol, "same")).exchange_id == order.exchange_id
    assert bench.look().positions[0].quantity == 1


def test_what_was_never_placed_is_not_found(bench):
    assert bench.exchange.find(OrderRef(bench.symbol, "nobody")) is None
    assert bench.exchange.cancel(OrderRef(bench.symbol, "nobody")) is CancelOutcome.NOT_FOUND


def test_cancelling_says_what_became_of_it(bench):
    order = bench.order(BUY, LIMIT, price=90)
    assert bench.exchange.cancel(bench.ref(order)) is CancelOutcome.CANCELLED
    assert bench.exchange.cancel(bench.ref(order)) is CancelOutcome.ALREADY_CLOSED
    assert bench.exchange.find(bench.ref(order)).status is OrderStatus.CANCELLED
    assert bench.look().orders == []


def test_reduce_only_never_opens_or_turns_a_position(bench):
    with pytest.raises(Rejected) as refused:
        bench.order(SELL, MARKET, reduce_only=True)
    assert refused.value.code == Refusal.REDUCE_ONLY
    bench.order(BUY, MARKET)
    bench.order(SELL, LIMIT, quantity=3, price=101, reduce_only=True)
    bench.go(102)
    assert bench.look().positions == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"quantity": "0.005"}, Refusal.PRECISION),
        ({"price": "99.55"}, Refusal.PRECISION),
        ({"quantity": "0.01", "price": 99}, Refusal.MINIMUM),
        ({"quantity": 1000, "price": 99}, Refusal.MARGIN),
    ],
)
def test_what_a_venue_would_refuse_is_refused(bench, more, code):
    with pytest.raises(Rejected) as refused:
        bench.order(BUY, LIMIT, **({"price": 99} | more))
    assert refused.value.code == code
    assert bench.look().orders == []


def test_a_fill_is_told_until_its_cursor_comes_back_and_never_again(bench):
    bench.order(BUY, MARKET)
    before = bench.cursor
    first, again = (bench.exchange.read([bench.symbol], before) for _ in range(2))
    assert [fill.fill_id for fill in first.fills] == [fill.fill_id for fill in again.fills]
    assert len(first.fills) == 1
    assert bench.exchange.read([bench.symbol], again.cursor).fills == []


def test_fill_ids_are_unique(bench):
    ids = []
    for side in (BUY, SELL, BUY, SELL):
        bench.order(side, MARKET)
        ids += [fill.fill_id for fill in bench.look().fills]
    assert len(set(ids)) == 4


def test_balance_and_position_follow_the_fills(bench):
    bench.order(SELL, MARKET, quantity=2)
    bench.go(95)
    (position,) = bench.look().positions
    assert (position.side, position.quantity, position.average_entry) == (Side.SHORT, D(2), D(100))
    balance = bench.exchange.balance()
    assert balance.wallet == 1000 - D(200) * TAKER
    assert balance.equity == balance.wallet + 10
    assert balance.free == balance.equity - 20


def test_the_range_since_the_last_reading_is_told(bench):
    bench.order(BUY, MARKET)
    bench.look()
    readings = bench.go(103, 97, 101)
    assert min(r.ranges[bench.symbol][0] for r in readings if bench.symbol in r.ranges) == 97
    assert max(r.ranges[bench.symbol][1] for r in readings if bench.symbol in r.ranges) == 103


def test_leverage_beyond_the_instrument_is_refused(bench):
    with pytest.raises(Rejected):
        bench.exchange.set_up(bench.symbol, D(bench.most_leverage + 1), "isolated")


def test_the_instrument_tells_its_steps(bench):
    told = bench.exchange.instrument(bench.symbol)
    assert (told.tick_size, told.lot_size, told.min_notional) == (D("0.1"), D("0.01"), D(5))

"""The simulated exchange: what fills where, what it refuses, and what it remembers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy.core.costs import Costs
from buddy.core.errors import Rejected
from buddy.core.exchange import CancelOutcome, Fill, Liquidity, OrderIntent, OrderKind, OrderRef, OrderStatus, TriggerBy
from buddy.core.intrabar import by_colour, optimistic
from buddy.core.market import Candle, Instrument, MarginTier, OrderSide
from buddy.core.simulated_books import Books
from buddy.core.simulator import FundingRate, SimulatedExchange, Tick
from buddy.core.watching import Watch

from .lives import START, at, candle, candles, tick

D = Decimal
X = Instrument(
    "X", "X", "USDT", "USDT", tick_size=D("0.1"), lot_size=D("0.1"), min_quantity=D("0.2"), min_notional=D(5)
)
Y = Instrument("Y", "Y", "USDT", "USDT", tick_size=D("0.1"), lot_size=D("0.1"))
COSTS = Costs(D("0.0002"), D("0.0005"), D("0.01"))


@pytest.fixture
def exchange() -> SimulatedExchange:
    """A thousand in the wallet and X at 100."""
    made = SimulatedExchange({"X": X, "Y": Y}, wallet=D(1000), costs=COSTS)
    made.feed("X", tick(0, 100))
    made.run()
    return made


def intent(client_id: str, order_side: str, kind: str, quantity: Any, **more: Any) -> OrderIntent:
    numbers = {key: D(str(more.pop(key))) for key in ("price", "trigger") if key in more}
    quantity = D(str(quantity))
    return OrderIntent(
        client_id, more.pop("symbol", "X"), OrderSide(order_side), OrderKind(kind), quantity, **numbers, **more
    )


def walk(exchange: SimulatedExchange, *steps: Tick | Candle) -> list[Fill]:
    """Play it through without managing anything; what has executed."""
    known = exchange.read(["X", "Y"], "").cursor
    exchange.feed("X", *steps)
    while not exchange.run():
        exchange.watch({})
    return list(exchange.read(["X", "Y"], known).fills)


def buy(exchange: SimulatedExchange, quantity: Any = 1) -> None:
    exchange.place(intent("in", "buy", "market", quantity))
    exchange.watch({})


def test_a_market_order_slips_and_pays_the_taker_fee(exchange: SimulatedExchange) -> None:
    exchange.place(intent("a", "buy", "market", 1))
    fill = exchange.read(["X"], "").fills[0]
    assert (fill.price, fill.fee, fill.liquidity) == (D(101), D("0.0505"), Liquidity.TAKER)


def test_a_resting_limit_fills_at_its_price_as_maker(exchange: SimulatedExchange) -> None:
    exchange.place(intent("a", "buy", "limit", 1, price=99))
    (fill,) = walk(exchange, tick(1, 97))
    assert (fill.price, fill.fee, fill.liquidity) == (D(99), D("0.0198"), Liquidity.MAKER)


def test_a_marketable_limit_fills_at_once_as_taker(exchange: SimulatedExchange) -> None:
    assert exchange.place(intent("a", "buy", "limit", 1, price=101)).status is OrderStatus.FILLED
    fill = exchange.read(["X"], "").fills[0]
    assert (fill.price, fill.liquidity) == (D(100), Liquidity.TAKER)


def test_a_gap_fills_a_resting_limit_at_the_better_open(exchange: SimulatedExchange) -> None:
    exchange.place(intent("a", "buy", "limit", 1, price=99))
    (fill,) = walk(exchange, candle(1, 97, 98, 96, 97))
    assert fill.price == 97


def test_a_gap_fills_a_stop_at_the_worse_open(exchange: SimulatedExchange) -> None:
    buy(exchange)
    exchange.place(intent("s", "sell", "stop_market", 1, trigger=98, reduce_only=True))
    (fill,) = walk(exchange, candle(1, 90, 91, 89, 90))
    assert fill.price == D("89.1"), "90 less one percent of slippage"


def test_a_trigger_limit_rests_at_its_price_once_triggered(exchange: SimulatedExchange) -> None:
    exchange.place(intent("a", "buy", "stop_limit", 1, trigger=102, price=101))
    assert walk(exchange, tick(1, 103)) == []
    (fill,) = walk(exchange, tick(2, 100))
    assert (fill.price, fill.liquidity) == (D(101), Liquidity.MAKER)


def test_a_stop_by_mark_waits_for_the_mark_price(exchange: SimulatedExchange) -> None:
    buy(exchange)
    exchange.place(intent("s", "sell", "stop_market", 1, trigger=98, reduce_only=True, trigger_by=TriggerBy.MARK))
    assert walk(exchange, Tick(at(1), D(97), D(99))) == []
    (fill,) = walk(exchange, Tick(at(2), D(97), D("97.9")))
    assert fill.price == D("96.03")


def test_reduce_only_closes_no_more_than_is_held(exchange: SimulatedExchange) -> None:
    buy(exchange)
    exchange.place(intent("s", "sell", "stop_market", 5, trigger=98, reduce_only=True))
    (fill,) = walk(exchange, tick(1, 97))
    assert fill.quantity == 1
    assert exchange.read(["X"], "").positions == []
    state = exchange.find(OrderRef("X", "s"))
    assert state is not None
    assert (state.status, state.filled) == (OrderStatus.EXPIRED, D(1))


def test_a_reduce_only_order_that_finds_nothing_expires(exchange: SimulatedExchange) -> None:
    buy(exchange)
    exchange.place(intent("t", "sell", "limit", 1, price=105, reduce_only=True))
    exchange.place(intent("out", "sell", "market", 1, reduce_only=True))
    assert walk(exchange, tick(1, 106)) == []
    state = exchange.find(OrderRef("X", "t"))
    assert state is not None
    assert state.status is OrderStatus.EXPIRED


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (intent("n", "buy", "limit", "0.15", price=99), "precision"),
        (intent("n", "buy", "limit", 1, price="99.05"), "precision"),
        (intent("n", "buy", "limit", "0.1", price=99), "minimum"),
        (intent("n", "buy", "limit", "0.2", price=20), "minimum"),
        (intent("n", "sell", "limit", 1, price=105, reduce_only=True), "reduce_only"),
        (intent("n", "buy", "stop_market", 1, trigger=99), "would_trigger"),
        (intent("n", "sell", "stop_market", 1, trigger=100), "would_trigger"),
        (intent("n", "buy", "market", 20), "margin"),
    ],
)
def test_what_a_venue_would_refuse_is_refused(exchange: SimulatedExchange, order: OrderIntent, code: str) -> None:
    with pytest.raises(Rejected) as refusal:
        exchange.place(order)
    assert refusal.value.code == code
    assert exchange.find(OrderRef("X", "n")) is None


def test_a_client_id_is_taken_once_even_after_its_order_is_gone(exchange: SimulatedExchange) -> None:
    exchange.place(intent("a", "buy", "limit", 1, price=99))
    for _ in range(2):
        with pytest.raises(Rejected) as refusal:
            exchange.place(intent("a", "buy", "limit", 1, price=99))
        assert refusal.value.code == "duplicate"
        exchange.cancel(OrderRef("X", "a"))


def test_a_cancel_tells_whether_there_was_anything_to_cancel(exchange: SimulatedExchange) -> None:
    exchange.place(intent("a", "buy", "limit", 1, price=99))
    answers = [exchange.cancel(OrderRef("X", each)) for each in ("a", "a", "b")]
    assert answers == [CancelOutcome.CANCELLED, CancelOutcome.ALREADY_CLOSED, CancelOutcome.NOT_FOUND]


def test_minimums_do_not_hold_for_leaving(exchange: SimulatedExchange) -> None:
    buy(exchange, "0.3")
    exchange.place(intent("a", "sell", "market", "0.2", reduce_only=True))
    exchange.place(intent("b", "sell", "market", "0.1", reduce_only=True))
    assert exchange.read(["X"], "").positions == []


def test_a_long_pays_funding_and_a_short_receives_it(exchange: SimulatedExchange) -> None:
    exchange.place(intent("in", "sell", "market", 1))
    exchange.watch({})
    exchange.fund("X", FundingRate(at(1), D("0.001")))
    walk(exchange, tick(1, 100))
    (row,) = exchange.log[-1:]
    assert getattr(row.row, "amount", None) == D("0.1")


def test_funding_takes_no_digit_of_what_a_liquidation_has_left() -> None:
    """The price at which a margin ends has as many digits as a division gives."""
    left, paid = Decimal("9345.8455241881500000000000123456"), Decimal("-1.25")
    books = Books(left)
    books.pay(paid)
    assert str(books.wallet) == "9344.5955241881500000000000123456"


def test_the_books_add_up_to_the_wallet(exchange: SimulatedExchange) -> None:
    buy(exchange, 3)
    exchange.place(intent("a", "sell", "limit", 1, price=103, reduce_only=True))
    exchange.place(intent("b", "sell", "limit", 2, price=106, reduce_only=True))
    walk(exchange, tick(1, 107))
    # in: 3 at 101; out: 1 at 103 and 2 at 106; fees 303·0.0005 and 315·0.0002
    assert exchange.balance().wallet == 1000 + (315 - 303) - D("0.1515") - D("0.063")


def test_an_isolated_position_is_liquidated_where_its_margin_ends() -> None:
    """1000 at 10×: margin 100; at 0.5 % maintenance it is lost at (1000 − 100) / (10 · 0.995) = 90.45…"""
    tiers = (MarginTier(None, D("0.005"), D(0), D(100)),)
    coin = Instrument("X", "X", "USDT", "USDT", tick_size=D("0.1"), lot_size=D("0.1"), tiers=tiers)
    exchange = SimulatedExchange({"X": coin}, wallet=D(1000), costs=Costs())
    exchange.feed("X", tick(0, 100))
    exchange.set_up("X", D(10), "isolated")
    buy(exchange, 10)
    exchange.place(intent("t", "sell", "limit", 10, price=110, reduce_only=True))
    (fill,) = walk(exchange, tick(1, 85))
    assert fill.liquidation
    assert fill.client_id == ""
    assert D("90.45") < fill.price < D("90.46")
    assert exchange.orders == {}
    assert exchange.balance().wallet == 1000 + (fill.price - 100) * 10


def test_a_gap_beyond_ruin_costs_no_more_than_the_isolated_margin() -> None:
    exchange = SimulatedExchange({"X": X}, wallet=D(1000), costs=Costs())
    exchange.feed("X", tick(0, 100))
    exchange.set_up("X", D(10), "isolated")
    buy(exchange, 10)
    walk(exchange, candle(1, 50, 50, 50, 50))
    assert exchange.balance().wallet == 900


def test_the_market_stands_still_until_the_manager_has_reacted(exchange: SimulatedExchange) -> None:
    exchange.place(intent("a", "buy", "limit", 1, price=99))
    exchange.feed("X", tick(1, 90))
    assert not exchange.run()
    assert not exchange.run()
    assert exchange.markets["X"].last == 99
    assert exchange.read(["X"], "").behind
    exchange.watch({})
    assert exchange.run()
    assert exchange.markets["X"].last == 90


def test_the_market_stops_at_a_watched_price_and_time(exchange: SimulatedExchange) -> None:
    exchange.watch({"X": Watch(levels=frozenset([D(103)]), times=frozenset([at(2)]))})
    exchange.feed("X", tick(1, 105), tick(3, 106))
    assert not exchange.run()
    assert exchange.markets["X"].last == 103
    exchange.watch({"X": Watch(times=frozenset([at(2)]))})
    assert not exchange.run()
    assert (exchange.markets["X"].last, exchange.markets["X"].time) == (D(105), at(3))


def test_a_range_is_told_until_it_is_acknowledged(exchange: SimulatedExchange) -> None:
    walk(exchange, tick(1, 104), tick(2, 101))
    first = exchange.read(["X"], "")
    assert exchange.read(["X"], "").ranges["X"] == (D(100), D(104))
    assert exchange.read(["X"], first.cursor).ranges == {}


def test_a_fill_is_told_until_it_is_acknowledged(exchange: SimulatedExchange) -> None:
    buy(exchange)
    first = exchange.read(["X"], "")
    assert exchange.read(["X"], "").fills == first.fills
    assert exchange.read(["X"], first.cursor).fills == []


def test_several_symbols_move_in_the_order_of_time(exchange: SimulatedExchange) -> None:
    exchange.feed("Y", tick(0, 50))
    exchange.run()
    exchange.watch({})
    exchange.place(intent("x", "buy", "limit", 1, price=99))
    exchange.place(intent("y", "buy", "limit", 1, price=49, symbol="Y"))
    exchange.feed("X", tick(3, 98))
    exchange.feed("Y", tick(2, 48))
    order = []
    while not exchange.run():
        order += [each.row.symbol for each in exchange.log[-1:]]
        exchange.watch({})
    assert order == ["Y", "X"]


def test_leverage_over_the_maximum_is_refused(exchange: SimulatedExchange) -> None:
    with pytest.raises(Rejected):
        exchange.set_up("X", D(101), "cross")


def test_the_margin_mode_does_not_change_under_a_position(exchange: SimulatedExchange) -> None:
    buy(exchange)
    with pytest.raises(Rejected):
        exchange.set_up("X", D(2), "isolated")


orders = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell"]),
        st.sampled_from(["market", "limit", "stop_market", "stop_limit"]),
        st.integers(1, 30),
        st.integers(900, 1100),
        st.integers(900, 1100),
        st.booleans(),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(orders, candles(most=8), st.one_of(st.none(), st.integers(0, 99)))
def test_whatever_is_traded_the_wallet_is_what_the_fills_say(
    wanted: list[tuple[Any, ...]], path: list[Candle], slices: int | None
) -> None:
    exchange = SimulatedExchange({"X": Y_AS_X}, wallet=D(100_000), costs=COSTS, low_first=by_colour, slices=slices)
    exchange.feed("X", path[0])
    fills = play(exchange, wanted, path)
    signed = {"buy": -1, "sell": 1}
    cash = sum((signed[f.order_side] * f.price * f.quantity - f.fee for f in fills), D(0))
    held = sum((-signed[f.order_side] * f.quantity for f in fills), D(0))
    state = SimulatedExchange.from_state(json.loads(json.dumps(exchange.to_state())), {"X": Y_AS_X}, costs=COSTS)
    assert state.to_state() == exchange.to_state(), "nothing is lost in plain JSON"
    assert exchange.equity == 100_000 + cash + held * exchange.markets["X"].last
    positions = exchange.read(["X"], "").positions
    assert sum((p.side.sign * p.quantity for p in positions), D(0)) == held


Y_AS_X = Instrument("X", "X", "USDT", "USDT", tick_size=D("0.1"), lot_size=D("0.1"))


def play(exchange: SimulatedExchange, wanted: list[tuple[Any, ...]], path: list[Candle]) -> list[Fill]:
    """One order before each candle; every fill there was."""
    for number, order in enumerate(wanted):
        side, kind, quantity, price, trigger, reduce_only = order
        prices = {"price": D(price) / 10} if "limit" in kind else {}
        prices |= {"trigger": D(trigger) / 10} if "stop" in kind else {}
        try:
            exchange.place(intent(f"o{number}", side, kind, D(quantity) / 10, reduce_only=reduce_only, **prices))
        except Rejected:
            continue
        exchange.feed("X", path[number % len(path)]._replace(time=START + number))
        exchange.watch({})
        while not exchange.run():
            exchange.watch({})
    return list(exchange.read(["X"], "").fills)


def test_an_inverse_contract_is_booked_in_its_coin() -> None:
    """100 contracts of 10 USD: 1000 / 50,000 − 1000 / 62,500 = 0.02 − 0.016 = 0.004 of the coin."""
    inverse = Instrument("X", "BTC", "USD", "BTC", tick_size=D(1), lot_size=D(1), contract_size=D(10), linear=False)
    exchange = SimulatedExchange({"X": inverse}, wallet=D(1), costs=Costs())
    exchange.feed("X", tick(0, 50_000))
    buy(exchange, 100)
    exchange.place(intent("t", "sell", "limit", 100, price=62_500, reduce_only=True))
    walk(exchange, tick(1, 63_000))
    assert exchange.balance().wallet == D("1.004")


def test_the_default_order_of_extremes_is_the_worse_one(exchange: SimulatedExchange) -> None:
    buy(exchange)
    exchange.place(intent("s", "sell", "stop_market", 1, trigger=98, reduce_only=True))
    exchange.place(intent("t", "sell", "limit", 1, price=104, reduce_only=True))
    (fill,) = walk(exchange, candle(1, 100, 105, 97, 100))
    assert fill.client_id == "s"


def test_the_optimistic_order_is_the_better_one() -> None:
    exchange = SimulatedExchange({"X": X}, wallet=D(1000), costs=COSTS, low_first=optimistic)
    exchange.feed("X", tick(0, 100))
    buy(exchange)
    exchange.place(intent("s", "sell", "stop_market", 1, trigger=98, reduce_only=True))
    exchange.place(intent("t", "sell", "limit", 1, price=104, reduce_only=True))
    (fill,) = walk(exchange, candle(1, 100, 105, 97, 100))
    assert fill.client_id == "t"

"""What every exchange behind the port must do, asked of each of them alike."""

from __future__ import annotations

from decimal import Decimal

import pytest

from buddy.core.errors import Rejected
from buddy.core.exchange import CancelOutcome, Liquidity, OrderRef, OrderStatus, Refusal
from buddy.core.market import Side

from .benches import BUY, COINS, CONTRACTS, LIMIT, MAKER, MARKET, SELL, STOP, TAKER, Bench, bench_of

D = Decimal

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[*CONTRACTS, *COINS])
def bench(request: pytest.FixtureRequest) -> Bench:
    return bench_of(request)


@pytest.fixture(params=CONTRACTS)
def contracts(request: pytest.FixtureRequest) -> Bench:
    """Where contracts are traded: with leverage, and short as well as long."""
    return bench_of(request)


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
    assert bench.grown() == 0


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
    assert bench.grown() == 1


def test_what_was_never_placed_is_not_found(bench):
    assert bench.exchange.find(OrderRef(bench.symbol, "nobody")) is None
    assert bench.exchange.cancel(OrderRef(bench.symbol, "nobody")) is CancelOutcome.NOT_FOUND


def test_cancelling_says_what_became_of_it(bench):
    order = bench.order(BUY, LIMIT, price=90)
    assert bench.exchange.cancel(bench.ref(order)) is CancelOutcome.CANCELLED
    assert bench.exchange.cancel(bench.ref(order)) is CancelOutcome.ALREADY_CLOSED
    assert bench.exchange.find(bench.ref(order)).status is OrderStatus.CANCELLED
    assert bench.look().orders == []


def test_reduce_only_never_opens_or_turns_a_position(contracts):
    with pytest.raises(Rejected) as refused:
        contracts.order(SELL, MARKET, reduce_only=True)
    assert refused.value.code == Refusal.REDUCE_ONLY
    contracts.order(BUY, MARKET)
    contracts.order(SELL, LIMIT, quantity=3, price=101, reduce_only=True)
    contracts.go(102)
    assert contracts.look().positions == []


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


def test_balance_and_position_follow_the_fills(contracts):
    contracts.order(SELL, MARKET, quantity=2)
    contracts.go(95)
    (position,) = contracts.look().positions
    assert (position.side, position.quantity, position.average_entry) == (Side.SHORT, D(2), D(100))
    balance = contracts.exchange.balance()
    assert balance.wallet == 1000 - D(200) * TAKER
    assert balance.equity == balance.wallet + 10
    assert balance.free == balance.equity - 20


def test_the_range_since_the_last_reading_is_told(bench):
    bench.order(BUY, MARKET)
    bench.order(BUY, LIMIT, price=50)  # on paper, coins that nothing waits for are not looked at
    bench.look()
    readings = bench.go(103, 97, 101)
    assert min(r.ranges[bench.symbol][0] for r in readings if bench.symbol in r.ranges) == 97
    assert max(r.ranges[bench.symbol][1] for r in readings if bench.symbol in r.ranges) == 103


def test_leverage_beyond_the_instrument_is_refused(contracts):
    with pytest.raises(Rejected):
        contracts.exchange.set_up(contracts.symbol, D(contracts.most_leverage + 1), "isolated")


def test_the_instrument_tells_its_steps(bench):
    told = bench.exchange.instrument(bench.symbol)
    assert (told.tick_size, told.lot_size, told.min_notional) == (D("0.1"), D("0.01"), D(5))

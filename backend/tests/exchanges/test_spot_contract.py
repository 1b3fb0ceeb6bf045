"""What every exchange behind the port must do where coins are owned: what it keeps of them, what locks them, pairs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from buddy.core.errors import Rejected
from buddy.core.exchange import CancelOutcome, OrderRef, OrderStatus, Refusal

from .benches import BUY, COINS, LIMIT, MAKER, MARKET, SELL, STASH, STOP, TAKER, Bench, bench_of

D = Decimal

pytestmark = pytest.mark.django_db


@pytest.fixture(params=COINS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return bench_of(request)


def status(bench: Bench, ref: OrderRef) -> OrderStatus:
    found = bench.exchange.find(ref)
    assert found is not None
    return found.status


def test_of_a_purchase_the_venue_keeps_its_fee_in_coins(bench):
    before = bench.held()
    bench.order(BUY, MARKET, 2)
    (fill,) = bench.look().fills
    assert (fill.quantity, fill.withheld, fill.fee) == (2, 2 * TAKER, 200 * TAKER)
    assert bench.held() - before == 2 - 2 * TAKER


def test_of_a_sale_it_keeps_its_fee_in_money(bench):
    money = bench.exchange.balance().wallet
    bench.order(SELL, LIMIT, 2, price=101)
    (fill,) = (fill for reading in bench.go(102) for fill in reading.fills)
    assert (fill.price, fill.withheld, fill.fee) == (101, 0, 202 * MAKER)
    assert bench.exchange.balance().wallet == money + 202 - 202 * MAKER


def test_coins_are_worth_something_and_money_is_what_can_be_spent(bench):
    bench.order(BUY, LIMIT, 5, price=90)
    bench.go(110)
    balance, owned = bench.exchange.balance(), STASH - STASH * TAKER
    assert (balance.wallet, balance.free) == (9_000, 8_550)
    assert balance.equity == 9_000 + 110 * owned


def test_resting_sales_lock_their_coins(bench):
    stop = bench.order(SELL, STOP, 6, trigger=90)
    bench.order(SELL, LIMIT, 3, price=110)
    with pytest.raises(Rejected) as refused:
        bench.order(SELL, MARKET, 1)
    assert refused.value.code == Refusal.MARGIN
    bench.exchange.cancel(bench.ref(stop))
    bench.order(SELL, MARKET, 1)


def test_nobody_sells_what_he_does_not_own(bench):
    for kind, prices in ((MARKET, {}), (LIMIT, {"price": 110}), (STOP, {"trigger": 90})):
        with pytest.raises(Rejected) as refused:
            bench.order(SELL, kind, STASH, **prices)
        assert refused.value.code == Refusal.MARGIN


def test_a_pair_locks_its_coins_once_and_each_half_is_found_by_its_name(bench):
    stop, beside = bench.pair(9, 90, 110)
    assert (stop.status, stop.trigger, status(bench, bench.ref(stop))) == (OrderStatus.OPEN, 90, OrderStatus.OPEN)
    limit = bench.exchange.find(beside)
    assert (limit.status, limit.price, limit.quantity) == (OrderStatus.OPEN, 110, 9)
    assert {order.client_id for order in bench.look().orders} == {stop.client_id, beside.client_id}


def test_when_the_limit_order_trades_the_stop_is_over(bench):
    stop, beside = bench.pair(9, 90, 110)
    (fill,) = (fill for reading in bench.go(111) for fill in reading.fills)
    assert (fill.client_id, fill.price, fill.quantity) == (beside.client_id, 110, 9)
    assert (status(bench, beside), status(bench, bench.ref(stop))) == (OrderStatus.FILLED, OrderStatus.EXPIRED)
    assert bench.grown() == -9


def test_when_the_stop_trades_the_limit_order_is_over(bench):
    stop, beside = bench.pair(9, 90, 110)
    (fill,) = (fill for reading in bench.go(89) for fill in reading.fills)
    assert (fill.client_id, fill.price, fill.quantity) == (stop.client_id, 90, 9)
    assert (status(bench, bench.ref(stop)), status(bench, beside)) == (OrderStatus.FILLED, OrderStatus.EXPIRED)
    bench.go(111)
    assert bench.grown() == -9


@pytest.mark.parametrize("half", ["stop", "limit"])
def test_cancelling_either_half_cancels_both(bench, half):
    stop, beside = bench.pair(9, 90, 110)
    refs = {"stop": bench.ref(stop), "limit": beside}
    assert bench.exchange.cancel(refs[half]) is CancelOutcome.CANCELLED
    assert {status(bench, ref) for ref in refs.values()} == {OrderStatus.CANCELLED}
    assert {bench.exchange.cancel(ref) for ref in refs.values()} == {CancelOutcome.ALREADY_CLOSED}
    bench.order(SELL, MARKET, 9)


@pytest.mark.parametrize(
    ("quantity", "trigger", "price", "codes"),
    [
        (9, 90, 100, {Refusal.OTHER}),
        (9, 100, 110, {Refusal.WOULD_TRIGGER, Refusal.OTHER}),
        (10, 90, 110, {Refusal.MARGIN}),
        ("0.01", 90, 110, {Refusal.MINIMUM}),
        (9, "90.05", 110, {Refusal.PRECISION}),
        (9, 90, "110.05", {Refusal.PRECISION}),
    ],
)
def test_a_pair_is_taken_whole_or_not_at_all(bench, quantity, trigger, price, codes):
    with pytest.raises(Rejected) as refused:
        bench.pair(quantity, trigger, price)
    assert refused.value.code in codes
    assert bench.look().orders == []
    bench.order(SELL, MARKET, 9)


def test_there_is_no_leverage_to_be_set_up(bench):
    bench.exchange.set_up(bench.symbol, D(10), "isolated")
    told = bench.exchange.instrument(bench.symbol)
    assert (told.spot, told.max_leverage) == (True, 1)

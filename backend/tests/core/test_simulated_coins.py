"""The simulated exchange on spot: coins for money, sales that lock what they sell, pairs of which one executes."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.costs import Costs
from buddy.core.errors import Rejected
from buddy.core.exchange import (
    Balance,
    Beside,
    CancelOutcome,
    Exits,
    Fill,
    OrderIntent,
    OrderKind,
    OrderRef,
    OrderStatus,
    PositionState,
    Refusal,
)
from buddy.core.market import Instrument, OrderSide, Side
from buddy.core.simulator import SimulatedExchange, Tick

D = Decimal
X = Instrument("X/USDT", "X", "USDT", "USDT", D("0.1"), D("0.01"), min_quantity=D("0.01"), min_notional=D(5), spot=True)
COSTS = Costs(D("0.001"), D("0.002"), D("0.001"))


def made(**changes: Any) -> SimulatedExchange:
    """An account with 1000 at a price of 100."""
    about: dict[str, Any] = {"wallet": D(1000), "costs": COSTS, "exits": Exits.PAIRED} | changes
    exchange = SimulatedExchange({X.symbol: X}, **about)
    exchange.feed(X.symbol, Tick(1, D(100)))
    assert exchange.run()
    return exchange


def order(client_id: str, quantity: Any, *, side: OrderSide = OrderSide.SELL, **prices: Any) -> OrderIntent:
    kind = OrderKind.STOP_MARKET if "trigger" in prices else OrderKind.LIMIT if "price" in prices else OrderKind.MARKET
    numbers = {name: D(str(price)) for name, price in prices.items() if name != "beside"}
    beside = Beside(f"{client_id}b", D(str(prices["beside"]))) if "beside" in prices else None
    return OrderIntent(client_id, X.symbol, side, kind, D(str(quantity)), beside=beside, **numbers)


def buy(exchange: SimulatedExchange, quantity: Any, **prices: Any) -> None:
    exchange.place(order(f"buy{exchange.number}", quantity, side=OrderSide.BUY, **prices))


def walk(exchange: SimulatedExchange, *prices: Any) -> list[Fill]:
    for number, price in enumerate(prices):
        exchange.feed(X.symbol, Tick(10 + number, D(str(price))))
    while not exchange.run():
        exchange.watch({})
    return [each.row for each in exchange.log if isinstance(each.row, Fill)]


def status(exchange: SimulatedExchange, client_id: str) -> OrderStatus:
    found = exchange.find(OrderRef(X.symbol, client_id))
    assert found is not None
    return found.status


def test_a_purchase_takes_money_and_its_fee_in_coins() -> None:
    exchange = made()
    buy(exchange, 2)
    (fill,) = walk(exchange)
    assert (fill.price, fill.withheld, fill.fee) == (D("100.1"), D("0.004"), D("0.4004"))
    assert exchange.books.wallet == D(1000) - 2 * D("100.1")
    assert exchange.books.coins == {"X": D("1.996")}
    assert exchange.balance() == Balance(
        exchange.books.wallet, exchange.books.wallet + D("199.6"), exchange.books.wallet
    )
    assert exchange.read([X.symbol], "").positions == [PositionState(X.symbol, Side.LONG, D("1.996"), D(0))]


def test_a_venue_may_take_the_fee_in_money() -> None:
    exchange = made(withholds=False)
    buy(exchange, 2)
    (fill,) = walk(exchange)
    assert (fill.withheld, fill.fee) == (0, D("0.4004"))
    assert exchange.books.wallet == D(1000) - 2 * D("100.1") - D("0.4004")
    assert exchange.books.coins == {"X": D(2)}


def test_a_sale_gives_money_less_its_fee() -> None:
    exchange = made()
    exchange.books.coins["X"] = D(3)
    exchange.place(order("sale", 1))
    assert exchange.books.coins == {"X": D(2)}
    assert exchange.books.wallet == D(1000) + D("99.9") * (1 - D("0.002"))


def test_resting_sales_lock_coins_and_resting_purchases_money() -> None:
    exchange = made()
    exchange.books.coins["X"] = D(3)
    exchange.place(order("stop", 2, trigger=90))
    assert exchange.free_coins(X.symbol) == 1
    with pytest.raises(Rejected) as refused:
        exchange.place(order("sale", "1.01"))
    assert refused.value.code == Refusal.MARGIN
    buy(exchange, 8, price=90)
    assert exchange.balance().free == 280
    with pytest.raises(Rejected) as refused:
        buy(exchange, 3, price=95)
    assert refused.value.code == Refusal.MARGIN


def test_a_purchase_with_all_there_is_leaves_nothing_owed_however_it_slips() -> None:
    exchange = made()
    with pytest.raises(Rejected):
        buy(exchange, 10)
    buy(exchange, "9.99")
    assert exchange.books.wallet >= 0


def test_a_pair_locks_its_coins_once_and_rests_with_both_halves() -> None:
    exchange = made()
    exchange.books.coins["X"] = D(2)
    exchange.place(order("stop", 2, trigger=90, beside=110))
    assert exchange.free_coins(X.symbol) == 0
    resting = {o.client_id: (o.kind, o.price, o.trigger) for o in exchange.read([X.symbol], "").orders}
    assert resting == {
        "stop": (OrderKind.STOP_MARKET, None, D(90)),
        "stopb": (OrderKind.LIMIT, D(110), None),
    }


@pytest.mark.parametrize(("price", "over", "ended"), [(110, "stopb", "stop"), (90, "stop", "stopb")])
def test_one_half_executes_and_the_other_expires(price: int, over: str, ended: str) -> None:
    exchange = made()
    exchange.books.coins["X"] = D(2)
    exchange.place(order("stop", 2, trigger=90, beside=110))
    (fill,) = walk(exchange, price)
    assert (fill.client_id, fill.quantity) == (over, 2)
    assert (status(exchange, over), status(exchange, ended)) == (OrderStatus.FILLED, OrderStatus.EXPIRED)
    assert not exchange.orders


def test_a_limit_half_that_executes_in_part_has_no_stop_any_more() -> None:
    exchange = made(slices=4)
    exchange.books.coins["X"] = D(2)
    exchange.place(order("stop", 2, trigger=90, beside=110))
    (fill,) = walk(exchange, 110)
    assert 0 < fill.quantity < 2
    assert (status(exchange, "stopb"), status(exchange, "stop")) == (OrderStatus.PARTIAL, OrderStatus.EXPIRED)
    assert exchange.free_coins(X.symbol) == 0
    assert [each.client_id for each in walk(exchange, 80)] == ["stopb"]


@pytest.mark.parametrize("half", ["stop", "stopb"])
def test_who_cancels_one_half_cancels_both(half: str) -> None:
    exchange = made()
    exchange.books.coins["X"] = D(2)
    exchange.place(order("stop", 2, trigger=90, beside=110))
    assert exchange.cancel(OrderRef(X.symbol, half)) is CancelOutcome.CANCELLED
    assert {status(exchange, each) for each in ("stop", "stopb")} == {OrderStatus.CANCELLED}
    assert exchange.free_coins(X.symbol) == 2


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (order("a", 1, trigger=100, beside=110), Refusal.WOULD_TRIGGER),
        (order("a", 1, trigger=90, beside=100), Refusal.OTHER),
        (order("a", 3, trigger=90, beside=110), Refusal.MARGIN),
        (order("a", "0.05", trigger=90, beside=110), Refusal.MINIMUM),
        (order("a", 1, trigger=90, beside="110.05"), Refusal.PRECISION),
        (replace(order("a", 1, trigger=90), reduce_only=True), Refusal.REDUCE_ONLY),
        (replace(order("a", 1, trigger=90, beside=110), beside=Beside("used", D(110))), Refusal.DUPLICATE),
    ],
)
def test_what_a_venue_would_refuse_on_spot_is_refused_whole(wanted: OrderIntent, code: str) -> None:
    exchange = made()
    exchange.books.coins["X"] = D(2)
    exchange.place(order("used", "0.1", trigger=80))
    with pytest.raises(Rejected) as refused:
        exchange.place(wanted)
    assert refused.value.code == code
    assert list(exchange.orders) == ["used"]


def test_a_venue_without_pairs_takes_none() -> None:
    exchange = made(exits=Exits.SINGLE)
    exchange.books.coins["X"] = D(2)
    with pytest.raises(Rejected):
        exchange.place(order("stop", 1, trigger=90, beside=110))
    exchange.place(order("stop", 1, trigger=90))


def test_there_is_no_leverage_to_set_up_and_no_position_to_liquidate() -> None:
    exchange = made()
    exchange.set_up(X.symbol, D(500), "isolated")
    buy(exchange, 9)
    walk(exchange, 1)
    assert exchange.books.coins == {"X": D("8.982")}
    assert not exchange.books.holdings


def test_coins_and_pairs_survive_a_restart() -> None:
    exchange = made()
    buy(exchange, 2)
    exchange.place(order("stop", "1.99", trigger=90, beside=110))
    state = json.loads(json.dumps(exchange.to_state()))
    again = SimulatedExchange.from_state(state, {X.symbol: X}, costs=COSTS, exits=Exits.PAIRED)
    assert again.to_state() == exchange.to_state()
    assert [fill.price for fill in walk(again, 110)] == [D("100.1"), D(110)]
    assert not again.orders


def test_a_trial_leaves_the_account_as_it_is() -> None:
    exchange = made()
    buy(exchange, 2)
    exchange.place(order("stop", "1.99", trigger=90, beside=110))
    before = exchange.to_state()
    twin = exchange.trial(X.symbol, [Tick(20, D(120))])
    while not twin.run():
        twin.watch({})
    assert "stop" not in twin.orders
    assert exchange.to_state() == before

"""What executed and what was paid at a venue: complete, each once, whose it was, and valued in one currency."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import IncomeKind, OrderKind, OrderRef, OrderStatus, PositionMode
from buddy.core.market import OrderSide, Side
from buddy.exchanges import ccxt_pages
from buddy.exchanges.ccxt_history import Names
from buddy.exchanges.cursors import Cursor, Track
from emulator.handle import StandIn

from .recording import recorded
from .venues_over_http import SYMBOL, Desk, desk_at, ref

D = Decimal
BUY, SELL = OrderSide.BUY, OrderSide.SELL
MARKET, LIMIT, STOP = OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP_MARKET
VENUES = ("binance", "bybit", "bingx")


@pytest.fixture(params=VENUES)
def desk(request: pytest.FixtureRequest, store: str, venues: StandIn) -> Desk:
    return desk_at(venues, request.param)


def test_the_execution_of_a_stop_is_known_to_be_the_stops(desk):
    """At Binance a triggered stop executes as another order, with a number of its own."""
    desk.order(BUY, MARKET)
    stop = desk.order(SELL, STOP, trigger=95, reduce_only=True)
    desk.look()
    desk.price(94)
    desk.exchange.history.names = Names()  # as after a restart
    (fill,) = desk.look().fills
    found = desk.exchange.find(ref(stop))
    assert fill.client_id == stop.client_id or fill.exchange_id in (found.exchange_id, found.child_id)
    assert (found.status, found.filled) == (OrderStatus.FILLED, D(1))


def test_a_stop_is_found_by_its_number_alone(desk):
    desk.order(BUY, MARKET)
    stop = desk.order(SELL, STOP, trigger=95, reduce_only=True)
    told = desk.exchange.find(OrderRef(SYMBOL, "", stop.exchange_id, is_conditional=True))
    assert (told.exchange_id, told.trigger, told.status) == (stop.exchange_id, D(95), OrderStatus.OPEN)


def test_resting_orders_of_both_kinds_are_listed_with_their_figures(desk):
    desk.order(BUY, MARKET, quantity=2)
    limit, stop = (
        desk.order(SELL, LIMIT, price=110, reduce_only=True),
        desk.order(SELL, STOP, trigger=95, reduce_only=True),
    )
    orders = {order.exchange_id: order for order in desk.look().orders}
    assert set(orders) == {limit.exchange_id, stop.exchange_id}
    listed = orders[limit.exchange_id]
    assert (listed.kind, listed.price, listed.trigger, listed.reduce_only) == (LIMIT, D(110), None, True)
    listed = orders[stop.exchange_id]
    assert (listed.kind, listed.price, listed.trigger, listed.order_side) == (STOP, None, D(95), SELL)


def test_executions_before_the_account_was_connected_are_not_ours_to_tell(desk):
    desk.order(BUY, MARKET)
    time.sleep(0.2)  # clocks are compared over a line that takes its time
    assert desk.exchange.read([SYMBOL], "").fills == []


def test_what_is_held_is_told_whoever_bought_it(desk):
    desk.hand.place(desk.key, SYMBOL, "sell", "3")
    reading = desk.look("BTC/USDT:USDT")
    (position,) = reading.positions
    assert (position.symbol, position.side, position.quantity) == (SYMBOL, Side.SHORT, D(3))
    assert reading.position_mode is PositionMode.ONE_WAY


def test_a_position_of_another_symbol_is_followed_to_its_last_execution(desk):
    desk.hand.place(desk.key, SYMBOL, "buy", "1")
    desk.look("BTC/USDT:USDT")
    desk.hand.close(desk.key, SYMBOL)
    (fill,) = desk.look("BTC/USDT:USDT").fills
    assert (fill.symbol, fill.order_side, fill.client_id in ("", fill.client_id)) == (SYMBOL, SELL, True)


def test_funding_is_told_once_with_its_sign(desk):
    desk.order(BUY, MARKET)
    desk.look()
    desk.hand.fund(SYMBOL, "0.001")
    desk.exchange.history._income_asked = 0
    (paid,) = desk.look().income
    assert (paid.kind, paid.symbol, paid.amount) == (IncomeKind.FUNDING, SYMBOL, D("-0.1"))
    desk.exchange.history._income_asked = 0
    assert desk.look().income == []


def test_income_is_asked_for_once_a_minute(desk):
    desk.hand.fund(SYMBOL, "0.001")
    before = desk.exchange.history._income_asked
    desk.look()
    assert desk.exchange.history._income_asked == before


def test_a_quiet_account_keeps_its_cursor(desk):
    before = desk.cursor
    desk.look()
    assert desk.cursor == before


def test_raw_rows_are_kept(desk):
    desk.order(BUY, MARKET)
    (fill,) = desk.look().fills
    assert fill.raw


def test_a_liquidation_is_told_as_one(store, venues):
    desk = desk_at(venues, "binance", wallet="30")
    desk.exchange.set_up(SYMBOL, D(25), "isolated")
    desk.order(BUY, MARKET, quantity=5)
    desk.look()
    desk.price(90)
    closing = [fill for fill in desk.look().fills if fill.order_side is SELL]
    assert closing
    assert all(fill.liquidation for fill in closing)


# --- coins ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def coins(store: str, venues: StandIn) -> Desk:
    return desk_at(venues, "binance-spot")


def test_a_commission_in_a_third_coin_takes_nothing_of_the_coins_bought(coins):
    coins.hand.deposit(coins.key, "BNB", "1")
    coins.hand.pay_fees_with(coins.key, "BNB", "640")
    coins.order(BUY, MARKET, quantity=2)
    (fill,) = coins.look().fills
    paid = D("0.00015625")
    assert (fill.quantity, fill.withheld, fill.fee) == (2, 0, paid * 640)
    assert coins.look().positions[0].quantity == 2


def test_coins_are_owned_whoever_bought_them_and_a_hands_sale_is_told(coins):
    coins.hand.deposit(coins.key, "SOL", "3")
    (owned,) = coins.look().positions
    assert (owned.symbol, owned.side, owned.quantity) == (coins.symbol, Side.LONG, 3)
    coins.hand.close(coins.key, coins.symbol)
    reading = coins.look()
    assert ([fill.quantity for fill in reading.fills], reading.positions) == ([3], [])


def test_the_sale_of_a_stop_is_known_to_be_the_stops(coins):
    coins.hand.deposit(coins.key, "SOL", "3")
    stop = coins.order(SELL, STOP, quantity=3, trigger=95)
    coins.price(94)
    coins.exchange.history.names = Names()  # as after a restart
    (fill,) = coins.look().fills
    assert (fill.price, fill.client_id or fill.exchange_id) in ((95, stop.client_id), (95, stop.exchange_id))


# --- Binance, answered from a table -----------------------------------------------------------------------------------

NOW = 1_795_262_400_000


def trade(number: int, when: int, **more: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "id": number, "orderId": 70 + number, "side": "BUY", "price": "64000", "qty": "0.01",
        "commission": "0.32", "commissionAsset": "USDT", "time": when, "positionSide": "BOTH", "maker": False, **more,
    }  # fmt: skip


def served(rows: list[dict[str, Any]]) -> Any:
    """As the venue pages: from a time on, oldest first."""

    def answer(said: dict[str, Any]) -> list[dict[str, Any]]:
        begin, limit = int(said["startTime"]), int(said["limit"])
        return [row for row in sorted(rows, key=lambda row: row["time"]) if row["time"] >= begin][:limit]

    return answer


QUIET = {"/openOrders": [], "/openAlgoOrders": [], "/income": [], "/allAlgoOrders": [],
         "/ticker/24hr": {"symbol": "BTCUSDT", "lastPrice": "64000"},
         "/premiumIndex": {"symbol": "BTCUSDT", "markPrice": "64001", "time": NOW},
         "/klines": [[NOW, "64000", "64010", "63990", "64000", "1", NOW + 59_999, "1", 1, "1", "1", "0"]]}  # fmt: skip
BTC = "BTC/USDT:USDT"
SINCE_NOON = Cursor.begin(NOW).text()


def test_a_fee_in_another_coin_is_valued_at_the_minute_of_the_execution(store):
    rows = [trade(1, NOW + 30_000, commission="0.0005", commissionAsset="BTC")]
    exchange, wire = recorded("binance", **QUIET, **{"/userTrades": served(rows)})
    (fill,) = exchange.read([BTC], SINCE_NOON).fills
    assert fill.fee == D("0.0005") * 64000
    assert ("GET", "/fapi/v1/klines", {"interval": "1m", "limit": "30", "symbol": "BTCUSDT",
                                       "startTime": str(NOW - 29 * 60_000)}) in wire.asked  # fmt: skip


def candle(time: int, close: str) -> list[Any]:
    return [time, close, close, close, close, "1", time + 59_999, "1", 1, "1", "1", "0"]


@pytest.mark.parametrize(
    ("told", "price"),
    [
        ([candle(NOW - 120_000, "61000"), candle(NOW - 60_000, "62000")], 62000),
        ([candle(NOW, "63000"), candle(NOW + 60_000, "70000")], 63000),
        ([], 64000),
    ],
)
def test_where_the_coin_did_not_trade_in_that_minute_its_last_price_before_counts(store, told, price):
    """Nobody waits for a fee: what cannot be valued would keep the whole account from being read."""
    rows = [trade(1, NOW + 30_000, commission="0.0005", commissionAsset="BTC")]
    exchange, _ = recorded("binance", **QUIET | {"/klines": told}, **{"/userTrades": served(rows)})
    (fill,), _, _ = exchange.history.fills(Track(NOW), {BTC: 0}, NOW + 60_000)
    assert fill.fee == D("0.0005") * price


def test_more_executions_than_a_page_holds_are_read_to_the_end(store):
    rows = [trade(number, NOW + 20_000 + number) for number in range(25)]
    exchange, _ = recorded("binance", **QUIET, **{"/userTrades": served(rows)})
    pages = replace(exchange.recipe.trade_pages, size=10)
    exchange.history.recipe = replace(exchange.recipe, trade_pages=pages)
    reading = exchange.read([BTC], SINCE_NOON)
    assert [fill.fill_id for fill in reading.fills] == [f"{BTC}:{number}" for number in range(25)]
    assert exchange.read([BTC], reading.cursor).fills == []


def test_half_a_history_is_told_to_be_half(store, monkeypatch):
    monkeypatch.setattr(ccxt_pages, "PAGES_AT_MOST", 1)
    rows = [trade(number, NOW - 900_000 + 100 * number, orderId=7) for number in range(60)]
    exchange, _ = recorded("binance", **QUIET, **{"/userTrades": served(rows)})
    pages = replace(exchange.recipe.trade_pages, size=50)
    exchange.history.recipe = replace(exchange.recipe, trade_pages=pages)
    reading = exchange.read([BTC], Cursor.begin(NOW - 1_000_000).text())
    assert reading.behind
    told = [fill.fill_id for fill in reading.fills]
    while reading.behind:
        reading = exchange.read([BTC], reading.cursor)
        told += [fill.fill_id for fill in reading.fills]
    assert told == [f"{BTC}:{number}" for number in range(60)]


def test_executions_are_asked_for_when_something_was_seen_to_happen_and_now_and_then(store, monkeypatch):
    """Each question for one symbol's executions costs as much as all else of a reading together."""
    rows: list[dict[str, Any]] = []
    resting = [{"orderId": 7, "symbol": "BTCUSDT", "status": "NEW", "side": "BUY", "type": "LIMIT", "origQty": "0.01",
                "executedQty": "0", "price": "60000", "clientOrderId": "tb1", "positionSide": "BOTH"}]  # fmt: skip
    answers = {**QUIET, "/openOrders": lambda _: resting, "/userTrades": lambda said: served(rows)(said)}
    exchange, wire = recorded("binance", **answers)
    later = iter(range(NOW, NOW + 10_000_000, 700))
    monkeypatch.setattr(exchange.client, "now", lambda: next(later))

    def asked_in(looks: int) -> int:
        before = len(wire.asked)
        for _ in range(looks):
            asked_in.cursor = exchange.read([BTC], asked_in.cursor).cursor  # type: ignore[attr-defined]
        return sum(path.endswith("/userTrades") for _, path, _ in wire.asked[before:])

    asked_in.cursor = SINCE_NOON  # type: ignore[attr-defined]
    asked_in(8)
    assert asked_in(6) < 3
    resting.clear()
    assert asked_in(1) == 1


def test_a_cursor_that_cannot_be_understood_is_no_beginning(store):
    exchange, _ = recorded("binance", **QUIET, **{"/userTrades": []})
    with pytest.raises(CouldNotRead):
        exchange.read([BTC], '{"f":[]}')


def test_more_than_a_page_where_there_is_no_next_one_is_read_in_shorter_spans(store):
    """BingX tells the newest of a span of time."""
    rows = [
        {"symbol": "BTC-USDT", "tradeId": str(number), "orderId": "7", "side": "BUY", "price": "64000",
         "qty": "0.01", "volume": "0.01", "commission": "-0.1", "commissionAsset": "USDT",
         "filledTm": NOW + 1000 * number, "filledTime": str(NOW + 1000 * number)}
        for number in range(40)
    ]  # fmt: skip

    def answer(said: dict[str, Any]) -> dict[str, Any]:
        inside = [row for row in rows if int(said["startTs"]) <= row["filledTm"] <= int(said["endTs"])]
        return {"code": 0, "data": {"fill_history_orders": inside[-10:]}}

    exchange, _ = recorded("bingx", **{"/trade/fillHistory": answer})
    exchange.names.learn(BTC, "7", "tb1")
    exchange.history.recipe = replace(exchange.recipe, trade_pages=replace(exchange.recipe.trade_pages, size=10))
    track, told, behind = Cursor.begin(NOW).fills, list[str](), True
    while behind:
        fills, track, behind = exchange.history.fills(track, {BTC: len(told)}, NOW + 600_000)
        told += [fill.fill_id for fill in fills]
    assert told == [f"{BTC}:{number}" for number in range(40)]

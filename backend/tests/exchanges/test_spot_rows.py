"""Rows as venues of coins write them, read as the core's words: samples after their references."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from buddy.core.errors import CouldNotRead, KeyRefused, Temporary
from buddy.core.exchange import (
    Balance,
    CancelOutcome,
    Fill,
    KeyInfo,
    Liquidity,
    OrderKind,
    OrderRef,
    OrderStatus,
    PositionState,
)
from buddy.core.market import OrderSide, Side
from buddy.exchanges.ccxt_stream import kind_of
from buddy.exchanges.client_names import from_venue
from buddy.exchanges.cursors import Track
from buddy.exchanges.rates import Bucket, Limiter
from buddy.exchanges.recipe import Rate

from .recording import recorded, symbol_of
from .venue_answers import BINANCE_SPOT, NOW

D = Decimal
OURS = "tb01m7yvbgd6efbvzv79xr341v6q"
UUID = "01a1fdb5-c1fd-7dac-921f-c2d39d22ce13"
BTC = "BTC/USDT"


def held(symbol: str, quantity: str) -> PositionState:
    return PositionState(symbol, Side.LONG, D(quantity), D(0))


# --- Binance: orders --------------------------------------------------------------------------------------------------

STOP = {
    "symbol": "BTCUSDT", "orderId": 71, "orderListId": 5, "clientOrderId": OURS, "price": "0.00000000",
    "origQty": "0.01000000", "executedQty": "0.00000000", "cummulativeQuoteQty": "0.00000000", "status": "NEW",
    "timeInForce": "GTC", "type": "STOP_LOSS", "side": "SELL", "stopPrice": "59000.00000000", "icebergQty": "0.0",
    "time": NOW, "updateTime": NOW, "isWorking": False,
}  # fmt: skip
TARGET = {**STOP, "orderId": 72, "clientOrderId": "tb" + "1" * 26, "type": "LIMIT_MAKER", "price": "69000.00000000",
          "stopPrice": "0.00000000", "isWorking": True}  # fmt: skip


def test_both_halves_of_a_pair_are_listed_each_as_what_it_is(store):
    exchange, _ = recorded("binance-spot", **{"/openOrders": [STOP, TARGET]})
    stop, target = exchange._orders([BTC])
    assert (stop.kind, stop.trigger, stop.price, stop.client_id) == (OrderKind.STOP_MARKET, D(59000), None, OURS)
    assert (target.kind, target.trigger, target.price) == (OrderKind.LIMIT, None, D(69000))
    assert {stop.status, target.status} == {OrderStatus.OPEN}
    assert not stop.reduce_only
    assert not stop.is_attached


@pytest.mark.parametrize(
    ("told", "status", "filled"),
    [
        ({"status": "FILLED", "executedQty": "0.01000000"}, OrderStatus.FILLED, "0.01"),
        ({"status": "EXPIRED"}, OrderStatus.EXPIRED, "0"),
        ({"status": "EXPIRED", "executedQty": "0.00400000"}, OrderStatus.EXPIRED, "0.004"),
        ({"status": "EXPIRED_IN_MATCH"}, OrderStatus.EXPIRED, "0"),
        ({"status": "CANCELED", "executedQty": "0.00400000"}, OrderStatus.CANCELLED, "0.004"),
        ({"status": "PENDING_NEW"}, OrderStatus.OPEN, "0"),
        ({"status": "PARTIALLY_FILLED", "executedQty": "0.00400000"}, OrderStatus.PARTIAL, "0.004"),
        ({"status": "REJECTED"}, OrderStatus.REJECTED, "0"),
    ],
)
def test_what_became_of_a_half_is_told_by_itself(store, told, status, filled):
    exchange, _ = recorded("binance-spot", **{"/v3/order": STOP | told})
    found = exchange.find(OrderRef(BTC, OURS, "71", is_conditional=True))
    assert (found.status, found.filled, found.child_id) == (status, D(filled), "")


def test_cancelling_one_half_is_answered_with_the_whole_pair(store):
    answer = {"orderListId": 5, "contingencyType": "OCO", "listStatusType": "ALL_DONE", "orderReports": [STOP, TARGET]}
    exchange, _ = recorded("binance-spot", **{"/v3/order": answer})
    assert exchange.cancel(OrderRef(BTC, OURS, "71", is_conditional=True)) is CancelOutcome.CANCELLED


def test_an_order_that_is_over_is_not_cancelled_again(store):
    answers = iter([(400, {"code": -2011, "msg": "Unknown order sent."}), STOP | {"status": "EXPIRED"}])
    exchange, _ = recorded("binance-spot", **{"/v3/order": lambda _: next(answers)})
    assert exchange.cancel(OrderRef(BTC, OURS, "71", is_conditional=True)) is CancelOutcome.ALREADY_CLOSED


def test_a_market_where_no_pair_can_rest_is_not_offered(store):
    (btc, *others) = BINANCE_SPOT["/exchangeInfo"]["symbols"]
    markets = [btc, others[0] | {"ocoAllowed": False}, others[1] | {"orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"]}]
    exchange, _ = recorded("binance-spot", **{"/exchangeInfo": {"symbols": markets}})
    exchange.client.api.load_markets(True)
    assert [told.symbol for told in exchange.instruments()] == [BTC]
    assert not exchange.instrument("ETH/USDT").active


# --- what is owned ----------------------------------------------------------------------------------------------------


def coins(*rows: tuple[str, str, str]) -> dict[str, Any]:
    return {"/v3/account": {"balances": [{"asset": name, "free": free, "locked": lock} for name, free, lock in rows]}}


def test_what_is_owned_of_a_coin_includes_what_orders_lock(store):
    exchange, wire = recorded("binance-spot", **coins(("BTC", "0.1", "0.25"), ("ETH", "3", "0"), ("USDT", "5", "1")))
    assert exchange._coins.positions([BTC]) == [held(BTC, "0.35")]
    assert wire.asked == [("GET", "/api/v3/account", {"omitZeroBalances": "true"})]
    assert exchange._coins.positions(["BNB/USDT"]) == []


def test_equity_values_coins_at_their_last_price_in_one_question(store):
    tickers = [{"symbol": "BTCUSDT", "lastPrice": "64000.5"}, {"symbol": "ETHUSDT", "lastPrice": "3000"}]
    answers = coins(("BTC", "0.1", "0.1"), ("ETH", "2", "0"), ("LDBTC", "9", "0"), ("USDT", "500", "100"))
    exchange, wire = recorded("binance-spot", **answers, **{"/ticker/24hr": tickers})
    assert exchange.balance() == Balance(wallet=D(600), equity=D(600) + D("12800.10") + 6000, free=D(500))
    assert [said for _, path, said in wire.asked if "ticker" in path] == [{"symbols": '["BTCUSDT","ETHUSDT"]'}]


def test_money_alone_asks_for_no_price(store):
    exchange, wire = recorded("binance-spot", **coins(("USDT", "500", "100")))
    assert exchange.balance() == Balance(D(600), D(600), D(500))
    assert len(wire.asked) == 1


@pytest.mark.parametrize(
    ("venue", "answer"), [("binance-spot", {"/v3/account": {}}), ("kraken-spot", {"/BalanceEx": {"error": []}})]
)
def test_an_answer_without_its_list_is_not_an_empty_wallet(store, venue, answer):
    """It would look as if a hand had sold everything."""
    exchange, _ = recorded(venue, **answer)
    with pytest.raises(CouldNotRead):
        exchange._coins.positions([symbol_of(venue)])


def test_at_kraken_what_earns_by_itself_can_be_sold_as_well(store):
    rows = {"XXBT": {"balance": "0.35", "hold_trade": "0.25"}, "XBT.F": {"balance": "0.05", "hold_trade": "0"},
            "XBT.S": {"balance": "9", "hold_trade": "0"}, "ZUSD": {"balance": "600", "hold_trade": "100"}}  # fmt: skip
    price = {"XXBTZUSD": {"c": ["60000.0", "1"], "o": "1"}}
    answers = {"/BalanceEx": {"error": [], "result": rows}, "/Ticker": {"error": [], "result": price}}
    exchange, _ = recorded("kraken-spot", **answers)
    assert exchange._coins.positions(["BTC/USD"]) == [held("BTC/USD", "0.40")]
    assert exchange.balance() == Balance(D(600), D(600) + 24000, D(500))


# --- executions and their fees ----------------------------------------------------------------------------------------


def trade(**more: Any) -> dict[str, Any]:
    return {"symbol": "BTCUSDT", "id": 9, "orderId": 71, "orderListId": 5, "price": "60000.00", "qty": "0.01000000",
            "quoteQty": "600.00", "commission": "0.6", "commissionAsset": "USDT", "time": NOW + 5, "isBuyer": False,
            "isMaker": True, "isBestMatch": True, **more}  # fmt: skip


def executed(*rows: dict[str, Any], **answers: Any) -> list[Fill]:
    exchange, _ = recorded("binance-spot", **{"/myTrades": list(rows), "/v3/order": STOP, **answers})
    return exchange.history.fills(Track(NOW), {BTC: 0}, NOW + 1000)[0]


def test_a_fee_in_money_is_as_it_is_and_nothing_is_withheld(store):
    (fill,) = executed(trade())
    assert (fill.fee, fill.withheld, fill.client_id) == (D("0.6"), D(0), OURS)
    assert (fill.order_side, fill.quantity, fill.liquidity) == (OrderSide.SELL, D("0.01"), Liquidity.MAKER)


def test_a_fee_in_the_coins_bought_is_withheld_and_worth_what_they_cost(store):
    (fill,) = executed(trade(isBuyer=True, commission="0.00001", commissionAsset="BTC"))
    assert (fill.quantity, fill.withheld, fill.fee) == (D("0.01"), D("0.00001"), D("0.6"))


def test_a_fee_in_a_third_coin_is_valued_at_its_minute_and_withholds_nothing(store):
    candle = {"/klines": [[NOW, "1", "1", "1", "600.5", "1", NOW + 59_999, "1", 1, "1", "1", "0"]]}
    (fill,) = executed(trade(isBuyer=True, commission="0.001", commissionAsset="BNB"), **candle)
    assert (fill.fee, fill.withheld) == (D("0.6005"), D(0))


def test_of_a_sale_nothing_is_withheld_whatever_paid_for_it(store):
    (fill,) = executed(trade(commission="0.00001", commissionAsset="BTC"))
    assert (fill.fee, fill.withheld) == (D("0.6"), D(0))


def test_a_long_silence_is_read_day_by_day(store):
    exchange, wire = recorded("binance-spot", **{"/myTrades": []})
    _, track, behind = exchange.history.fills(Track(NOW - 3 * 86_400_000), {BTC: 0}, NOW)
    ((_, _, said),) = wire.asked
    assert int(said["endTime"]) - int(said["startTime"]) < 86_400_000
    assert behind
    assert track.horizon > NOW - 3 * 86_400_000


def kraken_trade(number: int, **more: Any) -> dict[str, Any]:
    return {"ordertxid": "OAAAAA-BBBBB-CCCCCC", "postxid": "TKH2SE", "pair": "XXBTZUSD", "time": NOW / 1000 + number,
            "type": "buy", "ordertype": "limit", "price": "60000.0", "cost": "600.0", "fee": "1.5", "vol": "0.01",
            "margin": "0.0", "misc": "", "maker": False, **more}  # fmt: skip


KRAKEN_ORDER = {
    "refid": None, "userref": None, "cl_ord_id": UUID, "status": "closed", "opentm": NOW / 1000, "vol": "0.01",
    "vol_exec": "0.01", "price": "60000.0", "oflags": "fciq",
    "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "60000.0", "price2": "0",
              "order": "buy 0.01 XBTUSD @ limit 60000.0", "close": "close position @ stop loss 59000.0"},
}  # fmt: skip


def history(count: int) -> Any:
    """TradesHistory as Kraken pages it: the newest first, fifty at a time, from an offset on."""
    rows = {f"T{number}": kraken_trade(number) for number in range(count, 0, -1)}

    def answer(said: dict[str, Any]) -> Any:
        begin = int(said.get("ofs", 0))
        page = dict(list(rows.items())[begin : begin + 50])
        return {"error": [], "result": {"trades": page, "count": count}}

    return answer


def test_krakens_executions_are_read_page_by_page_to_the_end(store):
    order = {"/QueryOrders": {"error": [], "result": {"OAAAAA-BBBBB-CCCCCC": KRAKEN_ORDER}}}
    exchange, wire = recorded("kraken-spot", **{"/TradesHistory": history(120), **order})
    fills, _, behind = exchange.history.fills(Track(NOW), {"BTC/USD": 0}, NOW + 1_000_000)
    assert [fill.fill_id for fill in fills] == [f"BTC/USD:T{number}" for number in range(1, 121)]
    assert [said.get("ofs") for _, path, said in wire.asked if "Trades" in path] == [None, "50", "100"]
    assert not behind
    assert (fills[0].fee, fills[0].withheld, fills[0].quantity) == (D("1.5"), D(0), D("0.01"))
    assert {fill.client_id for fill in fills} == {from_venue(UUID, "uuid")}
    assert sum("QueryOrders" in path for _, path, _ in wire.asked) == 1


def test_krakens_executions_cost_so_much_that_a_quiet_account_is_asked_now_and_then(store):
    exchange, wire = recorded("kraken-spot")
    track, asked = Track(NOW), []
    for second in range(0, 62, 2):
        now = NOW + second * 1000
        _, track, behind = exchange.history.fills(track, {"BTC/USD": "the same"}, now)
        assert not behind
        asked += [second] if wire.asked else []
        wire.asked.clear()
    assert asked == [0, 2, 4, 6, 8, 10, 30, 50]
    exchange.history.fills(track, {"BTC/USD": "something happened"}, NOW + 62_000)
    assert wire.asked


# --- Kraken: orders ---------------------------------------------------------------------------------------------------


def test_an_entry_that_takes_its_stop_along_is_no_conditional_order(store):
    row = KRAKEN_ORDER | {"status": "open", "vol_exec": "0.004"}
    exchange, _ = recorded("kraken-spot", **{"/OpenOrders": {"error": [], "result": {"open": {"O1": row}}}})
    (order,) = exchange._orders(["BTC/USD"])
    assert (order.kind, order.trigger, order.price) == (OrderKind.LIMIT, None, D(60000))
    assert (order.status, order.filled, order.exchange_id) == (OrderStatus.PARTIAL, D("0.004"), "O1")
    assert not order.is_attached


def test_the_stop_that_came_with_an_entry_is_told_by_whom_it_came_from(store):
    said = {"pair": "XBTUSD", "type": "sell", "ordertype": "stop-loss", "price": "59000.0", "price2": "0"}
    row = KRAKEN_ORDER | {"status": "open", "vol_exec": "0", "cl_ord_id": None, "userref": 0, "descr": said}
    row |= {"refid": "OAAAAA-BBBBB-CCCCCC"}
    exchange, _ = recorded("kraken-spot", **{"/OpenOrders": {"error": [], "result": {"open": {"O2": row}}}})
    (order,) = exchange._orders(["BTC/USD"])
    assert (order.kind, order.trigger, order.order_side) == (OrderKind.STOP_MARKET, D(59000), OrderSide.SELL)
    assert order.is_attached


def test_an_order_that_is_over_is_found_among_those_by_its_own_name(store):
    closed = {"/ClosedOrders": {"error": [], "result": {"closed": {"O1": KRAKEN_ORDER}, "count": 1}}}
    exchange, wire = recorded("kraken-spot", **closed)
    found = exchange.find(OrderRef("BTC/USD", from_venue(UUID, "uuid")))
    assert (found.status, found.filled, found.exchange_id) == (OrderStatus.FILLED, D("0.01"), "O1")
    assert [(path, said) for _, path, said in wire.asked] == [
        ("/0/private/OpenOrders", {"cl_ord_id": UUID}),
        ("/0/private/ClosedOrders", {"cl_ord_id": UUID}),
    ]


@pytest.mark.parametrize("path", ["/OpenOrders", "/ClosedOrders", "/QueryOrders"])
def test_an_answer_without_a_list_is_no_absence(store, path):
    exchange, _ = recorded("kraken-spot", **{path: {"error": []}})
    with pytest.raises(CouldNotRead):
        exchange.find(OrderRef("BTC/USD", "" if path == "/QueryOrders" else OURS, "O1"))


def test_what_kraken_does_not_know_is_not_found(store):
    unknown = {"/QueryOrders": {"error": ["EOrder:Invalid order"]}, "/CancelOrder": {"error": ["EOrder:Unknown order"]}}
    exchange, _ = recorded("kraken-spot", **unknown)
    assert exchange.find(OrderRef("BTC/USD", "", "O1")) is None
    assert exchange.cancel(OrderRef("BTC/USD", OURS)) is CancelOutcome.NOT_FOUND


def test_a_cancel_that_cancelled_nothing_is_none(store):
    none, still = {"error": [], "result": {"count": 0}}, KRAKEN_ORDER | {"status": "open", "vol_exec": "0"}
    exchange, wire = recorded("kraken-spot", **{"/CancelOrder": none})
    ref = OrderRef("BTC/USD", from_venue(UUID, "uuid"))
    assert exchange.cancel(ref) is CancelOutcome.NOT_FOUND
    wire.answers["/OpenOrders"] = {"error": [], "result": {"open": {"O1": still}}}
    with pytest.raises(Temporary, match="still rests"):
        exchange.cancel(ref)


# --- keys, rates, events ----------------------------------------------------------------------------------------------


def test_what_a_key_may_do_at_binance(store):
    told = {"enableSpotAndMarginTrading": True, "enableFutures": False, "enableWithdrawals": False, "ipRestrict": True}
    exchange, _ = recorded("binance-spot", **{"/apiRestrictions": told})
    assert exchange.key_info() == KeyInfo(True, False, True, None)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"permissions": ["query-funds", "withdraw-funds", "modify-trades"], "validUntil": "0", "ipAllowlist": []},
            KeyInfo(True, True, False, None),
        ),
        (
            {"permissions": ["query-funds"], "validUntil": "1800000000", "ipAllowlist": ["10.0.0.1/32"]},
            KeyInfo(False, False, True, 1_800_000_000_000),
        ),
        ({}, KeyInfo()),
    ],
)
def test_what_a_key_may_do_at_kraken(store, told, expected):
    exchange, _ = recorded("kraken-spot", **{"/GetApiKeyInfo": {"error": [], "result": told}})
    assert exchange.key_info() == expected


def test_a_key_that_kraken_does_not_know_is_refused(store):
    exchange, _ = recorded("kraken-spot", **{"/GetApiKeyInfo": {"error": ["EAPI:Invalid key"]}})
    with pytest.raises(KeyRefused):
        exchange.key_info()


def test_krakens_questions_count_by_account_and_its_orders_are_free(store, monkeypatch):
    exchange, _ = recorded("kraken-spot", **{"/OHLC": {"error": [], "result": {"XXBTZUSD": [[1, *"1111111", 1]]}}})
    taken: list[tuple[float, list[str], bool]] = []

    def take(_: Limiter, cost: float, buckets: list[Bucket], *, protective: bool) -> None:
        taken.append((cost, [each.name for each in buckets], protective))

    monkeypatch.setattr(Limiter, "take", take)
    exchange.calls.account = Bucket("account", Rate(1, 1))
    exchange._orders(["BTC/USD"])
    exchange.markets._candles("BTC/USD")
    exchange.cancel(OrderRef("BTC/USD", OURS))
    assert taken == [(3, ["account"], True), (1.2, ["test"], False), (0, [], True)]


def test_the_end_of_a_stream_is_heard_inside_its_envelope():
    assert kind_of({"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": 1}}) == "eventStreamTerminated"
    assert kind_of({"e": "listenKeyExpired"}) == "listenKeyExpired"
    assert kind_of({"event": "subscribe"}) is None
    assert kind_of([1]) is None


def test_krakens_long_list_of_minutes_ends_with_the_one_that_runs(store):
    rows = [[(NOW - minute * 60_000) // 1000, "1", "1", "1", str(minute), "1", "1", 1] for minute in (2, 1, 0)]
    exchange, wire = recorded("kraken-spot", **{"/OHLC": {"error": [], "result": {"XXBTZUSD": rows, "last": 1}}})
    quotes, ranges = exchange.markets.quotes(["BTC/USD"])
    assert (quotes["BTC/USD"].last, quotes["BTC/USD"].mark, ranges["BTC/USD"]) == (D(0), D(0), (D(0), D(0)))
    assert [path for _, path, _ in wire.asked] == ["/0/public/OHLC"]

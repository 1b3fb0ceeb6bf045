"""Rows as venues write them, read as the core's words: samples after their references, with what misleads in them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Balance, KeyInfo, Liquidity, OrderKind, OrderRef, OrderStatus, PositionMode
from buddy.core.market import OrderSide, Side
from buddy.exchanges.cursors import Track

from .recording import recorded, symbol_of

D = Decimal
OURS = "tb" + "0" * 26
BTC = "BTC/USDT:USDT"
NOW = 1_795_262_400_000


def listed(venue: str, path: str, *rows: dict[str, Any], **more: Any) -> list[Any]:
    """What the adapter makes of `rows` of open orders."""
    envelope = {
        "bybit": lambda: {"retCode": 0, "result": {"list": list(rows), "nextPageCursor": ""}},
        "okx": lambda: {"code": "0", "data": list(rows)},
        "bitget": lambda: {"code": "00000", "data": {"entrustedList": list(rows), "endId": "1"}},
        "bingx": lambda: {"code": 0, "data": {"orders": list(rows)}},
        "kraken": lambda: {"result": "success", "openOrders": list(rows)},
    }[venue]()
    exchange, _ = recorded(venue, **{path: envelope}, **more)
    return exchange._orders([symbol_of(venue)])


OKX_ENTRY = {
    "instId": "BTC-USDT-SWAP",
    "ordId": "70",
    "clOrdId": OURS,
    "algoId": "",
    "algoClOrdId": "",
    "side": "buy",
    "ordType": "limit",
    "px": "60000",
    "sz": "3",
    "accFillSz": "1",
    "state": "partially_filled",
    "reduceOnly": "false",
    "cTime": "1795262400000",
    "slTriggerPx": "59000",
    "attachAlgoOrds": [{"attachAlgoClOrdId": f"att{OURS}", "slTriggerPx": "59000", "slOrdPx": "-1"}],
}
OKX_STOP = {
    "instId": "BTC-USDT-SWAP",
    "algoId": "80",
    "algoClOrdId": OURS,
    "clOrdId": "",
    "ordId": "",
    "ordIdList": [],
    "side": "sell",
    "ordType": "conditional",
    "sz": "3",
    "state": "live",
    "slTriggerPx": "59000",
    "slOrdPx": "-1",
    "reduceOnly": "true",
    "cTime": "1795262400000",
}


def test_okx_an_entry_with_protection_is_no_conditional_order(store):
    (order,) = listed("okx", "/orders-pending", OKX_ENTRY)
    assert (order.kind, order.trigger, order.price) == (OrderKind.LIMIT, None, D(60000))
    assert (order.status, order.filled, order.exchange_id, order.client_id) == (OrderStatus.PARTIAL, D(1), "70", OURS)


def test_okx_a_stop_is_named_by_its_algo_id(store):
    (order,) = listed("okx", "/orders-algo-pending", OKX_STOP)
    assert (order.kind, order.trigger, order.client_id, order.exchange_id) == (
        OrderKind.STOP_MARKET,
        D(59000),
        OURS,
        "80",
    )
    assert not order.is_attached


def test_okx_protection_that_came_with_an_entry_is_told_by_its_name(store):
    (order,) = listed("okx", "/orders-algo-pending", OKX_STOP | {"algoClOrdId": f"att{OURS}"})
    assert order.is_attached


def test_okx_a_triggered_stop_is_what_it_became(store):
    child = OKX_ENTRY | {
        "ordId": "71",
        "algoId": "80",
        "algoClOrdId": OURS,
        "clOrdId": "",
        "side": "sell",
        "state": "filled",
        "accFillSz": "3",
        "ordType": "market",
        "px": "",
        "attachAlgoOrds": [],
    }
    exchange, _ = recorded(
        "okx",
        **{
            "/trade/order-algo": {
                "code": "0",
                "data": [OKX_STOP | {"state": "effective", "ordIdList": ["71"], "ordId": "71"}],
            },
            "/trade/order": {"code": "0", "data": [child]},
        },
    )
    found = exchange.find(OrderRef(BTC, OURS, "80", is_conditional=True))
    assert (found.status, found.filled, found.child_id, found.exchange_id) == (OrderStatus.FILLED, D(3), "71", "80")


def test_okx_contracts_are_not_coins(store):
    exchange, _ = recorded("okx")
    told = exchange.instrument(BTC)
    assert (told.contract_size, told.lot_size, told.tick_size) == (D("0.01"), D("0.01"), D("0.1"))


BYBIT_ENTRY = {
    "orderId": "70",
    "orderLinkId": OURS,
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "price": "60000",
    "qty": "0.02",
    "cumExecQty": "0",
    "orderStatus": "New",
    "stopLoss": "59000",
    "takeProfit": "",
    "triggerPrice": "0",
    "tpslMode": "Full",
    "stopOrderType": "",
    "reduceOnly": False,
    "createdTime": "1795262400000",
}


def test_bybit_an_entry_with_protection_is_no_conditional_order(store):
    (order,) = listed("bybit", "/order/realtime", BYBIT_ENTRY)
    assert (order.kind, order.trigger, order.exchange_id) == (OrderKind.LIMIT, None, "70")


def test_bybit_protection_of_the_position_is_told_by_its_kind(store):
    stop = BYBIT_ENTRY | {
        "orderId": "81",
        "orderLinkId": "",
        "side": "Sell",
        "orderType": "Market",
        "price": "0",
        "orderStatus": "Untriggered",
        "stopOrderType": "StopLoss",
        "triggerPrice": "59000",
        "triggerDirection": 2,
        "reduceOnly": True,
        "stopLoss": "",
    }
    (order,) = listed("bybit", "/order/realtime", stop)
    assert (order.is_attached, order.trigger, order.kind) == (True, D(59000), OrderKind.STOP_MARKET)


def test_bybit_an_order_partly_filled_and_cancelled_is_not_filled(store):
    over = BYBIT_ENTRY | {"orderStatus": "PartiallyFilledCanceled", "cumExecQty": "0.01", "leavesQty": "0"}
    exchange, _ = recorded("bybit", **{"/order/history": {"retCode": 0, "result": {"list": [over]}}})
    found = exchange.find(OrderRef(BTC, OURS))
    assert (found.status, found.filled) == (OrderStatus.CANCELLED, D("0.01"))


def test_bybit_executions_are_told_apart_from_funding_in_the_same_list(store):
    row = {
        "symbol": "BTCUSDT",
        "orderId": "70",
        "orderLinkId": OURS,
        "side": "Sell",
        "execId": "e1",
        "execPrice": "64000",
        "execQty": "0.01",
        "execFee": "0.352",
        "feeCurrency": "USDT",
        "execType": "Trade",
        "isMaker": True,
        "execTime": str(NOW + 5),
        "createType": "CreateByUser",
    }
    rows = [row, row | {"execId": "e2", "execType": "Funding"}, row | {"execId": "e3", "execType": "BustTrade"}]
    exchange, _ = recorded(
        "bybit", **{"/execution/list": {"retCode": 0, "result": {"list": rows, "nextPageCursor": ""}}}
    )
    fills, _, _ = exchange.history.fills(Track(NOW), {BTC: 0}, exchange.client.now() + 1000)
    assert [(fill.fill_id, fill.liquidation) for fill in fills] == [(f"{BTC}:e1", False), (f"{BTC}:e3", True)]
    assert (fills[0].client_id, fills[0].liquidity, fills[0].fee) == (OURS, Liquidity.MAKER, D("0.352"))


BITGET_STOP = {
    "planType": "loss_plan",
    "symbol": "BTCUSDT",
    "size": "0.02",
    "orderId": "80",
    "clientOid": OURS,
    "price": "",
    "executePrice": "",
    "triggerPrice": "59000",
    "triggerType": "fill_price",
    "planStatus": "live",
    "side": "sell",
    "posSide": "net",
    "marginCoin": "USDT",
    "marginMode": "isolated",
    "tradeSide": "",
    "posMode": "one_way_mode",
    "orderType": "market",
    "cTime": "1795262400000",
    "stopLossTriggerPrice": "",
    "stopSurplusTriggerPrice": "",
}


def test_bitget_a_stop_rests_in_the_book_of_plans(store):
    (order,) = listed("bitget", "/orders-plan-pending", BITGET_STOP)
    assert (order.kind, order.trigger, order.order_side) == (OrderKind.STOP_MARKET, D(59000), OrderSide.SELL)
    assert (order.client_id, order.exchange_id, order.status) == (OURS, "80", OrderStatus.OPEN)


def test_bitget_a_triggered_stop_is_what_it_became(store):
    over = BITGET_STOP | {"planStatus": "executed", "executeOrderId": "71"}
    child = {
        "symbol": "BTCUSDT",
        "size": "0.02",
        "orderId": "71",
        "clientOid": "x",
        "baseVolume": "0.02",
        "state": "filled",
        "side": "sell",
        "posSide": "net",
        "orderType": "market",
        "price": "",
        "priceAvg": "58990",
        "cTime": "1",
    }
    exchange, _ = recorded(
        "bitget",
        **{
            "/orders-plan-history": {"code": "00000", "data": {"entrustedList": [over], "endId": "1"}},
            "/order/detail": {"code": "00000", "data": child},
        },
    )
    found = exchange.find(OrderRef(BTC, OURS, "80", is_conditional=True))
    assert (found.status, found.filled, found.child_id) == (OrderStatus.FILLED, D("0.02"), "71")


def test_bitget_a_cancel_that_failed_inside_a_good_answer_is_no_cancel(store):
    failed = {
        "successList": [],
        "failureList": [{"orderId": "80", "clientOid": OURS, "errorMsg": "?", "errorCode": "43025"}],
    }
    exchange, wire = recorded(
        "bitget",
        **{
            "/cancel-plan-order": {"code": "00000", "data": failed},
            "/order/detail": (400, {"code": "40109", "msg": "The data of the order cannot be found"}),
        },
    )
    assert exchange.cancel(OrderRef(BTC, OURS, "80", is_conditional=True)).value == "not_found"
    assert [said["planType"] for _, path, said in wire.writes() if "plan" in path] == ["loss_plan", "normal_plan"]


def test_bingx_a_side_is_known_by_the_sign_where_it_is_not_told(store):
    row = {
        "symbol": "BTC-USDT",
        "positionId": "1",
        "positionSide": "BOTH",
        "isolated": True,
        "positionAmt": "-0.02",
        "avgPrice": "64000",
        "leverage": 7,
        "liquidationPrice": 70000,
        "unrealizedProfit": "0",
        "initialMargin": "1",
    }
    exchange, _ = recorded("bingx", **{"/user/positions": {"code": 0, "data": [row]}})
    (position,) = exchange._positions()
    assert (position.side, position.quantity, position.margin_mode) == (Side.SHORT, D("0.02"), "isolated")


def test_bingx_a_state_never_heard_of_is_not_guessed(store):
    row = {
        "symbol": "BTC-USDT",
        "orderId": "7",
        "side": "BUY",
        "positionSide": "BOTH",
        "type": "LIMIT",
        "price": "60000",
        "origQty": "0.02",
        "executedQty": "0",
        "status": "WHATEVER",
        "clientOrderId": OURS,
        "stopPrice": "",
    }
    with pytest.raises(CouldNotRead):
        listed("bingx", "/trade/openOrders", row)


KRAKEN_FILL = {
    "fill_id": "f1",
    "symbol": "PF_XBTUSD",
    "side": "buy",
    "order_id": "70",
    "size": 0.01,
    "price": 64000.0,
    "fillTime": "2026-11-21T12:00:05.000Z",
    "fillType": "taker",
    "cliOrdId": OURS,
}
KRAKEN_LOG = {"execution": "f1", "fee": 0.192, "info": "futures trade", "id": 1, "date": "2026-11-21T12:00:05.000Z"}


def test_kraken_fees_are_the_accounts_own_and_not_the_price_lists(store):
    exchange, _ = recorded(
        "kraken",
        **{
            "/fills": {"result": "success", "fills": [KRAKEN_FILL]},
            "/account-log": {"logs": [KRAKEN_LOG]},
        },
    )
    (told,), _, _ = exchange.history.fills(Track(NOW), {symbol_of("kraken"): 0}, NOW + 60_000)
    assert (told.client_id, told.quantity, told.fee) == (OURS, D("0.01"), D("0.192"))


def test_kraken_an_execution_whose_fee_is_not_told_yet_is_told_with_it(store):
    exchange, wire = recorded(
        "kraken", **{"/fills": {"result": "success", "fills": [KRAKEN_FILL]}, "/account-log": {"logs": []}}
    )
    fills, track, _ = exchange.history.fills(Track(NOW), {symbol_of("kraken"): 0}, NOW + 5_000)
    assert fills == []
    wire.answers["/account-log"] = {"logs": [KRAKEN_LOG]}
    (told,), track, _ = exchange.history.fills(track, {symbol_of("kraken"): 0}, NOW + 7_000)
    assert told.fee == D("0.192")
    assert exchange.history.fills(track, {symbol_of("kraken"): 0}, NOW + 9_000)[0] == []


def test_kraken_fees_that_cannot_be_read_hide_nothing_but_the_executions_they_belong_to(store):
    answers = {"/fills": {"result": "success", "fills": [KRAKEN_FILL]}, "/account-log": (503, {})}
    exchange, wire = recorded("kraken", **answers)
    fills, track, _ = exchange.history.fills(Track(NOW), {symbol_of("kraken"): 0}, NOW + 900_000)
    assert fills == []
    wire.answers["/account-log"] = {"logs": [KRAKEN_LOG]}
    (told,), _, _ = exchange.history.fills(track, {symbol_of("kraken"): 0}, NOW + 902_000)
    assert told.fee == D("0.192")


def test_kraken_a_stop_is_listed_with_its_trigger(store):
    row = {
        "order_id": "80",
        "cliOrdId": OURS,
        "symbol": "PF_XBTUSD",
        "side": "sell",
        "orderType": "stop",
        "stopPrice": 59000,
        "unfilledSize": 0.01,
        "filledSize": 0,
        "receivedTime": "2026-11-21T12:00:00.000Z",
        "status": "untouched",
        "reduceOnly": True,
        "triggerSignal": "last",
        "lastUpdateTime": "2026-11-21T12:00:00.000Z",
    }
    (order,) = listed("kraken", "/openorders", row)
    assert (order.kind, order.trigger, order.reduce_only, order.client_id) == (
        OrderKind.STOP_MARKET,
        D(59000),
        True,
        OURS,
    )


BALANCES: dict[str, tuple[str, Any]] = {
    "binance": (
        "/v3/account",
        {
            "assets": [{"asset": "USDT", "walletBalance": "1000", "marginBalance": "1010", "availableBalance": "900"}],
            "positions": [],
        },
    ),
    "bybit": (
        "/wallet-balance",
        {
            "retCode": 0,
            "result": {
                "list": [
                    {
                        "totalAvailableBalance": "900",
                        "coin": [{"coin": "USDT", "equity": "1010", "walletBalance": "1000", "unrealisedPnl": "10"}],
                    }
                ]
            },
        },
    ),
    "okx": (
        "/account/balance",
        {
            "code": "0",
            "data": [
                {
                    "details": [
                        {
                            "ccy": "USDT",
                            "eq": "1010",
                            "cashBal": "1000",
                            "availEq": "900",
                            "availBal": "900",
                            "frozenBal": "0",
                        }
                    ]
                }
            ],
        },
    ),
    "bitget": (
        "/account/accounts",
        {
            "code": "00000",
            "data": [
                {
                    "marginCoin": "USDT",
                    "accountEquity": "1010",
                    "unrealizedPL": "10",
                    "crossedMaxAvailable": "900",
                    "available": "950",
                    "locked": "0",
                    "usdtEquity": "1010",
                }
            ],
        },
    ),
    "bingx": (
        "/user/balance",
        {
            "code": 0,
            "data": [
                {"asset": "USDT", "balance": "1000", "equity": "1010", "availableMargin": "900", "usedMargin": "100"}
            ],
        },
    ),
    "kraken": (
        "/accounts",
        {
            "result": "success",
            "serverTime": "2026-11-21T12:00:00.000Z",
            "accounts": {
                "flex": {
                    "balanceValue": 1000,
                    "portfolioValue": 1010,
                    "availableMargin": 900,
                    "currencies": {},
                    "type": "multi",
                }
            },
        },
    ),
}


@pytest.mark.parametrize("venue", BALANCES)
def test_money_is_read_from_the_venues_own_answer(store, venue):
    path, answer = BALANCES[venue]
    exchange, _ = recorded(venue, **{path: answer})
    assert exchange.balance() == Balance(D(1000), D(1010), D(900))


def test_bybit_without_a_free_margin_of_the_account_what_is_tied_comes_off(store):
    coin = {"coin": "USDT", "equity": "1010", "walletBalance": "1000", "totalPositionIM": "100", "totalOrderIM": "10"}
    answer = {"retCode": 0, "result": {"list": [{"totalAvailableBalance": "", "coin": [coin]}]}}
    exchange, _ = recorded("bybit", **{"/wallet-balance": answer})
    assert exchange.balance().free == D(900)


KEYS: dict[str, tuple[str, Any, KeyInfo]] = {
    "binance": (
        "/apiRestrictions",
        {
            "enableFutures": True,
            "enableWithdrawals": False,
            "ipRestrict": True,
            "tradingAuthorityExpirationTime": 1_800_000_000_000,
        },
        KeyInfo(True, False, True, 1_800_000_000_000),
    ),
    "bybit": (
        "/query-api",
        {
            "retCode": 0,
            "result": {
                "readOnly": 0,
                "permissions": {"Wallet": ["Withdraw"]},
                "ips": ["*"],
                "expiredAt": "2027-01-15T08:00:00Z",
            },
        },
        KeyInfo(True, True, False, 1_800_000_000_000),
    ),
    "okx": (
        "/account/config",
        {"code": "0", "data": [{"posMode": "net_mode", "perm": "read_only", "ip": ""}]},
        KeyInfo(False, False, False),
    ),
    "bitget": (
        "/spot/account/info",
        {"code": "00000", "data": {"authorities": ["coow"], "ips": "10.0.0.1"}},
        KeyInfo(None, None, True),
    ),
    "bingx": (
        "/apiPermissions",
        {"code": 0, "data": {"permissions": [2, 3, 5], "ipAddresses": []}},
        KeyInfo(True, True, False),
    ),
}


@pytest.mark.parametrize("venue", KEYS)
def test_what_a_key_may_do_is_the_venues_word_and_silence_is_none(store, venue):
    path, answer, expected = KEYS[venue]
    exchange, _ = recorded(venue, **{path: answer})
    assert exchange.key_info() == expected


def test_kraken_tells_nothing_of_its_keys(store):
    exchange, wire = recorded("kraken")
    assert exchange.key_info() == KeyInfo()
    assert exchange.position_mode() is PositionMode.ONE_WAY
    assert wire.asked == []


def test_kraken_a_fee_that_is_never_told_is_the_price_lists_and_not_nothing(store):
    answers = {"/fills": {"result": "success", "fills": [KRAKEN_FILL]}, "/account-log": {"logs": []}}
    exchange, _ = recorded("kraken", **answers)
    (told,), _, _ = exchange.history.fills(Track(NOW), {symbol_of("kraken"): 0}, NOW + 60_000)
    assert told.fee == told.price * told.quantity * D("0.0005")

"""What leaves for each venue, compared with tables written after the venues' references."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.cache import cache

from buddy.core.errors import CouldNotRead, Rejected
from buddy.core.exchange import (
    CancelOutcome,
    OrderIntent,
    OrderKind,
    OrderRef,
    PositionMode,
    Refusal,
    TriggerBy,
)
from buddy.core.market import OrderSide
from buddy.exchanges import ccxt_client
from buddy.exchanges.venue_rows import RECIPES

from .recording import recorded, symbol_of

D = Decimal
BUY, SELL = OrderSide.BUY, OrderSide.SELL
MARKET, LIMIT, STOP, STOP_LIMIT = OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP_MARKET, OrderKind.STOP_LIMIT
VENUES = ("binance", "bybit", "okx", "bitget", "bingx", "kraken")
EXIT = {"reduce_only": True}
numbers = count(1)

WISHES: dict[str, dict[str, Any]] = {
    "entry limit": {"order_side": BUY, "kind": LIMIT, "price": 60000},
    "entry market": {"order_side": BUY, "kind": MARKET},
    "attached": {"order_side": BUY, "kind": MARKET, "attached_stop": D(59000), "attached_target": D(69000)},
    "target": {"order_side": SELL, "kind": LIMIT, "price": 69000, **EXIT},
    "stop of a long": {"order_side": SELL, "kind": STOP, "trigger": 59000, **EXIT},
    "stop of a short": {"order_side": BUY, "kind": STOP, "trigger": 61000, "trigger_by": TriggerBy.MARK, **EXIT},
    "breakout": {"order_side": BUY, "kind": STOP, "trigger": 61000},
    "breakout limit": {"order_side": SELL, "kind": STOP_LIMIT, "trigger": 59000, "price": 58990},
    "close": {"order_side": SELL, "kind": MARKET, **EXIT},
}

_BN = {"symbol": "BTCUSDT", "quantity": "0.01", "newOrderRespType": "RESULT"}
_BY = {"symbol": "BTCUSDT", "qty": "0.01", "category": "linear"}
_OK = {"instId": "BTC-USDT-SWAP", "sz": "0.01", "tdMode": "isolated"}
_BG = {"symbol": "BTCUSDT", "size": "0.01", "productType": "USDT-FUTURES", "marginCoin": "USDT", "force": "GTC"}
_BX = {"symbol": "BTC-USDT", "quantity": "0.01", "positionSide": "BOTH"}
_KR = {"symbol": "PF_XBTUSD", "size": "0.01"}
_BN_ALGO = {"algoType": "CONDITIONAL", **_BN}
_BG_PLAN = {"orderType": "market", **_BG}

PLACED: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "binance": {
        "entry limit": ("/fapi/v1/order", {**_BN, "side": "BUY", "type": "LIMIT", "price": "60000",
                                           "timeInForce": "GTC"}),
        "entry market": ("/fapi/v1/order", {**_BN, "side": "BUY", "type": "MARKET"}),
        "attached": ("/fapi/v1/order", {**_BN, "side": "BUY", "type": "MARKET"}),
        "target": ("/fapi/v1/order", {**_BN, "side": "SELL", "type": "LIMIT", "price": "69000", "timeInForce": "GTC",
                                      "reduceOnly": "true"}),
        "stop of a long": ("/fapi/v1/algoOrder", {**_BN_ALGO, "side": "SELL", "type": "STOP_MARKET",
                           "triggerPrice": "59000", "reduceOnly": "true", "workingType": "CONTRACT_PRICE"}),
        "stop of a short": ("/fapi/v1/algoOrder", {**_BN_ALGO, "side": "BUY", "type": "STOP_MARKET",
                            "triggerPrice": "61000", "reduceOnly": "true", "workingType": "MARK_PRICE"}),
        "breakout": ("/fapi/v1/algoOrder", {**_BN_ALGO, "side": "BUY", "type": "STOP_MARKET", "triggerPrice": "61000",
                                            "workingType": "CONTRACT_PRICE"}),
        "breakout limit": ("/fapi/v1/algoOrder", {**_BN_ALGO, "side": "SELL", "type": "STOP", "triggerPrice": "59000",
                                                  "price": "58990", "workingType": "CONTRACT_PRICE"}),
        "close": ("/fapi/v1/order", {**_BN, "side": "SELL", "type": "MARKET", "reduceOnly": "true"}),
    },
    "bybit": {
        "entry limit": ("/v5/order/create", {**_BY, "side": "Buy", "orderType": "Limit", "price": "60000"}),
        "entry market": ("/v5/order/create", {**_BY, "side": "Buy", "orderType": "Market"}),
        "attached": ("/v5/order/create", {**_BY, "side": "Buy", "orderType": "Market", "stopLoss": "59000",
                     "takeProfit": "69000",
                     "slTriggerBy": "LastPrice", "tpTriggerBy": "LastPrice", "tpslMode": "Full"}),
        "target": ("/v5/order/create", {**_BY, "side": "Sell", "orderType": "Limit", "price": "69000",
                                        "reduceOnly": True}),
        "stop of a long": ("/v5/order/create", {**_BY, "side": "Sell", "orderType": "Market", "triggerPrice": "59000",
                           "triggerDirection": 2, "triggerBy": "LastPrice", "reduceOnly": True}),
        "stop of a short": ("/v5/order/create", {**_BY, "side": "Buy", "orderType": "Market", "triggerPrice": "61000",
                            "triggerDirection": 1, "triggerBy": "MarkPrice", "reduceOnly": True}),
        "breakout": ("/v5/order/create", {**_BY, "side": "Buy", "orderType": "Market", "triggerPrice": "61000",
                     "triggerDirection": 1, "triggerBy": "LastPrice"}),
        "breakout limit": ("/v5/order/create", {**_BY, "side": "Sell", "orderType": "Limit", "price": "58990",
                           "triggerPrice": "59000", "triggerDirection": 2, "triggerBy": "LastPrice"}),
        "close": ("/v5/order/create", {**_BY, "side": "Sell", "orderType": "Market", "reduceOnly": True}),
    },
    "okx": {
        "entry limit": ("/api/v5/trade/order", {**_OK, "side": "buy", "ordType": "limit", "px": "60000"}),
        "entry market": ("/api/v5/trade/order", {**_OK, "side": "buy", "ordType": "market"}),
        "attached": ("/api/v5/trade/order", {**_OK, "side": "buy", "ordType": "market", "attachAlgoOrds": [
            {"attachAlgoClOrdId": "att{id}", "slTriggerPx": "59000", "slOrdPx": "-1", "slTriggerPxType": "last",
             "tpTriggerPx": "69000", "tpOrdPx": "-1", "tpTriggerPxType": "last"}]}),
        "target": ("/api/v5/trade/order", {**_OK, "side": "sell", "ordType": "limit", "px": "69000",
                                           "reduceOnly": True}),
        "stop of a long": ("/api/v5/trade/order-algo", {**_OK, "side": "sell", "ordType": "conditional",
                           "slTriggerPx": "59000", "slOrdPx": "-1", "slTriggerPxType": "last", "reduceOnly": True,
                           "algoClOrdId": "{id}"}),
        "stop of a short": ("/api/v5/trade/order-algo", {**_OK, "side": "buy", "ordType": "conditional",
                            "slTriggerPx": "61000", "slOrdPx": "-1", "slTriggerPxType": "mark", "reduceOnly": True,
                            "algoClOrdId": "{id}"}),
        "breakout": ("/api/v5/trade/order-algo", {**_OK, "side": "buy", "ordType": "trigger", "triggerPx": "61000",
                     "orderPx": "-1", "triggerPxType": "last", "algoClOrdId": "{id}"}),
        "breakout limit": ("/api/v5/trade/order-algo", {**_OK, "side": "sell", "ordType": "trigger",
                           "triggerPx": "59000", "orderPx": "58990", "triggerPxType": "last", "algoClOrdId": "{id}"}),
        "close": ("/api/v5/trade/order", {**_OK, "side": "sell", "ordType": "market", "reduceOnly": True}),
    },
    "bitget": {
        "entry limit": ("/api/v2/mix/order/place-order", {**_BG, "side": "buy", "orderType": "limit", "price": "60000",
                                                          "marginMode": "isolated"}),
        "entry market": ("/api/v2/mix/order/place-order", {**_BG, "side": "buy", "orderType": "market",
                                                           "marginMode": "isolated"}),
        "attached": ("/api/v2/mix/order/place-order", {**_BG, "side": "buy", "orderType": "market",
                                                       "marginMode": "isolated"}),
        "target": ("/api/v2/mix/order/place-order", {**_BG, "side": "sell", "orderType": "limit", "price": "69000",
                                                     "marginMode": "isolated", "reduceOnly": "YES"}),
        "stop of a long": ("/api/v2/mix/order/place-tpsl-order", {**_BG_PLAN, "triggerPrice": "59000",
                           "triggerType": "fill_price", "planType": "loss_plan", "holdSide": "buy"}),
        "stop of a short": ("/api/v2/mix/order/place-tpsl-order", {**_BG_PLAN, "triggerPrice": "61000",
                            "triggerType": "mark_price", "planType": "loss_plan", "holdSide": "sell"}),
        "breakout": ("/api/v2/mix/order/place-plan-order", {**_BG_PLAN, "side": "buy", "triggerPrice": "61000",
                     "triggerType": "fill_price", "planType": "normal_plan", "marginMode": "isolated"}),
        "breakout limit": ("/api/v2/mix/order/place-plan-order", {**_BG, "orderType": "limit", "side": "sell",
                           "triggerPrice": "59000", "price": "58990", "executePrice": "58990",
                           "triggerType": "fill_price", "planType": "normal_plan", "marginMode": "isolated"}),
        "close": ("/api/v2/mix/order/place-order", {**_BG, "side": "sell", "orderType": "market",
                                                    "marginMode": "isolated", "reduceOnly": "YES"}),
    },
    "bingx": {
        "entry limit": ("/openApi/swap/v2/trade/order", {**_BX, "side": "BUY", "type": "LIMIT", "price": "60000"}),
        "entry market": ("/openApi/swap/v2/trade/order", {**_BX, "side": "BUY", "type": "MARKET"}),
        "attached": ("/openApi/swap/v2/trade/order", {**_BX, "side": "BUY", "type": "MARKET"}),
        "target": ("/openApi/swap/v2/trade/order", {**_BX, "side": "SELL", "type": "LIMIT", "price": "69000",
                                                    "reduceOnly": "true"}),
        "stop of a long": ("/openApi/swap/v2/trade/order", {**_BX, "side": "SELL", "type": "STOP_MARKET",
                           "stopPrice": "59000", "workingType": "CONTRACT_PRICE", "reduceOnly": "true"}),
        "stop of a short": ("/openApi/swap/v2/trade/order", {**_BX, "side": "BUY", "type": "STOP_MARKET",
                            "stopPrice": "61000", "workingType": "MARK_PRICE", "reduceOnly": "true"}),
        "breakout": ("/openApi/swap/v2/trade/order", {**_BX, "side": "BUY", "type": "TRIGGER_MARKET",
                     "stopPrice": "61000", "workingType": "CONTRACT_PRICE"}),
        "breakout limit": ("/openApi/swap/v2/trade/order", {**_BX, "side": "SELL", "type": "TRIGGER_LIMIT",
                           "stopPrice": "59000", "price": "58990", "workingType": "CONTRACT_PRICE"}),
        "close": ("/openApi/swap/v2/trade/order", {**_BX, "side": "SELL", "type": "MARKET", "reduceOnly": "true"}),
    },
    "kraken": {
        "entry limit": ("/derivatives/api/v3/sendorder", {**_KR, "side": "buy", "orderType": "lmt",
                                                          "limitPrice": "60000"}),
        "entry market": ("/derivatives/api/v3/sendorder", {**_KR, "side": "buy", "orderType": "mkt"}),
        "attached": ("/derivatives/api/v3/sendorder", {**_KR, "side": "buy", "orderType": "mkt"}),
        "target": ("/derivatives/api/v3/sendorder", {**_KR, "side": "sell", "orderType": "lmt", "limitPrice": "69000",
                                                     "reduceOnly": "true"}),
        "stop of a long": ("/derivatives/api/v3/sendorder", {**_KR, "side": "sell", "orderType": "stp",
                           "stopPrice": "59000", "triggerSignal": "last", "reduceOnly": "true"}),
        "stop of a short": ("/derivatives/api/v3/sendorder", {**_KR, "side": "buy", "orderType": "stp",
                            "stopPrice": "61000", "triggerSignal": "mark", "reduceOnly": "true"}),
        "breakout": ("/derivatives/api/v3/sendorder", {**_KR, "side": "buy", "orderType": "stp", "stopPrice": "61000",
                                                       "triggerSignal": "last"}),
        "breakout limit": ("/derivatives/api/v3/sendorder", {**_KR, "side": "sell", "orderType": "stp",
                           "stopPrice": "59000", "limitPrice": "58990", "triggerSignal": "last"}),
        "close": ("/derivatives/api/v3/sendorder", {**_KR, "side": "sell", "orderType": "mkt", "reduceOnly": "true"}),
    },
}  # fmt: skip

NAMED = {"binance": "newClientOrderId", "bybit": "orderLinkId", "okx": "clOrdId", "bitget": "clientOid",
         "bingx": "clientOrderID", "kraken": "cliOrdId"}  # fmt: skip
"""What a client id is called when an order is placed; Binance calls that of a conditional order clientAlgoId."""


def intent(venue: str, **wish: Any) -> OrderIntent:
    values = {key: D(value) if isinstance(value, int) else value for key, value in wish.items() if key != "reduce_only"}
    return OrderIntent(
        f"tb{next(numbers):026}", symbol_of(venue), quantity=values.pop("quantity", D("0.01")),
        reduce_only=wish.get("reduce_only", False), **values,
    )  # fmt: skip


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("venue", VENUES)
def test_an_order_leaves_as_the_venues_reference_says(store, venue, wish):
    exchange, wire = recorded(venue)
    exchange._margin_modes[symbol_of(venue)] = "isolated"
    wanted = intent(venue, **WISHES[wish])
    exchange.place(wanted)
    path, expected = PLACED[venue][wish]
    named = "clientAlgoId" if path.endswith("algoOrder") else NAMED[venue]
    ((method, asked, said),) = wire.writes()
    assert (method, asked) == ("POST", path)
    assert said == with_id(expected, wanted.client_id) | {named: wanted.client_id}


def with_id(expected: Any, client_id: str) -> Any:
    if isinstance(expected, str):
        return expected.replace("{id}", client_id)
    if isinstance(expected, dict):
        return {key: with_id(value, client_id) for key, value in expected.items()}
    return [with_id(each, client_id) for each in expected] if isinstance(expected, list) else expected


HEDGED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    # The answer that says so; what an entry then adds; what a stop of a long then adds, in place of reduce-only.
    "binance": ({"/positionSide/dual": {"dualSidePosition": True}}, {"positionSide": "LONG"}, {"positionSide": "LONG"}),
    "bybit": ({"/position/list": {"retCode": 0, "result": {"list": [{"symbol": "BTCUSDT", "positionIdx": 1}]}}},
              {"positionIdx": 1}, {"positionIdx": 1}),
    "okx": ({"/account/config": {"code": "0", "data": [{"posMode": "long_short_mode"}]}},
            {"posSide": "long"}, {"posSide": "long"}),
    "bitget": ({"/account/account": {"code": "00000", "data": {"posMode": "hedge_mode"}}},
               {"tradeSide": "Open", "side": "buy"}, {"holdSide": "long"}),
    "bingx": ({"/positionSide/dual": {"code": 0, "data": {"dualSidePosition": "true"}}},
              {"positionSide": "LONG"}, {"positionSide": "LONG"}),
}  # fmt: skip


@pytest.mark.parametrize("venue", HEDGED)
def test_a_hedged_account_is_told_the_side_of_the_position(store, venue):
    answers, entry, stop = HEDGED[venue]
    exchange, wire = recorded(venue, **answers)
    exchange._margin_modes[symbol_of(venue)] = "isolated"
    assert exchange.position_mode() is PositionMode.HEDGE
    exchange.place(intent(venue, **WISHES["entry market"]))
    exchange.place(intent(venue, **WISHES["stop of a long"]))
    (_, _, entered), (_, _, stopped) = wire.writes()
    assert entered.items() >= entry.items()
    assert stopped.items() >= stop.items()


CANCELS: dict[str, tuple[Any, Any]] = {
    "binance": (("DELETE", "/fapi/v1/order", {"symbol": "BTCUSDT", "origClientOrderId": "tb1"}),
                ("DELETE", "/fapi/v1/algoOrder", {"symbol": "BTCUSDT", "clientAlgoId": "tb1"})),
    "bybit": (("POST", "/v5/order/cancel", {"symbol": "BTCUSDT", "category": "linear", "orderLinkId": "tb1"}),) * 2,
    "okx": (("POST", "/api/v5/trade/cancel-order", {"instId": "BTC-USDT-SWAP", "clOrdId": "tb1"}),
            ("POST", "/api/v5/trade/cancel-algos", {"instId": "BTC-USDT-SWAP", "algoClOrdId": "tb1"})),
    "bitget": (("POST", "/api/v2/mix/order/cancel-order",
                {"symbol": "BTCUSDT", "clientOid": "tb1", "productType": "USDT-FUTURES"}),
               ("POST", "/api/v2/mix/order/cancel-plan-order",
                {"symbol": "BTCUSDT", "orderIdList": [{"clientOid": "tb1"}], "productType": "USDT-FUTURES",
                 "planType": "loss_plan"})),
    "bingx": (("DELETE", "/openApi/swap/v2/trade/order", {"symbol": "BTC-USDT", "clientOrderID": "tb1"}),
              ("DELETE", "/openApi/swap/v2/trade/order", {"symbol": "BTC-USDT", "orderId": "8"})),
    "kraken": (("POST", "/derivatives/api/v3/cancelorder", {"cliOrdId": "tb1"}),) * 2,
}  # fmt: skip


@pytest.mark.parametrize("venue", VENUES)
def test_an_order_is_cancelled_by_a_name_that_is_never_empty(store, venue):
    exchange, wire = recorded(venue)
    plain, conditional = CANCELS[venue]
    assert exchange.cancel(OrderRef(symbol_of(venue), "tb1", "7")) is CancelOutcome.CANCELLED
    assert exchange.cancel(OrderRef(symbol_of(venue), "tb1", "8", is_conditional=True)) is CancelOutcome.CANCELLED
    assert wire.writes() == [plain, conditional]


_BYR = {"symbol": "BTCUSDT", "category": "linear"}
LISTS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "binance": [("/fapi/v1/openOrders", {"symbol": "BTCUSDT"}), ("/fapi/v1/openAlgoOrders", {"symbol": "BTCUSDT"})],
    "bybit": [("/v5/order/realtime", {**_BYR, "limit": "50"}),
              ("/v5/order/realtime", {**_BYR, "limit": "50", "orderFilter": "StopOrder"})],
    "okx": [("/api/v5/trade/orders-pending", {"instId": "BTC-USDT-SWAP", "limit": "100"}), *(
        ("/api/v5/trade/orders-algo-pending", {"instId": "BTC-USDT-SWAP", "limit": "100", "ordType": kind})
        for kind in ("conditional", "oco", "trigger"))],
    "bitget": [
        ("/api/v2/mix/order/orders-pending", {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "limit": "100"}), *(
            ("/api/v2/mix/order/orders-plan-pending",
             {"symbol": "BTCUSDT", "productType": "USDT-FUTURES", "limit": "100", "planType": plan})
            for plan in ("profit_loss", "normal_plan"))],
    "bingx": [("/openApi/swap/v2/trade/openOrders", {"symbol": "BTC-USDT"})],
    "kraken": [("/derivatives/api/v3/openorders", {})],
}  # fmt: skip


@pytest.mark.parametrize("venue", VENUES)
def test_every_book_of_the_venue_is_asked_for_resting_orders(store, venue):
    exchange, wire = recorded(venue)
    assert exchange._orders([symbol_of(venue)]) == []
    assert [(path, said) for _, path, said in wire.asked] == LISTS[venue]


@pytest.mark.parametrize("venue", [venue for venue in VENUES if venue != "kraken"])
def test_practice_money_has_hosts_or_headers_of_its_own(store, venue):
    live, test = recorded(venue)[1], recorded(venue, "testnet")[1]
    same_host = {"okx", "bitget"}  # these tell by a header, which the next test reads
    assert live.hosts.isdisjoint(test.hosts) is (venue not in same_host)


@pytest.mark.parametrize(("venue", "header"), [("okx", "x-simulated-trading"), ("bitget", "paptrading")])
def test_practice_money_by_header(store, venue, header):
    told = {
        environment: {str(sent.get(header)) for sent in recorded(venue, environment)[1].headers}
        for environment in ("live", "testnet")
    }
    assert "1" not in told["live"]
    assert "1" in told["testnet"]


# --- what the client library does to those who trust it -------------------------------------------------------------


@pytest.mark.parametrize("venue", VENUES)
def test_nothing_of_ours_reaches_the_library_as_a_decimal_inside_params(store, venue, monkeypatch):
    """There it is dropped in silence, and the stop leaves as a market order."""
    exchange, _ = recorded(venue)
    exchange._margin_modes[symbol_of(venue)] = "isolated"
    given: list[Any] = []
    real = exchange.api.create_order
    monkeypatch.setattr(exchange.api, "create_order", lambda *args: given.append(args) or real(*args))
    for wish in WISHES.values():
        exchange.place(intent(venue, **wish))
    for symbol, kind, side, amount, price, params in given:
        assert all(type(each) is str for each in (symbol, kind, side))
        assert type(amount) is float
        assert price is None or type(price) is float
        assert not any(isinstance(value, Decimal | float) for value in flat(params))


def flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in flat(each)]
    return [leaf for each in value for leaf in flat(each)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("venue", VENUES)
def test_every_exit_says_that_it_only_reduces(store, venue):
    exchange, wire = recorded(venue)
    exchange._margin_modes[symbol_of(venue)] = "isolated"
    for wish in ("target", "stop of a long", "stop of a short", "close"):
        exchange.place(intent(venue, **WISHES[wish]))
    for _, path, said in wire.writes():
        assert said.get("reduceOnly") in (True, "true", "YES") or path.endswith("place-tpsl-order")


@pytest.mark.parametrize("venue", ["binance", "bitget", "bingx", "kraken"])
def test_protection_is_not_attached_where_it_would_be_lost(store, venue):
    exchange, _ = recorded(venue)
    assert not exchange.profile.attaches_stop
    assert PLACED[venue]["attached"] == PLACED[venue]["entry market"]


FORBIDDEN = ("edit_order", "editorder", "closeposition", "cancel_all", "maxretriesonfailure", "reduce_margin")
"""A stop that is edited leaves as a market order; cancelling all takes what is not ours; a repeated order is two."""


@pytest.mark.parametrize("venue", VENUES)
def test_what_is_never_asked_of_the_library(store, venue):
    recipe = RECIPES[venue]
    assert not [word for word in FORBIDDEN if word in repr(recipe).lower()]
    here = Path(ccxt_client.__file__).parent
    sources = "".join(path.read_text() for path in here.glob("ccxt_*.py")).lower()
    assert not [word for word in FORBIDDEN if word in sources]


@pytest.mark.parametrize("venue", VENUES)
def test_no_order_is_asked_for_or_cancelled_by_an_empty_name(venue):
    """An empty id means all orders at one venue, and nothing at another."""
    recipe = RECIPES[venue]
    named = (recipe.cancel, recipe.cancel_conditional, recipe.find, recipe.find_conditional)
    numbered = (recipe.cancel_by_id, recipe.cancel_conditional_by_id)
    lists_all = {"kraken"}  # whose list is read whole, and searched here
    for call in (call for calls in named for call in calls if not (venue in lists_all and call.shape == "list")):
        assert "{client_id}" in repr(call.params)
    for call in (call for calls in numbered for call in calls):
        assert call.id == "{exchange_id}"


@pytest.mark.parametrize("venue", VENUES)
def test_the_library_never_sees_another_address_than_the_venues_own(store, venue):
    """Its table of errors hangs on the host; so traffic is redirected below it."""
    _, wire = recorded(venue)
    assert all(host.endswith((".com", ".io")) for host in wire.hosts)
    assert "127.0.0.1" not in wire.hosts


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"quantity": D("0.0105555")}, "quantity"),
        ({"price": D("60000.05")}, "price"),
        ({"price": D("0.1") ** 30}, "price"),
    ],
)
def test_figures_off_the_venues_grid_never_leave(store, more, what):
    exchange, wire = recorded("binance")
    with pytest.raises(Rejected, match=what) as refused:
        exchange.place(intent("binance", **WISHES["entry limit"] | more))
    assert refused.value.code == Refusal.PRECISION
    assert wire.writes() == []


def test_an_order_without_a_name_is_not_cancelled(store):
    exchange, wire = recorded("bingx")
    with pytest.raises(CouldNotRead):
        exchange.cancel(OrderRef(symbol_of("bingx"), "tb1", "", is_conditional=True))
    assert wire.writes() == []


def test_leverage_goes_where_each_venue_wants_it(store):
    said = {}
    for venue in VENUES:
        exchange, wire = recorded(venue)
        exchange.set_up(symbol_of(venue), D(7), "isolated")
        said[venue] = [(path, body) for _, path, body in wire.writes()]
    assert said == {
        "binance": [
            ("/fapi/v1/marginType", {"symbol": "BTCUSDT", "marginType": "ISOLATED"}),
            ("/fapi/v1/leverage", {"symbol": "BTCUSDT", "leverage": "7"}),
        ],
        "bybit": [
            ("/v5/position/set-leverage", {**_BYR, "buyLeverage": "7", "sellLeverage": "7"}),
        ],
        "okx": [
            ("/api/v5/account/set-leverage",
             {"instId": "BTC-USDT-SWAP", "lever": 7, "mgnMode": "isolated", "posSide": "net"}),
        ],
        "bitget": [
            ("/api/v2/mix/account/set-margin-mode",
             {"symbol": "BTCUSDT", "marginCoin": "USDT", "marginMode": "isolated", "productType": "USDT-FUTURES"}),
            ("/api/v2/mix/account/set-leverage",
             {"symbol": "BTCUSDT", "marginCoin": "USDT", "leverage": "7", "productType": "USDT-FUTURES"}),
        ],
        "bingx": [
            ("/openApi/swap/v2/trade/marginType", {"symbol": "BTC-USDT", "marginType": "ISOLATED"}),
            ("/openApi/swap/v2/trade/leverage", {"symbol": "BTC-USDT", "leverage": "7", "side": "BOTH"}),
        ],
        "kraken": [("/derivatives/api/v3/leveragepreferences", {"symbol": "PF_XBTUSD", "maxLeverage": "7"})],
    }  # fmt: skip


def test_bybits_margin_mode_is_the_whole_accounts_and_stays_as_it_is(store):
    exchange, wire = recorded("bybit", **{"/account/info": {"retCode": 0, "result": {"marginMode": "REGULAR_MARGIN"}}})
    with pytest.raises(Rejected, match="whole account"):
        exchange.set_up(symbol_of("bybit"), D(7), "isolated")
    assert wire.writes() == []


def test_old_markets_and_an_old_clock_do_while_the_venue_does_not_answer(store, monkeypatch):
    exchange, wire = recorded("binance")
    client = exchange.client
    monkeypatch.setattr(ccxt_client, "TIME_KEPT", 0.0)
    ccxt_client._MASTERS[client.place].until = 0.0
    cache.clear()
    for path in ("/exchangeInfo", "/time"):
        wire.answers[path] = requests.ConnectionError("reset")
    exchange.calls.ready()
    assert [path for _, path, _ in wire.asked] == ["/fapi/v1/exchangeInfo", "/fapi/v1/time"]
    assert exchange.instrument(symbol_of("binance")).tick_size == D("0.1")


def test_what_is_shared_of_the_markets_holds_no_key(store):
    exchange, _ = recorded("binance")
    shared = ccxt_client._MASTERS[exchange.client.place].api
    assert shared is not exchange.api
    assert not shared.apiKey
    assert shared.markets is exchange.api.markets

"""What is wrong in one place stays there: an answer without anything in it, a symbol nobody lists, money not told."""

from __future__ import annotations

from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
import requests
from django.core.cache import cache

from buddy.core.errors import CouldNotRead, OutcomeUnknown
from buddy.core.exchange import OrderKind, OrderRef, PositionMode
from buddy.core.market import OrderSide
from buddy.exchanges import ccxt_client, ccxt_exchange
from buddy.exchanges.ccxt_history import Names
from buddy.exchanges.cursors import Cursor
from buddy.exchanges.venue_rows import RECIPES

from .recording import recorded, symbol_of
from .test_requests import WISHES, intent
from .test_venue_history import BTC, NOW, QUIET, SINCE_NOON
from .venue_answers import BINANCE

D = Decimal
VENUES = tuple(RECIPES)
RESET = requests.ConnectionError("reset")
STOP = {"algoId": 7, "clientAlgoId": "tb2", "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "reduceOnly": True,
        "orderType": "STOP_MARKET", "algoStatus": "NEW", "triggerPrice": "59000", "positionSide": "BOTH"}  # fmt: skip
TARGET = {"orderId": 7, "symbol": "BTCUSDT", "status": "NEW", "side": "SELL", "type": "LIMIT", "origQty": "0.01",
          "executedQty": "0", "price": "69000", "clientOrderId": "tb1", "positionSide": "BOTH"}  # fmt: skip
STRANGE = {
    "binance": {"/positionRisk": [{"symbol": "NEWUSDT", "positionAmt": "5", "entryPrice": "2", "markPrice": "2",
                                   "positionSide": "BOTH", "notional": "10", "liquidationPrice": "0"}]},
    "bingx": {"/user/positions": {"code": 0, "data": [{"symbol": "NEW-USDT", "positionSide": "LONG", "avgPrice": "2",
                                                       "positionAmt": "5", "isolated": True, "leverage": 5}]}},
    "bitget": {"/position/all-position": {"code": "00000", "data": [
        {"symbol": "NEWUSDT", "marginCoin": "USDT", "holdSide": "long", "total": "5", "openPriceAvg": "2",
         "leverage": "5", "marginMode": "crossed", "posMode": "one_way_mode"}]}},
}  # fmt: skip


# --- answers without anything in them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("venue", VENUES)
def test_an_empty_answer_is_not_an_empty_account(store, venue):
    exchange, wire = recorded(venue)
    wire.answers = {"": {}}
    with pytest.raises(CouldNotRead):
        exchange._orders([symbol_of(venue)])
    with pytest.raises(CouldNotRead):
        exchange._positions()


@pytest.mark.parametrize("venue", VENUES)
def test_an_empty_answer_to_a_lookup_is_not_an_order_that_is_missing(store, venue):
    exchange, wire = recorded(venue)
    wire.answers = {"": {}}
    with pytest.raises(CouldNotRead):
        exchange.find(OrderRef(symbol_of(venue), "tb1", "7"))


@pytest.mark.parametrize("venue", VENUES)
def test_an_empty_answer_to_an_order_is_doubt(store, venue):
    exchange, wire = recorded(venue)
    exchange._margin_modes[symbol_of(venue)] = "isolated"
    wire.answers = {"": {}}
    with pytest.raises(OutcomeUnknown):
        exchange.place(intent(venue, **WISHES["entry market"]))
    assert len(wire.writes()) == 1


@pytest.mark.parametrize("venue", [venue for venue in VENUES if RECIPES[venue].trades])
def test_an_empty_answer_is_not_a_time_in_which_nothing_executed(store, venue):
    exchange, wire = recorded(venue)
    wire.answers = {"": {}}
    now = exchange.client.now()
    with pytest.raises(CouldNotRead):
        exchange.history.fills(Cursor.begin(now).fills, {symbol_of(venue): None}, now)


@pytest.mark.parametrize("venue", VENUES)
def test_an_empty_answer_to_a_cancel_is_doubt(store, venue):
    exchange, wire = recorded(venue)
    wire.answers = {"": {}}
    with pytest.raises(OutcomeUnknown):
        exchange.cancel(OrderRef(symbol_of(venue), "tb1", "7"))


# --- numbers that two have --------------------------------------------------------------------------------------------


def test_a_stop_and_a_target_of_the_same_number_both_rest(store):
    """Binance counts them in books of their own."""
    exchange, _ = recorded("binance", **{"/openOrders": [TARGET], "/openAlgoOrders": [STOP]})
    assert {(order.client_id, order.trigger) for order in exchange._orders([BTC])} == {("tb1", None), ("tb2", D(59000))}


def test_an_order_number_is_known_by_its_symbol():
    names = Names()
    names.learn("BTC/USDT:USDT", "7", "tb1")
    names.learn("ETH/USDT:USDT", "7", "tb2")
    assert names.of("BTC/USDT:USDT", "7") == ("tb1", False)
    assert names.of("SOL/USDT:USDT", "7") is None


# --- symbols nobody lists ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("venue", STRANGE)
def test_something_held_in_a_market_that_we_do_not_know_hides_nothing_else(store, venue):
    exchange, _ = recorded(venue, **STRANGE[venue])
    symbol = symbol_of(venue)
    known = exchange._listed_here({symbol, *(each.symbol for each in exchange._positions())})
    assert known == {symbol}


def test_an_account_is_read_although_one_of_its_symbols_is_gone(store):
    answers = QUIET | STRANGE["binance"] | {"/userTrades": [], "/openAlgoOrders": [STOP]}
    exchange, _ = recorded("binance", **answers)
    before = Cursor.read(SINCE_NOON, NOW)
    reading = exchange.read(
        [BTC, "GONE/USDT:USDT"], before.moved(before.fills, before.income, ["OLD/USDT:USDT"]).text()
    )
    assert set(reading.quotes) == {BTC}
    assert [order.client_id for order in reading.orders] == ["tb2"]


def test_a_symbol_listed_since_is_known_at_the_next_reading(store, monkeypatch):
    exchange, wire = recorded("binance", **QUIET, **STRANGE["binance"], **{"/userTrades": []})
    (bitcoin,) = BINANCE["/exchangeInfo"]["symbols"]
    listed = {**bitcoin, "symbol": "NEWUSDT", "pair": "NEWUSDT", "baseAsset": "NEW"}
    wire.answers["/exchangeInfo"] = {"symbols": [bitcoin, listed]}
    monkeypatch.setattr(ccxt_exchange, "PATIENCE", 0.0)
    exchange.read([BTC], SINCE_NOON)
    (position,) = exchange.read([BTC], SINCE_NOON).positions
    assert position.symbol == "NEW/USDT:USDT"


def test_an_order_of_a_symbol_that_is_gone_cannot_be_looked_up_and_says_so(store):
    exchange, wire = recorded("binance")
    for ask in (exchange.find, exchange.cancel):
        with pytest.raises(CouldNotRead, match="does not list"):
            ask(OrderRef("GONE/USDT:USDT", "tb1", "7"))
    assert wire.writes() == []


# --- what no protection may wait for ----------------------------------------------------------------------------------


def test_income_that_cannot_be_read_hides_nothing_else_and_is_told_later(store):
    paid = {"symbol": "BTCUSDT", "incomeType": "FUNDING_FEE", "income": "-0.5", "asset": "USDT", "time": NOW + 1,
            "tranId": 1}  # fmt: skip
    answers: dict[str, Any] = {**QUIET, "/userTrades": [], "/openAlgoOrders": [STOP], "/income": RESET}
    exchange, wire = recorded("binance", **answers)
    reading = exchange.read([BTC], SINCE_NOON)
    assert ([order.client_id for order in reading.orders], reading.income) == (["tb2"], [])
    wire.answers["/income"] = [paid]
    exchange.history._income_asked = 0
    (told,) = exchange.read([BTC], reading.cursor).income
    assert told.amount == D("-0.5")


def test_the_mode_last_told_does_for_an_order_while_the_venue_does_not_tell_it(store, monkeypatch):
    exchange, wire = recorded("binance")
    wire.answers["/positionSide/dual"] = RESET
    exchange._mode = (PositionMode.ONE_WAY, -1e9)
    exchange.place(intent("binance", order_side=OrderSide.SELL, kind=OrderKind.MARKET, reduce_only=True))
    assert [path for _, path, _ in wire.writes()] == ["/fapi/v1/order"]


def test_markets_that_one_account_reads_anew_keep_no_other_waiting(store):
    exchange, _ = recorded("binance")
    place = exchange.client.place
    ccxt_client._MASTERS[place].until = 0.0
    with ccxt_client._LOCKS[place]:
        other = Thread(target=exchange.calls.ready, daemon=True)
        other.start()
        other.join(5)
        assert not other.is_alive()


# --- figures ----------------------------------------------------------------------------------------------------------


def test_a_ladder_told_in_contracts_is_told_in_money(store):
    cache.clear()
    steps = [{"instFamily": "BTC-USDT", "uly": "BTC-USDT", "tier": "1", "minSz": "0", "maxSz": "500", "mmr": "0.004",
              "imr": "0.01", "maxLever": "100"},
             {"instFamily": "BTC-USDT", "uly": "BTC-USDT", "tier": "2", "minSz": "500", "maxSz": "1000", "mmr": "0.01",
              "imr": "0.02", "maxLever": "50"}]  # fmt: skip
    exchange, _ = recorded("okx", **{
        "/position-tiers": {"code": "0", "data": steps},
        "/market/ticker": {"code": "0", "data": [{"instId": "BTC-USDT-SWAP", "last": "60000"}]},
    })  # fmt: skip
    first, _ = exchange.instrument(symbol_of("okx")).tiers
    assert first.notional_cap == 500 * D("0.01") * 60000

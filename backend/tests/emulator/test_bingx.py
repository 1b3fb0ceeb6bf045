"""The stand-in BingX through the unmodified client: the habits in which it is unlike Binance."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from .clients import connected
from .conftest import BTC, Spoken

STOP = {"stopLossPrice": "62000", "workingType": "CONTRACT_PRICE", "reduceOnly": True}
TARGET = {"takeProfitPrice": "66000", "workingType": "CONTRACT_PRICE", "reduceOnly": True}


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    return Spoken("bingx", "bingx")


def entry(client: Any, quantity: float = 0.01, **params: Any) -> Any:
    return client.create_order(BTC, "market", "buy", quantity, None, params)


def stop(client: Any, quantity: float = 0.01, **params: Any) -> Any:
    return client.create_order(BTC, "market", "sell", quantity, None, STOP | params)


def held(client: Any) -> Decimal:
    return sum((Decimal(position["contracts"]) for position in client.fetch_positions([BTC])), Decimal(0))


def test_the_answer_to_an_order_tells_neither_status_nor_fills(client):
    placed = entry(client, clientOrderId="Entry-1")
    assert (placed["status"], placed["filled"]) == (None, None)
    found = client.fetch_order(placed["id"], BTC)
    assert (found["status"], found["filled"], found["average"]) == ("closed", "0.01", "64000")


def test_client_ids_are_kept_in_small_letters(client):
    client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "ENTRY-1"})
    assert client.fetch_open_orders(BTC)[0]["clientOrderId"] == "entry-1"
    assert client.fetch_order("", BTC, {"clientOrderId": "Entry-1"})["status"] == "open"


def test_a_client_id_is_never_used_twice(client):
    entry(client, clientOrderId="once")
    with pytest.raises(ccxt.DuplicateOrderId, match="101481"):
        entry(client, clientOrderId="once")


def test_a_stop_lies_among_all_others_and_keeps_no_client_id(client):
    entry(client)
    placed = stop(client, clientOrderId="stop-1")
    (found,) = client.fetch_open_orders(BTC)
    assert (found["id"], found["stopLossPrice"], found["clientOrderId"]) == (placed["id"], "62000", None)
    with pytest.raises(ccxt.OrderNotFound, match="109421"):
        client.fetch_order("", BTC, {"clientOrderId": "stop-1"})


def test_a_triggered_stop_keeps_its_id(client, venue):
    entry(client)
    placed = stop(client)
    venue.set_price(BTC, "61000")
    found = client.fetch_order(placed["id"], BTC)
    assert (found["status"], found["filled"], found["average"]) == ("closed", "0.01", "62000")
    assert held(client) == 0


def test_executions_have_neither_id_nor_side_and_negative_fees(client, venue):
    placed = entry(client)
    (trade,) = client.fetch_my_trades(BTC)
    assert (trade["id"], trade["side"], trade["order"]) == (None, None, placed["id"])
    assert (trade["amount"], trade["price"], trade["info"]["commission"]) == ("0.01", "64000", "-0.32")
    (row,) = client.swapV2PrivateGetTradeFillHistory(
        {"symbol": "BTC-USDT", "startTs": trade["timestamp"] - 1000, "endTs": trade["timestamp"] + 1000}
    )["data"]["fill_history_orders"]
    assert (row["side"], row["role"]) == ("BUY", "taker")


def test_protection_sent_with_an_entry_is_placed_when_it_fills(client, venue):
    protection = {"stopLoss": {"triggerPrice": 62_000}, "takeProfit": {"triggerPrice": 66_000}}
    client.create_order(BTC, "limit", "buy", 0.01, 63_000, protection)
    assert len(client.fetch_open_orders(BTC)) == 1
    venue.set_price(BTC, "62900")
    stops = client.fetch_open_orders(BTC)
    assert sorted((each["info"]["type"], each["amount"]) for each in stops) == [
        ("STOP_MARKET", "0.01"),
        ("TAKE_PROFIT_MARKET", "0.01"),
    ]
    venue.set_price(BTC, "61000")
    assert (held(client), client.fetch_open_orders(BTC)) == (0, [])


def test_stops_go_by_the_mark_price_unless_told_otherwise(client, venue):
    entry(client)
    client.create_order(BTC, "market", "sell", 0.01, None, {"stopLossPrice": "62000"})
    venue.set_price(BTC, "61000", mark="64000")
    assert held(client) == Decimal("0.01")
    venue.set_price(BTC, "61000")
    assert held(client) == 0


def test_a_trigger_order_may_open_a_position(client, venue):
    client.create_order(BTC, "market", "buy", 0.01, None, {"triggerPrice": "65000", "workingType": "CONTRACT_PRICE"})
    venue.set_price(BTC, "65100")
    assert held(client) == Decimal("0.01")


def test_closing_a_position_needs_a_quantity_in_one_way_mode(client):
    entry(client)
    order = {"symbol": "BTC-USDT", "side": "SELL", "type": "STOP_MARKET", "stopPrice": "62000"}
    with pytest.raises(ccxt.BadRequest, match="109400"):
        client.swapV2PrivatePostTradeOrder(order | {"closePosition": "true"})


def test_a_replaced_order_is_another_order(client):
    placed = client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "first"})
    client.edit_order(placed["id"], BTC, "limit", "buy", 0.02, 62_000)
    (found,) = client.fetch_open_orders(BTC)
    assert (found["amount"], found["price"]) == ("0.02", "62000")
    assert client.fetch_order(placed["id"], BTC)["status"] == "canceled"


def test_all_orders_of_every_kind_go_at_once(client):
    entry(client)
    stop(client)
    client.create_order(BTC, "limit", "buy", 0.01, 63_000)
    client.cancel_all_orders(BTC)
    assert client.fetch_open_orders(BTC) == []


def test_hedge_mode_needs_a_side_and_keeps_it(client):
    client.set_position_mode(True, BTC)
    with pytest.raises(ccxt.BadRequest, match="109400"):
        entry(client, positionSide="BOTH")
    entry(client, hedged=True)
    client.create_order(BTC, "market", "sell", 0.01, None, {"hedged": True, "reduceOnly": True})
    assert held(client) == 0


REFUSALS = [
    ({"quantity": "0.0014", "price": "63000"}, "109400", ccxt.BadRequest),
    ({"quantity": "0.01", "price": "63000.05"}, "109400", ccxt.BadRequest),
    ({"quantity": "0.001", "price": "63000"}, "110425", ccxt.InvalidOrder),
    ({"quantity": "10", "price": "63000"}, "101204", ccxt.InsufficientFunds),
    ({"quantity": "0.01", "price": "63000", "reduceOnly": "true"}, "101205", ccxt.InvalidOrder),
    ({"quantity": "0.01", "price": "63000", "positionSide": "LONG"}, "109400", ccxt.BadRequest),
    ({"quantity": "0.01", "price": "63000", "symbol": "NOPE-USDT"}, "109425", ccxt.BadSymbol),
]


@pytest.mark.parametrize(("asked", "code", "error"), REFUSALS, ids=[f"{n}-{row[1]}" for n, row in enumerate(REFUSALS)])
def test_refuses_with_http_200_and_the_vendors_code(client, asked, code, error):
    plain = {"symbol": "BTC-USDT", "side": "BUY", "type": "LIMIT"}
    with pytest.raises(ccxt.BaseError, match=f'"code":{code},') as caught:
        client.swapV2PrivatePostTradeOrder(plain | asked)
    assert isinstance(caught.value, error)


def test_a_pair_taken_offline_is_refused(client, venue):
    venue.change_instrument(BTC, active=False)
    with pytest.raises(ccxt.BadSymbol, match="109418"):
        entry(client)
    venue.change_instrument(BTC, active=True)


def test_settings_are_told_as_they_are(client, venue):
    client.set_leverage(7, BTC, {"side": "BOTH"})
    client.set_margin_mode("isolated", BTC)
    client.set_margin_mode("isolated", BTC)
    assert client.fetch_leverage(BTC)["longLeverage"] == 7
    assert client.fetch_margin_mode(BTC)["marginMode"] == "isolated"
    assert client.fetch_position_mode(BTC)["hedged"] is False
    assert client.fetch_trading_fee(BTC)["taker"] == "0.0005"
    assert client.fetch_market_leverage_tiers(BTC)[0]["maxNotional"] == "300000"


def test_keys_signatures_and_clocks_are_checked(sign_in, key, client, venue):
    with pytest.raises(ccxt.AuthenticationError, match="100001"):
        sign_in(key, "guess").fetch_balance()
    with pytest.raises(ccxt.AuthenticationError, match="100413"):
        sign_in("nobody").fetch_balance()
    venue.set_skew(30_000)
    with pytest.raises(ccxt.BadSymbol, match="100421"):  # the client's mapping
        client.fetch_balance()
    venue.set_skew(0)
    venue.change_key(key, can_withdraw=True)
    assert client.accountV1PrivateGetAccountApiPermissions()["data"]["enableWithdrawals"] is True


def test_money_and_positions_are_told(client, venue):
    entry(client)
    venue.set_price(BTC, "64500")
    (row,) = client.fetch_balance()["info"]["data"]
    assert (row["balance"], row["equity"], row["unrealizedProfit"]) == ("9999.68", "10004.68", "5")
    (position,) = client.fetch_positions([BTC])
    assert (position["side"], position["entryPrice"], position["leverage"]) == ("long", "64000", "20")


def test_funding_is_income(client, venue):
    entry(client)
    venue.fund(BTC, "0.0001")
    assert client.fetch_funding_history(BTC)[0]["amount"] == "-0.064"


def test_prices_and_candles_are_told(client, venue):
    venue.set_price(BTC, "64500")
    assert client.fetch_ticker(BTC)["last"] == "64500"
    assert client.fetch_ohlcv(BTC, "1m")[-1][4] == "64500"
    assert client.fetch_funding_rate(BTC)["markPrice"] == "64500"


def test_a_lost_answer_leaves_the_order_there(client, venue):
    venue.fault("drop_after", method="POST", path="*/trade/order")
    with pytest.raises(ccxt.NetworkError):
        client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    assert client.fetch_order("", BTC, {"clientOrderId": "entry-1"})["status"] == "open"


def test_asking_too_often_is_told_with_a_code(client, venue):
    venue.fault("rate_limit")
    with pytest.raises(ccxt.OperationFailed, match="100410"):
        client.fetch_balance()


def test_zipped_streams_tell_prices_orders_and_executions(venue, key):
    async def play() -> Any:
        async with connected("bingx", venue.base, key) as client:
            ticker = await client.watch_ticker(BTC)
            orders = asyncio.ensure_future(client.watch_orders(BTC))
            trades = asyncio.ensure_future(client.watch_my_trades(BTC))
            await asyncio.sleep(0.3)
            await asyncio.to_thread(venue.place, key, BTC, "buy", "0.01")
            return ticker, await orders, await trades

    ticker, orders, trades = asyncio.run(asyncio.wait_for(play(), 10))
    assert ticker["last"] == 64_000
    assert orders[-1]["symbol"] == BTC
    assert (trades[0]["amount"], trades[0]["price"]) == (0.01, 64_000)

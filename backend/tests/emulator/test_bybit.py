"""The stand-in Bybit through the unmodified client: the habits in which it is unlike the others."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any
from urllib.request import Request, urlopen

import ccxt
import pytest

from .clients import connected
from .conftest import BTC, Spoken

UNIFIED = {"enableUnifiedMargin": False, "enableUnifiedAccount": True}
KNOWN = {"acknowledged": True}
STOP = {"stopLossPrice": "62000"}


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    return Spoken("bybit", "bybit", {"options": UNIFIED})


def entry(client: Any, quantity: float = 0.01, **params: Any) -> Any:
    return client.create_order(BTC, "market", "buy", quantity, None, params)


def stop(client: Any, client_id: str, quantity: float = 0.01, **params: Any) -> Any:
    return client.create_order(BTC, "market", "sell", quantity, None, STOP | {"clientOrderId": client_id} | params)


def held(client: Any) -> Decimal:
    return sum((Decimal(position["contracts"]) for position in client.fetch_positions([BTC])), Decimal(0))


def listed(client: Any, **params: Any) -> list[str]:
    return sorted(order["clientOrderId"] or "" for order in client.fetch_open_orders(BTC, params=params))


def test_an_order_is_found_by_its_link_id_open_or_over(client, venue):
    placed = client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    assert listed(client, orderLinkId="entry-1") == ["entry-1"]
    venue.set_price(BTC, "62900")
    (found,) = client.fetch_open_orders(BTC, params={"orderLinkId": "entry-1"})
    assert (found["id"], found["status"], found["average"]) == (placed["id"], "closed", "63000")
    assert listed(client) == []


def test_stops_lie_among_all_orders_and_can_be_asked_for_alone(client):
    entry(client)
    client.create_order(BTC, "limit", "sell", 0.01, 66_000, {"clientOrderId": "target", "reduceOnly": True})
    stop(client, "stop-1")
    assert listed(client) == ["stop-1", "target"]
    assert listed(client, trigger=True) == ["stop-1"]
    assert listed(client, orderFilter="Order") == ["target"]


def test_a_triggered_stop_keeps_its_id_and_owns_its_fills(client, venue):
    entry(client)
    placed = stop(client, "stop-1")
    assert client.fetch_order(placed["id"], BTC, KNOWN)["info"]["orderStatus"] == "Untriggered"
    venue.set_price(BTC, "61000")
    assert client.fetch_order(placed["id"], BTC, KNOWN)["info"]["orderStatus"] == "Filled"
    last = client.fetch_my_trades(BTC)[-1]
    assert (last["order"], last["price"], last["info"]["execPnl"]) == (placed["id"], "62000", "-20")
    assert held(client) == 0


def test_a_stop_that_never_triggered_is_deactivated_when_cancelled(client):
    entry(client)
    placed = stop(client, "stop-1")
    client.cancel_order(placed["id"], BTC)
    found = client.fetch_order(placed["id"], BTC, KNOWN)
    assert (found["info"]["orderStatus"], found["status"]) == ("Deactivated", "canceled")
    with pytest.raises(ccxt.OrderNotFound, match="110001"):
        client.cancel_order(placed["id"], BTC)


def test_protection_sent_with_an_entry_covers_the_whole_position(client, venue):
    client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"stopLoss": "62000", "takeProfit": "66000"})
    venue.set_price(BTC, "62900")
    assert {each["info"]["stopOrderType"] for each in client.fetch_open_orders(BTC)} == {"StopLoss", "TakeProfit"}
    entry(client, 0.02)
    assert client.fetch_positions([BTC])[0]["stopLossPrice"] == "62000"
    venue.set_price(BTC, "61000")
    assert client.fetch_my_trades(BTC)[-1]["amount"] == "0.03"
    assert client.fetch_open_orders(BTC) == []


def test_a_positions_protection_is_moved_in_one_call_and_taken_away_by_zero(client):
    entry(client)
    moved = {"category": "linear", "symbol": "BTCUSDT", "positionIdx": 0, "tpslMode": "Full"}
    client.privatePostV5PositionTradingStop(moved | {"stopLoss": "62000"})
    client.privatePostV5PositionTradingStop(moved | {"stopLoss": "63000"})
    assert [each["triggerPrice"] for each in client.fetch_open_orders(BTC)] == ["63000"]
    with pytest.raises(ccxt.BaseError, match="110093"):
        client.privatePostV5PositionTradingStop(moved | {"stopLoss": "65000"})
    client.privatePostV5PositionTradingStop(moved | {"stopLoss": "0"})
    assert client.fetch_open_orders(BTC) == []


def test_post_only_is_taken_and_cancelled(client):
    placed = client.create_order(BTC, "limit", "buy", 0.01, 65_000, {"postOnly": True})
    found = client.fetch_order(placed["id"], BTC, KNOWN)
    assert (found["status"], found["info"]["rejectReason"]) == ("canceled", "EC_PostOnlyWillTakeLiquidity")


def test_several_reducing_orders_may_rest(client):
    entry(client)
    for price in (66_000, 67_000):
        client.create_order(BTC, "limit", "sell", 0.01, price, {"reduceOnly": True})
    client.create_order(BTC, "market", "sell", 0.01, None, {"reduceOnly": True})
    assert held(client) == 0


def test_a_limit_order_is_amended(client):
    placed = client.create_order(BTC, "limit", "buy", 0.01, 63_000)
    client.edit_order(placed["id"], BTC, "limit", "buy", 0.02, 62_000)
    (found,) = client.fetch_open_orders(BTC)
    assert (found["id"], found["amount"], found["price"]) == (placed["id"], "0.02", "62000")


def test_all_orders_of_every_kind_go_at_once(client):
    entry(client)
    stop(client, "stop-1")
    client.create_order(BTC, "limit", "buy", 0.01, 63_000)
    client.cancel_all_orders(BTC)
    assert client.fetch_open_orders(BTC) == []


def test_hedge_mode_needs_an_index_and_keeps_it(client):
    client.set_position_mode(True, BTC)
    with pytest.raises(ccxt.BadRequest, match="10001"):
        entry(client)
    entry(client, hedged=True)
    client.create_order(BTC, "market", "sell", 0.01, None, {"hedged": True, "reduceOnly": True})
    assert held(client) == 0


REFUSALS = [
    ({"qty": "0.0014", "price": "63000"}, "10001", ccxt.BadRequest),
    ({"qty": "0.01", "price": "63000.05"}, "10001", ccxt.BadRequest),
    ({"qty": "0.001", "price": "63000"}, "110094", ccxt.InvalidOrder),
    ({"qty": "10", "price": "63000"}, "110007", ccxt.InsufficientFunds),
    ({"qty": "0.01", "price": "63000", "reduceOnly": True}, "110017", ccxt.InvalidOrder),
    ({"qty": "0.01", "price": "63000", "positionIdx": 1}, "10001", ccxt.BadRequest),
    ({"qty": "0.01", "price": "63000", "triggerPrice": "63000", "triggerDirection": 1}, "110092", ccxt.InvalidOrder),
]


@pytest.mark.parametrize(("asked", "code", "error"), REFUSALS, ids=[f"{n}-{row[1]}" for n, row in enumerate(REFUSALS)])
def test_refuses_with_the_vendors_code(client, asked, code, error):
    plain = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit"}
    with pytest.raises(ccxt.BaseError, match=f'"retCode":{code},') as caught:
        client.privatePostV5OrderCreate(plain | asked)
    assert isinstance(caught.value, error)


def test_a_link_id_is_never_used_twice(client):
    entry(client, clientOrderId="once")
    with pytest.raises(ccxt.InvalidOrder, match="110072"):
        entry(client, clientOrderId="once")


def test_settings_are_told_as_they_are(client):
    client.set_leverage(7, BTC)
    with pytest.raises(ccxt.BadRequest, match="110043"):
        client.set_leverage(7, BTC)
    with pytest.raises(ccxt.NoChange, match="110025"):
        client.set_position_mode(False, BTC)
    client.set_margin_mode("isolated")
    assert client.fetch_leverage(BTC)["longLeverage"] == 7
    assert client.privateGetV5AccountInfo()["result"]["marginMode"] == "ISOLATED_MARGIN"
    assert client.fetch_trading_fee(BTC)["taker"] == "0.0005"
    assert client.fetch_market_leverage_tiers(BTC)[0]["maxLeverage"] == "125"


def test_keys_signatures_and_clocks_are_checked(sign_in, key, client, venue):
    with pytest.raises(ccxt.AuthenticationError, match="10004"):
        sign_in(key, "guess").fetch_balance()
    with pytest.raises(ccxt.AuthenticationError, match="10003"):
        sign_in("nobody").fetch_balance()
    venue.set_skew(30_000)
    with pytest.raises(ccxt.InvalidNonce, match="10002"):
        client.fetch_balance()
    venue.set_skew(0)
    venue.change_key(key, can_withdraw=True, can_trade=False)
    told = client.privateGetV5UserQueryApi()["result"]
    assert ("Withdraw" in told["permissions"]["Wallet"], told["readOnly"]) == (True, 1)
    with pytest.raises(ccxt.PermissionDenied, match="10005"):
        entry(client)
    venue.change_key(key, expires=1)
    with pytest.raises(ccxt.BaseError, match="33004"):
        client.fetch_balance()


def test_money_is_told(client, venue):
    entry(client)
    venue.set_price(BTC, "64500")
    assert client.fetch_balance()["USDT"]["total"] == "9999.68"
    (whole,) = client.fetch_balance()["info"]["result"]["list"]
    assert (whole["totalEquity"], whole["coin"][0]["unrealisedPnl"]) == ("10004.68", "5")


def test_executions_come_newest_first_by_pages_and_funding_is_among_them(client, venue):
    for _ in range(3):
        entry(client, 0.002)
    venue.fund(BTC, "0.0001")
    assert client.fetch_funding_history(BTC)[0]["amount"] == "0.0384"
    first = client.privateGetV5ExecutionList({"category": "linear", "symbol": "BTCUSDT", "limit": 2})["result"]
    more = {"category": "linear", "symbol": "BTCUSDT", "limit": 2, "cursor": first["nextPageCursor"]}
    second = client.privateGetV5ExecutionList(more)["result"]
    assert [row["execType"] for row in first["list"] + second["list"]] == ["Funding", "Trade", "Trade", "Trade"]
    assert second["nextPageCursor"] == ""


def test_many_open_orders_come_by_pages(client):
    for number in range(23):
        client.create_order(BTC, "limit", "buy", 0.002, 60_000 + number)
    asked = {"category": "linear", "symbol": "BTCUSDT"}
    first = client.privateGetV5OrderRealtime(asked)["result"]
    rest = client.privateGetV5OrderRealtime(asked | {"cursor": first["nextPageCursor"]})["result"]
    assert (len(first["list"]), len(rest["list"]), rest["nextPageCursor"]) == (20, 3, "")


def test_a_body_that_is_no_json_misses_its_parameters(venue, key):
    with urlopen(Request(f"{venue.base}/v5/order/create", b"{not json", method="POST")) as response:
        assert json.load(response)["retCode"] == 10003  # nobody's key


def test_prices_and_candles_are_told(client, venue):
    venue.set_price(BTC, "64500")
    assert client.fetch_ticker(BTC)["last"] == "64500"
    assert client.fetch_ohlcv(BTC, "1m")[-1][4] == "64500"


def test_a_lost_answer_leaves_the_order_there(client, venue):
    venue.fault("drop_after", method="POST", path="/v5/order/create")
    with pytest.raises(ccxt.NetworkError):
        client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
    assert listed(client, orderLinkId="entry-1") == ["entry-1"]


def test_an_account_signs_in_on_the_socket_and_hears_what_happens(venue, key):
    async def play() -> Any:
        async with connected("bybit", venue.base, key, options=UNIFIED) as client:
            ticker = await client.watch_ticker(BTC)
            orders = asyncio.ensure_future(client.watch_orders(BTC))
            trades = asyncio.ensure_future(client.watch_my_trades(BTC))
            await asyncio.sleep(0.4)
            await asyncio.to_thread(venue.place, key, BTC, "buy", "0.01")
            return ticker, await orders, await trades

    ticker, orders, trades = asyncio.run(asyncio.wait_for(play(), 10))
    assert ticker["last"] == 64_000
    assert orders[-1]["symbol"] == BTC
    assert (trades[0]["amount"], trades[0]["price"]) == (0.01, 64_000)


def test_a_wrong_secret_is_refused_on_the_socket(venue, key):
    async def play() -> Any:
        async with connected("bybit", venue.base, key, "guess", options=UNIFIED) as client:
            with pytest.raises(ccxt.AuthenticationError):
                await client.watch_orders(BTC)

    asyncio.run(asyncio.wait_for(play(), 10))

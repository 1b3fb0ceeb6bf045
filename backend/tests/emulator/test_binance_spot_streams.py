"""The stand-in Binance spot through the unmodified client: what its websockets say."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import ccxt
import pytest

from emulator.handle import Hand

from .clients import heard
from .conftest import Spoken

BTC = "BTC/USDT"


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    spot = {"options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}}}
    return Spoken("binance-spot", "binance", spot, BTC)


def test_prices_candles_and_the_best_of_the_book_are_told_as_they_move(run):
    async def play(client, venue):
        await client.watch_ticker(BTC)
        ticker = await heard(client.watch_ticker(BTC), venue.set_price, BTC, "64100")
        candles = await heard(client.watch_ohlcv(BTC, "1m"), venue.set_price, BTC, "64200")
        return ticker, candles, await client.watch_bids_asks([BTC])

    ticker, candles, book = run(play)
    assert ticker["last"] == 64_100
    assert float(candles[-1][4]) in (64_100, 64_200)
    assert book[BTC]["bid"] == 64_199.99


def test_an_order_is_followed_from_new_to_filled_with_what_it_left(run, key):
    async def play(client, venue):
        trades = asyncio.ensure_future(client.watch_my_trades(BTC))
        orders = asyncio.ensure_future(client.watch_orders(BTC))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(venue.place, key, BTC, "buy", "0.01", client_id="entry-1")
        return await orders, await trades

    orders, trades = run(play)
    assert (orders[0]["clientOrderId"], orders[0]["symbol"]) == ("entry-1", BTC)
    assert (trades[0]["amount"], trades[0]["fee"]) == (0.01, {"currency": "BTC", "cost": 0.000005})


SAID = {
    "executionReport": "{c} {x} {X}",
    "listStatus": "{l}",
    "balanceUpdate": "{d}",
    "outboundAccountPosition": "",
}


def told(event: dict[str, Any]) -> str:
    return f"{event['e']} {SAID[event['e']]}".strip().format(**event)


def test_a_pair_is_told_half_by_half_and_as_a_whole(venue, key):
    venue.deposit(key, "BTC", "0.01")

    def both() -> None:
        venue.place_pair(key, BTC, "sell", "0.01", price="66000", trigger="62000", client_id="p")
        venue.set_price(BTC, "61000")

    said = asyncio.run(events(venue, key, both))
    assert [told(event) for event in said if event["e"] != "outboundAccountPosition"] == [
        "executionReport p_stop NEW NEW",
        "executionReport p_limit NEW NEW",
        "listStatus EXEC_STARTED",
        "executionReport p_limit EXPIRED EXPIRED",
        "executionReport p_stop NEW NEW",
        "executionReport p_stop TRADE FILLED",
        "listStatus ALL_DONE",
    ]
    assert {(each["s"], each["g"]) for each in said if "g" in each} == {("BTCUSDT", said[0]["g"])}
    left = {row["a"]: row for row in said[-2]["B"]}
    assert (left["BTC"]["f"], left["BTC"]["l"], left["USDT"]["f"]) == ("0.00000000", "0.00000000", "10619.69000000")


def test_coins_are_told_as_they_were_at_each_report_with_the_commission_taken(venue, key):
    said = asyncio.run(events(venue, key, lambda: venue.place(key, BTC, "buy", "0.01", kind="LIMIT", price="64100")))
    told = [{row["a"]: (row["f"], row["l"]) for row in event["B"]} for event in said if "B" in event]
    assert told == [
        {"USDT": ("9359.00000000", "641.00000000"), "BTC": ("0.00000000", "0.00000000")},
        {"USDT": ("9360.00000000", "0.00000000"), "BTC": ("0.00999500", "0.00000000")},
    ]


def test_a_cancellation_has_a_name_of_its_own(venue, key):
    venue.place(key, BTC, "buy", "0.01", kind="LIMIT", price="63000", client_id="entry-1")
    (over, _) = asyncio.run(events(venue, key, lambda: venue.cancel(key, client_id="entry-1")))
    assert (over["x"], over["C"], over["c"] != "entry-1") == ("CANCELED", "entry-1", True)


def test_a_deposit_is_told(venue, key):
    said = asyncio.run(events(venue, key, lambda: venue.deposit(key, "BTC", "0.5")))
    assert [told(event) for event in said] == ["outboundAccountPosition", "balanceUpdate 0.50000000"]


@pytest.mark.parametrize("kind", ["lose", "duplicate"])
def test_events_come_twice_or_never(venue, key, kind):
    venue.stream_fault(kind, event="executionReport")
    said = asyncio.run(events(venue, key, lambda: venue.place(key, BTC, "buy", "0.01")))
    assert [event["e"] for event in said].count("executionReport") == {"lose": 1, "duplicate": 3}[kind]


def test_what_ends_a_subscription_is_said(venue, key):
    def taken_back() -> None:
        venue.expire_streams(key)
        venue.place(key, BTC, "buy", "0.01")

    assert [event["e"] for event in asyncio.run(events(venue, key, taken_back))] == ["eventStreamTerminated"]


def test_nobody_listens_without_a_signature_or_with_a_wrong_clock(venue, key):
    """Asked by hand: what the library makes of these answers is a KeyError."""
    assert asyncio.run(refused(venue, key, "guess")) == (400, -1022)
    assert asyncio.run(refused(venue, "nobody", "secret")) == (401, -2015)
    venue.set_skew(30_000)
    assert asyncio.run(refused(venue, key, "secret")) == (400, -1021)


def test_a_cut_socket_is_an_error_and_the_next_watch_connects_again(run):
    async def play(client, venue):
        await client.watch_ticker(BTC)
        with pytest.raises(ccxt.NetworkError):
            await heard(forever(client), venue.close_streams)
        return await client.watch_ticker(BTC)

    assert run(play)["last"] == 64_000


async def forever(client: Any) -> None:
    while True:
        await client.watch_ticker(BTC)


async def events(venue: Hand, key: str, act: Callable[[], Any]) -> list[dict[str, Any]]:
    """Everything an account is told from before `act` until it is quiet."""
    said: list[dict[str, Any]] = []
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{venue.base}/ws-api/v3") as socket:
        assert (await subscribed(socket, key))["result"] == {"subscriptionId": 0}
        await asyncio.to_thread(act)
        with suppress(asyncio.TimeoutError):
            while (message := await socket.receive(timeout=0.3)).type is aiohttp.WSMsgType.TEXT:
                said.append(message.json()["event"])
    return said


async def refused(venue: Hand, key: str, secret: str) -> tuple[int, int]:
    """Status and code."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{venue.base}/ws-api/v3") as socket:
        answer = await subscribed(socket, key, secret)
    return answer["status"], answer["error"]["code"]


async def subscribed(socket: aiohttp.ClientWebSocketResponse, key: str, secret: str = "secret") -> Any:
    params = {"apiKey": key, "timestamp": time.time_ns() // 1_000_000}
    plain = "&".join(f"{name}={value}" for name, value in params.items())
    signed = params | {"signature": hmac.new(secret.encode(), plain.encode(), hashlib.sha256).hexdigest()}
    await socket.send_json({"id": "1", "method": "userDataStream.subscribe.signature", "params": signed})
    return await socket.receive_json()

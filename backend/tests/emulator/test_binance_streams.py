"""The stand-in Binance through the unmodified client: what its websockets say, and what goes wrong with them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp
import ccxt
import pytest

from emulator.handle import Hand

from .clients import heard
from .conftest import BTC, Spoken


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    return Spoken("binance", "binanceusdm")


async def statuses(client: Any, until: str) -> list[str]:
    """Raw statuses of the orders told, up to one."""
    told: list[str] = []
    while until not in told:
        told += [order["info"]["X"] for order in await client.watch_orders(BTC)]
    return told


def test_prices_are_told_as_they_move(run):
    async def play(client, venue):
        await client.watch_ticker(BTC)
        return await heard(client.watch_ticker(BTC), venue.set_price, BTC, "64100")

    assert run(play)["last"] == 64_100


def test_the_mark_price_is_told_every_second_even_when_it_stands(run):
    async def play(client, venue):
        await client.watch_mark_price(BTC)
        return await client.watch_mark_price(BTC)

    assert run(play)["markPrice"] == 64_000


def test_candles_and_the_book_ticker_are_told(run):
    async def play(client, venue):
        candles = await heard(client.watch_ohlcv(BTC, "1m"), venue.set_price, BTC, "64200")
        book = await client.watch_bids_asks([BTC])
        return candles, book

    candles, book = run(play)
    assert float(candles[-1][4]) in (64_000, 64_200)
    assert book[BTC]["bid"] == 64_199.9


def test_an_order_is_followed_from_new_to_filled(run, key):
    async def play(client, venue):
        listening = asyncio.ensure_future(statuses(client, "FILLED"))
        await asyncio.sleep(0.15)
        await client.create_order(BTC, "limit", "buy", 0.01, 63_000, {"clientOrderId": "entry-1"})
        await asyncio.to_thread(venue.set_price, BTC, "62900")
        return await listening

    assert run(play) == ["NEW", "FILLED"]


def test_a_conditional_order_is_followed_to_its_end(run, key, venue):
    venue.place(key, BTC, "buy", "0.01")
    venue.place(key, BTC, "sell", "0.01", kind="STOP_MARKET", trigger="62000", reduce_only=True)

    async def play(client, venue):
        return await heard(statuses(client, "FINISHED"), venue.set_price, BTC, "61000")

    assert run(play)[-1] == "FINISHED"


def test_executions_and_positions_are_told(run, key):
    async def play(client, venue):
        trade = await heard(client.watch_my_trades(BTC), venue.place, key, BTC, "buy", "0.01")
        listening = asyncio.ensure_future(client.watch_positions([BTC]))
        await asyncio.sleep(0.15)
        await asyncio.to_thread(venue.place, key, BTC, "buy", "0.01")
        return trade, await listening

    trade, positions = run(play)
    assert (trade[0]["amount"], trade[0]["fee"]["cost"]) == (0.01, 0.32)
    assert positions[0]["contracts"] in (0.01, 0.02)


def test_a_trigger_is_told_step_by_step(venue, key):
    venue.place(key, BTC, "buy", "0.01")
    venue.place(key, BTC, "sell", "0.01", kind="STOP_MARKET", trigger="62000", reduce_only=True)
    told = asyncio.run(events(venue, key, lambda: venue.set_price(BTC, "61000")))
    assert [(event["e"], event["o"]["X"]) for event in told if event["e"] != "ACCOUNT_UPDATE"] == [
        ("ALGO_UPDATE", "TRIGGERING"),
        ("ORDER_TRADE_UPDATE", "NEW"),
        ("ORDER_TRADE_UPDATE", "FILLED"),
        ("ALGO_UPDATE", "TRIGGERED"),
        ("ALGO_UPDATE", "FINISHED"),
    ]
    (account,) = [event["a"] for event in told if event["e"] == "ACCOUNT_UPDATE"]
    assert (account["m"], account["P"][0]["pa"], account["B"][0]["wb"]) == ("ORDER", "0", "9979.37")


FILLED = ["ORDER_TRADE_UPDATE NEW", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE FILLED"]
SPOILED = {
    "duplicate": [FILLED[0], *FILLED],
    "lose": FILLED[1:],
    "swap": [FILLED[1], FILLED[0], FILLED[2]],
    "delay": [*FILLED[1:], FILLED[0]],
    "close": [],
}


@pytest.mark.parametrize("kind", SPOILED)
def test_events_come_twice_late_in_the_wrong_order_or_never(venue, key, kind):
    venue.stream_fault(kind, event="ORDER_TRADE_UPDATE", seconds=0.1)
    told = asyncio.run(events(venue, key, lambda: venue.place(key, BTC, "buy", "0.01")))
    assert [f"{event['e']} {event.get('o', {}).get('X', '')}".strip() for event in told] == SPOILED[kind]


def test_a_stalled_stream_is_open_and_says_nothing(venue, key):
    venue.stall_streams()
    assert asyncio.run(events(venue, key, lambda: venue.place(key, BTC, "buy", "0.01"))) == []
    assert venue.books(key)["trades"]


async def events(venue: Hand, key: str, act: Callable[[], Any]) -> list[dict[str, Any]]:
    """Everything an account stream says from before `act` until it falls silent."""
    told = []
    async with aiohttp.ClientSession(headers={"X-MBX-APIKEY": key}) as session:
        async with session.post(f"{venue.base}/fapi/v1/listenKey") as response:
            name = (await response.json())["listenKey"]
        async with session.ws_connect(f"{venue.base}/private/ws?listenKey={name}") as socket:
            await asyncio.sleep(0.05)
            await asyncio.to_thread(act)
            with suppress(asyncio.TimeoutError):
                while (message := await socket.receive(timeout=0.3)).type is aiohttp.WSMsgType.TEXT:
                    told.append(message.json())
    return told


def test_a_cut_socket_is_an_error_and_the_next_watch_connects_again(run, key):
    async def play(client, venue):
        await client.watch_ticker(BTC)
        error = await heard(cut_off(client), venue.close_streams)
        return error, await client.watch_ticker(BTC)

    error, ticker = run(play)
    assert isinstance(error, ccxt.NetworkError)
    assert ticker["last"] == 64_000


async def cut_off(client: Any) -> Exception:
    while True:
        try:
            await client.watch_ticker(BTC)
        except ccxt.NetworkError as error:
            return error


def test_a_listen_key_that_runs_out_says_so_and_then_nothing(venue, key):
    def run_out() -> None:
        venue.set_skew(3_601_000)
        time.sleep(0.6)
        venue.place(key, BTC, "buy", "0.01")

    assert [event["e"] for event in asyncio.run(events(venue, key, run_out))] == ["listenKeyExpired"]


def test_a_listen_key_taken_back_ends_the_stream(venue, key):
    told = asyncio.run(events(venue, key, lambda: venue.expire_streams(key)))
    assert [event["e"] for event in told] == ["listenKeyExpired"]

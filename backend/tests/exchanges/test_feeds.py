"""What is asked of each venue's websockets, at whose address: pinned, since the library may change it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from buddy.exchanges import ccxt_stream
from buddy.exchanges.ccxt_client import Client
from buddy.exchanges.models import Keys
from buddy.exchanges.venues import VENUES

from .listened_venue import ListenedVenue

KEYS = Keys("key", "c2VjcmV0c2VjcmV0", "passphrase")
BINANCE, BINGX = {"/private/ws"}, {"/swap-market"}
BYBIT = {"/v5/private", "order", "execution", "position"}
OKX = {"/ws/v5/private", "orders", "positions", "/ws/v5/business", "orders-algo"}
BITGET = {"/v2/ws/private", "orders", "fill", "positions", "orders-algo"}
KRAKEN = {"/ws/v1", "open_orders", "fills", "open_positions"}
BINANCE_SPOT = {"/ws-api/v3", "userDataStream.subscribe.signature"}
KRAKEN_SPOT = {"/v2", "executions"}


@pytest.mark.parametrize(
    ("venue", "environment", "host", "channels"),
    [
        ("binance", "live", "fstream.binance.com", BINANCE),
        ("binance", "testnet", "fstream.binancefuture.com", BINANCE),
        ("bingx", "live", "open-api-swap.bingx.com", BINGX),
        ("bingx", "testnet", "vst-open-api-ws.bingx.com", BINGX),
        ("bybit", "live", "stream.bybit.com", BYBIT),
        ("bybit", "testnet", "stream-testnet.bybit.com", BYBIT),
        ("okx", "live", "ws.okx.com", OKX),
        ("okx", "testnet", "wspap.okx.com", OKX),
        ("bitget", "live", "ws.bitget.com", BITGET),
        ("bitget", "testnet", "wspap.bitget.com", BITGET),
        ("kraken", "live", "futures.kraken.com", KRAKEN),
        ("kraken", "testnet", "demo-futures.kraken.com", KRAKEN),
        ("binance-spot", "live", "ws-api.binance.com", BINANCE_SPOT),
        ("binance-spot", "testnet", "demo-ws-api.binance.com", BINANCE_SPOT),
        ("kraken-spot", "live", "ws-auth.kraken.com", KRAKEN_SPOT),
    ],
)
def test_orders_executions_and_positions_are_asked_for_at_the_venues_own_address(
    venue: str, environment: str, host: str, channels: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Client, "ready", without_markets)
    found = asyncio.run(asyncio.wait_for(asked(venue, environment, channels), 20))
    assert (found.hosts, found.channels) == ({host}, channels)


CANCELLED = {
    "okx": {"arg": {"channel": "orders-algo", "instType": "ANY", "uid": "1"},
            "data": [{"algoId": "8", "algoClOrdId": "tb1", "instId": "X", "instType": "SWAP", "ordType": "conditional",
                      "side": "sell", "state": "canceled", "sz": "1", "slTriggerPx": "59000",
                      "cTime": "1795262400000"}]},
    "bitget": {"action": "snapshot", "arg": {"instType": "USDT-FUTURES", "channel": "orders-algo", "instId": "default"},
               "data": [{"orderId": "8", "clientOid": "tb1", "instId": "x", "planType": "sl", "side": "sell",
                         "status": "cancelled", "size": "1", "triggerPrice": "59000", "cTime": "1795262400000"}]},
}  # fmt: skip


@pytest.mark.parametrize("venue", CANCELLED)
def test_a_stop_that_a_hand_cancels_is_a_hint(venue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "ready", without_markets)
    asyncio.run(asyncio.wait_for(hint_of(venue), 20))


async def hint_of(venue: str) -> None:
    """Comes back once the message has been taken for news."""
    hints: list[int] = []
    async with ListenedVenue() as found:
        lines = ccxt_stream.Lines(found.base)
        events = ccxt_stream.account_events(lines, venue, "live", KEYS, lambda: hints.append(1))
        listening = asyncio.create_task(events)
        while "orders-algo" not in found.sockets or "positions" not in found.sockets:
            await asyncio.sleep(0.02)
        before = len(hints)
        await found.sockets["orders-algo"].send_json(CANCELLED[venue])
        while len(hints) == before:
            await asyncio.sleep(0.02)
        assert not listening.done()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await lines.close()


def without_markets(client: Client) -> None:
    """But one: knowing none at all, the library would ask for them."""
    named = {"id": "x", "symbol": "X/Y", "base": "X", "quote": "Y", "baseId": "x", "quoteId": "y"}
    kind = {"type": "spot", "spot": True, "swap": False, "future": False, "option": False}
    client.api.set_markets([{**named, **kind, "precision": {}, "limits": {}, "info": {}}])


async def asked(venue: str, environment: str, channels: set[str]) -> ListenedVenue:
    async with ListenedVenue() as found:
        lines = ccxt_stream.Lines(found.base)
        listening = asyncio.create_task(ccxt_stream.account_events(lines, venue, environment, KEYS, lambda: None))
        while not (channels <= found.channels or listening.done()):
            await asyncio.sleep(0.02)
        assert not listening.done(), listening.exception()
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await lines.close()
    return found


def test_every_venue_that_accounts_can_be_at_is_listened_to() -> None:
    assert all(venue.events.feeds for venue in VENUES.values() if "live" in venue.modes)

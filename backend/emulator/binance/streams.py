"""Binance's websockets: account events by listen key, market streams by subscription."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from ..account import VenueAccount
from ..events import Event
from ..keyed_streams import KeyedStreams
from ..params import Params
from ..protocol import Call
from ..refusals import VenueError
from ..sockets import Channel
from . import events
from .routes import Desk, Security, route
from .shapes import market_id

BEAT = 1.0
"""Seconds between two mark prices, whether or not they moved."""


@route("POST", "/fapi/v1/listenKey", Security.KEY)
def open_listen_key(desk: Desk, p: Params) -> Any:
    return {"listenKey": desk.listen_keys.open(desk.key).name}


@route("PUT", "/fapi/v1/listenKey", Security.KEY)
def keep_listen_key(desk: Desk, p: Params) -> Any:
    living = [each for each in desk.listen_keys.living.values() if each.owner is desk.key]
    if not any(desk.listen_keys.is_alive(each) for each in living):
        raise VenueError(-1125, "This listenKey does not exist.")
    return {"listenKey": desk.listen_keys.open(desk.key).name}


@route("DELETE", "/fapi/v1/listenKey", Security.KEY)
def close_listen_key(desk: Desk, p: Params) -> Any:
    desk.listen_keys.close(desk.key)
    return {}


class Streams(KeyedStreams):
    def said(self, event: Event, account: VenueAccount) -> dict[str, Any]:
        return events.of_account(event, account.ledger)

    async def serve(self, call: Call, socket: web.WebSocketResponse) -> None:
        channel, name = Channel(socket, self.venue.faults), _listen_key(call)
        self.channels[channel] = name
        try:
            if name:
                async with self.account_events(channel, name):
                    await channel.run(lambda _: None)
            else:
                await self.market(channel)
        finally:
            del self.channels[channel]

    async def market(self, channel: Channel) -> None:
        """Prices of what is subscribed to, until it is closed."""
        wanted: dict[str, str] = {}

        def hear(message: str) -> None:
            for stream in self._subscribed(channel, wanted, json.loads(message)):
                self._tell(channel, stream, wanted[stream])

        def moved(symbol: str) -> None:
            for stream, of in wanted.items():
                if of == symbol:
                    self._tell(channel, stream, symbol)

        beat = asyncio.create_task(self._beat(channel, wanted))
        try:
            async with self.market_events(moved):
                await channel.run(hear)
        finally:
            beat.cancel()

    def _subscribed(self, channel: Channel, wanted: dict[str, str], asked: dict[str, Any]) -> list[str]:
        """The streams that are new."""
        streams: list[str] = asked.get("params", [])
        symbols = {market_id(symbol).lower(): symbol for symbol in self.venue.instruments}
        known = {stream: symbols[stream.partition("@")[0]] for stream in streams if stream.partition("@")[0] in symbols}
        channel.say({"result": None, "id": asked.get("id")})
        if asked.get("method") == "UNSUBSCRIBE":
            for stream in known:
                wanted.pop(stream, None)
            return []
        wanted |= known
        return list(known)

    def _tell(self, channel: Channel, stream: str, symbol: str) -> None:
        said = self.price(stream, symbol)
        if said is not None:
            channel.tell(said.get("e", "bookTicker"), said)

    def price(self, stream: str, symbol: str) -> dict[str, Any] | None:
        """What a market stream says now; None for one there is none of."""
        return events.of_market(stream, symbol, self.venue.prices[symbol], self.venue.now())

    async def _beat(self, channel: Channel, wanted: dict[str, str]) -> None:
        while True:
            await asyncio.sleep(BEAT)
            for stream, symbol in list(wanted.items()):
                if "@markPrice" in stream:
                    self._tell(channel, stream, symbol)


def _listen_key(call: Call) -> str:
    """In the query, or, as it was before, at the end of the path."""
    asked = dict(parse_qsl(call.query)).get("listenKey", "")
    last = call.path.rpartition("/")[2]
    return asked or (last if len(last) == 64 else "")

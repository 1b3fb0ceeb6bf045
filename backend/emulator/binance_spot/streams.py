"""Binance's websockets on spot: user data after a signed request on the websocket API, prices by subscription."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from ..binance import signing
from ..binance import streams as futures
from ..events import AccountChanged, Event, OrderChanged
from ..params import Params
from ..protocol import Call
from ..refusals import Refused, VenueError
from ..sockets import Channel
from ..spot_account import SpotAccount
from ..spot_books import OrderList
from ..venue import Key, Venue
from . import events
from .refusals import ERRORS

API = "/ws-api/v3"


class Subscription:
    """What one socket is told of one account."""

    def __init__(self, number: int, channel: Channel, key: Key) -> None:
        self.number, self.channel, self.key = number, channel, key
        account = key.account
        if not isinstance(account, SpotAccount):
            raise LookupError("This venue opens accounts on spot only.")
        self.account = account
        account.listeners.append(self.hear)
        account.pair_listeners.append(self.hear_pair)

    def end(self) -> None:
        self.account.listeners.remove(self.hear)
        self.account.pair_listeners.remove(self.hear_pair)

    def hear(self, event: Event) -> None:
        match event:
            case OrderChanged():
                self.tell(*events.of_order(event, self.account))
            case AccountChanged():
                self.tell(*events.of_deposit(event, self.account))

    def hear_pair(self, pair: OrderList) -> None:
        self.tell(events.of_list(pair, self.account.clock()))

    def tell(self, *said: dict[str, Any]) -> None:
        for event in said if self.key.active else ():
            self.channel.tell(event["e"], {"subscriptionId": self.number, "event": event})


class Session:
    """One socket of the websocket API."""

    def __init__(self, venue: Venue, channel: Channel) -> None:
        self.venue = venue
        self.channel = channel
        self.subscriptions: list[Subscription] = []

    def hear(self, message: str) -> None:
        asked = json.loads(message)
        try:
            answer = {"status": 200, "result": self._answer(asked.get("method"), asked.get("params", {}))}
        except Refused as refused:
            code, text = ERRORS[refused.reason]
            answer = {"status": 400, "error": {"code": code, "msg": text.format(detail=refused.detail)}}
        except VenueError as error:
            answer = {"status": error.status or 400, "error": {"code": error.code, "msg": error.message}}
        self.channel.say({"id": asked.get("id")} | answer | {"rateLimits": []})

    def _answer(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        match method:
            case "userDataStream.subscribe.signature":
                return {"subscriptionId": self._subscribe({name: str(value) for name, value in params.items()})}
            case "userDataStream.unsubscribe":
                self.close()
                return {}
            case "ping":
                return {}
            case _:
                raise VenueError(-1000, "The stand-in knows no such method.")

    def _subscribe(self, params: dict[str, str]) -> int:
        """Raises VenueError or Refused for what does not prove whose it is."""
        given = params.pop("signature", "")
        key = signing.known_key(self.venue, params.get("apiKey", ""))
        signing.check_time(Params(params), self.venue.now())
        signing.check_signature(key, "&".join(f"{name}={params[name]}" for name in sorted(params)), given)
        if not key.can_read:
            raise signing.NOT_ALLOWED
        self.subscriptions.append(Subscription(len(self.subscriptions), self.channel, key))
        return self.subscriptions[-1].number

    def close(self) -> None:
        for each in self.subscriptions:
            each.end()
        self.subscriptions.clear()


class Streams(futures.Streams):
    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        self.sessions: list[Session] = []

    async def serve(self, call: Call, socket: web.WebSocketResponse) -> None:
        channel = Channel(socket, self.venue.faults)
        session = Session(self.venue, channel)
        self.channels[channel] = ""
        self.sessions.append(session)
        try:
            if call.path == API:
                await channel.run(session.hear)
            else:
                await self.market(channel)
        finally:
            session.close()
            self.sessions.remove(session)
            del self.channels[channel]

    def price(self, stream: str, symbol: str) -> dict[str, Any] | None:
        """Coins have no mark, and the best prices come without a name."""
        said = None if "@markPrice" in stream else super().price(stream, symbol)
        if said is not None and said["e"] == "bookTicker":
            return {name: said[name] for name in ("u", "s", "b", "B", "a", "A")}
        return said

    def expire(self, owner: str) -> None:
        """There is nothing to run out: what was subscribed to with the key is ended."""
        key, now = self.venue.keys[owner], self.venue.now()
        for session in self.sessions:
            for each in [each for each in session.subscriptions if each.key is key]:
                each.tell({"e": "eventStreamTerminated", "E": now})
                each.end()
                session.subscriptions.remove(each)

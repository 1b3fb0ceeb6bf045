"""Bybit's websockets: public topics by subscription, an account's topics after signing in on the socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from .. import protocol
from ..account import VenueAccount
from ..events import AccountChanged, Event, LeverageChanged, OrderChanged
from ..protocol import Call, signature, text
from ..sockets import Channel
from ..venue import Key, Venue
from . import account, shapes
from .public import INTERVALS, ticker
from .routes import Desk
from .shapes import market_id
from .trading import shape


class Session:
    """One socket: who signed in on it and what it wants to hear."""

    def __init__(self, venue: Venue, channel: Channel) -> None:
        self.venue = venue
        self.channel = channel
        self.wanted: set[str] = set()
        self.key: Key | None = None

    def hear(self, message: str) -> None:
        asked = json.loads(message)
        operation = asked.get("op")
        if operation == "auth":
            self._sign_in(asked)
        elif operation in ("subscribe", "unsubscribe"):
            self._subscribe(asked, operation)
        elif operation == "ping":
            self.channel.say({"req_id": asked.get("req_id"), "op": "pong", "args": [str(self.venue.now())]})

    def _sign_in(self, asked: dict[str, Any]) -> None:
        name, expires, given = asked["args"]
        key = self.venue.keys.get(name)
        known = key is not None and key.active and given == signature(key.secret, f"GET/realtime{expires}")
        if not known or int(expires) < self.venue.now():
            self.channel.say({"success": False, "ret_msg": "Params Error", "op": "auth", "request": {"op": "auth"}})
            return
        self.key = key
        self.account.listeners.append(self.listen)
        self.channel.say({"success": True, "ret_msg": "", "op": "auth", "conn_id": "1"})

    def _subscribe(self, asked: dict[str, Any], operation: str) -> None:
        topics = set(asked.get("args", []))
        self.wanted = self.wanted | topics if operation == "subscribe" else self.wanted - topics
        said = {"success": True, "ret_msg": "", "op": operation, "req_id": asked.get("req_id"), "conn_id": "1"}
        self.channel.say(said)
        for symbol in self.venue.instruments if operation == "subscribe" else ():
            self.moved(symbol)

    @property
    def account(self) -> VenueAccount:
        if self.key is None:
            raise LookupError("Nobody signed in on this socket.")
        return self.key.account

    def close(self) -> None:
        if self.key is not None and self.listen in self.account.listeners:
            self.account.listeners.remove(self.listen)

    # Events

    def listen(self, event: Event) -> None:
        desk = Desk(self.venue, market_id, self.key)
        match event:
            case OrderChanged():
                self._tell("order", [shape(desk, event.order)])
                if event.trade is not None:
                    self._tell("execution", [shapes.execution(event.trade, event.order)])
            case AccountChanged():
                if event.position is not None:
                    symbol = event.position.symbol
                    self._tell("position", [account.position(desk, symbol, self.account.position(symbol))])
                self._tell("wallet", [{"accountType": "UNIFIED", "coin": [account.wallet(desk)]}])
            case LeverageChanged():
                self._tell("position", [account.position(desk, event.symbol, self.account.position(event.symbol))])

    def _tell(self, topic: str, rows: list[dict[str, Any]]) -> None:
        if topic in self.wanted and self.key is not None and self.key.active:
            now = self.venue.now()
            self.channel.tell(topic, {"id": str(now), "topic": topic, "creationTime": now, "data": rows})

    def moved(self, symbol: str) -> None:
        prices, now, name = self.venue.prices[symbol], self.venue.now(), market_id(symbol)
        for topic in self.wanted:
            what, _, rest = topic.partition(".")
            if rest.rpartition(".")[2] != name:
                continue
            if what == "tickers":
                data = ticker(symbol, prices)
                self.channel.tell(what, {"topic": topic, "type": "snapshot", "data": data, "cs": 1, "ts": now})
            elif what == "kline" and (interval := rest.partition(".")[0]) in INTERVALS:
                row = prices.running(INTERVALS[interval], now)
                names = ("start", "open", "high", "low", "close", "volume")
                candle = dict(zip(names, (row.time, *(text(number) for number in row[1:])), strict=True))
                more = {"end": row.time + INTERVALS[interval] - 1, "interval": interval, "turnover": "0"}
                told = candle | more | {"confirm": False, "timestamp": now}
                self.channel.tell(what, {"topic": topic, "type": "snapshot", "ts": now, "data": [told]})


class Streams(protocol.Streams):
    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        self.sessions: list[Session] = []

    async def serve(self, call: Call, socket: web.WebSocketResponse) -> None:
        session = Session(self.venue, Channel(socket, self.venue.faults))
        moved: Callable[[str], None] = session.moved
        self.sessions.append(session)
        self.venue.listeners.append(moved)
        try:
            await session.channel.run(session.hear)
        finally:
            session.close()
            self.sessions.remove(session)
            self.venue.listeners.remove(moved)

    def expire(self, owner: str) -> None:
        """There is nothing to run out: the venue closes what was signed in with the key."""
        for session in self.sessions:
            if session.key is self.venue.keys[owner]:
                session.channel.cut()

    def close(self) -> None:
        for session in self.sessions:
            session.channel.cut()

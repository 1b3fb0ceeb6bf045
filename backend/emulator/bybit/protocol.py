"""Bybit's way of asking and answering: signed headers, HTTP 200 with a retCode."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..account_books import Habits
from ..desk import Desk, Route, Security
from ..params import Params
from ..protocol import Answer, Call, Protocol, signature
from ..refusals import Refused
from ..venue import Key, Venue
from . import account, public, streams, trading
from .refusals import BybitError, error_of
from .routes import ROUTES
from .shapes import market_id

WINDOW = 5_000
MOST_AHEAD = 1_000
MODULES = (account, public, trading)
"""Importing them is what fills ROUTES."""


class Bybit(Protocol):
    paths = ("/v5/",)
    habits = Habits(own_book=False, protects_position=True, has_budget=False)

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        self.streams = streams.Streams(venue)

    def key_of(self, call: Call) -> str:
        return call.headers.get("X-BAPI-API-KEY", "")

    def answer(self, call: Call) -> Answer:
        route = ROUTES.get((call.method, call.path))
        if route is None:
            return Answer("404 page not found", 404)
        limits, now = self.venue.limits, self.venue.now()
        if now < limits.banned_until:
            return self.banned((limits.banned_until - now) / 1000)
        limits.spend(route.weight, now)
        return self.too_many(1) if limits.exceeded else self._answer(route, call)

    def _answer(self, route: Route, call: Call) -> Answer:
        if self.venue.maintenance:
            return self.maintenance()
        try:
            desk = Desk(self.venue, market_id, self._owner(route, call), call.lag_ms)
            return self._told(0, "OK", route.handler(desk, Params(call.params)))
        except Refused as refused:
            return self.refusal(*error_of(refused))
        except BybitError as error:
            return self.refusal(error.code, error.message)

    def _told(self, code: int, message: str, result: Any) -> Answer:
        told = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": self.venue.now()}
        return Answer(told)

    # Who asks

    def _owner(self, route: Route, call: Call) -> Key | None:
        """Raises BybitError for a request that does not prove whose it is."""
        if route.security is Security.NONE:
            return None
        key = self.venue.keys.get(self.key_of(call))
        if key is None or not key.active:
            raise BybitError(10003, "API key is invalid.")
        if key.expires is not None and key.expires <= self.venue.now():
            raise BybitError(33004, "Your api key has expired.")
        self._check_time(call)
        self._check_signature(call, key)
        if (route.security is Security.TRADE and not key.can_trade) or not key.can_read:
            raise BybitError(10005, "Permission denied, please check your API key permissions.")
        return key

    def _check_time(self, call: Call) -> None:
        p = Params({"timestamp": call.headers.get("X-BAPI-TIMESTAMP", "")})
        p.text("timestamp")
        stamp, window = p.whole("timestamp") or 0, int(call.headers.get("X-BAPI-RECV-WINDOW", WINDOW))
        now = self.venue.now()
        if not now - window <= stamp < now + MOST_AHEAD:
            raise BybitError(
                10002,
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{stamp}],server_timestamp[{now}],recv_window[{window}]",
            )

    def _check_signature(self, call: Call, key: Key) -> None:
        headers = call.headers
        plain = headers["X-BAPI-TIMESTAMP"] + key.key + headers.get("X-BAPI-RECV-WINDOW", "")
        plain += call.body if call.method == "POST" else call.query
        if headers.get("X-BAPI-SIGN", "") != signature(key.secret, plain):
            raise BybitError(10004, "error sign! please check your signature generation algorithm.")

    # How it says no

    def refusal(self, code: int, message: str) -> Answer:
        return self._told(code, message, {})

    def maintenance(self) -> Answer:
        return self.refusal(10016, "Internal system error or network error. The service is under maintenance.")

    def too_many(self, seconds: float) -> Answer:
        answer = self.refusal(10006, "Too many visits. Exceeded the API Rate Limit.")
        answer.headers["X-Bapi-Limit-Reset-Timestamp"] = str(self.venue.now() + int(seconds * 1000))
        return answer

    def banned(self, seconds: float) -> Answer:
        return Answer("access too frequent", 403)

    def emptied(self, answer: Answer) -> Answer:
        result = answer.data.get("result", {})
        emptied = {name: [] if isinstance(value, list) else value for name, value in result.items()}
        return Answer(answer.data | {"result": emptied}, answer.status, answer.headers)

    # Streams

    async def stream(self, call: Call, socket: web.WebSocketResponse) -> None:
        await self.streams.serve(call, socket)

    def expire_streams(self, key: str) -> None:
        self.streams.expire(key)

    def close_streams(self) -> None:
        self.streams.close()

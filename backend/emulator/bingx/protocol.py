"""BingX's way of asking and answering: everything in the query, signed unencoded and sorted; HTTP 200 with a code."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from aiohttp import web

from ..account_books import Habits
from ..desk import Desk, Route, Security
from ..params import Params
from ..protocol import Answer, Call, Protocol, signature
from ..refusals import Reason, Refused
from ..venue import Key, Venue
from . import account, public, streams, trading
from .refusals import ERRORS, BingxError
from .routes import ROUTES
from .shapes import market_id

LONGEST_WINDOW = 5_000
MODULES = (account, public, streams, trading)
"""Importing them is what fills ROUTES."""


class Bingx(Protocol):
    paths = ("/openApi/", "/swap-market")
    habits = Habits(own_book=False)

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        self.streams = streams.Streams(venue)

    def key_of(self, call: Call) -> str:
        return call.headers.get("X-BX-APIKEY", "")

    def answer(self, call: Call) -> Answer:
        route = ROUTES.get((call.method, call.path))
        if route is None:
            return self.refusal(100400, "this api is not exist")
        limits, now = self.venue.limits, self.venue.now()
        if now < limits.banned_until:
            return self.banned((limits.banned_until - now) / 1000)
        limits.spend(route.weight, now)
        return self.too_many(60) if limits.exceeded else self._answer(route, call)

    def _answer(self, route: Route, call: Call) -> Answer:
        if self.venue.maintenance:
            return self.maintenance()
        try:
            desk = Desk(self.venue, market_id, self._owner(route, call), call.lag_ms, self.streams.keys)
            data = route.handler(desk, Params(call.params))
        except Refused as refused:
            code, message = ERRORS[refused.reason]
            return self.refusal(code, message.format(detail=refused.detail))
        except BingxError as error:
            return self.refusal(error.code, error.message)
        bare = call.path == streams.PATH
        return Answer(data if bare else {"code": 0, "msg": "", "timestamp": self.venue.now(), "data": data})

    # Who asks

    def _owner(self, route: Route, call: Call) -> Key | None:
        """Raises BingxError for a request that does not prove whose it is."""
        if route.security is Security.NONE:
            return None
        key = self.venue.keys.get(self.key_of(call))
        expired = key is not None and key.expires is not None and key.expires <= self.venue.now()
        if key is None or not key.active or expired:
            raise BingxError(100413, "Incorrect apiKey")
        self._check_signature(call, key)
        self._check_time(call)
        if (route.security is Security.TRADE and not key.can_trade) or not key.can_read:
            raise BingxError(100004, "Permission denied, the API key was created without the permission")
        return key

    def _check_time(self, call: Call) -> None:
        p = Params(call.params)
        stamp, window = p.whole("timestamp"), p.whole("recvWindow")
        if stamp is None:
            raise Refused(Reason.PARAMETER_MISSING, "timestamp")
        if abs(self.venue.now() - stamp) > min(LONGEST_WINDOW if window is None else window, LONGEST_WINDOW):
            raise BingxError(100421, "Null timestamp or timestamp mismatch")

    def _check_signature(self, call: Call, key: Key) -> None:
        pairs = [pair.partition("=") for pair in call.query.split("&")]
        values = {name: unquote(value) for name, _, value in pairs}
        given = values.pop("signature", "")
        plain = "&".join(f"{name}={values[name]}" for name in sorted(values))
        if given != signature(key.secret, plain):
            raise BingxError(100001, "Signature verification failed due to signature mismatch")

    # How it says no

    def refusal(self, code: int, message: str) -> Answer:
        return Answer({"code": code, "msg": message, "data": {}})

    def maintenance(self) -> Answer:
        return self.refusal(100503, "The system is under maintenance")

    def too_many(self, seconds: float) -> Answer:
        until = self.venue.now() + int(seconds * 1000)
        return self.refusal(100410, f"rate limited, can retry after time: {until}")

    def banned(self, seconds: float) -> Answer:
        return Answer("", 418, {"Retry-After": str(int(seconds) or 1)})

    def emptied(self, answer: Answer) -> Answer:
        return Answer(answer.data | {"data": _emptied(answer.data.get("data"))}, answer.status, answer.headers)

    # Streams

    async def stream(self, call: Call, socket: web.WebSocketResponse) -> None:
        await self.streams.serve(call, socket)

    def expire_streams(self, key: str) -> None:
        self.streams.expire(key)

    def close_streams(self) -> None:
        self.streams.close()


def _emptied(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: [] if isinstance(value, list) else value for name, value in data.items()}
    return []

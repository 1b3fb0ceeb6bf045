"""BingX's way of asking and answering: everything in the query, signed unencoded and sorted; HTTP 200 with a code."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from ..account_books import Habits
from ..desk import Route
from ..params import Params
from ..protocol import Answer, Call, Protocol, signature
from ..refusals import Reason, Refused, VenueError
from ..venue import Key
from . import account, public, streams, trading
from .refusals import ERRORS
from .routes import ROUTES
from .shapes import market_id

LONGEST_WINDOW = 5_000
MODULES = (account, public, streams, trading)
"""Importing them is what fills ROUTES."""


class Bingx(Protocol):
    paths = ("/openApi/", "/swap-market")
    habits = Habits(own_book=False)

    routes = ROUTES
    market_id = staticmethod(market_id)
    errors = ERRORS
    sockets = streams.Streams

    def key_of(self, call: Call) -> str:
        return call.headers.get("X-BX-APIKEY", "")

    # Who asks

    def owner(self, route: Route, call: Call) -> Key:
        key = self.venue.keys.get(self.key_of(call))
        if key is None or not key.active or key.has_expired(self.venue.now()):
            raise VenueError(100413, "Incorrect apiKey")
        self._check_signature(call, key)
        self._check_time(call)
        if not route.allows(key):
            raise VenueError(100004, "Permission denied, the API key was created without the permission")
        return key

    def _check_time(self, call: Call) -> None:
        p = Params(call.params)
        stamp, window = p.whole("timestamp"), p.whole("recvWindow")
        if stamp is None:
            raise Refused(Reason.PARAMETER_MISSING, "timestamp")
        if abs(self.venue.now() - stamp) > min(LONGEST_WINDOW if window is None else window, LONGEST_WINDOW):
            raise VenueError(100421, "Null timestamp or timestamp mismatch")

    def _check_signature(self, call: Call, key: Key) -> None:
        pairs = [pair.partition("=") for pair in call.query.split("&")]
        values = {name: unquote(value) for name, _, value in pairs}
        given = values.pop("signature", "")
        plain = "&".join(f"{name}={values[name]}" for name in sorted(values))
        if given != signature(key.secret, plain):
            raise VenueError(100001, "Signature verification failed due to signature mismatch")

    # How it answers

    def told(self, call: Call, data: Any) -> Answer:
        bare = call.path == streams.PATH
        return Answer(data if bare else {"code": 0, "msg": "", "timestamp": self.venue.now(), "data": data})

    def no_such_path(self) -> Answer:
        return self.refusal(100400, "this api is not exist")

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


def _emptied(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: [] if isinstance(value, list) else value for name, value in data.items()}
    return []

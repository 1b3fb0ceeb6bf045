"""Bybit's way of asking and answering: signed headers, HTTP 200 with a retCode."""

from __future__ import annotations

from typing import Any

from ..account_books import Habits
from ..desk import Route
from ..params import Params
from ..protocol import Answer, Call, Protocol, signature
from ..refusals import Refused, VenueError
from ..venue import Key
from . import account, public, streams, trading
from .refusals import error_of
from .routes import ROUTES
from .shapes import market_id

WINDOW = 5_000
MOST_AHEAD = 1_000
MODULES = (account, public, trading)
"""Importing them is what fills ROUTES."""


class Bybit(Protocol):
    paths = ("/v5/",)
    habits = Habits(own_book=False, protects_position=True, has_budget=False)

    routes = ROUTES
    market_id = staticmethod(market_id)
    sockets = streams.Streams

    def key_of(self, call: Call) -> str:
        return call.headers.get("X-BAPI-API-KEY", "")

    # Who asks

    def owner(self, route: Route, call: Call) -> Key:
        key = self.venue.keys.get(self.key_of(call))
        if key is None or not key.active:
            raise VenueError(10003, "API key is invalid.")
        if key.has_expired(self.venue.now()):
            raise VenueError(33004, "Your api key has expired.")
        self._check_time(call)
        self._check_signature(call, key)
        if not route.allows(key):
            raise VenueError(10005, "Permission denied, please check your API key permissions.")
        return key

    def _check_time(self, call: Call) -> None:
        p = Params({"timestamp": call.headers.get("X-BAPI-TIMESTAMP", "")})
        p.text("timestamp")
        stamp, window = p.whole("timestamp") or 0, int(call.headers.get("X-BAPI-RECV-WINDOW", WINDOW))
        now = self.venue.now()
        if not now - window <= stamp < now + MOST_AHEAD:
            raise VenueError(
                10002,
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{stamp}],server_timestamp[{now}],recv_window[{window}]",
            )

    def _check_signature(self, call: Call, key: Key) -> None:
        headers = call.headers
        plain = headers["X-BAPI-TIMESTAMP"] + key.key + headers.get("X-BAPI-RECV-WINDOW", "")
        plain += call.body if call.method == "POST" else call.query
        if headers.get("X-BAPI-SIGN", "") != signature(key.secret, plain):
            raise VenueError(10004, "error sign! please check your signature generation algorithm.")

    # How it answers

    def told(self, call: Call, data: Any) -> Answer:
        return self._wrapped(0, "OK", data)

    def _wrapped(self, code: int, message: str, result: Any) -> Answer:
        told = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": self.venue.now()}
        return Answer(told)

    def error_of(self, refused: Refused) -> tuple[int, str]:
        return error_of(refused)

    def pause(self, now: int) -> float:
        return 1

    def no_such_path(self) -> Answer:
        return Answer("404 page not found", 404)

    def refusal(self, code: int, message: str) -> Answer:
        return self._wrapped(code, message, {})

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

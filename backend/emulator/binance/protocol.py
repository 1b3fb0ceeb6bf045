"""Binance's way of asking and answering: keys, signatures, time windows, weights, errors."""

from __future__ import annotations

from typing import Any

from ..desk import Route, Security
from ..params import Params
from ..protocol import Answer, Call, Protocol
from ..venue import Key
from . import account, public, signing, streams, trading
from .refusals import ERRORS
from .routes import ROUTES
from .shapes import market_id

MODULES = (account, public, streams, trading)
"""Importing them is what fills ROUTES."""


class Binance(Protocol):
    paths = ("/fapi/", "/sapi/", "/private/ws", "/market/ws", "/public/ws")
    routes = ROUTES
    market_id = staticmethod(market_id)
    errors = ERRORS
    sockets = streams.Streams

    def key_of(self, call: Call) -> str:
        return call.headers.get("X-MBX-APIKEY", "")

    # Who asks

    def owner(self, route: Route, call: Call) -> Key:
        key = signing.known_key(self.venue, self.key_of(call))
        if route.security is not Security.KEY:
            signing.check_time(Params(call.params), self.venue.now())
            signed, _, given = (call.query + call.body).rpartition("&signature=")
            signing.check_signature(key, signed, given)
        if not route.allows(key):
            raise signing.NOT_ALLOWED
        return key

    # How it answers

    def headers(self, used: int) -> dict[str, str]:
        return {"X-MBX-USED-WEIGHT-1M": str(used)}

    def pause(self, now: int) -> float:
        return 60 - now / 1000 % 60

    def no_such_path(self) -> Answer:
        return Answer("<html><body><h2>404 Not found</h2></body></html>", 404)

    def refusal(self, code: int, message: str) -> Answer:
        return Answer({"code": code, "msg": message}, 400)

    def maintenance(self) -> Answer:
        return Answer({"code": -1016, "msg": "System is under maintenance."}, 503)

    def too_many(self, seconds: float) -> Answer:
        message = "Too many requests; current limit of IP is 2400 requests per minute."
        return Answer({"code": -1003, "msg": message}, 429, {"Retry-After": str(int(seconds) or 1)})

    def banned(self, seconds: float) -> Answer:
        until = self.venue.now() + int(seconds * 1000)
        message = f"Way too many requests; IP banned until {until}. Please use the websocket for live updates."
        return Answer({"code": -1003, "msg": message}, 418, {"Retry-After": str(int(seconds) or 1)})

    def emptied(self, answer: Answer) -> Answer:
        return Answer(_emptied(answer.data), answer.status, answer.headers)


def _emptied(data: Any) -> Any:
    if isinstance(data, list):
        return []
    return data | {name: [] for name in ("positions", "assets", "balances") if name in data}

"""Binance's way of asking and answering: keys, signatures, time windows, weights, errors."""

from __future__ import annotations

from typing import Any

from ..desk import Route, Security
from ..params import Params
from ..protocol import Answer, Call, Protocol, signature
from ..refusals import Reason, Refused, VenueError
from ..venue import Key
from . import account, public, streams, trading
from .refusals import ERRORS
from .routes import ROUTES
from .shapes import market_id

RECEIVE_WINDOW = 5_000
MOST_AHEAD = 1_000
"""Milliseconds that a request's timestamp may lie ahead of the venue's clock."""
MODULES = (account, public, streams, trading)
"""Importing them is what fills ROUTES."""


class Binance(Protocol):
    paths = ("/fapi/", "/sapi/", "/private/ws", "/market/ws", "/public/ws", "/ws", "/stream")
    routes = ROUTES
    market_id = staticmethod(market_id)
    errors = ERRORS
    sockets = streams.Streams

    def key_of(self, call: Call) -> str:
        return call.headers.get("X-MBX-APIKEY", "")

    # Who asks

    def owner(self, route: Route, call: Call) -> Key:
        key = self._key(call)
        if route.security is not Security.KEY:
            self._check_time(call)
            self._check_signature(call, key)
        if not route.allows(key):
            raise VenueError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return key

    def _key(self, call: Call) -> Key:
        name = self.key_of(call)
        if not name:
            raise VenueError(-2014, "API-key format invalid.", 401)
        key = self.venue.keys.get(name)
        if key is None or not key.active or key.has_expired(self.venue.now()):
            raise VenueError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return key

    def _check_time(self, call: Call) -> None:
        p = Params(call.params)
        stamp, window = p.whole("timestamp"), p.whole("recvWindow")
        if stamp is None:
            raise Refused(Reason.PARAMETER_MISSING, "timestamp")
        now, window = self.venue.now(), RECEIVE_WINDOW if window is None else window
        if window > 60_000:
            raise VenueError(-1131, "recvWindow must be less than 60000.")
        if stamp > now + MOST_AHEAD:
            raise VenueError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if stamp < now - window:
            raise VenueError(-1021, "Timestamp for this request is outside of the recvWindow.")

    def _check_signature(self, call: Call, key: Key) -> None:
        """Over the query and the body as they came, without the signature itself."""
        signed, _, given = (call.query + call.body).rpartition("&signature=")
        if not given:
            raise Refused(Reason.PARAMETER_MISSING, "signature")
        if given != signature(key.secret, signed):
            raise VenueError(-1022, "Signature for this request is not valid.")

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
    return data | {name: [] for name in ("positions", "assets") if name in data}

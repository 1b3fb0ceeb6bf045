"""How any venue is asked and answers, and what its own protocol must add to that."""

from __future__ import annotations

import hashlib
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from .account_books import Habits
from .desk import Desk, Route, Routes, Security
from .listen_keys import ListenKeys
from .params import Params
from .refusals import Reason, Refused, VenueError
from .venue import Key, Venue


@dataclass(frozen=True)
class Call:
    """A request as it came: `query` and `body` are the exact text, since that is what was signed."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    host: str = ""
    lag_ms: int = 0
    """Answer with what was so long ago."""

    @cached_property
    def params(self) -> dict[str, str]:
        """Of the query and the body, whether that is a form or JSON."""
        found = dict(parse_qsl(self.query, keep_blank_values=True))
        if self.body.startswith("{"):
            return found | {name: _as_text(value) for name, value in _read(self.body).items()}
        return found | dict(parse_qsl(self.body, keep_blank_values=True))


@dataclass(slots=True)
class Answer:
    data: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Streams(ABC):
    """A venue's websockets. `keys` are the listen keys of those venues that have them."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.keys = ListenKeys(venue.now)

    @abstractmethod
    async def serve(self, call: Call, socket: web.WebSocketResponse) -> None:
        """Speak over the socket until it is closed."""

    @abstractmethod
    def expire(self, owner: str) -> None:
        """What the account streams of an API key live on runs out."""

    @abstractmethod
    def close(self) -> None:
        """Cut every socket, as a network would."""


class Protocol(ABC):
    """One venue's dialect. `paths` are the beginnings of all its paths, `market_id` is its name of a symbol."""

    paths: tuple[str, ...] = ()
    habits = Habits()
    routes: Routes
    market_id: Callable[[str], str]
    errors: Mapping[Reason, tuple[int, str]] = {}
    sockets: type[Streams]

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.streams = self.sockets(venue)

    def answer(self, call: Call) -> Answer:
        """Never raises: what is wrong with a request is an answer too."""
        route = self.routes.get((call.method, call.path))
        if route is None:
            return self.no_such_path()
        limits, now = self.venue.limits, self.venue.now()
        if now < limits.banned_until:
            return self.banned((limits.banned_until - now) / 1000)
        used = limits.spend(route.weighs(call.params), now)
        answer = self.too_many(self.pause(now)) if limits.exceeded else self._answer(route, call)
        answer.headers |= self.headers(used)
        return answer

    def _answer(self, route: Route, call: Call) -> Answer:
        if self.venue.maintenance:
            return self.maintenance()
        try:
            owner = None if route.security is Security.NONE else self.owner(route, call)
            desk = Desk(self.venue, self.market_id, owner, call.lag_ms, self.streams.keys)
            return self.told(call, route.handler(desk, Params(call.params)))
        except Refused as refused:
            return self.refusal(*self.error_of(refused))
        except VenueError as error:
            answer = self.refusal(error.code, error.message)
            return answer if error.status is None else replace(answer, status=error.status)

    def error_of(self, refused: Refused) -> tuple[int, str]:
        """The venue's code and message for it."""
        code, message = self.errors[refused.reason]
        return code, message.format(detail=refused.detail)

    def told(self, call: Call, data: Any) -> Answer:
        """What a request was after, wrapped as the venue does."""
        return Answer(data)

    def headers(self, used: int) -> dict[str, str]:
        """What goes with every answer; `used` is the weight spent in this minute."""
        return {}

    def pause(self, now: int) -> float:
        """Seconds until who asks too often may ask again."""
        return 60

    @abstractmethod
    def key_of(self, call: Call) -> str:
        """The API key of a request; empty when it has none."""

    @abstractmethod
    def owner(self, route: Route, call: Call) -> Key:
        """Raises VenueError or Refused for a request that does not prove whose it is, or whose key may not do that."""

    @abstractmethod
    def no_such_path(self) -> Answer: ...

    @abstractmethod
    def refusal(self, code: int, message: str) -> Answer:
        """The venue's way to say no."""

    @abstractmethod
    def maintenance(self) -> Answer: ...

    @abstractmethod
    def too_many(self, seconds: float) -> Answer:
        """You ask too often; come back after `seconds`."""

    @abstractmethod
    def banned(self, seconds: float) -> Answer:
        """You asked too often for too long."""

    @abstractmethod
    def emptied(self, answer: Answer) -> Answer:
        """The same answer with nothing in its list."""


def signature(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def text(number: Decimal | int | None) -> str:
    """A number as venues write it: no exponent, no trailing zeros."""
    if number is None:
        return "0"
    plain = f"{Decimal(number):f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _read(body: str) -> dict[str, Any]:
    """Nothing of what is no JSON: the venue misses its parameters then."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)

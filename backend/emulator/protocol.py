"""What a venue's protocol must do for the server, and the shape of a request and an answer."""

from __future__ import annotations

import hashlib
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from .account_books import Habits
from .venue import Venue


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


class Protocol(ABC):
    """One venue's dialect. `paths` are the beginnings of all its paths."""

    paths: tuple[str, ...] = ()
    habits = Habits()

    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    @abstractmethod
    def key_of(self, call: Call) -> str:
        """The API key of a request; empty when it has none."""

    @abstractmethod
    def answer(self, call: Call) -> Answer:
        """Never raises: what is wrong with a request is an answer too."""

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

    @abstractmethod
    async def stream(self, call: Call, socket: web.WebSocketResponse) -> None:
        """Speak over a websocket until it is closed."""

    @abstractmethod
    def expire_streams(self, key: str) -> None:
        """What the account streams of `key` live on runs out."""

    @abstractmethod
    def close_streams(self) -> None:
        """Cut every socket, as a network would."""


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

"""The real client, sent nowhere: what it would have asked a venue is written down, and answered from a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter

from buddy.exchanges import ccxt_client
from buddy.exchanges.ccxt_calls import Calls
from buddy.exchanges.ccxt_client import Client
from buddy.exchanges.ccxt_exchange import CcxtExchange
from buddy.exchanges.models import Keys
from buddy.exchanges.rates import Bucket, Limiter
from buddy.exchanges.recipe import Rate

from .venue_answers import ANSWERS, SYMBOLS

SIGNING = {"timestamp", "signature", "recvWindow", "tag", "nonce"}
AT_ONCE = Bucket("test", Rate(1e9, 1e9))

Answer = Any | Callable[[dict[str, Any]], Any]


@dataclass
class Recording(BaseAdapter):
    """`answers`: by end of path, the longest that fits. An exception is raised, a (status, body) is a bad answer."""

    answers: dict[str, Answer]
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    headers: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def close(self) -> None: ...

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        address = urlsplit(str(request.url))
        said = _said(address.query, request.body)
        self.hosts.add(address.netloc)
        self.headers.append(request.headers)
        self.asked.append((str(request.method), address.path, said))
        fits = [end for end in self.answers if address.path.endswith(end)]
        answer = self.answers[max(fits, key=len)] if fits else {}
        answer = answer(said) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return _response(request, *(answer if isinstance(answer, tuple) else (200, answer)))

    def writes(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [each for each in self.asked if each[0] != "GET"]


def _said(query: str, body: Any) -> dict[str, Any]:
    text = body.decode() if isinstance(body, bytes) else body or ""
    if text[:1] in ("{", "["):
        decoded = json.loads(text)
        said = decoded[0] if isinstance(decoded, list) else decoded
    else:
        said = dict(parse_qsl(text, keep_blank_values=True))
    return {k: v for k, v in (dict(parse_qsl(query, keep_blank_values=True)) | said).items() if k not in SIGNING}


def _response(request: requests.PreparedRequest, status: int, body: Any) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = status, str(request.url), request
    response.headers["Content-Type"] = "application/json"
    response._content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return response


def recorded(venue: str, environment: str = "live", **answers: Answer) -> tuple[CcxtExchange, Recording]:
    """An exchange at a venue that is not there; `answers` go before those every venue has."""
    ccxt_client.forget_markets()
    wire = Recording(ANSWERS[venue] | answers)
    client = Client(venue, environment, Keys("key", "c2VjcmV0", "pass"), wire)
    exchange = CcxtExchange(Calls(client, Limiter(venue), AT_ONCE, AT_ONCE))
    exchange.calls.ready()
    exchange.position_mode()
    wire.asked.clear()
    return exchange, wire


def symbol_of(venue: str) -> str:
    return SYMBOLS.get(venue, "BTC/USDT:USDT")

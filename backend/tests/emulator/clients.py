"""The unmodified exchange library, sync and with websockets, sent to a stand-in venue by its transport alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
import ccxt
import ccxt.pro
import requests
from yarl import URL

from buddy.exchanges.ccxt_public import Redirect

OPTIONS = {"defaultType": "swap", "fetchCurrencies": False, "fetchMargins": False}


def connect(client: str, base: str, key: str = "", secret: str = "", known: Any = None, **settings: Any) -> Any:
    """A sync client that shares the markets of `known`, or loads them; every figure is text."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", Redirect(base))
    options = OPTIONS | settings.pop("options", {})
    basic = {"apiKey": key, "secret": secret, "session": session, "number": str, "enableRateLimit": False}
    exchange = getattr(ccxt, client)(basic | {"options": options} | settings)
    if known is None:
        exchange.load_markets()
    else:
        exchange.set_markets_from_exchange(known)
    return exchange


class RedirectedSession:
    """An aiohttp session as the library uses it, with every address on loopback and the real one in Host."""

    def __init__(self, base: str) -> None:
        self.base = URL(base)
        self.session = aiohttp.ClientSession()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.session, name)
        return self._redirected(call) if name in ("get", "post", "put", "delete", "ws_connect") else call

    def _redirected(self, call: Any) -> Any:
        def send(url: Any, *args: Any, headers: Mapping[str, str] | None = None, **more: Any) -> Any:
            real = URL(url, encoded=True) if isinstance(url, str) else url
            scheme = self.base.scheme.replace("http", "ws") if real.scheme.startswith("ws") else self.base.scheme
            there = URL(f"{scheme}://{self.base.authority}{real.raw_path_qs}", encoded=True)
            more.pop("ssl", None)
            return call(there, *args, headers={**(headers or {}), "Host": real.authority}, **more)

        return send


def connect_pro(client: str, base: str, key: str, secret: str, **settings: Any) -> Any:
    """A client with websockets, inside a running loop. Close it and its `session` afterwards."""
    basic = {"apiKey": key, "secret": secret, "enableRateLimit": False, "options": OPTIONS}
    return getattr(ccxt.pro, client)(basic | {"session": RedirectedSession(base)} | settings)

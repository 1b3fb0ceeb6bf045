"""The unmodified exchange library, sync and with websockets, sent to a stand-in venue by its transport alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import ccxt
import ccxt.pro
import requests

from buddy.exchanges.ccxt_public import Redirect
from buddy.exchanges.ccxt_stream import Redirected

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


@asynccontextmanager
async def connected(client: str, base: str, key: str, secret: str = "secret", **settings: Any) -> AsyncIterator[Any]:
    """A client with websockets."""
    options = OPTIONS | settings.pop("options", {})
    async with aiohttp.ClientSession() as session:
        basic = {"apiKey": key, "secret": secret, "enableRateLimit": False, "session": Redirected(session, base)}
        exchange = getattr(ccxt.pro, client)(basic | {"options": options} | settings)
        try:
            yield exchange
        finally:
            await exchange.close()


async def heard(watch: Awaitable[Any], act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a stream says once `act` was done; it is listening already."""
    listening = asyncio.ensure_future(watch)
    await asyncio.sleep(0.15)
    await asyncio.to_thread(act, *args, **kwargs)
    return await listening

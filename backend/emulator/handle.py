"""Stand-in venues from Python: start them, and do to them whatever `control` can.

with running() as stand_in:
    stand_in.binance.open_account("key", "secret", wallet="1000")
    stand_in.binance.set_price("BTC/USDT:USDT", "64000")
    ...  # EXCHANGE_TRANSPORT_BASE = stand_in.base
"""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from aiohttp import web

from .control import OPERATIONS
from .server import CONTROL, DIALECTS, Server
from .venue import wall

OPEN = build_opener(ProxyHandler({})).open


class ControlError(Exception):
    """The venue cannot do that."""


class Hand:
    """One venue's control: each operation of `control` is a method here, with the same arguments."""

    def __init__(self, base: str, venue: str) -> None:
        self.base = base
        self.venue = venue

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in OPERATIONS:
            raise AttributeError(name)
        return lambda *args, **kwargs: self._ask(name, *args, **kwargs)

    def _ask(self, name: str, *args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(OPERATIONS[name]).bind(None, *args, **kwargs)
        _, *arguments = bound.arguments.items()
        said = {key: value for key, value in arguments if key not in ("changes", "how")}
        for open_ended in ("changes", "how"):
            said |= bound.arguments.get(open_ended, {})
        body = json.dumps(said, default=str).encode()
        request = Request(f"{self.base}{CONTROL}{self.venue}/{name}", body, method="POST")  # noqa: S310
        try:
            with OPEN(request, timeout=30) as response:
                return json.load(response)["result"]
        except HTTPError as error:
            raise ControlError(json.load(error)["error"]) from None


class StandIn:
    """All venues at one address; `stand_in.binance_spot` is the hand on that one."""

    def __init__(self, base: str) -> None:
        self.base = base

    def __getattr__(self, name: str) -> Hand:
        venue = name.replace("_", "-")
        if venue not in DIALECTS:
            raise AttributeError(name)
        return Hand(self.base, venue)


@contextmanager
def running(port: int = 0, clock: Callable[[], int] = wall) -> Iterator[StandIn]:
    """The venues in a thread of this process, on a free port unless one is given."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True, name="stand-in venues")
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(start(Server(clock), port), loop).result()
    host, bound, *_ = runner.addresses[0]
    try:
        yield StandIn(f"http://{host}:{bound}")
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def start(server: Server, port: int) -> web.AppRunner:
    """Listen on loopback; clean the runner up in the end."""
    runner = web.AppRunner(server.app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner

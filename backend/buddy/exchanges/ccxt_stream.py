"""An account's events at its venue, through the exchange library's websockets. They are hints: no figure is taken.

Whatever ends one of its feeds ends the whole connection, which is then made anew from nothing: listen keys, caches and
subscriptions are never repaired. All connections of a process share one session and what is known of the markets.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio import FIRST_COMPLETED, TimerHandle
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from typing import Any

import aiohttp
import ccxt.pro
import certifi
from yarl import URL

from .ccxt_client import Client, basics, practised, transport
from .ccxt_words import number
from .models import Keys
from .venues import VENUES, Events

GLANCE = 1.0
"""Seconds between two looks at whether the sockets still speak."""
SILENCE = 60.0
"""Seconds without a frame, not even an answer to a ping, after which a socket counts as dead."""
SPEAKS = 40.0
"""Seconds without a frame from which on nothing is left to a socket any more, though it may only be quiet."""
QUIET = 900.0
"""Seconds without an event after which the connection is made anew: a venue may answer pings and tell nothing."""
CACHED = 50
"""Orders and executions the library keeps; it would keep thousands."""
SENDING = ("get", "post", "put", "delete", "ws_connect")

Heard = Callable[[], None]


class Gap(Exception):
    """Something may have happened that was not told. Never says what was sent: addresses hold listen keys."""


class Redirected:
    """An aiohttp session as the library uses it, with every address at `base` and the real one in the Host header."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session, self.base = session, URL(base)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.session, name)
        return self._redirected(call) if name in SENDING else call

    def _redirected(self, call: Any) -> Any:
        def send(url: Any, *args: Any, headers: Mapping[str, str] | None = None, **more: Any) -> Any:
            real = URL(url, encoded=True) if isinstance(url, str) else url
            scheme = self.base.scheme.replace("http", "ws") if real.scheme.startswith("ws") else self.base.scheme
            there = URL(f"{scheme}://{self.base.authority}{real.raw_path_qs}", encoded=True)
            return call(there, *args, headers={**(headers or {}), "Host": real.authority}, **more)

        return send


class Lines:
    """What the connections of a process share. Made inside the running loop; close it in the end."""

    def __init__(self, redirect: str = "") -> None:
        self.redirect = redirect
        self.ssl = ssl.create_default_context(cafile=certifi.where())
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self.ssl),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=not redirect,
        )
        self.known: dict[tuple[str, str], Client] = {}
        self.learning: dict[tuple[str, str], asyncio.Lock] = {}

    async def close(self) -> None:
        await self.session.close()

    async def markets(self, venue: str, environment: str) -> Client:
        """What is known of a venue's markets and its clock, learnt once for all and anew every hour."""
        name = (venue, environment)
        async with self.learning.setdefault(name, asyncio.Lock()):
            if name not in self.known:
                self.known[name] = Client(venue, environment, None, transport(self.redirect))
            await asyncio.to_thread(self.known[name].ready)
            return self.known[name]

    @asynccontextmanager
    async def client(self, venue: str, environment: str, keys: Keys | None) -> AsyncIterator[Any]:
        """A client of the library that connects at the first watch, and leaves nothing behind."""
        known, events = await self.markets(venue, environment), VENUES[venue].events
        session = Redirected(self.session, self.redirect) if self.redirect else self.session
        api = getattr(ccxt.pro, VENUES[venue].client)({"session": session, **_settings(venue, keys, events)})
        practised(api, venue, environment)
        api.ssl_context, api.newUpdates = self.ssl, True
        if events.ping is not None:
            api.streaming = {**api.streaming, "keepAlive": events.ping}
        api.set_markets_from_exchange(known.api)
        api.options["timeDifference"] = known.api.options.get("timeDifference", 0)
        timers = _remember_timers(api)
        try:
            yield api
        finally:
            for timer in timers:
                timer.cancel()
            await api.close()


def _settings(venue: str, keys: Keys | None, events: Events) -> dict[str, Any]:
    settings = basics(venue, keys)
    bounds = {"ordersLimit": CACHED, "tradesLimit": CACHED}
    no_snapshot = {"watchPositions": {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False}}
    settings["options"] = {**settings["options"], **bounds, **no_snapshot, **events.options}
    return settings


def _remember_timers(api: Any) -> list[TimerHandle]:
    """The library forgets the timers it sets; one that is left would keep a closed client for half an hour."""
    timers: list[TimerHandle] = []
    delay = api.delay

    def remembered(*args: Any) -> TimerHandle:
        timers.append(delay(*args))
        return timers[-1]

    api.delay = remembered
    return timers


class Ear:
    """Hears what a client's sockets say before the library does."""

    def __init__(self, api: Any, over: frozenset[str], hint: Heard, stands: Heard = lambda: None) -> None:
        self.api, self.over, self.hint, self.stands = api, over, hint, stands
        self.ended = asyncio.Event()
        self.clock = asyncio.get_running_loop().time
        self.told = self.clock()
        self._read, self._connected = api.handle_message, api.on_connected
        api.handle_message, api.on_connected = self.message, self.connected

    def event(self) -> None:
        self.told = self.clock()
        self.hint()

    def connected(self, client: Any, message: Any = None) -> None:
        self._connected(client, message)
        self.event()  # whatever happened before the socket was open was told to nobody

    def message(self, client: Any, message: Any) -> None:
        if kind_of(message) in self.over:
            self.ended.set()
        try:
            self._read(client, message)
        except Exception:  # noqa: BLE001 - what the library cannot read may be just what we wait for
            self.event()

    async def guard(self) -> None:
        """Comes back when the sockets say nothing any more."""
        while not self.ended.is_set() and self.clock() - self.told < QUIET and (silence := self._silence()) <= SILENCE:
            if self._is_whole() and silence <= SPEAKS:
                self.stands()
            await asyncio.sleep(GLANCE)

    def _silence(self) -> float:
        """Seconds since the quietest of the open sockets was heard."""
        now = self.api.milliseconds()
        since = [
            max(each.last_message_at or 0, each.lastPong or 0, each.connectionEstablished or 0)
            for each in self.api.clients.values()
            if each.isConnected
        ]
        return max((now - last for last in since), default=0) / 1000

    def _is_whole(self) -> bool:
        """Whether all the sockets that were asked for are open; the library keeps other things beside them."""
        sockets = [each for each in self.api.clients.values() if each.url.startswith("ws")]
        return bool(sockets) and all(each.isConnected for each in sockets)


async def account_events(
    lines: Lines, venue: str, environment: str, keys: Keys, hint: Heard, stands: Heard = lambda: None
) -> None:
    """Call `hint` for everything the venue tells of an account, and once the connection stands. Ends with a Gap.

    `stands` is called again and again while all its sockets are open and speak.
    """
    events = VENUES[venue].events
    async with lines.client(venue, environment, keys) as api:
        ear = Ear(api, events.over, hint, stands)
        feeds = [getattr(api, feed) for feed in events.feeds]
        if events.has_triggers:
            feeds.append(partial(api.watch_orders, params={"trigger": True}))
        await _until_one_ends([ear.guard(), *(_follow(feed, ear.event) for feed in feeds)])


async def price_events(
    lines: Lines, venue: str, environment: str, symbols: frozenset[str], tell: Callable[[str, Decimal], None]
) -> None:
    """Call `tell` with every new price of the symbols. Ends with a Gap."""
    async with lines.client(venue, environment, None) as api:
        ear = Ear(api, frozenset(), lambda: None)
        await _until_one_ends([ear.guard(), *(_prices(api, symbol, ear, tell) for symbol in symbols)])


async def _prices(api: Any, symbol: str, ear: Ear, tell: Callable[[str, Decimal], None]) -> None:
    while True:
        last = (await api.watch_ticker(symbol)).get("last")
        ear.event()
        if last is not None:
            tell(symbol, Decimal(str(last)))


async def _follow(watch: Callable[[], Any], hint: Heard) -> None:
    while True:
        if any(is_news(row) for row in await watch()):
            hint()


def kind_of(message: Any) -> Any:
    """What an event calls itself, in an envelope or without one."""
    inside = message.get("event") if isinstance(message, dict) else None
    told = inside if isinstance(inside, dict) else message
    return told.get("e") if isinstance(told, dict) else None


def is_news(row: Mapping[str, Any]) -> bool:
    """Not an order that has just begun to rest: nearly all of these are our own, and looks cost what venues ration."""
    return row.get("status") != "open" or bool(number(row.get("filled")))


async def _until_one_ends(feeds: list[Any]) -> None:
    tasks = [asyncio.ensure_future(feed) for feed in feeds]
    try:
        done, _ = await asyncio.wait(tasks, return_when=FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    why = [task.exception() for task in done if not task.cancelled()]
    raise Gap(", ".join(sorted({type(reason).__name__ for reason in why if reason})) or "silence")

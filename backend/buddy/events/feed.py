"""GET /api/v1/live: server-sent events as a bare ASGI application.

A Django streaming response would hold a thread, and a database connection with it, for every open page. Here a
viewer costs one queue: the session is looked up in a short call of its own, which closes its connection again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from redis.exceptions import RedisError

from buddy.events import viewer as viewers
from buddy.events.hub import Hub, Viewer, announce, encode, hub
from buddy.problems import CONTENT_TYPE, document

KEEP_ALIVE = 20.0
STUCK = 30.0
"""Seconds after which a page that takes nothing any more is given up."""
RECHECK = 180.0
"""Seconds after which the session is looked up again: signing out elsewhere ends the stream."""
MOST_SYMBOLS = 20
PATH = "/api/v1/live"

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

log = logging.getLogger(__name__)
_lookups = ThreadPoolExecutor(4, thread_name_prefix="live-session")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the page asks for, read from the request."""

    session_key: str
    account: int | None
    symbols: frozenset[str]
    after: int | None


class Refused(Exception):
    def __init__(self, status: int, detail: str) -> None:
        self.status, self.detail = status, detail


async def feed(scope: Scope, receive: Receive, send: Send, *, to: Hub = hub) -> None:
    try:
        wish = read_wish(scope)
        seen = await _off_loop(viewers.look_up, wish.session_key, wish.account, wish.after)
        if seen is None:
            raise Refused(401, "Sign in first.")
        if to.viewers_of(seen.owner_id) >= settings.LIVE_VIEWERS_PER_USER:
            raise Refused(429, "Too many pages of yours are open. Close some.")
    except Refused as refusal:
        await _refuse(send, refusal)
        return
    viewer = Viewer(seen.owner_id, seen.accounts, wish.symbols)
    with to.joined(viewer):
        await _stream(viewer, wish, seen.recent, receive, send)


async def _stream(viewer: Viewer, wish: Wish, recent: Sequence[int], receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    with contextlib.suppress(RedisError, OSError):
        await announce({viewer})
    replayed = await _catch_up(viewer, wish, recent, send)
    gone = asyncio.create_task(_gone(receive, viewer))
    try:
        await _pump(viewer, wish, replayed, send)
        await _finish(send)
    except Exception as error:  # noqa: BLE001  whatever it was, the page comes back and is told what it missed
        log.info("live feed: a stream ended: %s", error or type(error).__name__)
    finally:
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)


async def _catch_up(viewer: Viewer, wish: Wish, recent: Sequence[int], send: Send) -> frozenset[int]:
    """Hello, and what the page has missed; the numbers of what it was told.

    Joined first, replayed second: what comes in between is in its frames, and its number says it was replayed already.
    """
    last = wish.after if wish.after is not None else max(recent, default=0)
    found = await _off_loop(viewers.events_after, viewer.owner_id, last)
    missed = [event for event in found if event["id"] not in recent]
    await _write(send, _hello(last, recent))
    for event in missed:
        await _write(send, encode(json.dumps({"name": "event", "data": event, "id": event["id"]}).encode()).body)
    return frozenset(event["id"] for event in missed)


async def _pump(viewer: Viewer, wish: Wish, replayed: frozenset[int], send: Send) -> None:
    """Until the viewer is dropped or its user has signed out."""
    recheck = time.monotonic() + RECHECK
    while True:
        frames = await viewer.take(KEEP_ALIVE)
        if time.monotonic() >= recheck:
            if await _off_loop(viewers.look_up, wish.session_key, wish.account, None) is None:
                return
            recheck = time.monotonic() + RECHECK
        if viewer.is_dropped:
            return
        body = b"".join(frame.body for frame in frames if frame.event_id not in replayed)
        if body or not frames:
            async with asyncio.timeout(STUCK):
                await _write(send, body or b": keep-alive\n\n")


async def _gone(receive: Receive, viewer: Viewer) -> None:
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        viewer.drop()


async def _finish(send: Send) -> None:
    async with asyncio.timeout(STUCK):
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def read_wish(scope: Scope) -> Wish:
    """Raises Refused for whatever is not a same-origin GET with sensible parameters."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if scope["method"] != "GET":
        raise Refused(405, "Only GET.")
    _check_origin(headers)
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    account = _number(query.get("account", [""])[0])
    symbols = frozenset(filter(None, query.get("symbols", [""])[0].split(",")))
    if len(symbols) > MOST_SYMBOLS or any(len(symbol) > 40 for symbol in symbols):
        raise Refused(400, f"Name at most {MOST_SYMBOLS} symbols.")
    after = headers.get("last-event-id") or query.get("last_event_id", [""])[0]
    return Wish(_session_key(headers), account, symbols, _number(after))


def _check_origin(headers: Mapping[str, str]) -> None:
    host = headers.get("host", "")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        raise Refused(400, "This address is not ours.")
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != host and origin not in settings.CSRF_TRUSTED_ORIGINS
    if foreign or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused(403, "Another site may not read this.")


def _session_key(headers: Mapping[str, str]) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        morsel = None
    return morsel.value if morsel else ""


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refused(400, f"{text[:20]!r} is not a number.")
    return int(text)


async def _off_loop(call: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_lookups, call, *arguments)


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _refuse(send: Send, refusal: Refused) -> None:
    body = json.dumps(document(refusal.status, detail=refusal.detail)).encode()
    headers = [(b"content-type", CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _hello(last_event: int, recent: Sequence[int]) -> bytes:
    """Carries the last event's number, so that a page that has seen none yet can resume too.

    `recent`: the events before a page's first visit that a resumption may tell again: no news to it.
    """
    identity = f"id: {last_event}\n" if last_event else ""
    told = json.dumps({"time": viewers.now(), "recent": recent}, separators=(",", ":"))
    return f"{identity}event: hello\ndata: {told}\nretry: 1500\n\n".encode()


_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]

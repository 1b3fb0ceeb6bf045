"""One application, one port: the live feed as bare ASGI, everything else as Django under WSGI in four threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from a2wsgi import WSGIMiddleware

from buddy.wsgi import application as django  # isort: skip - it sets Django up, which the feed needs
from buddy.events.feed import PATH, Receive, Send, feed
from buddy.events.hub import hub

pages: Any = WSGIMiddleware(django, workers=4)  # type: ignore[arg-type]


async def application(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] != "http":
        await send({"type": "websocket.close"})
    elif scope["path"] == PATH:
        await feed(scope, receive, send)
    else:
        await pages(scope, receive, send)


async def _live(receive: Receive, send: Send) -> None:
    """The feed's subscription lives as long as the server."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            hub.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await hub.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return

"""One websocket of a stand-in venue: what is told over it passes the stream faults."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from .faults import Faults, StreamFault, StreamFaultKind


class Channel:
    """Messages leave in order. `zipped`: as gzip frames."""

    def __init__(self, socket: web.WebSocketResponse, faults: Faults, *, zipped: bool = False) -> None:
        self.socket = socket
        self.faults = faults
        self.zipped = zipped
        self.queue: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.held_back: list[Any] = []

    def say(self, message: Any) -> None:
        """An answer to what the client asked: no fault touches it."""
        whole = message if isinstance(message, str) else json.dumps(message, separators=(",", ":"))
        self.queue.put_nowait(gzip.compress(whole.encode()) if self.zipped else whole)

    def tell(self, name: str, message: Any) -> None:
        """An event."""
        if self.faults.stalled:
            return
        fault = self.faults.of_event(name)
        if fault is not None:
            self._spoil(fault, message)
            return
        self.say(message)
        while self.held_back:
            self.say(self.held_back.pop(0))

    def _spoil(self, fault: StreamFault, message: Any) -> None:
        match fault.kind:
            case StreamFaultKind.DUPLICATE:
                self.say(message)
                self.say(message)
            case StreamFaultKind.SWAP:
                self.held_back.append(message)
            case StreamFaultKind.DELAY:
                asyncio.get_running_loop().call_later(fault.seconds, self.say, message)
            case StreamFaultKind.CLOSE:
                self.cut()

    def cut(self) -> None:
        """Close the socket once everything before has left."""
        self.queue.put_nowait(None)

    async def run(self, hear: Callable[[str], None]) -> None:
        """Until either side closes: what comes is heard, what is queued leaves."""
        sender = asyncio.create_task(self._send())
        try:
            async for message in self.socket:
                if message.type is WSMsgType.TEXT:
                    hear(message.data)
        finally:
            sender.cancel()

    async def _send(self) -> None:
        while (message := await self.queue.get()) is not None:
            if isinstance(message, bytes):
                await self.socket.send_bytes(message)
            else:
                await self.socket.send_str(message)
        await self.socket.close()

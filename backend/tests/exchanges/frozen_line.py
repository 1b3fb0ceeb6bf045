"""A line to a server that can die without a word: connections stay open, and nothing passes any more."""

from __future__ import annotations

import asyncio
import threading
from typing import Self
from urllib.parse import urlsplit


class FreezableLine:
    """In a thread of its own. `freeze` stops what passes over the connections of now, not over those to come."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.open: list[asyncio.Event] = []

    def __enter__(self) -> Self:
        self.thread.start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self.loop).result()
        self.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def freeze(self) -> None:
        for frozen in self.open:
            self.loop.call_soon_threadsafe(frozen.set)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(self.target.hostname, self.target.port)
        frozen = asyncio.Event()
        self.open.append(frozen)
        await asyncio.gather(_pass(reader, there[1], frozen), _pass(there[0], writer, frozen), return_exceptions=True)

    async def _end(self) -> None:
        mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter, frozen: asyncio.Event) -> None:
    while piece := await source.read(65536):
        if not frozen.is_set():
            sink.write(piece)
            await sink.drain()
    if not frozen.is_set():
        sink.close()

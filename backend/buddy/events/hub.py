"""One subscription per process, one bounded list of frames per viewer; every frame is encoded once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from buddy.events.live import OWNER_CHANNEL, PRICE_CHANNEL, WATCHED_FOR, WATCHED_KEY

QUEUE = 200
"""Frames a slow viewer may be behind before it is dropped (it reconnects and refetches)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Frame:
    body: bytes
    event_id: int = 0


@dataclass(eq=False, slots=True)
class Viewer:
    owner_id: int
    accounts: frozenset[int]
    """Whose prices it shows."""
    symbols: frozenset[str] = frozenset()
    frames: list[Frame] = field(default_factory=list)
    is_dropped: bool = False
    _waits: asyncio.Future[None] | None = None

    def put(self, frame: Frame) -> None:
        if len(self.frames) < QUEUE:
            self.frames.append(frame)
            self._wake()
        else:
            self.drop()

    def drop(self) -> None:
        """Its stream ends as soon as it can."""
        self.is_dropped = True
        self._wake()

    async def take(self, seconds: float) -> list[Frame]:
        """All that came, waiting for up to `seconds`; nothing when nothing came, or when it is dropped.

        An `asyncio.Queue` does the same with four deques and an Event, which is most of what an idle viewer weighs.
        """
        if not self.frames and not self.is_dropped:
            loop = asyncio.get_running_loop()
            self._waits, timer = loop.create_future(), loop.call_later(seconds, self._wake)
            try:
                await self._waits
            finally:
                timer.cancel()
                self._waits = None
        taken, self.frames = self.frames, []
        return [] if self.is_dropped else taken

    def _wake(self) -> None:
        if self._waits is not None and not self._waits.done():
            self._waits.set_result(None)


class Hub:
    """Lives in the web process's event loop."""

    def __init__(self) -> None:
        self.is_listening = False
        self._viewers: dict[str, set[Viewer]] = defaultdict(set)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._announce())]

    async def stop(self) -> None:
        self.drop_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def viewer_count(self) -> int:
        return len(self._everyone())

    def viewers_of(self, owner_id: int) -> int:
        return len(self._viewers.get(f"{OWNER_CHANNEL}{owner_id}", ()))

    @contextlib.contextmanager
    def joined(self, viewer: Viewer) -> Iterator[None]:
        channels = [f"{OWNER_CHANNEL}{viewer.owner_id}", *(f"{PRICE_CHANNEL}{one}" for one in viewer.accounts)]
        for channel in channels:
            self._viewers[channel].add(viewer)
        try:
            yield
        finally:
            for channel in channels:
                self._viewers[channel].discard(viewer)
                if not self._viewers[channel]:
                    del self._viewers[channel]

    def drop_all(self) -> None:
        """Whoever missed a message must reconnect: that is when missed events are replayed."""
        for viewer in self._everyone():
            viewer.drop()

    def _everyone(self) -> set[Viewer]:
        return {viewer for channel, viewers in list(self._viewers.items()) for viewer in list(viewers)}

    async def _listen(self) -> None:
        pause = 0.1
        while True:
            try:
                async with _client() as client, client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.psubscribe(f"{OWNER_CHANNEL}*", f"{PRICE_CHANNEL}*")
                    self.is_listening, pause = True, 0.1
                    async for message in pubsub.listen():
                        self._spread(message["channel"].decode(), message["data"])
            except (RedisError, OSError) as error:
                log.warning("live feed: the store is away: %s", error)
            self.is_listening = False
            self.drop_all()
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    def _spread(self, channel: str, payload: bytes) -> None:
        viewers = self._viewers.get(channel)
        if not viewers:
            return
        frame = encode(payload)
        for viewer in viewers:
            viewer.put(frame)

    async def _announce(self) -> None:
        """Keep the store told which symbols are looked at, so that only those are priced every second."""
        while True:
            with contextlib.suppress(RedisError, OSError):
                await announce(self._everyone())
            await asyncio.sleep(WATCHED_FOR / 3)


async def announce(viewers: set[Viewer]) -> None:
    keys = {
        WATCHED_KEY.format(account_id=account, symbol=symbol)
        for viewer in viewers
        for account in viewer.accounts
        for symbol in viewer.symbols
    }
    if not keys:
        return
    async with _client() as client, client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.set(key, 1, ex=WATCHED_FOR)
        await pipe.execute()


def encode(payload: bytes) -> Frame:
    """The published message as a server-sent event; JSON holds no raw line break, so one data line is enough."""
    message = json.loads(payload)
    identity = f"id: {message['id']}\n" if message.get("id") else ""
    data = json.dumps(message["data"], separators=(",", ":"))
    return Frame(f"{identity}event: {message['name']}\ndata: {data}\n\n".encode(), message.get("id") or 0)


def _client() -> redis.asyncio.Redis:
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=3, health_check_interval=20)


hub = Hub()

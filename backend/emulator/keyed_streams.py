"""Account streams that live on a listen key, as two of the venues have them."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from .account import VenueAccount
from .events import Event
from .listen_keys import ListenKey
from .protocol import Streams
from .sockets import Channel
from .venue import Venue

LOOK = 0.5
"""Seconds between two looks whether a listen key has run out."""


class KeyedStreams(Streams):
    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        self.channels: dict[Channel, str] = {}
        """Each open socket, with the listen key it was opened on."""

    @abstractmethod
    def said(self, event: Event, account: VenueAccount) -> dict[str, Any]:
        """An account event in the venue's words."""

    @asynccontextmanager
    async def account_events(self, channel: Channel, name: str) -> AsyncIterator[None]:
        """Tell what happens to the account while its key lives. A key that is none is answered with silence."""
        key = self.keys.living.get(name)
        if key is None or not self.keys.is_alive(key):
            yield
            return
        account, expiry = key.owner.account, asyncio.create_task(self._watch(key))

        def listen(event: Event) -> None:
            if self.keys.is_alive(key):
                said = self.said(event, account)
                channel.tell(said["e"], said)

        account.listeners.append(listen)
        try:
            yield
        finally:
            account.listeners.remove(listen)
            expiry.cancel()

    @asynccontextmanager
    async def market_events(self, moved: Callable[[str], None]) -> AsyncIterator[None]:
        """`moved` hears of each symbol whose price moved."""
        self.venue.listeners.append(moved)
        try:
            yield
        finally:
            self.venue.listeners.remove(moved)

    async def _watch(self, key: ListenKey) -> None:
        while self.keys.is_alive(key):
            await asyncio.sleep(LOOK)
        self._tell_end(key.name)

    def expire(self, owner: str) -> None:
        """The listen keys of an API key run out now, and their streams are told so."""
        for gone in self.keys.close(self.venue.keys[owner]):
            self._tell_end(gone.name)

    def _tell_end(self, name: str) -> None:
        for channel in [each for each, opened in self.channels.items() if opened == name]:
            channel.tell("listenKeyExpired", {"e": "listenKeyExpired", "E": self.venue.now(), "listenKey": name})
            self.channels[channel] = ""

    def close(self) -> None:
        for channel in self.channels:
            channel.cut()

"""Leases are short, so that a dead holder's account is soon looked at again; a living holder's are renewed from here.

A thread of its own renews what this process has held for a while: a look may wait long for a slow venue without writing
anything. Whoever is frozen renews nothing and finds its lease lost; so does, after `HELD_AT_MOST`, a look that hangs.
"""

from __future__ import annotations

import logging
import time
from threading import Lock, Thread
from typing import Protocol

from django.db import DatabaseError, connections

log = logging.getLogger(__name__)

EVERY = 3.0
HELD_AT_MOST = 60.0
"""Seconds."""
ROUNDS_IDLE = 3
"""Looks come every two seconds: a thread for each would cost more than it gives."""


class Renewable(Protocol):
    def renew(self) -> object: ...


class Renewal:
    """The leases that this process holds. The thread runs only while there are any; a fork begins with its own."""

    def __init__(self, every: float = EVERY, at_most: float = HELD_AT_MOST) -> None:
        self._every, self._at_most = every, at_most
        self._lock = Lock()
        self._held: dict[int, tuple[Renewable, float]] = {}
        self._thread: Thread | None = None

    def hold(self, lease: Renewable) -> None:
        with self._lock:
            self._held[id(lease)] = (lease, time.monotonic())
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._run, name="lease-renewal", daemon=True)
                self._thread.start()

    def let_go(self, lease: Renewable) -> None:
        with self._lock:
            self._held.pop(id(lease), None)

    def _run(self) -> None:
        idle = 0
        while True:
            time.sleep(self._every)
            with self._lock:
                idle = 0 if self._held else idle + 1
                if idle >= ROUNDS_IDLE:
                    self._thread = None
                    return
                due = self._due(time.monotonic())
            for lease in due:
                _renew(lease)
            if due:
                connections.close_all()

    def _due(self, now: float) -> list[Renewable]:
        """Those held for a while: most looks are over before they need it."""
        return [lease for lease, since in self._held.values() if self._every / 2 <= now - since < self._at_most]


def _renew(lease: Renewable) -> None:
    try:
        lease.renew()
    except DatabaseError:  # the holder finds out by itself what that means
        log.warning("a lease could not be renewed", exc_info=True)

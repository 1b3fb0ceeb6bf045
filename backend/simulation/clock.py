"""The one clock of a simulated life. Nothing else in the process tells the time, sleeps or throws dice meanwhile."""

from __future__ import annotations

import heapq
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from itertools import count
from random import Random
from typing import Any
from unittest.mock import patch

from django.utils import timezone

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
EPOCH = 1_750_000_000_000
"""When lives begin: milliseconds, UTC."""


class Clock:
    """Milliseconds. What is to happen outside the product happens while its time passes, also within a call."""

    def __init__(self, now: int = EPOCH) -> None:
        self.now = now
        self.due: list[tuple[int, int, Callable[[], None]]] = []
        self._number = count()

    def at(self, moment: int, what: Callable[[], None]) -> None:
        """Have `what` happen at `moment`; of one moment in the order in which it was asked for."""
        heapq.heappush(self.due, (max(moment, self.now), next(self._number), what))

    def next(self) -> int | None:
        return self.due[0][0] if self.due else None

    def go_to(self, moment: int) -> None:
        while self.due and self.due[0][0] <= moment:
            at, _, what = heapq.heappop(self.due)
            self.now = max(self.now, at)
            what()
        self.now = max(self.now, moment)

    def sleep(self, seconds: float) -> None:
        self.go_to(self.now + max(1, round(seconds * SECOND)))

    def seconds(self) -> float:
        return self.now / SECOND


@lru_cache(maxsize=16)
def _moment(milliseconds: int, tz: tzinfo) -> datetime:
    return datetime.fromtimestamp(milliseconds // SECOND, tz).replace(microsecond=milliseconds % SECOND * 1000)


@contextmanager
def installed(clock: Clock, dice: Random) -> Iterator[None]:
    """Every clock and every dice of the process, until the block ends."""

    class Calendar(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return _moment(clock.now, tz or UTC)

    def a_uuid() -> uuid.UUID:
        return uuid.UUID(int=dice.getrandbits(128), version=4)

    replaced: list[Any] = [
        patch.object(time, "time", clock.seconds),
        patch.object(time, "time_ns", lambda: clock.now * 1_000_000),
        patch.object(time, "monotonic", clock.seconds),
        patch.object(time, "sleep", clock.sleep),
        patch.object(timezone, "datetime", Calendar),
        patch.object(uuid, "uuid4", a_uuid),
        patch.object(secrets, "randbits", dice.getrandbits),
    ]
    for each in replaced:
        each.start()
    try:
        yield
    finally:
        for each in reversed(replaced):
            each.stop()

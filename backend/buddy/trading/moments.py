"""Milliseconds in the core, datetimes in the database: the one place they meet."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OUR_CLOCKS = 5_000
"""Milliseconds that the venue's clock and ours may differ."""


def wall_ms() -> int:
    """Milliseconds since the epoch by this machine's clock."""
    return time.time_ns() // 1_000_000


def at(milliseconds: int) -> datetime:
    """The moment `milliseconds` after the epoch, exact."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def to_ms(moment: datetime) -> int:
    """Whole milliseconds since the epoch."""
    return (moment - EPOCH) // timedelta(milliseconds=1)

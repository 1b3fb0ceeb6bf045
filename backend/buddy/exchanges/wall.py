"""The wall clock, in the one unit of the core."""

from __future__ import annotations

import time


def wall() -> int:
    """Milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000

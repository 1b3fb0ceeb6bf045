"""What others ask of venues through a worker, in threads beside the worker's own: those look after stops.

A venue that answers late keeps these threads busy and no others. What is too much, or has waited longer than its asker
has, is let go: whoever still needs it asks again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any

from django.db import connections

from buddy.core.errors import CouldNotRead

log = logging.getLogger(__name__)

THREADS = 3
MOST_WAITING = 60
LATE = 10.0
"""Seconds in line after which nobody waits any more."""

_ROOM = BoundedSemaphore(THREADS + MOST_WAITING)
_POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="aside")


def ask_aside(work: Callable[..., Any], *arguments: Any) -> Future[None] | None:
    """Have `work` done soon; None when there is too much of it. That it could not read is its asker's to hear."""
    if not _ROOM.acquire(blocking=False):
        log.warning("too much is asked of venues: %s was let go", work.__name__)
        return None
    return _POOL.submit(_do, work, arguments, time.monotonic() + LATE)


def _do(work: Callable[..., Any], arguments: tuple[Any, ...], until: float) -> None:
    try:
        if time.monotonic() <= until:
            work(*arguments)
    except CouldNotRead:
        pass
    except Exception:
        log.exception("%s failed", work.__name__)
    finally:
        _ROOM.release()
        connections.close_all()

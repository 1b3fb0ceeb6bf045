"""Signs of life: heartbeats of worker and beat in the store, and in the database when each periodic task last ended."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import shared_task
from celery.signals import after_task_publish, beat_init, heartbeat_sent, task_success, worker_ready
from django.conf import settings
from django.core.cache import cache
from django.db import Error

from buddy.events import pulses

log = logging.getLogger(__name__)

WORKER_KEY, BEAT_KEY = "heartbeat:worker", "heartbeat:beat"
BEAT_BEGAN = "beat began"
HEARTBEAT = "buddy.health.heartbeat"


@worker_ready.connect
@heartbeat_sent.connect
def worker_lives(**_: Any) -> None:
    """The worker's own pulse, from its start on: it beats on when beat has stopped."""
    cache.set(WORKER_KEY, time.time(), timeout=3600)


@beat_init.connect
@after_task_publish.connect(sender=HEARTBEAT)
def beat_lives(**_: Any) -> None:
    """Beat's own pulse: only beat sends this task, and it counts when sent, so that it beats on without a worker."""
    cache.set(BEAT_KEY, time.time(), timeout=3600)


@beat_init.connect
def beat_begins(**_: Any) -> None:
    """Whatever beat starts is late at the earliest a few periods from now, however long the desk was off."""
    _write(BEAT_BEGAN, every=0)


@shared_task(name=HEARTBEAT)
def heartbeat() -> None:
    """Sent every 5 seconds; that it runs proves that the worker not only lives but works."""
    worker_lives()


def periods() -> dict[str, float]:
    """Beat's tasks by name, and how many seconds apart each is started."""
    schedule: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    return {entry["task"]: float(entry["schedule"]) for entry in schedule.values()}


def pulse_of(task: str) -> str:
    return f"task:{task}"


@worker_ready.connect
def note_tasks(**_: Any) -> None:
    """From a worker's start on."""
    task_success.connect(_ended_well)


def _ended_well(sender: Any = None, **_: Any) -> None:
    """A periodic task has run to its end."""
    if sender.name in periods():
        _write(pulse_of(sender.name))


def _write(name: str, every: float = pulses.WRITTEN_EVERY) -> None:
    """Without the database it is not told, and nothing else suffers."""
    try:
        pulses.beat(name, every=every)
    except Error as trouble:
        log.warning("that %s lives could not be written (%s)", name, type(trouble).__name__)

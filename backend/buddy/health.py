"""GET /health: the state of every part, and the heartbeats that beat and the worker leave in the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celery import shared_task
from celery.signals import after_task_publish, beat_init, heartbeat_sent, worker_ready
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from buddy.events.hub import hub
from buddy.exchanges.stream import PULSE
from buddy.store import store

WORKER_KEY, BEAT_KEY = "heartbeat:worker", "heartbeat:beat"
HEARTBEAT = "buddy.health.heartbeat"
LATE_AFTER = 20.0
"""Seconds without a heartbeat (worker's and stream's are due every 2, beat's every 5) until a part counts as down."""

Part = dict[str, Any]


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


@shared_task(name=HEARTBEAT)
def heartbeat() -> None:
    """Sent every 5 seconds; that it runs proves that the worker not only lives but works."""
    worker_lives()


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 while the web can serve (ok or degraded), 503 when it cannot."""
    found = parts()
    status = _status(found)
    return JsonResponse({"status": status, "parts": found}, status=503 if status == "down" else 200)


def parts() -> dict[str, Part]:
    return {
        "web": {"ok": True},
        "database": _part(_database),
        "store": _part(_store),
        "worker": _heartbeat(WORKER_KEY),
        "beat": _heartbeat(BEAT_KEY),
        "stream": _heartbeat(PULSE),
        "feed": _part(_feed),
    }


def _status(parts: dict[str, Part]) -> str:
    if not parts["database"]["ok"]:
        return "down"
    return "ok" if all(part["ok"] for part in parts.values()) else "degraded"


def _part(check: Callable[[], Part]) -> Part:
    """Says that a part is down, never why: /health is open to anyone who can reach us."""
    started = time.perf_counter()
    try:
        found = check()
    except Exception:  # noqa: BLE001 - whatever is wrong with a part, the answer is that it is down
        return {"ok": False}
    return {"ok": True, "ms": round((time.perf_counter() - started) * 1000, 1), **found}


def _database() -> Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {}


def _store() -> Part:
    store().ping()
    return {}


def _feed() -> Part:
    return {"viewers": hub.viewer_count, "ok": hub.is_listening}


def _heartbeat(key: str) -> Part:
    last = cache.get(key)
    if last is None:
        return {"ok": False}
    age = max(0.0, time.time() - last)
    return {"ok": age < LATE_AFTER, "age_seconds": round(age, 1)}

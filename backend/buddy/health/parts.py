"""What the desk is made of, and how each part is. Counts and ages only: nothing here names an account or an amount."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection

from buddy.backups.standing import is_wanted, standing
from buddy.events import pulses
from buddy.events.hub import hub
from buddy.exchanges.stream import PULSE as STREAM_KEY
from buddy.store import store
from buddy.trading.watchdog import ASLEEP
from buddy.trading.watchdog import PULSE as WATCHDOG

from .beats import BEAT_BEGAN, BEAT_KEY, WORKER_KEY, periods, pulse_of
from .lights import Light, age_of, by_age, seconds, worst

LATE_AFTER = timedelta(seconds=20)
"""Without a heartbeat (worker's and stream's are due every 2 s, beat's and the watchdog's every 5) a part is down."""
SOON = 10.0
"""Seconds: a task with a shorter period has run by the time anybody asks."""
MISSED = 3
"""Periods after which a task counts as late, and ten seconds more."""
QUEUES = {"watch": 40, "default": 200, "backtest": 20}
"""Tasks that may wait in each."""

Part = dict[str, Any]


def parts() -> dict[str, Part]:
    """Each with `ok`, `light` and, where there is one, the age of its last sign of life in seconds."""
    backup = {"backup": _part(_backup, "amber")} if is_wanted() else {}
    return {
        "web": {"ok": True, "light": "green"},
        "database": _part(_database, "red"),
        "store": _part(_store, "red"),
        "worker": _heartbeat(WORKER_KEY, "red"),
        "beat": _heartbeat(BEAT_KEY, "red"),
        "stream": _heartbeat(STREAM_KEY, "amber"),
        "watchdog": _part(_watchdog, "amber"),
        "feed": _part(_feed, "amber"),
        **backup,
    }


def _part(check: Callable[[], Part], down: Light) -> Part:
    """Says that a part is down, never why: /health is open to anyone who can reach us."""
    started = time.perf_counter()
    try:
        found = check()
    except Exception:  # noqa: BLE001 - whatever is wrong with a part, the answer is that it is down
        return {"ok": False, "light": down}
    ok = bool(found.pop("ok", True))
    light: Light = "green" if ok else down
    return {"ok": ok, "light": light, "ms": round((time.perf_counter() - started) * 1000, 1), **found}


def _database() -> Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {}


def _store() -> Part:
    store().ping()
    return {}


def _feed() -> Part:
    return {"viewers": hub.viewer_count, "ok": hub.is_listening}


def _heartbeat(key: str, down: Light) -> Part:
    last = cache.get(key)
    return _alive(None if last is None else age_of(datetime.fromtimestamp(last, UTC)), LATE_AFTER, down)


def _watchdog() -> Part:
    age = age_of(pulses.last([WATCHDOG]).get(WATCHDOG))
    return {"ok": age is not None and age < timedelta(seconds=ASLEEP)} | _age(age)


def _backup() -> Part:
    """By the age of what the last proven one holds: a backup that was never restored does not count."""
    found = standing()
    return {"ok": found.ok} | _age(found.age)


def _alive(age: timedelta | None, late: timedelta, down: Light) -> Part:
    ok = age is not None and age < late
    light: Light = "green" if ok else down
    return {"ok": ok, "light": light} | _age(age)


def _age(age: timedelta | None) -> Part:
    return {} if age is None else {"age_seconds": seconds(age)}


# --- what beat starts, and what waits ---


def tasks() -> dict[str, Part]:
    """Beat's tasks: how long ago each last ended well. Those that keep stops are red when late. Raises Error."""
    every = periods()
    told = pulses.last([BEAT_BEGAN, *(pulse_of(task) for task in every)])
    began = age_of(told.get(BEAT_BEGAN))
    return {task: _task(task, period, age_of(told.get(pulse_of(task))), began) for task, period in every.items()}


def _task(task: str, period: float, age: timedelta | None, began: timedelta | None) -> Part:
    """One with a long period counts from when beat began, where that is later: the desk may have been off."""
    late = timedelta(seconds=MISSED * period + pulses.WRITTEN_EVERY + SOON)
    down: Light = "red" if task.endswith(".watch_all") else "amber"
    counted = min(age, began) if age and began and period > SOON else age
    light = by_age(counted, late, never="amber" if period < SOON else "green")
    return {"light": down if light == "amber" else light, "age_seconds": seconds(age), "period_seconds": period}


def queues() -> dict[str, Part]:
    """How many tasks wait. Raises redis.RedisError."""
    told = {name: int(store().llen(name)) for name in QUEUES}
    return {name: {"waiting": n, "light": "amber" if n > QUEUES[name] else "green"} for name, n in told.items()}


def light_of(*groups: dict[str, Part]) -> Light:
    return worst(part["light"] for group in groups for part in group.values())

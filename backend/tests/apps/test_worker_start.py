"""What a worker loads before it takes its first task: nothing that only some tasks need."""

from __future__ import annotations

import subprocess
import sys

from buddy.settings import BACKEND

LATER = ("buddy.urls", "drf_spectacular.views", "polars", "ccxt", "requests")
"""Every address with all that stands behind it; the library that reads recordings; the one that speaks to venues."""
START = """
import sys
from celery.fixups.django import DjangoWorkerFixup
from buddy.celery import app
DjangoWorkerFixup(app).validate_models()
app.loader.import_default_modules()
print(*(name for name in sys.argv[1:] if name in sys.modules))
print(*sorted(name for name in app.tasks if name.startswith("buddy.")))
"""


def test_a_worker_starts_without_what_only_some_tasks_need() -> None:
    command = [sys.executable, "-c", START, *LATER]
    told = subprocess.run(command, cwd=BACKEND, capture_output=True, text=True, check=True)
    loaded, tasks = told.stdout.splitlines()
    assert loaded == ""
    assert {"buddy.trading.tasks.watch_all", "buddy.health.heartbeat"} <= set(tasks.split())

"""/health tells each part's state, and nothing that a stranger could use."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery.signals import after_task_publish, beat_init, heartbeat_sent, worker_ready
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from buddy import health
from buddy.events.hub import hub
from buddy.exchanges.stream import PULSE
from buddy.store import store as client
from tests.conftest import PASSWORD


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "is_listening", True)


def asked() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/health")
    return answer.status_code, answer.json()


def test_all_is_well_once_beat_and_worker_have_beaten(db: None, listening: None) -> None:
    worker_ready.send(sender="worker")
    beat_init.send(sender="beat")
    cache.set(PULSE, time.time())
    status, found = asked()
    assert (status, found["status"]) == (200, "ok")
    assert set(found["parts"]) == {"web", "database", "store", "worker", "beat", "stream", "feed"}


def test_without_a_heartbeat_it_is_degraded_but_serves(db: None, listening: None) -> None:
    status, found = asked()
    assert (status, found["status"]) == (200, "degraded")
    assert not found["parts"]["worker"]["ok"]


def test_a_beat_that_stopped_is_told_apart_from_a_worker_that_stopped(db: None, listening: None) -> None:
    cache.set(health.BEAT_KEY, time.time() - 60)
    heartbeat_sent.send(sender="worker")
    assert lives() == {"beat": False, "worker": True}


def test_a_worker_that_stopped_is_told_apart_from_a_beat_that_stopped(db: None, listening: None) -> None:
    cache.set(health.WORKER_KEY, time.time() - 60)
    health.heartbeat.apply_async(queue="nobody-listens")
    assert lives() == {"beat": True, "worker": False}


def test_a_task_of_another_kind_says_nothing_about_beat(db: None, listening: None) -> None:
    after_task_publish.send(sender="buddy.trading.tasks.watch_all")
    assert lives() == {"beat": False, "worker": False}


def test_a_worker_that_carries_out_the_heartbeat_works(db: None, listening: None) -> None:
    health.heartbeat()
    assert lives() == {"beat": False, "worker": True}


def test_a_real_worker_and_a_real_beat_are_told_apart(db: None, store: str) -> None:
    with celery(store, "worker", "--pool", "threads", "--concurrency", "1", "--queues", "nothing-comes-here"):
        assert within(60, lambda: lives() == {"beat": False, "worker": True})
    cache.clear()
    with celery(store, "beat", "--schedule", str(Path(settings.DATA_DIR) / "beat"), "--pidfile", ""):
        assert within(60, lambda: lives() == {"beat": True, "worker": False})


@contextmanager
def celery(store: str, *words: str) -> Iterator[None]:
    """A process of its own on the test's store."""
    ours = {**os.environ, "DATA_DIR": str(settings.DATA_DIR), "REDIS_URL": store, "ENV_FILE": "/dev/null"}
    process = subprocess.Popen([sys.executable, "-m", "celery", "--app", "buddy", *words], env=ours)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def within(seconds: float, so: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not so():
        time.sleep(0.1)
    return so()


def lives() -> dict[str, bool]:
    return {part: bool(asked()[1]["parts"][part]["ok"]) for part in ("beat", "worker")}


def test_a_store_that_is_down_is_said_without_its_address(db: None, listening: None, settings: Any) -> None:
    without_store(settings)
    status, found = asked()
    client.cache_clear()
    assert (status, found["status"], found["parts"]["store"]) == (200, "degraded", {"ok": False})


def test_the_api_serves_on_without_the_store(api: Any, settings: Any) -> None:
    without_store(settings)
    assert api.get("/api/v1/me").status_code == 200
    client.cache_clear()


def test_nobody_can_guess_passwords_while_the_store_is_away(alice: Any, settings: Any) -> None:
    without_store(settings)
    body = {"email": alice.email, "password": PASSWORD}
    answer = Client().post("/_allauth/browser/v1/auth/login", body, content_type="application/json")
    assert answer.status_code != 200
    client.cache_clear()


def without_store(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/secret.sock"
    settings.CACHES = {"default": {"BACKEND": "buddy.cache.Cache", "LOCATION": settings.REDIS_URL}}
    client.cache_clear()

"""/health tells each part's state, and nothing that a stranger could use."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.signals import after_task_publish, beat_init, heartbeat_sent, task_success, worker_ready
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from buddy import health
from buddy.events import pulses
from buddy.events.hub import hub
from buddy.events.models import Pulse
from buddy.exchanges import pace
from buddy.exchanges.stream import PULSE
from buddy.exchanges.tasks import fetch
from buddy.health import beats
from buddy.health.beats import periods, pulse_of
from buddy.store import store as client
from buddy.trading.watchdog import Watchdog
from tests.apps.records import account_of, still_open
from tests.conftest import PASSWORD


@pytest.fixture(autouse=True)
def _nothing_was_written_yet() -> None:
    pulses._WRITTEN.clear()


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
    Watchdog().round()
    ended(*periods())
    status, found = asked()
    assert (status, found["status"], found["light"]) == (200, "ok", "green")
    assert set(found["parts"]) == {"web", "database", "store", "worker", "beat", "stream", "watchdog", "feed"}
    assert found["queues"] == {name: {"waiting": 0, "light": "green"} for name in ("watch", "default", "backtest")}


def ended(*tasks: str, ago: float = 0) -> None:
    """These periodic tasks have ended well so many seconds ago."""
    for task in tasks:
        at = timezone.now() - timedelta(seconds=ago)
        Pulse.objects.update_or_create(name=pulse_of(task), defaults={"at": at})


@pytest.mark.parametrize(
    ("task", "light"), [("watch_all", "red"), ("tick", "amber"), ("warn_of_refused_keys", "amber")]
)
def test_a_periodic_task_that_stopped_shows_by_its_own_period(db: None, listening: None, task: str, light: str) -> None:
    name = f"buddy.trading.tasks.{task}"
    ended(name, ago=periods()[name] * 2)
    assert asked()[1]["tasks"][name]["light"] == "green"
    ended(name, ago=periods()[name] * 3 + 25)
    told = asked()[1]["tasks"][name]
    assert (told["light"], told["period_seconds"]) == (light, periods()[name])
    assert told["age_seconds"] >= periods()[name] * 3 + 25


def test_after_a_night_off_slow_work_is_not_late_before_it_had_its_turn(db: None, listening: None) -> None:
    slow, fast = "buddy.trading.tasks.forget_old_calls", "buddy.trading.tasks.watch_all"
    ended(slow, fast, ago=12 * 3600)
    beat_init.send(sender="beat")
    told = asked()[1]["tasks"]
    assert (told[slow]["light"], told[fast]["light"]) == ("green", "red")
    assert told[slow]["age_seconds"] >= 12 * 3600
    Pulse.objects.filter(name=beats.BEAT_BEGAN).update(at=timezone.now() - timedelta(hours=4))
    assert asked()[1]["tasks"][slow]["light"] == "amber"


def test_a_worker_says_which_of_beats_tasks_it_has_done(db: None) -> None:
    worker_ready.send(sender="worker")
    try:
        task_success.send(sender=health.heartbeat)
        task_success.send(sender=fetch)
        assert list(Pulse.objects.filter(name__startswith="task:").values_list("name", flat=True)) == [
            "task:buddy.health.heartbeat"
        ]
    finally:
        task_success.disconnect(beats._ended_well)


def test_a_watchdog_that_stopped_shows(db: None, listening: None) -> None:
    Watchdog().round()
    assert asked()[1]["parts"]["watchdog"]["ok"]
    Pulse.objects.update(at=timezone.now() - timedelta(seconds=25))
    told = asked()[1]["parts"]["watchdog"]
    assert (told["ok"], told["light"]) == (False, "amber")


def test_what_waits_in_a_queue_is_counted(db: None, listening: None) -> None:
    client().rpush("watch", *range(41))
    assert asked()[1]["queues"]["watch"] == {"waiting": 41, "light": "amber"}
    client().delete("watch")


@pytest.mark.parametrize(("seconds", "light"), [(5, "green"), (25, "amber"), (61, "red")])
def test_an_account_with_trades_shows_when_it_was_last_read(
    alice: Any, api: Any, listening: None, seconds: float, light: str
) -> None:
    account = account_of(alice, "Secret name", good_look_at=timezone.now() - timedelta(seconds=seconds))
    still_open(account)
    pace.told([account.pk])
    told = asked()[1]["accounts"]
    assert (told["light"], told["watched"], told["late"]) == (light, 1, int(light != "green"))
    assert seconds <= told["oldest_look_seconds"] < seconds + 30
    assert told["last_event_seconds"] < 30
    (mine,) = api.get("/api/v1/health").json()["accounts"]
    assert (mine["name"], mine["light"], mine["trades"]) == ("Secret name", light, 1)


def test_a_stranger_learns_counts_and_ages_only(alice: Any, listening: None) -> None:
    account = account_of(alice, "Secret name", good_look_at=timezone.now(), trouble="Secret trouble")
    still_open(account)
    assert "Secret" not in Client().get("/health").content.decode()
    assert Client().get("/api/v1/health").status_code == 401


def test_the_accounts_of_others_are_theirs(bob: Any, api: Any, listening: None) -> None:
    still_open(account_of(bob, "Bobs", good_look_at=None))
    assert api.get("/api/v1/health").json()["accounts"] == []


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
    assert (status, found["status"], found["parts"]["store"]) == (200, "degraded", {"ok": False, "light": "red"})


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

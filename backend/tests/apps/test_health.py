"""/health tells each part's state, and nothing that a stranger could use."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from buddy import health
from buddy.events.hub import hub
from buddy.store import store as client
from tests.conftest import PASSWORD


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "is_listening", True)


def asked() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/health")
    return answer.status_code, answer.json()


def test_all_is_well_once_beat_and_worker_have_beaten(db: None, listening: None) -> None:
    health.heartbeat()
    status, found = asked()
    assert (status, found["status"]) == (200, "ok")
    assert set(found["parts"]) == {"web", "database", "store", "worker", "beat", "feed"}


def test_without_a_heartbeat_it_is_degraded_but_serves(db: None, listening: None) -> None:
    status, found = asked()
    assert (status, found["status"]) == (200, "degraded")
    assert not found["parts"]["worker"]["ok"]


def test_a_beat_that_stopped_is_told_apart_from_a_worker_that_stopped(db: None, listening: None) -> None:
    cache.set(health.BEAT_KEY, time.time() - 60)
    health.worker_lives()
    _, found = asked()
    assert (found["parts"]["beat"]["ok"], found["parts"]["worker"]["ok"]) == (False, True)


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

"""What happened is written with the change it tells of, and told once that is committed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from buddy.events import live
from buddy.events.models import Event
from buddy.events.record import record
from buddy.store import store as client


@pytest.fixture
def heard(store: str) -> Any:
    """Messages that reached the store since the last call."""
    listener = client().pubsub(ignore_subscribe_messages=True)
    listener.psubscribe("live:*")
    listener.get_message(timeout=1)

    def messages() -> list[str]:
        return [message["data"] for message in iter(lambda: listener.get_message(timeout=0.3), None)]

    yield messages
    listener.close()


@pytest.fixture
def user(transactional_db: None, django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("a@example.org")


def test_an_event_is_told_after_commit_and_not_before(user: Any, heard: Any) -> None:
    with transaction.atomic():
        record(owner_id=user.pk, kind="trade_opened", text="Opened.", trade_id=7)
        assert heard() == []
    (message,) = heard()
    assert '"trade":7' in message


def test_what_is_rolled_back_never_happened(user: Any, heard: Any) -> None:
    with transaction.atomic():
        record(owner_id=user.pk, kind="trade_opened", text="Opened.")
        transaction.set_rollback(True)
    assert heard() == []
    assert not Event.objects.exists()


def test_a_store_that_is_down_never_stops_a_trade(alice: Any, settings: Any) -> None:
    client.cache_clear()
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    try:
        live.publish(alice.pk, "trade", {"trade": 1})
        assert live.watched(1) == set()
    finally:
        client.cache_clear()


def test_the_timeline_is_newest_first_cut_into_pages_and_filtered(api: Any, alice: Any) -> None:
    for number in range(5):
        record(owner_id=alice.pk, kind="notice", text=f"n{number}", account_id=1 + number % 2, time_ms=number * 1000)
    first = api.get("/api/v1/events?limit=3").json()
    rest = api.get("/api/v1/events", {"limit": 3, "cursor": first["next"]}).json()
    assert [event["text"] for event in first["results"] + rest["results"]] == ["n4", "n3", "n2", "n1", "n0"]
    assert rest["next"] is None
    assert [event["text"] for event in api.get("/api/v1/events?account=2").json()["results"]] == ["n3", "n1"]
    assert first["results"][0]["time"] == "1970-01-01T00:00:04Z"


def test_a_timeline_is_its_owners_alone(api: Any, bob: Any, stranger: Any) -> None:
    record(owner_id=bob.pk, kind="notice", text="bob's")
    assert api.get("/api/v1/events").json()["results"] == []
    assert stranger.get("/api/v1/events").status_code == 401


def test_an_event_cannot_be_changed_or_removed(api: Any, alice: Any) -> None:
    event = record(owner_id=alice.pk, kind="notice", text="as it was")
    for method in ("put", "patch", "delete", "post"):
        assert getattr(api, method)(f"/api/v1/events/{event.pk}").status_code in (404, 405)
    assert Event.objects.get().text == "as it was"

"""An account is looked at seldom while its stream is heard and nothing waits for a price, else in every round."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from buddy.exchanges import pace
from buddy.store import store as the_store
from buddy.trading.models import Order
from buddy.trading.rounds import look_when_asked, with_work
from tests.flow.at_a_venue import BTC, Place, place, stand_in, venue

__all__ = ["place", "stand_in", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)


def opened(api: Any, place: Place, **more: Any) -> None:
    plan = {
        "symbol": BTC,
        "entries": [{"kind": "market"}],
        "stop": {"price": "99000"},
        "take_profits": [{"price": "101000", "share": "0.5"}, {"price": "102000", "share": "0.5"}],
        "risk": {"money": "100"},
    } | more
    body, key = {"account": place.account.pk, "plan": plan}, {"Idempotency-Key": uuid.uuid4().hex}
    answer = api.post("/api/v1/trades", body, format="json", headers=key)
    assert answer.status_code == 201, answer.json()
    place.look(2)


def is_left_alone(place: Place) -> bool:
    return with_work() == []


def test_what_is_covered_and_heard_is_left_alone_for_a_moment(api: Any, place: Place) -> None:
    opened(api, place, rules={"break_even": {"after": {"take_profit": 1}, "cover": "costs"}})
    assert not is_left_alone(place), "nobody listens"
    pace.heard([place.account.pk])
    assert is_left_alone(place)
    assert 0 < the_store().ttl(f"calm:{place.account.pk}") <= pace.CALM_FOR
    assert 0 < the_store().ttl(f"heard:{place.account.pk}") <= pace.HEARD_FOR
    pace.lost(place.account.pk)
    assert not is_left_alone(place), "its stream is gone"


def test_an_event_is_a_look_at_once_all_the_same(api: Any, place: Place) -> None:
    opened(api, place, rules={"break_even": {"after": {"take_profit": 1}, "cover": "costs"}})
    pace.heard([place.account.pk])
    first = Order.objects.get(role="stop", status="open")
    place.go("101100")
    look_when_asked(place.account.pk)
    assert Order.objects.get(role="stop", status="open").pk != first.pk


@pytest.mark.parametrize(
    "plan",
    [
        {"rules": {"trail": {"after": {"r": "1"}, "percent": "1"}}},
        {"rules": {"break_even": {"after": {"r": "1"}, "cover": "costs"}}},
        {"rules": {"close_after_minutes": 600}},
        {"entries": [{"kind": "limit", "price": "99900"}]},
    ],
    ids=["trailing-stop", "break-even-at-a-price", "a-time", "an-entry-that-may-fill"],
)
def test_what_waits_for_more_than_the_venue_is_looked_at_without_rest(
    api: Any, place: Place, plan: dict[str, Any]
) -> None:
    opened(api, place, **plan)
    pace.heard([place.account.pk])
    assert not is_left_alone(place)


def test_a_stop_that_is_gone_ends_the_rest(api: Any, place: Place) -> None:
    opened(api, place)
    pace.heard([place.account.pk])
    assert is_left_alone(place)
    place.hand.fault("drop_before", method="POST", path="/fapi/v1/algoOrder", times=50)
    place.hand.cancel_all(place.key)
    look_when_asked(place.account.pk)
    assert not is_left_alone(place)


def test_an_account_that_cannot_be_read_is_looked_at_without_rest(api: Any, place: Place) -> None:
    opened(api, place)
    pace.heard([place.account.pk])
    place.hand.set_maintenance()
    look_when_asked(place.account.pk)
    assert not is_left_alone(place)


def test_without_the_store_every_round_looks(api: Any, place: Place, settings: Any, monkeypatch: Any) -> None:
    opened(api, place)
    pace.heard([place.account.pk])
    the_store.cache_clear()
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    try:
        assert with_work() == [place.account.pk]
    finally:
        monkeypatch.undo()
        the_store.cache_clear()

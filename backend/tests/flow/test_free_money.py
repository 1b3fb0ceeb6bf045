"""What is free after an entry at a venue is asked for anew: the next ticket is not sized by the money of before."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest

from buddy.events import live
from tests.flow.at_a_venue import BTC, Place, place, stand_in, venue

__all__ = ["place", "stand_in", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
PLAN = {"symbol": BTC, "entries": [{"kind": "market"}], "stop": {"price": "99000"}, "risk": {"money": "50"}}


def free(api: Any, place: Place) -> Decimal:
    """As a ticket shows it."""
    answer = api.post("/api/v1/plans/preview", {"account": place.account.pk, "plan": PLAN}, format="json")
    return D(answer.json()["capital"]["free"])


def test_a_ticket_right_after_an_entry_shows_what_is_free_then(
    api: Any, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(live, "publish", lambda *what, **more: told.append(what[1]))
    before = free(api, place)
    body = {"account": place.account.pk, "plan": PLAN}
    answer = api.post("/api/v1/trades", body, format="json", headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.status_code == 201, answer.json()
    told_of_free = D(place.books().told["balance"]["free"])
    assert told_of_free < before - 100
    assert free(api, place) == told_of_free
    assert told[-1] == "account"

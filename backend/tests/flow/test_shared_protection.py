"""Two trades on one side, and one attached stop for the whole position: both end, each with its own."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest

from buddy.trading.models import Fill, Trade
from tests.apps.trading_rig import kinds
from tests.flow.at_a_venue import BTC, Place, place, stand_in

__all__ = ["place", "stand_in"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal


@pytest.fixture
def venue() -> str:
    return "bybit"


def opened(api: Any, place: Place, price: str, stop: str, quantity: str, **more: Any) -> Trade:
    plan = {"symbol": BTC, "entries": [{"price": price}], "stop": {"price": stop}, "risk": {"quantity": quantity}}
    body, key = {"account": place.account.pk, "plan": plan | more}, {"Idempotency-Key": uuid.uuid4().hex}
    answer = api.post("/api/v1/trades", body, format="json", headers=key)
    assert answer.status_code == 201, answer.json()
    return Trade.objects.get(pk=answer.json()["id"])


def assert_both_ended(place: Place, older: Trade, younger: Trade, reason: str) -> None:
    books = place.books()
    assert (books.held, books.resting) == (0, [])
    for trade in (older, younger):
        trade.refresh_from_db()
        assert (trade.status, trade.exit_reason, trade.mismatch_since) == ("closed", reason, None)
        assert "external_fill" not in kinds(trade)
    assert older.net + younger.net == books.wallet - 10_000
    assert not Fill.objects.filter(trade=None).exists()
    sold = Fill.objects.filter(order_side="sell").order_by("trade").values_list("trade", "quantity")
    assert list(sold) == [(older.pk, D("0.02")), (younger.pk, D("0.03"))]


@pytest.mark.parametrize("stops", [("99000", "98500"), ("98500", "99000")])
def test_the_attached_stop_closes_both_before_the_first_look(api: Any, place: Place, stops: tuple[str, str]) -> None:
    older = opened(api, place, "99800", stops[0], "0.02")
    younger = opened(api, place, "99700", stops[1], "0.03")
    place.go("99700", "98400")
    place.look(3)
    assert_both_ended(place, older, younger, "stop_loss")


def test_a_trade_that_entered_earlier_is_closed_by_the_stop_of_the_next_one(api: Any, place: Place) -> None:
    """The older one's own stop rests, further away."""
    older = opened(api, place, "99800", "98000", "0.02")
    place.go("99800")
    place.look(2)
    younger = opened(api, place, "99700", "99000", "0.03")
    place.go("99700", "98900")
    place.look(3)
    assert_both_ended(place, older, younger, "stop_loss")

"""Hedge mode: a long and a short of one symbol side by side, each managed and journalled by itself."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest

from buddy.exchanges.models import VenueFacts
from buddy.trading.models import Fill, Trade
from tests.apps.trading_rig import kinds
from tests.flow.at_a_venue import BTC, Place, place, stand_in

__all__ = ["place", "stand_in"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal


@pytest.fixture(params=["binance", "bybit"])
def venue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _hedged(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buddy.exchanges.ccxt_history.INCOME_EVERY", 0)
    place.hand.set_position_mode(place.key, True)
    place.account.position_mode = "hedge"
    place.account.save(update_fields=["position_mode"])
    VenueFacts.objects.create(account=place.account, position_mode="hedge")


def opened(api: Any, place: Place, stop: str, quantity: str, *targets: str) -> Trade:
    """At market; half of it leaves at each target, and the stop goes to the entry after the first."""
    document = {
        "symbol": BTC,
        "entries": [{"kind": "market"}],
        "stop": {"price": stop},
        "risk": {"quantity": quantity},
        "take_profits": [{"price": price, "share": "0.5"} for price in targets],
        "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "entry"}},
    }
    body, key = {"account": place.account.pk, "plan": document}, {"Idempotency-Key": uuid.uuid4().hex}
    answer = api.post("/api/v1/trades", body, format="json", headers=key)
    assert answer.status_code == 201, str(answer.json())
    return Trade.objects.get(pk=answer.json()["id"])


def test_a_long_and_a_short_of_one_symbol_from_wish_to_journal(api: Any, place: Place) -> None:
    long = opened(api, place, "98000", "0.04", "101000", "104000")
    short = opened(api, place, "103000", "0.02", "99000", "97000")
    place.look(2)
    assert sides(place) == {"LONG": D("0.04"), "SHORT": D("-0.02")}
    assert stops(place) == {"LONG": D("0.04"), "SHORT": D("0.02")}
    place.hand.fund(BTC, "0.0001")
    place.go("101000")  # the long's first target; its stop goes to the entry
    place.look(3)
    assert sides(place) == {"LONG": D("0.02"), "SHORT": D("-0.02")}
    assert stops(place) == {"LONG": D("0.02"), "SHORT": D("0.02")}
    place.go("99000")  # the long's stop on the way, and the short's first target
    place.look(4)
    place.go("100100")
    place.look(4)
    books = place.books()
    assert (books.told["positions"], books.resting) == ([], [])
    for trade in (long, short):
        trade.refresh_from_db()
        assert (trade.status, trade.exit_reason) == ("closed", "break_even")
        assert "external_fill" not in kinds(trade)
        assert "notice" not in kinds(trade)
    assert not Fill.objects.filter(trade=None).exists()
    assert (long.entered_quantity, short.entered_quantity) == (D("0.04"), D("0.02"))
    assert (long.funding, short.funding) == (D("-0.4"), D("0.2"))
    assert long.net + short.net == books.wallet - 10_000


def sides(place: Place) -> dict[str, Decimal]:
    return {held["position_side"]: D(held["quantity"]) for held in place.books().told["positions"]}


def stops(place: Place) -> dict[str, Decimal]:
    resting = [order["wish"] for order in place.books().resting]
    return {wish["position_side"]: D(wish["quantity"]) for wish in resting if wish["trigger"] is not None}

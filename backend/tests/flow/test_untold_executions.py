"""The venue says that orders have filled and does not tell their executions: the trade ends all the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from buddy.events.models import Event
from buddy.trading.models import Fill
from tests.flow.at_a_venue import Place, place, stand_in
from tests.flow.test_over_the_wire import Story

__all__ = ["place", "stand_in"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
LISTS = {"binance": "*/userTrades", "bingx": "*/fillHistory"}


@pytest.fixture(params=list(LISTS))
def venue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buddy.trading.settling.AFTER_MS", 200)
    monkeypatch.setattr("buddy.exchanges.ccxt_history.AT_LEAST_EVERY", 0)


def test_a_trade_goes_by_its_orders_until_the_executions_are_told(api: Any, place: Place, venue: str) -> None:
    story = Story(place, api, 1)
    story.step("open")
    place.hand.fault("empty", path=LISTS[venue], times=None)
    for name in ("part", "whole", "target", "end"):
        story.step(name)
    trade, books = story.trade, place.books()
    assert (trade.status, trade.exit_reason, books.held, books.resting) == ("closed", "break_even", 0, [])
    assert not Fill.objects.filter(from_record=False).exists()
    assert abs(trade.net - (books.wallet - 10_000)) < 1  # its fees are estimates
    assert Event.objects.filter(trade_id=trade.pk, data__from_record=True).count() == 4
    place.hand.clear_faults()
    place.look(2)
    assert not Fill.objects.filter(from_record=True).exists()
    story.assert_ended_well()

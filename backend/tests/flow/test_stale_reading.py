"""A venue that cannot be read: nothing is entered on its old word, and whatever leaves or protects goes on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from buddy.core.errors import Denied
from buddy.exchanges.models import Account
from buddy.trading import executor
from buddy.trading.models import Order, Trade
from tests.flow.at_a_venue import BTC, Place, place, stand_in, venue

__all__ = ["place", "stand_in", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
POSITIONS = "/fapi/*/positionRisk"


def plan(stop: str = "99000") -> dict[str, object]:
    return {
        "symbol": BTC,
        "entries": [{"kind": "market"}],
        "stop": {"price": stop},
        "take_profits": [{"price": "102000", "share": "1"}],
        "risk": {"money": "100"},
    }


@pytest.fixture
def stale(place: Place) -> Place:
    """A trade is open, and for two minutes nobody could read what is held."""
    executor.open_trade(place.account, plan())
    place.hand.fault("status_before", method="GET", path=POSITIONS, times=None, status=500)
    Account.objects.update(good_look_at=timezone.now() - timedelta(minutes=2, seconds=5))
    place.look()
    return place


def stop_of(trade: Trade) -> Decimal:
    trigger = Order.objects.get(trade=trade, role="stop", status="open").trigger
    assert trigger is not None
    return trigger


def test_entries_are_refused_with_the_account_and_the_age(stale: Place) -> None:
    stale.account.refresh_from_db()
    with pytest.raises(Denied) as refused:
        executor.open_trade(stale.account, plan())
    assert "At the venue cannot be read" in str(refused.value)
    assert "last been read 2 min ago" in str(refused.value)
    assert Trade.objects.count() == 1


def test_a_close_is_taken_and_carried_out_as_soon_as_it_can_be(stale: Place) -> None:
    trade = executor.close(Trade.objects.get(), Decimal(1))
    assert (trade.status, Decimal(trade.directives["reduce_to"])) == ("open", 0)
    stale.hand.clear_faults()
    stale.look(2)
    trade.refresh_from_db()
    assert (trade.status, trade.exit_reason, stale.books().held) == ("closed", "manual", 0)
    assert stale.books().resting == []


def test_a_stop_is_moved_as_soon_as_it_can_be(stale: Place) -> None:
    trade = Trade.objects.get()
    executor.amend_plan(trade, plan("99500"))
    stale.hand.clear_faults()
    stale.look()
    assert stop_of(trade) == Decimal(99_500)


def test_the_stop_that_rests_goes_on_resting(stale: Place) -> None:
    stale.go("98900")
    assert stale.books().held == 0

"""Whoever places a stop dies, and it takes longer than a position may be naked until another looks.

What nobody could do meanwhile closes no position: the stop is looked for, and placed. What fails then closes it.
"""

from __future__ import annotations

from typing import Any

import pytest

from buddy.core.exchange import OrderIntent, OrderState, Profile
from buddy.exchanges.models import Account
from buddy.trading.executor import open_trade
from buddy.trading.models import Order, Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import long_plan
from tests.exchanges.venue_like import VenueLike, account, venue
from tests.faults.faulty import is_stop

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
LONGER_MS = 30_000


class Dies(BaseException):
    """Past every except of the product, as a SIGKILL."""


def dies(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Dies


def dies_when_placed(venue: VenueLike, intent: OrderIntent) -> OrderState:
    venue.accept(intent)
    raise Dies


def is_lost(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise ConnectionError("no answer")


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch, venue: VenueLike) -> None:
    monkeypatch.setattr("buddy.trading.watcher.PATIENCE", (0.05, 0.15))
    monkeypatch.setattr("buddy.trading.absence.STOP_AGAIN_MS", 20)
    venue.profile = Profile("venue", settle_ms=20)


def entered_and_died(account: Account, venue: VenueLike, how: Any) -> Trade:
    """It has entered, its stop was on its way, and nobody has looked for longer than a position may be naked."""
    trade = open_trade(account, long_plan())
    venue.drop(how, is_stop)
    venue.go(100_000)
    with pytest.raises(Dies):
        look(account.pk)
    assert venue.held() > 0
    Account.objects.filter(pk=account.pk).update(lease_until=0)
    venue.time += LONGER_MS
    venue.go(100_010)
    return trade


def roles(trade: Trade) -> list[str]:
    """Of the orders that rest."""
    return sorted(Order.objects.filter(trade=trade, status="open").values_list("role", flat=True))


@pytest.mark.parametrize("how", [dies, dies_when_placed])
def test_the_stop_is_found_or_placed_and_the_position_stays(account: Account, venue: VenueLike, how: Any) -> None:
    trade = entered_and_died(account, venue, how)
    look(account.pk, seconds=5)
    assert "stop" in roles(trade)
    assert venue.held() > 0
    assert not Order.objects.filter(trade=trade, role="close").exists()
    assert len([intent for intent in venue.sent if is_stop(intent)]) <= 2


def test_one_that_is_sent_again_and_lost_again_closes_the_position(account: Account, venue: VenueLike) -> None:
    trade = entered_and_died(account, venue, dies)
    venue.drop(is_lost, is_stop, times=9)
    look(account.pk, seconds=5)
    look(account.pk, seconds=5)
    trade.refresh_from_db()
    assert venue.held() == 0
    assert (trade.status, trade.exit_reason) == ("closed", "unprotected")


def test_one_that_cannot_be_looked_for_closes_the_position(account: Account, venue: VenueLike) -> None:
    trade = entered_and_died(account, venue, dies)
    venue.cannot_find = True
    look(account.pk, seconds=5)
    assert venue.held() == 0
    venue.cannot_find = False
    look(account.pk, seconds=5)
    trade.refresh_from_db()
    assert trade.exit_reason == "unprotected"

"""A list of positions that lags behind executions: what a trade has just left is not nobody's, nor sold again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from buddy.core.exchange import PositionState, Profile, Reading
from buddy.core.market import Side
from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.trading.executor import close, open_trade
from buddy.trading.models import ForeignPosition, Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import long_plan, resting
from tests.exchanges.venue_like import SECOND, SYMBOL, VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
SETTLES = 15 * SECOND
AT_MARKET = {"entries": [{"kind": "market"}], "risk": {"quantity": "0.1"}}
OWN_HAND = D("0.1")


@pytest.fixture(autouse=True)
def _reads_lag(venue: VenueLike) -> None:
    venue.profile = Profile("late", settle_ms=SETTLES)
    venue.set_up(SYMBOL, D(20), "isolated")


def again(trade: Trade, looks: int = 2) -> Trade:
    for _ in range(looks):
        assert not look(trade.account_id, seconds=0).trouble
    trade.refresh_from_db()
    return trade


def entered(account: Account, **changes: Any) -> Trade:
    return again(open_trade(account, long_plan(**AT_MARKET | changes)))


def passes(venue: VenueLike, seconds: int) -> None:
    """For the venue, and since a position was seen first."""
    venue.time += seconds * SECOND
    for row in ForeignPosition.objects.all():
        row.first_seen -= timedelta(seconds=seconds)
        row.save()


def as_now(venue: VenueLike) -> Callable[[Reading], Reading]:
    """From here on the list of positions stands still."""
    before = venue.sim.read([SYMBOL], "").positions
    return lambda reading: replace(reading, positions=before)


def ignored_beside(account: Account, venue: VenueLike) -> None:
    """A long of the trader's own hand."""
    venue.hand("buy", "market", OWN_HAND)
    assert not look(account.pk, seconds=0).trouble
    ForeignPosition.objects.update(ignored=True)


def nobodys() -> list[Decimal]:
    return [row.quantity for row in ForeignPosition.objects.filter(confirmed=True)]


def told() -> bool:
    return Event.objects.filter(kind="foreign_position").exists()


def test_what_a_trade_has_just_left_is_not_nobodys_while_the_list_may_be_late(
    account: Account, venue: VenueLike
) -> None:
    trade = entered(account)
    venue.altered = as_now(venue)
    venue.go(99_000)
    assert again(trade).status == "closed"
    for _ in range(2):
        passes(venue, 4)
        again(trade)
        assert (nobodys(), told()) == ([], False)
    venue.altered = lambda reading: reading
    again(trade)
    ForeignPosition.objects.update(gone_since=timezone.now() - timedelta(seconds=6))
    again(trade)
    assert (ForeignPosition.objects.count(), told()) == (0, False)


def test_what_an_order_of_ours_says_has_left_is_not_nobodys_though_its_execution_is_told_later(
    account: Account, venue: VenueLike
) -> None:
    trade = entered(account)
    venue.altered, venue.lag = as_now(venue), 50
    close(trade, D(1))
    for _ in range(2):
        passes(venue, 3)
        again(trade)
        assert (nobodys(), told()) == ([], False)
    venue.altered, venue.lag = (lambda reading: reading), 0
    assert again(trade).status == "closed"


def test_what_is_still_listed_when_no_list_can_be_late_any_more_is_nobodys(account: Account, venue: VenueLike) -> None:
    trade = entered(account)
    venue.altered = as_now(venue)
    venue.go(99_000)
    again(trade)
    passes(venue, SETTLES // SECOND + 1)
    again(trade)
    assert (nobodys(), told()) == ([D("0.1")], True)


def test_more_than_the_trade_has_left_is_told_after_two_seconds(account: Account, venue: VenueLike) -> None:
    trade = entered(account)
    venue.go(99_000)
    again(trade)
    venue.hand("buy", "market", "0.2")
    again(trade)
    passes(venue, 3)
    again(trade)
    assert (nobodys(), told()) == ([D("0.2")], True)


def test_a_hand_that_is_heard_of_is_no_list_that_is_late(account: Account, venue: VenueLike) -> None:
    """As much as the trade has left, but its own executions have been told."""
    trade = entered(account)
    venue.go(99_000)
    again(trade)
    venue.hand("buy", "market", "0.1")
    again(trade)
    passes(venue, 3)
    again(trade)
    assert nobodys() == [D("0.1")]


def test_an_entry_that_may_have_executed_unheard_is_waited_for(account: Account, venue: VenueLike) -> None:
    trade = open_trade(account, long_plan(risk={"quantity": "0.1"}))
    early = PositionState(SYMBOL, Side.LONG, D("0.1"), D(100_000))
    venue.altered = lambda reading: replace(reading, positions=(early,))
    again(trade, 1)
    passes(venue, 8)
    again(trade)
    assert (nobodys(), told()) == ([], False)
    passes(venue, 8)
    again(trade)
    assert nobodys() == [D("0.1")]


def test_what_executes_unheard_while_it_is_waited_for_is_waited_for_as_long(account: Account, venue: VenueLike) -> None:
    """The second part is listed when the first is nearly known not to be ours."""
    trade = open_trade(account, long_plan(risk={"quantity": "0.1"}))
    held = [PositionState(SYMBOL, Side.LONG, D(quantity), D(100_000)) for quantity in ("0.04", "0.06")]
    venue.altered = lambda reading: replace(reading, positions=(held[0],))
    again(trade)
    passes(venue, 14)
    venue.altered = lambda reading: replace(reading, positions=(held[1],))
    again(trade)
    passes(venue, 4)
    again(trade)
    assert (nobodys(), told()) == ([], False)
    passes(venue, 12)
    again(trade)
    assert (nobodys(), told()) == ([held[1].quantity], True)


def test_a_position_of_the_own_hand_does_not_grow_by_what_a_trade_has_left(account: Account, venue: VenueLike) -> None:
    ignored_beside(account, venue)
    trade = entered(account)
    venue.altered = as_now(venue)
    venue.go(99_000)
    again(trade)
    passes(venue, 4)
    assert again(trade).status == "closed"
    assert nobodys() == [OWN_HAND]


def test_a_late_list_makes_no_protection_larger_than_what_the_trade_holds(account: Account, venue: VenueLike) -> None:
    ignored_beside(account, venue)
    targets = [{"price": "101000", "share": "0.5"}, {"price": "103000", "share": "0.5"}]
    trade = entered(account, take_profits=targets)
    venue.altered = as_now(venue)
    venue.go(101_000)
    again(trade)
    assert [order.quantity for order in resting(trade, "stop")] == [D("0.05")]
    close(trade, D(1))
    again(trade)
    assert venue.held() == OWN_HAND


def test_a_trade_is_not_given_what_the_one_before_it_has_left(account: Account, venue: VenueLike) -> None:
    entered(account)
    venue.altered = as_now(venue)
    venue.go(99_000, 100_500)
    assert not look(account.pk, seconds=0).trouble
    trade = entered(account, risk={"quantity": "0.05"})
    assert [order.quantity for order in resting(trade, "stop")] == [D("0.05")]
    assert sum(order.quantity for order in resting(trade, "take_profit")) == D("0.05")


def test_a_late_list_makes_no_protection_smaller(account: Account, venue: VenueLike) -> None:
    trade = entered(account)
    (stop,) = resting(trade, "stop")
    half = replace(venue.sim.read([SYMBOL], "").positions[0], quantity=D("0.05"))
    venue.altered = lambda reading: replace(reading, positions=(half,))
    again(trade)
    assert [order.client_id for order in resting(trade, "stop")] == [stop.client_id]
    assert len(venue.cancelled) == 0

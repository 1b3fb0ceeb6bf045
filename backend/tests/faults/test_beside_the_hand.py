"""A position that the trader keeps for the own hand stays so, whatever is late or in doubt about a trade beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from buddy.core.errors import OutcomeUnknown
from buddy.core.exchange import OrderIntent, OrderState, Profile, Reading
from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.trading.executor import open_trade
from buddy.trading.models import ForeignPosition, Order, Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import long_plan, resting
from tests.exchanges.venue_like import SYMBOL, VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
OWN_HAND = D("0.1")
FIXED = {"entries": [{"kind": "market"}], "risk": {"quantity": "0.1"}}


@pytest.fixture(autouse=True)
def _ignored(account: Account, venue: VenueLike) -> None:
    """The trader holds a long of the own hand, as large as the trade will be."""
    venue.set_up(SYMBOL, D(20), "isolated")
    venue.hand("buy", "market", OWN_HAND)
    assert not look(account.pk, seconds=0).trouble
    ForeignPosition.objects.update(ignored=True)


def again(trade: Trade, looks: int = 2) -> Trade:
    for _ in range(looks):
        assert not look(trade.account_id, seconds=0).trouble
    trade.refresh_from_db()
    return trade


def kept() -> list[tuple[Decimal, bool]]:
    return [(row.quantity, row.ignored) for row in ForeignPosition.objects.all()]


def lost_on_the_way(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise OutcomeUnknown("the line was cut")


def positions_of(venue: VenueLike) -> Callable[[Reading], Reading]:
    """Positions stay as they are now, while everything else goes on."""
    before = venue.sim.read([SYMBOL], "").positions
    return lambda reading: replace(reading, positions=before)


def test_an_entry_in_doubt_takes_nothing_of_it(account: Account, venue: VenueLike) -> None:
    venue.profile = Profile("slow", settle_ms=60_000)
    venue.drop(lost_on_the_way, lambda intent: not intent.reduce_only)
    trade = again(open_trade(account, long_plan(**FIXED)))
    assert Order.objects.get(trade=trade, role="entry").status == "unknown"
    assert kept() == [(OWN_HAND, True)]
    assert [intent for intent in venue.sent if intent.reduce_only] == []
    assert not Event.objects.filter(kind="foreign_position_gone").exists()


def test_positions_told_late_do_not_make_it_the_trades_own(account: Account, venue: VenueLike) -> None:
    venue.altered = positions_of(venue)
    trade = again(open_trade(account, long_plan(**FIXED)))
    assert [order.quantity for order in resting(trade, "stop")] == [D("0.1")]
    venue.altered = lambda reading: reading
    again(trade)
    assert kept() == [(OWN_HAND, True)]
    assert [order.quantity for order in resting(trade, "stop")] == [D("0.1")]
    venue.go(99_000)
    again(trade)
    assert (trade.status, venue.held()) == ("closed", OWN_HAND)


def test_what_the_hand_has_closed_is_gone_all_the_same(account: Account, venue: VenueLike) -> None:
    trade = again(open_trade(account, long_plan(**FIXED)))
    venue.hand("sell", "market", OWN_HAND, reduce_only=True)
    again(trade)
    assert [order.quantity for order in resting(trade, "stop")] == [D("0.1")]
    ForeignPosition.objects.update(gone_since=timezone.now() - timedelta(seconds=31))
    again(trade)
    assert (kept(), trade.status) == ([], "open")

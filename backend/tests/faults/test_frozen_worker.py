"""A worker that freezes after it has read, and goes on when another has taken over: nothing of what it read is written.

One row per thing that a look writes down of what a venue says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.exchange import PositionState, Reading
from buddy.core.market import Side
from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.trading.executor import open_trade
from buddy.trading.lease import LeaseLost
from buddy.trading.models import Fill, ForeignPosition, Order, Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import long_plan
from tests.exchanges.venue_like import SYMBOL, VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
Stale = Callable[[VenueLike, Reading], Reading]


def unlisted(venue: VenueLike, reading: Reading) -> Reading:
    """An order that the venue did not show for a moment would count as cancelled."""
    venue.hidden = {order.client_id for order in reading.orders if order.client_id}
    return replace(reading, orders=())


def renamed(venue: VenueLike, reading: Reading) -> Reading:
    return replace(reading, orders=[replace(order, exchange_id="of-old") for order in reading.orders])


def foreign(venue: VenueLike, reading: Reading) -> Reading:
    return replace(reading, positions=[PositionState(SYMBOL, Side.SHORT, D(1), D(100_000))])


def without_position(venue: VenueLike, reading: Reading) -> Reading:
    return replace(reading, positions=())


def silent(venue: VenueLike, reading: Reading) -> Reading:
    return replace(reading, quotes={})


CASES = [
    (unlisted, False),
    (renamed, False),
    (silent, False),
    (unlisted, True),
    (foreign, True),
    (without_position, True),
]


@pytest.mark.parametrize(("stale", "entered"), CASES)
def test_nothing_is_written(account: Account, venue: VenueLike, stale: Stale, entered: bool) -> None:
    open_trade(account, long_plan())
    if entered:
        venue.go(100_000)
        look(account.pk, seconds=0)
    after: list[Any] = []

    def freezes(reading: Reading) -> Reading:
        venue.altered = lambda reading: reading
        Account.objects.filter(pk=account.pk).update(lease_until=0)
        look(account.pk, seconds=0)
        after.extend(everything())
        return stale(venue, reading)

    venue.altered = freezes
    with pytest.raises(LeaseLost):
        look(account.pk, seconds=0)
    assert everything() == after


def everything() -> list[Any]:
    models = (Trade, Order, Fill, ForeignPosition, Event)
    return [list(model.objects.order_by("pk").values()) for model in models]

"""A worker that freezes after it has read, and goes on when another has taken over: nothing of what it read is written.

One row per thing that a look writes down of what a venue says.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from buddy.core.exchange import Balance, PositionState, Reading
from buddy.core.market import Side
from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.trading import rounds
from buddy.trading.executor import amend_plan, open_trade
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


def test_of_an_amended_plan_nothing_is_written_before_it_is_known_that_the_account_is_still_ours(
    account: Account, venue: VenueLike
) -> None:
    """Not even what is rolled back again: the statement would wait for whoever has taken over."""
    trade = open_trade(account, long_plan())
    venue.go(100_000)
    look(account.pk, seconds=0)
    target = Order.objects.filter(trade=trade, role="take_profit").first()
    assert target is not None
    venue.cancel_by_hand(target.client_id)
    look(account.pk, seconds=0)
    asked, before, after = venue.balance, list[int](), list[Any]()

    def freezes() -> Balance:
        Account.objects.filter(pk=account.pk).update(lease_until=0)
        look(account.pk, seconds=0)
        before.append(len(run))
        after.extend(everything())
        return asked()

    venue.balance = freezes  # type: ignore[method-assign]  # while it answers
    with CaptureQueriesContext(connection) as run, pytest.raises(LeaseLost):
        amend_plan(trade, long_plan(stop={"price": "98900"}))
    assert everything() == after
    written = [each["sql"] for each in run.captured_queries[before[0] :] if writes(each["sql"])]
    assert written
    assert all(Account._meta.db_table in sql for sql in written)


def writes(sql: str) -> bool:
    return sql.startswith(("UPDATE", "INSERT", "DELETE"))


def another(account: Account) -> object:
    return open_trade(account, long_plan(entries=[{"price": "99500"}], risk={"percent": "0.1"}))


def by_round(account: Account) -> None:
    rounds.look_quietly(account.pk)


def when_asked(account: Account) -> None:
    rounds.look_when_asked(account.pk)


def taken_over(account: Account, venue: VenueLike) -> None:
    """In the middle of the next reading another worker takes the account and finishes what is to be done."""

    def freezes(reading: Reading) -> Reading:
        venue.altered = lambda reading: reading
        Account.objects.filter(pk=account.pk).update(lease_until=0)
        look(account.pk, seconds=0)
        return unlisted(venue, reading)

    venue.altered = freezes


@pytest.mark.parametrize("act", [another, by_round, when_asked])
def test_that_another_took_over_is_said_without_alarm_and_counted(
    account: Account, venue: VenueLike, act: Callable[[Account], object], caplog: pytest.LogCaptureFixture
) -> None:
    open_trade(account, long_plan())
    taken_over(account, venue)
    with caplog.at_level(logging.INFO, logger="buddy"):
        act(account)
    (said,) = [record for record in caplog.records if "took over" in record.message]
    assert (said.levelname, said.exc_info) == ("INFO", None)
    assert re.search(rf"account {account.pk}: another worker took over \(\d+ so far\)", said.message)
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


def everything() -> list[Any]:
    models = (Trade, Order, Fill, ForeignPosition, Event)
    return [list(model.objects.order_by("pk").values()) for model in models]

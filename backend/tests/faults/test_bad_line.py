"""Lost replies, lost requests, refusals, empty answers: never two orders for one wish, never a position left naked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from buddy.core.errors import Rejected, Temporary
from buddy.core.exchange import OrderIntent, OrderKind, OrderRef, OrderState, Reading
from buddy.core.market import OrderSide
from buddy.events.models import Event
from buddy.exchanges.connect import connect
from buddy.exchanges.models import Account
from buddy.trading.executor import open_trade
from buddy.trading.models import Order, Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import (
    flat,
    freeze,
    go_on,
    is_protected,
    kinds,
    long_plan,
    look_all,
    look_until,
    replay_account,
    resting,
    write_candles,
)
from tests.faults.faulty import Faults, Line, faults, is_stop, reply_lost, request_lost

__all__ = ["faults"]

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [
    *flat("100500", 2),
    ("100500", "100500", "99900", "100200"),
    ("100200", "101100", "100200", "101050"),
    ("101050", "101060", "100500", "100600"),
    ("100600", "102100", "100600", "102050"),
    *flat("102050", 3),
]
"""The entry at 100000, the first target at 101000, the second at 102000."""


@pytest.fixture(autouse=True)
def _one_reading_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An action is followed by a single reading, so that the recording does not leap to its end at once."""
    monkeypatch.setattr("buddy.trading.executor.LOOK_SECONDS", 0.0)


@pytest.fixture
def account(alice: Any) -> Account:
    return replay_account(alice, write_candles("faults_BTCUSDT_1m.csv", ROWS))


def protected(account: Account, **changes: Any) -> Trade:
    """An open trade with its stop, in a market that stands still."""
    trade = look_until(open_trade(account, long_plan(**changes)), is_protected)
    freeze(account)
    return trade


def refuse(line: Line, intent: OrderIntent) -> OrderState:
    raise Rejected("not now", "other")


def busy(line: Line, intent: OrderIntent) -> OrderState:
    raise Temporary("busy")


def test_an_entry_whose_reply_was_lost_is_found_and_not_sent_again(account: Account, faults: Faults) -> None:
    faults.add(reply_lost)
    trade = open_trade(account, long_plan())
    assert [order.status for order in Order.objects.filter(role="entry")] == ["unknown"]
    look_all(trade)
    assert (trade.status, Order.objects.filter(role="entry").count()) == ("closed", 1)
    assert faults.sent.count(Order.objects.get(role="entry").client_id) == 1


def test_an_entry_that_never_arrived_is_sent_again_with_the_same_id(account: Account, faults: Faults) -> None:
    faults.add(request_lost)
    trade = open_trade(account, long_plan())
    look_all(trade)
    entry = Order.objects.get(role="entry")
    assert (trade.status, entry.status, faults.sent.count(entry.client_id)) == ("closed", "filled", 2)


def test_a_stop_whose_reply_was_lost_is_found_and_stands_alone(account: Account, faults: Faults) -> None:
    faults.add(reply_lost, is_stop)
    trade = protected(account)
    assert len(resting(trade, "stop")) == 1


@pytest.mark.parametrize("fault", [reply_lost, request_lost, busy])
def test_whatever_is_lost_once_the_trade_ends_the_same(account: Account, faults: Faults, fault: Any) -> None:
    for number in range(1, 5):
        faults.add(fault, lambda intent, number=number: len(faults.sent) == number)  # type: ignore[misc]
    trade = open_trade(account, long_plan())
    look_until(trade, lambda trade: trade.status == "closed")
    assert trade.exit_reason == "take_profit"
    assert sum(fill.quantity for fill in trade.fills.filter(order_side="sell")) == trade.entered_quantity


def test_an_entry_that_could_not_be_sent_in_time_is_never_sent(account: Account, faults: Faults) -> None:
    faults.add(busy, times=100)
    trade = open_trade(account, long_plan())
    Trade.objects.update(wished_at=timezone.now() - timedelta(seconds=31))
    faults.waiting.clear()
    faults.sent.clear()
    look_all(trade)
    assert (trade.status, trade.withdrawal, faults.sent) == ("cancelled", "stale", [])


def test_a_stop_that_is_refused_twice_closes_the_position_loudly(account: Account, faults: Faults) -> None:
    faults.add(refuse, is_stop, times=100)
    trade = open_trade(account, long_plan())
    look_until(trade, lambda trade: trade.status == "closed")
    assert trade.exit_reason == "unprotected"
    assert "NO STOP COULD BE PLACED" in " ".join(texts(trade))
    assert Order.objects.filter(role="stop", status="rejected").count() >= 2


def test_a_stop_that_cannot_be_sent_for_ten_seconds_closes_the_position(account: Account, faults: Faults) -> None:
    faults.add(busy, is_stop, times=100)
    trade = open_trade(account, long_plan(take_profits=[]))
    look_until(trade, lambda trade: trade.status == "closed")
    assert trade.exit_reason == "unprotected"


def test_while_nothing_can_be_read_nothing_is_done(account: Account, faults: Faults) -> None:
    trade = protected(account)
    before = list(Order.objects.values())
    faults.dead = True
    assert look(account.pk).trouble == "The venue does not answer."
    account.refresh_from_db()
    assert (account.trouble, list(Order.objects.values())) == ("The venue does not answer.", before)
    faults.dead = False
    go_on(account)
    look_all(trade)
    account.refresh_from_db()
    assert (trade.status, account.trouble) == ("closed", "")


def test_an_empty_list_of_positions_is_not_believed_at_first_sight(account: Account, faults: Faults) -> None:
    trade = protected(account)
    faults.altered = lambda reading: replace(reading, positions=())
    look(account.pk, seconds=0)
    assert len(resting(trade, "stop")) == 1
    faults.altered = lambda reading: reading
    go_on(account)
    look_all(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "take_profit")


def test_an_empty_list_of_orders_is_checked_by_id(account: Account, faults: Faults) -> None:
    trade = protected(account)
    sent = len(faults.sent)
    faults.altered = lambda reading: without_orders(reading)
    look(account.pk, seconds=0)
    assert (len(faults.sent), len(resting(trade, "stop"))) == (sent, 1)


def without_orders(reading: Reading) -> Reading:
    return replace(reading, orders=())


def test_a_stop_cancelled_by_hand_comes_back(account: Account) -> None:
    trade = protected(account)
    (stop,) = resting(trade, "stop")
    connect(account).cancel(OrderRef(trade.symbol, stop.client_id))
    look(account.pk, seconds=0)
    (again,) = resting(trade, "stop")
    assert (again.trigger, again.quantity) == (stop.trigger, stop.quantity)
    assert kinds(trade)[-2:] == ["protection_lost", "protection_restored"]


def test_a_target_cancelled_by_hand_stays_away_and_is_no_hit(account: Account) -> None:
    trade = protected(account, rules={"break_even": {"after": {"take_profit": 1}}})
    connect(account).cancel(OrderRef(trade.symbol, resting(trade, "take_profit")[0].client_id))
    look(account.pk, seconds=0)
    assert [order.leg for order in resting(trade, "take_profit")] == [1]
    assert [str(order.trigger) for order in resting(trade, "stop")] == ["99000"]


def test_a_position_closed_by_hand_at_the_venue_finishes_the_trade(account: Account) -> None:
    trade = protected(account)
    held = resting(trade, "stop")[0].quantity
    by_hand = OrderIntent("by-hand", trade.symbol, OrderSide.SELL, OrderKind.MARKET, held, reduce_only=True)
    connect(account).place(by_hand)
    look_until(trade, lambda trade: trade.status == "closed")
    assert (trade.exit_reason, Order.objects.filter(status__in=["open", "partial"]).count()) == ("external", 0)


def test_an_order_of_ours_without_a_working_trade_is_taken_back(account: Account) -> None:
    trade = open_trade(account, long_plan(entries=[{"price": "90000"}], stop={"price": "89000"}))
    Trade.objects.filter(pk=trade.pk).update(status=Trade.Status.CANCELLED)
    look(account.pk, seconds=0)
    order = Order.objects.get()
    assert (order.status, order.cancel_reason) == ("cancelled", "its trade is over")


def test_somebody_elses_order_is_left_alone(account: Account) -> None:
    trade = protected(account)
    foreign = OrderIntent("not-ours", trade.symbol, OrderSide.BUY, OrderKind.LIMIT, Decimal("0.001"), Decimal(90000))
    connect(account).place(foreign)
    look(account.pk)
    found = connect(account).find(OrderRef(trade.symbol, "not-ours"))
    assert found is not None
    assert found.status == "open"


def test_a_halted_account_withdraws_its_waiting_entries_and_keeps_its_stops(account: Account) -> None:
    open_one = protected(account, risk={"percent": "0.5"})
    far = {"entries": [{"price": "90000"}], "stop": {"price": "89000"}, "risk": {"percent": "0.1"}}
    waiting = open_trade(account, long_plan(**far))
    Account.objects.filter(pk=account.pk).update(state=Account.State.HALTED)
    look(account.pk, seconds=0)
    waiting.refresh_from_db()
    open_one.refresh_from_db()
    assert waiting.status == "cancelled"
    assert open_one.status == "open"
    assert len(resting(open_one, "stop")) == 1


def test_a_second_look_changes_nothing(account: Account) -> None:
    protected(account)
    look(account.pk)
    before = list(Order.objects.values_list("client_id", "status", "quantity", "trigger"))
    look(account.pk)
    assert list(Order.objects.values_list("client_id", "status", "quantity", "trigger")) == before


def texts(trade: Trade) -> list[str]:
    return list(Event.objects.filter(trade_id=trade.pk).values_list("text", flat=True))

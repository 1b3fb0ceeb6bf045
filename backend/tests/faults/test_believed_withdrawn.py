"""An entry that was believed withdrawn had filled: its trade is worked on again, and the stop follows at once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.exchange import CancelOutcome, Fill, OrderRef, OrderState, OrderStatus, Profile, Reading
from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.trading.executor import close, open_trade, withdraw_entry
from buddy.trading.models import ForeignPosition, Order, Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import kinds, long_plan, resting
from tests.exchanges.venue_like import VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
FIXED = {"risk": {"quantity": "0.1"}, "take_profits": [{"price": "102000"}]}
ENOUGH = 100
"""Readings."""


def again(trade: Trade, looks: int = 1) -> Trade:
    for _ in range(looks):
        assert not look(trade.account_id, seconds=0).trouble
    trade.refresh_from_db()
    return trade


def tells_nothing(venue: VenueLike, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry executes; the venue says that it was cancelled without having done so."""
    venue.lag = ENOUGH
    known = venue.find

    def cancelled(ref: OrderRef) -> OrderState | None:
        state = known(ref)
        if state is None or state.reduce_only:
            return state
        return replace(state, status=OrderStatus.CANCELLED, filled=D(0))

    def altered(reading: Reading) -> Reading:
        return replace(reading, positions=())

    monkeypatch.setattr(venue, "find", cancelled)
    venue.altered = altered
    venue.go(100_000)


def tells_all(venue: VenueLike, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    venue.lag, venue.altered = 0, lambda reading: reading


@pytest.fixture
def patches() -> Any:
    """What a test may take back without taking back its fixtures'."""
    with pytest.MonkeyPatch.context() as patches:
        yield patches


def assert_is_protected(trade: Trade, venue: VenueLike) -> None:
    assert (trade.status, trade.withdrawal, trade.closed_at) == ("open", "", None)
    assert trade.opened_at is not None
    assert [(order.trigger, order.quantity) for order in resting(trade, "stop")] == [(D(99_000), venue.held())]
    assert not ForeignPosition.objects.exists()
    assert "gets its stop" in Event.objects.get(trade_id=trade.pk, kind="trade_reopened").text


def assert_ends_well(trade: Trade, venue: VenueLike) -> None:
    venue.go(99_000)
    again(trade, 2)
    assert (trade.status, trade.exit_reason, venue.held(), venue.resting()) == ("closed", "stop_loss", 0, [])
    assert D(10_000) + trade.net == venue.sim.books.wallet
    assert trade.entered_quantity == D("0.1")
    assert D("-1.2") < trade.r < D("-0.9")


def test_called_off_by_the_trader_while_it_filled(account: Account, venue: VenueLike, patches: Any) -> None:
    trade = open_trade(account, long_plan(**FIXED))
    tells_nothing(venue, patches)
    patches.setattr(venue, "cancel", lambda ref: CancelOutcome.CANCELLED)
    trade = again(withdraw_entry(trade))
    assert (trade.status, trade.withdrawal) == ("cancelled", "manual")
    tells_all(venue, patches)
    assert_is_protected(again(trade), venue)
    assert len(venue.sent) == 3  # nothing enters a second time
    assert_ends_well(trade, venue)


def test_a_triggered_entry_that_fills_while_it_is_called_off_is_never_believed_withdrawn(
    account: Account, venue: VenueLike, patches: Any
) -> None:
    """It waited as a limit order, and the venue cancelled what was left of it."""
    venue.profile = Profile("venue", settle_ms=1)
    entry = {"kind": "trigger_limit", "trigger": "101000", "price": "100800"}
    trade = open_trade(account, long_plan(**FIXED | {"take_profits": []}, entries=[entry]))
    venue.go(101_000)

    def too_late(ref: OrderRef) -> CancelOutcome:
        venue.go(100_800)
        return CancelOutcome.CANCELLED

    patches.setattr(venue, "cancel", too_late)
    venue.lag = 3
    trade = again(withdraw_entry(trade))
    patches.undo()
    trade = again(trade, 5)
    assert (trade.status, [order.quantity for order in resting(trade, "stop")]) == ("open", [venue.held()])
    assert "trade_reopened" not in kinds(trade)


def test_counted_as_cancelled_because_the_venue_did_not_list_it(
    account: Account, venue: VenueLike, patches: Any
) -> None:
    trade = open_trade(account, long_plan(**FIXED))
    venue.hidden = {Order.objects.get(trade=trade).client_id}
    tells_nothing(venue, patches)
    again(trade, 2)
    assert trade.status == "cancelled"
    venue.hidden = set()
    tells_all(venue, patches)
    assert_is_protected(again(trade), venue)
    assert_ends_well(trade, venue)


def test_what_comes_to_light_of_a_trade_that_was_closed_is_closed_too(
    account: Account, venue: VenueLike, patches: Any
) -> None:
    """The trader wanted out. Of its two entries the second was believed cancelled."""
    legs = [{"price": "100000", "share": "0.4"}, {"price": "99900", "share": "0.6"}]
    trade = open_trade(account, long_plan(**FIXED, entries=legs))
    venue.go(100_000)
    again(trade)
    second, kept = Order.objects.get(trade=trade, role="entry", leg=1), list[Fill]()

    def without_the_second(reading: Reading) -> Reading:
        kept.extend(fill for fill in reading.fills if fill.exchange_id == second.exchange_id)
        positions = [replace(each, quantity=each.quantity - D("0.06")) for each in reading.positions]
        fills = [fill for fill in reading.fills if fill not in kept]
        return replace(reading, fills=fills, positions=[each for each in positions if each.quantity])

    venue.go(99_900)
    venue.altered = without_the_second
    venue.hidden = {second.client_id}
    trade = again(close(trade, D(1)), 2)
    assert (trade.status, trade.entered_quantity, venue.held()) == ("closed", D("0.04"), D("0.06"))
    venue.altered, venue.hidden = lambda reading: replace(reading, fills=[*reading.fills, *kept]), set()
    again(trade, 3)
    assert kinds(trade).count("trade_reopened") == 1
    assert (trade.status, trade.exit_reason, trade.entered_quantity, venue.held()) == ("closed", "manual", D("0.1"), 0)
    assert D(10_000) + trade.net == venue.sim.books.wallet
    assert venue.resting() == []


@pytest.mark.parametrize("status", ["cancelled", "closed"])
def test_what_does_not_hold_anything_stays_over(account: Account, venue: VenueLike, status: str) -> None:
    trade = open_trade(account, long_plan(**FIXED))
    if status == "closed":
        venue.go(100_000)
        again(trade)
        venue.go(99_000)
    else:
        withdraw_entry(trade)
    again(trade, 3)
    assert trade.status == status
    assert "trade_reopened" not in kinds(trade)

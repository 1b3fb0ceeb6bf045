"""Whose order is it? Names that the venue does not keep, children that execute, executions that come late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from buddy.core.errors import OutcomeUnknown, Rejected, Temporary
from buddy.core.exchange import (
    Income,
    IncomeKind,
    OrderIntent,
    OrderKind,
    OrderState,
    OrderStatus,
    Profile,
    Reading,
    Refusal,
)
from buddy.core.market import OrderSide
from buddy.core.simulated_books import Resting
from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.trading import ledger, recognition
from buddy.trading.executor import close, open_trade, withdraw_entry
from buddy.trading.models import Fill, Order, Trade
from buddy.trading.moments import at, to_ms, wall_ms
from buddy.trading.watcher import look
from tests.apps.trading_rig import kinds, long_plan, resting
from tests.exchanges.venue_like import SECOND, SYMBOL, VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
NAMELESS = Profile("nameless", names_stops=False)
SLOW = Profile("slow", settle_ms=1_000)


def entered(account: Account, venue: VenueLike, **changes: Any) -> Trade:
    """A trade that has entered at 100 000, with its orders resting."""
    trade = open_trade(account, long_plan(**changes))
    venue.go(100_000)
    return again(trade)


def again(trade: Trade, looks: int = 3) -> Trade:
    for _ in range(looks):
        assert not look(trade.account_id, seconds=0).trouble
    trade.refresh_from_db()
    return trade


def is_stop(intent: OrderIntent) -> bool:
    return intent.reduce_only and intent.trigger is not None


def is_entry(intent: OrderIntent) -> bool:
    return not intent.reduce_only


def is_close(intent: OrderIntent) -> bool:
    return intent.reduce_only and intent.kind is OrderKind.MARKET


def not_now(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Temporary("busy")


def reply_lost(venue: VenueLike, intent: OrderIntent) -> OrderState:
    venue.accept(intent)
    raise TimeoutError("no reply")


def request_lost(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise OutcomeUnknown("the line was cut")


def late(venue: VenueLike, intent: OrderIntent) -> OrderState:
    """It is accepted, and cannot be seen for a while."""
    venue.accept(intent)
    venue.hidden.add(intent.client_id)
    raise TimeoutError("no reply")


@pytest.mark.parametrize("profile", [Profile("venue"), NAMELESS])
def test_a_stop_executes_as_another_order_and_is_booked_as_our_stop(
    account: Account, venue: VenueLike, profile: Profile
) -> None:
    venue.profile = profile
    trade = entered(account, venue)
    venue.go(99_000)
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "stop_loss")
    exits = Fill.objects.filter(order_side="sell")
    assert [(fill.trade_id, fill.order.role, fill.raw["venue"]["qty"]) for fill in exits] == [
        (trade.pk, "stop", format(trade.entered_quantity, "f"))
    ]
    assert Order.objects.get(role="stop", status="filled").child_id.startswith("child-")
    assert "external_fill" not in kinds(trade)


@pytest.mark.parametrize("profile", [Profile("venue"), NAMELESS])
def test_a_stop_that_fires_before_its_reply_is_ours_all_the_same(
    account: Account, venue: VenueLike, profile: Profile
) -> None:
    venue.profile = profile
    venue.drop(reply_lost, is_stop)
    trade = open_trade(account, long_plan())
    venue.go(100_000)
    look(account.pk, seconds=0)
    venue.go(99_000)
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "stop_loss")


def test_an_entry_whose_reply_was_lost_and_that_filled_at_once_is_ours(account: Account, venue: VenueLike) -> None:
    venue.drop(reply_lost, is_entry)
    trade = again(open_trade(account, long_plan(entries=[{"kind": "market"}])))
    assert (trade.status, len([i for i in venue.sent if is_entry(i)])) == ("open", 1)
    assert Fill.objects.get().order.role == "entry"


def test_a_nameless_stop_whose_reply_was_lost_is_known_by_its_figures(account: Account, venue: VenueLike) -> None:
    venue.profile = NAMELESS
    venue.drop(reply_lost, is_stop)
    trade = entered(account, venue)
    assert len([i for i in venue.sent if is_stop(i)]) == 1
    assert [order.exchange_id for order in resting(trade, "stop")] == [
        state.exchange_id for state in venue.resting() if state.trigger
    ]


def test_of_two_nameless_stops_of_one_wish_the_younger_goes(account: Account, venue: VenueLike) -> None:
    """The first was believed lost and sent again; both have arrived."""
    venue.profile = NAMELESS
    venue.drop(late, is_stop)
    trade = open_trade(account, long_plan())
    venue.go(100_000)
    venue.hidden = Everything()
    look(account.pk, seconds=0)
    first = next(state for state in venue.resting() if state.trigger)
    twin = replace(venue.sent[-1], client_id="tbtwin")
    venue.accept(twin)
    Order.objects.filter(role="stop").update(raw={"sent_at": 1, "sends": 2, "trigger_by": "last"})
    venue.hidden = set()
    again(trade)
    left = [state.exchange_id for state in venue.resting() if state.trigger]
    assert left == [first.exchange_id]
    assert [order.exchange_id for order in resting(trade, "stop")] == left


def used(venue: VenueLike, intent: OrderIntent) -> OrderState:
    venue.accept(intent)
    raise Rejected("This name was used before.", Refusal.DUPLICATE)


class Everything(set[str]):
    def __contains__(self, name: object) -> bool:
        return True


def test_a_nameless_stop_that_was_refused_when_sent_again_is_ours_when_the_first_of_it_arrives(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By then the position was closed for want of a stop, and it would rest there for the next one."""
    monkeypatch.setattr(ledger, "OUTLIVES", timedelta(days=10_000))  # this venue's clock stands in the past
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    venue.drop(request_lost, is_stop)
    venue.drop(refused, is_stop, times=9)
    trade = entered(account, venue)
    again(trade, 6)
    assert (trade.status, trade.exit_reason, venue.resting()) == ("closed", "unprotected", [])
    first = next(intent for intent in venue.sent if is_stop(intent))
    venue.sim.orders[first.client_id] = Resting(first, "x-late", venue.time, live=False)
    again(trade)
    assert venue.resting() == []


def test_of_two_nameless_stops_that_were_refused_when_sent_again_the_second_is_ours_after_the_first(
    account: Account, venue: VenueLike
) -> None:
    """A hand makes the position smaller, and a smaller stop is to take the place of the one that rests, twice. What
    comes after the first of them is over is not that one."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    trade = entered(account, venue)
    for fault in (request_lost, refused, request_lost, refused):
        venue.drop(fault, is_stop)
    venue.hand("sell", "market", "0.02", reduce_only=True)
    again(trade, 6)
    late = {intent.client_id: intent for intent in venue.sent if is_stop(intent) and intent.quantity == D("0.071")}
    first, second = late.values()
    venue.sim.orders[first.client_id] = Resting(first, "x-first", venue.time, live=False)
    again(trade)
    assert [order.exchange_id for order in resting(trade, "stop")] == ["x-first"]
    venue.hand("sell", "market", "0.01", reduce_only=True)
    again(trade)
    (smaller,) = resting(trade, "stop")
    assert smaller.quantity == D("0.061")
    venue.sim.orders[second.client_id] = Resting(second, "x-second", venue.time, live=False)
    again(trade)
    assert [state.exchange_id for state in venue.resting() if state.trigger] == [smaller.exchange_id]


def test_a_nameless_stop_in_doubt_is_not_the_one_before_it_that_a_late_list_still_shows(
    account: Account, venue: VenueLike
) -> None:
    """A hand has taken the first away; the second, of the same figures, rests unseen."""
    venue.profile = NAMELESS
    trade = entered(account, venue)
    (gone,) = [replace(state, client_id="") for state in venue.resting() if state.trigger]
    (first,) = resting(trade, "stop")
    venue.cancel_by_hand(first.client_id)
    venue.drop(late, is_stop)
    look(account.pk, seconds=0)
    venue.altered = lambda reading: replace(reading, orders=[*reading.orders, gone])
    again(trade)
    second = Order.objects.filter(role="stop").last()
    assert second is not None
    assert second != first
    assert second.exchange_id != first.exchange_id
    venue.altered, venue.hidden = (lambda reading: reading), set()
    again(trade)
    (there,) = [state for state in venue.resting() if state.trigger]
    assert [order.exchange_id for order in resting(trade, "stop")] == [there.exchange_id]


def test_a_nameless_stop_that_was_given_up_and_is_wanted_no_more_is_ours_when_it_arrives(
    account: Account, venue: VenueLike
) -> None:
    """Meanwhile a hand has made the position smaller, so that another stop rests: two would close more than is held."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    venue.drop(request_lost, is_stop)
    trade = open_trade(account, long_plan())
    venue.go(100_000)
    look(account.pk, seconds=0)
    first = next(intent for intent in venue.sent if is_stop(intent))
    venue.hand("sell", "market", "0.02", reduce_only=True)
    again(trade)
    smaller = [state.quantity for state in venue.resting() if state.trigger]
    assert smaller == [first.quantity - Decimal("0.02")]
    venue.sim.orders[first.client_id] = Resting(first, "x-late", venue.time, live=False)
    again(trade)
    assert [state.quantity for state in venue.resting() if state.trigger] == smaller


def test_a_nameless_entry_that_was_given_up_because_no_list_showed_it_is_taken_back_when_one_does(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was wanted no more by then, so that nothing was sent again."""
    monkeypatch.setattr(ledger, "OUTLIVES", timedelta(days=10_000))
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    venue.drop(reply_lost, is_entry)
    venue.hidden = Everything()
    trade = open_trade(account, long_plan(entries=[{"kind": "trigger", "trigger": "101000"}], take_profits=[]))
    entry = Order.objects.get()
    Order.objects.update(raw=entry.raw | {"sent_at": 1, "absent_since": 10_000})
    trade = again(withdraw_entry(trade), 1)
    assert (trade.status, [order.status for order in Order.objects.all()]) == ("cancelled", ["cancelled"])
    assert (len(venue.sent), len(venue.resting())) == (1, 1)
    venue.hidden = set()
    again(trade)
    assert venue.resting() == []
    venue.go(101_500)
    again(trade)
    assert (venue.held(), Fill.objects.count()) == (0, 0)


@pytest.mark.parametrize(("minutes", "is_ours"), [(1, True), (10, False)])
def test_what_a_hand_adds_is_not_an_entry_that_was_given_up_long_ago(
    account: Account, venue: VenueLike, minutes: int, is_ours: bool
) -> None:
    """It was to be one more leg of a trade that still works, of that size and near that price."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    legs = [
        {"kind": "limit", "price": "100000", "share": "0.5"},
        {"kind": "trigger", "trigger": "101000", "share": "0.5"},
    ]
    trade = entered(account, venue, entries=legs, take_profits=[])
    leg = Order.objects.get(role="entry", leg=1)
    venue.cancel_by_hand(leg.client_id)
    ago = timezone.now() - timedelta(minutes=minutes)
    given_up = {"status": "cancelled", "raw": {"given_up_early": True}, "exchange_id": "", "closed_at": ago}
    Order.objects.filter(pk=leg.pk).update(**given_up, created_at=at(venue.time - SECOND))  # whose clock is behind
    venue.go(101_000)
    venue.hand("buy", "market", leg.quantity)
    again(trade)
    assert (Fill.objects.latest("pk").order == leg) is is_ours


def test_a_hands_close_is_not_our_own_of_that_size_that_was_refused_when_it_was_sent_again(
    account: Account, venue: VenueLike
) -> None:
    """Only conditional orders go without their names: had our close executed, it would say so."""
    trade = entered(account, venue, take_profits=[])
    venue.profile = NAMELESS
    venue.drop(not_now, is_close)
    venue.drop(refused, is_close, times=9)
    close(trade, D(1))
    again(trade)
    assert Order.objects.filter(role="close", status="rejected", raw__sends=2).exists()
    venue.hand("sell", "market", venue.held(), reduce_only=True)
    again(trade)
    assert (trade.status, Fill.objects.get(order_side="sell").order) == ("closed", None)


@pytest.mark.parametrize(("minutes", "age"), [(0, 0), (20, 0), (0, 60)])
def test_a_nameless_stop_that_was_there_and_never_listed_is_taken_back_once_it_is(
    account: Account, venue: VenueLike, minutes: int, age: int
) -> None:
    """Its name was refused as used. The trade ended meanwhile, and then nobody could read for so many minutes.

    It was first wanted so many minutes before that, and refused until then.
    """
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    venue.drop(used, is_stop)
    venue.hidden = Everything()
    trade = open_trade(account, long_plan(take_profits=[]))
    venue.go(100_000)
    look(account.pk, seconds=0)
    venue.hand("sell", "market", venue.held(), reduce_only=True)
    stop = Order.objects.get(role="stop")
    Order.objects.filter(pk=stop.pk).update(raw=stop.raw | {"sent_at": 1, "absent_since": 1})
    again(trade)
    stop.refresh_from_db()
    assert (trade.status, stop.status, len(venue.resting())) == ("closed", "cancelled", 1)
    ended = timezone.now() - timedelta(minutes=minutes)
    Trade.objects.update(closed_at=ended)
    Account.objects.update(good_look_at=ended)
    Order.objects.update(created_at=ended - timedelta(minutes=age), closed_at=ended)
    venue.hidden = set()
    again(trade)
    assert venue.resting() == []


def test_what_rests_after_its_trades_end_is_taken_back_however_long_the_venue_could_not_be_read(
    account: Account, venue: VenueLike
) -> None:
    """No list showed the entry at the end; then nobody could read for longer than what has ended is asked after."""
    venue.profile = SLOW
    venue.hidden = Everything()
    trade = open_trade(account, long_plan())
    look(account.pk, seconds=0)
    entry = Order.objects.get()
    Order.objects.update(raw=entry.raw | {"sent_at": 1, "absent_since": 1})
    trade = again(withdraw_entry(trade), 1)
    assert (trade.status, len(venue.resting())) == ("cancelled", 1)
    ended = timezone.now() - timedelta(minutes=20)
    Trade.objects.update(closed_at=ended)
    Account.objects.update(good_look_at=ended + timedelta(minutes=1))
    venue.hidden = set()
    again(trade, 1)
    assert venue.resting() == []


def test_a_nameless_entry_that_was_triggered_before_its_answer_came_is_not_entered_again(
    account: Account, venue: VenueLike
) -> None:
    """Whoever sent it stands still; when somebody looks, it waits as a limit order under another number."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    venue.drop(late, is_entry)
    trade = open_trade(account, long_plan(entries=[{"kind": "trigger_limit", "trigger": "101000", "price": "100800"}]))
    Order.objects.update(raw={"trigger_by": "last", "sent_at": 1})  # this venue's clock stands in the past
    venue.go(101_000)
    venue.hidden = set()
    venue.altered = as_triggered
    again(trade)
    entry = Order.objects.get(role="entry")
    assert (entry.status, entry.child_id[:6]) == ("open", "child-")
    assert [state.quantity for state in venue.resting()] == [entry.quantity]
    venue.altered = lambda reading: reading
    venue.go(100_700)
    again(trade)
    assert (venue.held(), trade.status) == (entry.quantity, "open")


def test_a_hands_close_waits_for_no_entry_in_doubt_which_would_execute_the_other_way(
    account: Account, venue: VenueLike
) -> None:
    venue.profile = Profile("nameless", names_stops=False, settle_ms=20 * SECOND)
    venue.drop(request_lost, lambda intent: is_entry(intent) and intent.trigger is not None)
    entries = [{"kind": "trigger", "trigger": "101000", "share": "0.5"}, {"price": "100000", "share": "0.5"}]
    trade = entered(account, venue, entries=entries, take_profits=[])
    assert Order.objects.get(role="entry", leg=0).status == "unknown"
    venue.hand("sell", "market", f"{venue.held():f}", reduce_only=True)
    again(trade)
    assert Fill.objects.get(order_side="sell").trade == trade


def test_a_hands_close_is_not_taken_for_a_stop_whose_trigger_has_not_traded(account: Account, venue: VenueLike) -> None:
    """It closes exactly what the stop was to close, under a number, and nobody knows whether the stop has arrived."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    venue.drop(request_lost, is_stop)
    trade = open_trade(account, long_plan())
    venue.go(100_000)
    look(account.pk, seconds=0)
    stop = Order.objects.get(role="stop")
    Order.objects.filter(pk=stop.pk).update(raw=stop.raw | {"sent_at": 1})  # this venue's clock stands in the past
    venue.go(99_300)  # and the stop is at 99 000
    venue.hand("sell", "market", stop.quantity, reduce_only=True)
    again(trade)
    assert (venue.held(), trade.status, trade.exit_reason) == (0, "closed", "external")
    assert (Order.objects.get(role="stop").filled, Fill.objects.get(order_side="sell").order_id) == (0, None)


def test_what_executes_while_its_sender_stands_still_is_nobodys_only_when_that_can_be_told(
    account: Account, venue: VenueLike
) -> None:
    """Written down, at the venue and executed, but its sender is not back yet, and the first look does not find it."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    trade = open_trade(account, long_plan(entries=[{"kind": "trigger", "trigger": "101000"}], take_profits=[]))
    Order.objects.update(status="intended", exchange_id="", raw={"trigger_by": "last", "sent_at": 1})
    venue.go(101_000)
    venue.hidden = Everything()
    again(trade, 1)
    assert not Fill.objects.filter(trade=None).exists()
    venue.hidden = set()
    again(trade)
    assert (Fill.objects.get().trade, trade.status, len(resting(trade, "stop"))) == (trade, "open", 1)


def test_an_execution_is_no_hands_while_an_entry_that_was_given_up_early_may_be_behind_it(
    account: Account, venue: VenueLike
) -> None:
    """It had arrived after all, and the venue does not find the order behind the execution just now."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    trade = open_trade(account, long_plan(entries=[{"kind": "trigger", "trigger": "101000"}], take_profits=[]))
    Order.objects.update(status="intended", exchange_id="", raw={"trigger_by": "last", "given_up_early": True})
    venue.go(101_000)
    found = venue.find
    venue.find = lambda ref: None
    again(trade, 1)
    assert not Fill.objects.exists()
    venue.find = found
    again(trade)
    assert (Fill.objects.get().trade, trade.status, len(resting(trade, "stop"))) == (trade, "open", 1)


def test_a_list_that_lacks_what_is_there_proves_nothing_of_an_entry_without_a_name(
    account: Account, venue: VenueLike
) -> None:
    """The limit order beside it is found by its name, and no list shows either."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    venue.drop(reply_lost, lambda intent: intent.trigger is not None)
    legs = [{"kind": "trigger", "trigger": "101000", "share": "0.5"}, {"price": "100000", "share": "0.5"}]
    trade = open_trade(account, long_plan(entries=legs, take_profits=[]))
    nameless = Order.objects.get(leg=0)
    Order.objects.filter(pk=nameless.pk).update(raw=nameless.raw | {"sent_at": 1, "absent_since": 1})
    venue.altered = lambda reading: replace(reading, orders=())
    again(trade)
    assert ([order.status for order in Order.objects.order_by("leg")], len(venue.sent)) == (["unknown", "open"], 2)
    venue.altered = lambda reading: reading
    again(trade)
    assert ([order.status for order in Order.objects.order_by("leg")], len(venue.sent)) == (["open", "open"], 2)


def test_an_absence_while_it_could_still_arrive_proves_nothing_of_an_entry_without_a_name(
    account: Account, venue: VenueLike
) -> None:
    """It arrived after the list of then, executed while nobody could read, and is not found at once."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=15_000)
    trade = open_trade(account, long_plan(entries=[{"kind": "trigger", "trigger": "101000"}], take_profits=[]))
    sent = wall_ms() - 60_000
    raw = {"trigger_by": "last", "sent_at": sent, "absent_since": sent + 2_000}
    Order.objects.update(status="unknown", exchange_id="", raw=raw)
    venue.go(101_000)
    venue.hidden = Everything()
    again(trade, 1)
    assert (Order.objects.get(role="entry").status, Fill.objects.count()) == ("unknown", 0)
    venue.hidden = set()
    again(trade)
    assert (Fill.objects.get().trade, trade.status, len(resting(trade, "stop"))) == (trade, "open", 1)


def test_a_nameless_entry_that_is_not_found_by_its_number_is_known_by_what_it_became(
    account: Account, venue: VenueLike
) -> None:
    """It was seen waiting; triggered since, it is listed under another number, and the first is not found any more."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    trade = open_trade(account, long_plan(entries=[{"kind": "trigger_limit", "trigger": "101000", "price": "100800"}]))
    entry = Order.objects.get()
    Order.objects.update(raw=entry.raw | {"sent_at": 1, "absent_since": 1})  # this venue's clock stands in the past
    venue.go(101_000)
    venue.altered, venue.hidden = as_triggered_and_unhidden(venue), Everything()
    again(trade)
    entry.refresh_from_db()
    assert (entry.status, entry.child_id[:6], len(venue.sent)) == ("open", "child-", 1)


def test_what_an_entry_executed_that_was_seen_and_then_believed_gone_is_its_trades(
    account: Account, venue: VenueLike
) -> None:
    """It was not listed for a moment, long ago, and is not found when it has just executed."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    trade = again(open_trade(account, long_plan(entries=[{"kind": "trigger", "trigger": "101000"}], take_profits=[])))
    entry = Order.objects.get()
    assert (entry.status, entry.exchange_id) == ("open", venue.resting()[0].exchange_id)
    Order.objects.update(raw=entry.raw | {"sent_at": 1, "absent_since": 1})
    venue.go(101_000)
    venue.hidden, venue.lag = Everything(), 100
    venue.altered = lambda reading: replace(reading, positions=[])
    assert again(trade).status == "cancelled"
    venue.hidden, venue.lag, venue.altered = set(), 0, lambda reading: reading
    again(trade)
    assert (Fill.objects.get().order, trade.status, len(resting(trade, "stop"))) == (entry, "open", 1)


def test_of_two_like_entries_that_were_triggered_each_is_known_by_its_own_number(
    account: Account, venue: VenueLike
) -> None:
    """One of them is not listed, and neither can be asked for just then."""
    venue.profile = NAMELESS
    plan = long_plan(entries=[{"kind": "trigger_limit", "trigger": "101000", "price": "100800"}])
    trades = [open_trade(account, plan) for _ in range(2)]
    first, second = (Order.objects.get(trade=trade) for trade in trades)
    Order.objects.update(raw=first.raw | {"sent_at": 1})  # this venue's clock stands in the past
    venue.go(101_000)
    listed = as_triggered_and_unhidden(venue)
    venue.altered, venue.cannot_find = only_listed(f"child-{second.exchange_id}", listed), True
    look(account.pk, seconds=0)
    venue.altered, venue.cannot_find = (lambda reading: reading), False
    venue.go(100_700)
    again(trades[0])
    assert {fill.order_id: fill.raw["exchange_id"] for fill in Fill.objects.all()} == {
        order.pk: f"child-{order.exchange_id}" for order in (first, second)
    }


def only_listed(number: str, listed: Callable[[Reading], Reading]) -> Callable[[Reading], Reading]:
    def without_others(reading: Reading) -> Reading:
        return replace(reading, orders=[each for each in listed(reading).orders if each.exchange_id == number])

    return without_others


def test_what_was_refused_when_sent_again_is_our_stop_when_the_first_of_it_executes(
    account: Account, venue: VenueLike
) -> None:
    """No list has shown it: its symbol could not be read between its arrival and its end."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    venue.drop(request_lost, is_stop)
    venue.drop(refused, is_stop)
    trade = again(entered(account, venue, take_profits=[]))
    first, second = Order.objects.get(role="stop", status="rejected"), Order.objects.get(role="stop", status="open")
    intent = next(each for each in venue.sent if each.client_id == first.client_id)
    venue.sim.orders[first.client_id] = Resting(intent, "x-late", venue.time, live=False)
    venue.cancel_by_hand(second.client_id)
    venue.go(98_900)
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "stop_loss")
    assert Fill.objects.get(order_side="sell").order_id == first.pk


@pytest.mark.parametrize("sends", [1, 2])
def test_what_a_triggered_order_became_is_no_older_than_its_first_sending(sends: int) -> None:
    """Sent again twenty seconds after, while the first was there, under another number already."""
    begun = timezone.now()
    order = Order(symbol=SYMBOL, order_side="buy", kind="stop_limit", quantity=D(1), price=D(100), trigger=D(101))
    order.created_at = begun
    order.raw = {"sent_at": to_ms(begun) + 20_000, "sends": sends}
    told = OrderState(
        "",
        "child-1",
        SYMBOL,
        OrderSide.BUY,
        OrderKind.LIMIT,
        D(1),
        OrderStatus.OPEN,
        price=D(100),
        time=to_ms(begun) + 4_000,
    )
    assert recognition.became(order, told) is (sends == 2)


def as_triggered(reading: Reading) -> Reading:
    """What was triggered stands in the list as what it became."""
    became = [
        replace(state, exchange_id=f"child-{state.exchange_id}", kind=OrderKind.LIMIT, trigger=None)
        for state in reading.orders
    ]
    return replace(reading, orders=became)


def as_triggered_and_unhidden(venue: VenueLike) -> Callable[[Reading], Reading]:
    """No order is found when it is asked for, and the list shows what it became."""
    there = tuple(venue.resting())
    return lambda reading: as_triggered(replace(reading, orders=[replace(each, client_id="") for each in there]))


def refused(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Rejected("not now", "other")


def test_a_hand_made_stop_with_other_figures_is_not_taken_for_ours(account: Account, venue: VenueLike) -> None:
    venue.profile = NAMELESS
    venue.drop(request_lost, is_stop)
    trade = open_trade(account, long_plan())
    venue.go(100_000)
    look(account.pk, seconds=0)
    name = venue.hand("sell", "stop_market", "0.05", trigger=98_000, reduce_only=True)
    again(trade)
    assert name in venue.sim.orders
    assert len(resting(trade, "stop")) == 1
    assert len([i for i in venue.sent if is_stop(i)]) == 2


def test_an_order_is_not_sent_again_while_a_read_may_still_lag(account: Account, venue: VenueLike) -> None:
    venue.profile = SLOW
    venue.drop(late, is_entry)
    trade = again(open_trade(account, long_plan(entries=[{"kind": "market"}])))
    assert len([i for i in venue.sent if is_entry(i)]) == 1
    assert Order.objects.get(role="entry").status == "unknown"
    assert len(resting(trade, "stop")) == 1  # what is held already is covered
    venue.hidden.clear()
    again(trade)
    assert (trade.status, len([i for i in venue.sent if is_entry(i)])) == ("open", 1)


def test_an_order_provably_absent_is_sent_again_under_its_own_name(account: Account, venue: VenueLike) -> None:
    venue.profile = SLOW
    venue.drop(request_lost, is_entry)
    trade = again(open_trade(account, long_plan()))
    order = Order.objects.get()
    assert (len(venue.sent), order.status) == (1, "unknown")
    long_ago = {"sent_at": order.raw["sent_at"] - 10_000, "absent_since": order.raw["absent_since"] - 4_000}
    Order.objects.update(raw=order.raw | long_ago)
    again(trade)
    assert [intent.client_id for intent in venue.sent] == [order.client_id] * 2
    assert Order.objects.get().status == "open"


@pytest.mark.parametrize(("names_stops", "sent"), [(True, 2), (False, 1)])
def test_an_entry_that_only_lists_could_show_is_sent_again_later_than_one_that_can_be_asked_for(
    account: Account, venue: VenueLike, names_stops: bool, sent: int
) -> None:
    """A list may lack what is there for longer than it may lag, and two entries would be twice what was asked for."""
    venue.profile = Profile("slow", names_stops=names_stops, settle_ms=20 * SECOND)
    venue.drop(request_lost, is_entry)
    trade = open_trade(account, long_plan(entries=[{"kind": "trigger", "trigger": "101000"}], take_profits=[]))
    again(trade, 1)
    for seconds in (30, 70):
        order = Order.objects.get()
        absent = {"absent_since": wall_ms() - seconds * SECOND, "sent_at": wall_ms() - (seconds + 6) * SECOND}
        Order.objects.update(raw=order.raw | (absent if order.status == "unknown" else {}))
        again(trade, 1)
        assert len(venue.sent) == (sent if seconds == 30 else 2)


def a_second_ago(order: Order) -> None:
    """As if a read could not lag as far behind any more as a stop waits for."""
    order.refresh_from_db()
    Order.objects.filter(pk=order.pk).update(raw=order.raw | {"absent_since": order.raw["absent_since"] - 800})


def whose_stop_cannot_be_read(account: Account, venue: VenueLike) -> tuple[Trade, Order]:
    """It is accepted, without an answer."""
    venue.profile = SLOW
    venue.drop(late, is_stop)
    trade = open_trade(account, long_plan())
    venue.go(100_000)
    look(account.pk, seconds=0)
    return trade, Order.objects.get(role="stop")


def assert_it_is_the_stop(trade: Trade, stop: Order, venue: VenueLike) -> None:
    """The only one, once it can be read."""
    venue.hidden.clear()
    again(trade)
    assert [order.client_id for order in resting(trade, "stop")] == [stop.client_id]


def test_a_name_that_the_venue_refuses_as_used_is_there_even_if_it_cannot_be_read(
    account: Account, venue: VenueLike
) -> None:
    trade, stop = whose_stop_cannot_be_read(account, venue)
    for _ in range(3):
        look(account.pk, seconds=0)
        a_second_ago(stop)
    stop.refresh_from_db()
    assert (len([i for i in venue.sent if is_stop(i)]), stop.status) == (2, "unknown")
    assert_it_is_the_stop(trade, stop, venue)


def test_a_refusal_says_nothing_of_the_first_sending_of_a_stop_that_may_not_be_listed_yet(
    account: Account, venue: VenueLike
) -> None:
    """It rests, and under another name a second one would rest beside it."""
    trade, stop = whose_stop_cannot_be_read(account, venue)
    venue.drop(refused, is_stop)
    look(account.pk, seconds=0)
    a_second_ago(stop)
    for _ in range(2):
        look(account.pk, seconds=0)
    assert [intent.client_id for intent in venue.sent if is_stop(intent)] == [stop.client_id] * 2
    assert_it_is_the_stop(trade, stop, venue)


def test_a_row_left_by_a_killed_process_is_looked_up_before_it_is_sent_again(
    account: Account, venue: VenueLike
) -> None:
    """The process died between the commit and the answer: whether it was sent nobody can say."""
    venue.profile = SLOW
    trade = again(open_trade(account, long_plan()))
    Order.objects.update(status="intended", exchange_id="")
    again(trade)
    assert (len(venue.sent), Order.objects.get().status) == (1, "open")


def test_an_entry_is_not_repeated_while_its_executions_are_told_late(account: Account, venue: VenueLike) -> None:
    venue.lag = 3
    trade = open_trade(account, long_plan(entries=[{"kind": "market"}]))
    look(account.pk, seconds=0)
    assert not Fill.objects.exists()
    assert [intent.reduce_only for intent in venue.sent] == [False, True]  # the stop is there before the fill is told
    again(trade, 5)
    assert len([i for i in venue.sent if is_entry(i)]) == 1
    assert (trade.status, len(resting(trade, "take_profit")), len(resting(trade, "stop"))) == ("open", 2, 1)


def test_a_trade_does_not_end_before_its_last_execution_is_told(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    venue.lag = 3
    venue.go(99_000)
    look(account.pk, seconds=0)
    trade.refresh_from_db()
    assert trade.status == "open"
    again(trade, 5)
    assert (trade.status, trade.exit_reason) == ("closed", "stop_loss")
    assert len([i for i in venue.sent if is_stop(i)]) == 1


def test_an_execution_that_cannot_be_told_apart_yet_is_not_booked(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    venue.go(99_000)
    venue.cannot_find = True
    again(trade)
    assert (trade.status, Fill.objects.filter(order_side="sell").exists()) == ("open", False)
    venue.cannot_find = False
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "stop_loss")


def test_an_execution_is_no_hands_because_our_stop_was_not_found_once(account: Account, venue: VenueLike) -> None:
    """It executed under a number that only its own record tells, and the venue found no such record just then."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1_000)
    trade = entered(account, venue)
    venue.go(99_000)
    found = venue.find
    venue.find = lambda ref: None
    look(account.pk, seconds=0)
    assert not Fill.objects.filter(order_side="sell").exists()
    venue.find = found
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "stop_loss")
    assert "external_fill" not in kinds(trade)


def test_positions_answered_empty_never_take_the_stop_away(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    venue.altered = lambda reading: replace(reading, positions=())
    Trade.objects.update(mismatch_since="2020-01-01T00:00:00Z")
    again(trade)
    assert (len(resting(trade, "stop")), venue.cancelled) == (1, [])
    assert any("our fills say" in text for text in trade_texts(trade))


def trade_texts(trade: Trade) -> list[str]:
    return list(Event.objects.filter(trade_id=trade.pk).values_list("text", flat=True))


def test_funding_told_after_the_end_is_counted(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    funded = Income("f1", IncomeKind.FUNDING, SYMBOL, D("-1.25"), venue.time)
    venue.go(99_000)
    again(trade)
    net = trade.net
    assert trade.status == "closed"
    venue.told.append((0, funded))
    Account.objects.update(cursor=str(len(venue.told) - 1))
    again(trade)
    assert (trade.funding, trade.net) == (D("-1.25"), net - D("1.25"))

"""Refused, lost or late: a stop that rests goes for nothing that may be wrong, and none is given up for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.errors import CouldNotRead, OutcomeUnknown, Rejected, Temporary
from buddy.core.exchange import CancelOutcome, OrderIntent, OrderRef, OrderState, Profile
from buddy.core.simulated_books import Resting
from buddy.exchanges.models import Account
from buddy.trading.executor import break_even_now, close, open_trade
from buddy.trading.models import Order, Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import long_plan, resting
from tests.exchanges.venue_like import SECOND, VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
FIXED = {"risk": {"quantity": "0.1"}, "take_profits": []}


def again(trade: Trade, looks: int = 2) -> Trade:
    for _ in range(looks):
        assert not look(trade.account_id, seconds=0).trouble
    trade.refresh_from_db()
    return trade


def stops(venue: VenueLike) -> list[Decimal]:
    return [state.quantity for state in venue.resting() if state.trigger is not None]


def is_stop(intent: OrderIntent) -> bool:
    return intent.reduce_only and intent.trigger is not None


def is_close(intent: OrderIntent) -> bool:
    return intent.reduce_only and intent.trigger is None and intent.price is None


def refused(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Rejected("not now", "other")


def request_lost(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise OutcomeUnknown("the line was cut")


def away(ref: OrderRef) -> CancelOutcome:
    raise Temporary("not now")


@pytest.mark.parametrize("fault", [refused, request_lost])
def test_what_can_be_neither_protected_nor_closed_gets_a_stop_as_soon_as_one_is_taken(
    account: Account, venue: VenueLike, fault: Callable[[VenueLike, OrderIntent], OrderState]
) -> None:
    """The venue refuses the stop twice, so it is to be closed at market, and that fails as well."""
    venue.profile = Profile("slow", settle_ms=60 * SECOND)
    venue.drop(refused, is_stop, times=2)
    venue.drop(fault, is_close, times=9)
    trade = open_trade(account, long_plan(**FIXED))
    venue.go(100_000)
    again(trade, 5)
    assert [intent for intent in venue.sent if is_close(intent)]
    assert (trade.status, venue.held(), stops(venue)) == ("open", D("0.1"), [D("0.1")])
    venue.faults.clear()
    Order.objects.filter(role="close", status="unknown").update(raw={"sent_at": 1, "absent_since": 10_000})
    venue.go(99_000)
    again(trade)
    assert (trade.status, venue.held(), venue.resting()) == ("closed", 0, [])


def test_a_stop_that_may_be_gone_never_makes_the_other_one_go(account: Account, venue: VenueLike) -> None:
    """The first of two that are alike arrives after the second rests. It is taken back, and the reply to that is lost:
    by its row it still rests, and the venue does not find it."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    venue.drop(request_lost, is_stop)
    venue.drop(refused, is_stop)
    trade = open_trade(account, long_plan(**FIXED))
    venue.go(100_000)
    again(trade, 4)
    first = next(intent for intent in venue.sent if is_stop(intent))
    (second,) = resting(trade, "stop")
    assert second.client_id != first.client_id
    venue.profile = Profile("nameless", names_stops=False, settle_ms=60 * SECOND)
    venue.sim.orders[first.client_id] = Resting(first, "x-late", venue.time, live=False)
    goes_unheard(venue, first)
    again(trade, 1)
    assert Order.objects.get(client_id=first.client_id).cancel_reason
    assert [state.exchange_id for state in venue.resting()] == [second.exchange_id]
    again(trade, 4)
    assert [state.exchange_id for state in venue.resting()] == [second.exchange_id]


def goes_unheard(venue: VenueLike, stop: OrderIntent) -> None:
    """It is cancelled, and from then on the venue answers nothing."""
    cancel = venue.cancel

    def cancelled(ref: OrderRef) -> CancelOutcome:
        cancel(ref)
        venue.hidden.add(stop.client_id)
        raise OutcomeUnknown("no reply")

    venue.cancel = cancelled  # type: ignore[method-assign]  # before and after


def half_entered(account: Account, venue: VenueLike) -> tuple[Trade, Order, Order]:
    """Its stop, and the entry of the other half, which still rests."""
    venue.profile = Profile("slow", settle_ms=60 * SECOND)
    legs = [{"kind": "limit", "price": price, "share": "0.5"} for price in ("100000", "99900")]
    trade = open_trade(account, long_plan(**FIXED, entries=legs))
    venue.go(100_000)
    again(trade)
    (stop,), (entry,) = resting(trade, "stop"), resting(trade, "entry")
    return trade, stop, entry


@pytest.mark.parametrize("answer", [CancelOutcome.ALREADY_CLOSED, CancelOutcome.CANCELLED])
def test_a_stop_does_not_go_when_an_entry_turns_out_to_have_just_executed(
    account: Account, venue: VenueLike, answer: CancelOutcome
) -> None:
    """A hand has closed the first part, so that nothing is held, and the second fills as it is taken back, whatever
    the venue answers to that."""
    trade, stop, entry = half_entered(account, venue)
    cancel = venue.cancel

    def cancelled(ref: OrderRef) -> CancelOutcome:
        venue.go(99_900)
        cancel(ref)
        return answer

    venue.cancel = cancelled  # type: ignore[method-assign]  # before and after
    venue.hand("sell", "market", "0.05", reduce_only=True)
    again(trade, 1)
    assert (venue.held(), [ref.client_id for ref in venue.cancelled]) == (D("0.05"), [entry.client_id])
    assert [state.exchange_id for state in venue.resting()] == [stop.exchange_id]
    again(trade)
    assert stops(venue) == [D("0.05")]


def test_a_stop_does_not_go_while_an_entry_that_cannot_be_asked_for_may_be_what_is_listed(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hand has closed the first part; the second has executed since, which is told last, and cannot be taken back."""
    trade, stop, entry = half_entered(account, venue)
    venue.hand("sell", "market", "0.05", reduce_only=True)
    venue.go(99_900)
    venue.altered = lambda reading: replace(reading, fills=[fill for fill in reading.fills if fill.price != 99_900])
    with monkeypatch.context() as patch:
        patch.setattr(venue, "find", except_for(entry, venue.find))
        patch.setattr(venue, "cancel", except_for(entry, venue.cancel))
        again(trade)
    assert (venue.held(), [state.exchange_id for state in venue.resting()]) == (D("0.05"), [stop.exchange_id])
    venue.altered = lambda reading: reading
    again(trade)
    assert stops(venue) == [D("0.05")]


def except_for(order: Order, asked: Callable[[OrderRef], Any]) -> Callable[[OrderRef], Any]:
    """The venue says nothing of this one."""

    def answered(ref: OrderRef) -> Any:
        if ref.client_id == order.client_id:
            raise CouldNotRead("no answer")
        return asked(ref)

    return answered


def outgrown(account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch) -> tuple[Trade, Order, Order]:
    """A hand has added to it: its stop, which could not be taken back, and the larger one in its place."""
    trade = open_trade(account, long_plan(**FIXED))
    venue.go(100_000)
    again(trade)
    (old,) = resting(trade, "stop")
    with monkeypatch.context() as patch:
        patch.setattr(venue, "cancel", away)
        venue.hand("buy", "market", "0.02")
        again(trade)
    return trade, old, max(resting(trade, "stop"), key=lambda order: order.quantity)


def test_a_stop_that_is_not_listed_and_cannot_be_asked_for_makes_no_other_one_go(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took the other's place, and a hand has taken it away since."""
    trade, old, new = outgrown(account, venue, monkeypatch)
    assert new.pk != old.pk
    venue.cancel_by_hand(new.client_id)
    venue.cannot_find = True
    again(trade)
    assert [state.client_id for state in venue.resting()] == [old.client_id]
    venue.cannot_find = False
    again(trade)
    assert stops(venue) == [D("0.12")]


def test_a_late_list_that_shows_what_took_a_stops_place_makes_that_stop_not_go(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hand has taken the new one away since: asked for by its name, the venue says so."""
    venue.profile = Profile("slow", settle_ms=1)
    trade, old, new = outgrown(account, venue, monkeypatch)
    late = venue.read([trade.symbol], "").orders
    venue.altered = lambda reading: replace(reading, orders=late)
    venue.cancel_by_hand(new.client_id)
    again(trade, 1)
    assert [state.client_id for state in venue.resting()] == [old.client_id]
    venue.altered = lambda reading: reading
    again(trade, 3)
    assert stops(venue) == [D("0.12")]


def test_a_stop_stays_when_the_one_placed_instead_of_it_is_gone_at_once(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hand takes the new one away while something else is on its way: what its own answer said is no longer so."""
    venue.profile = Profile("slow", settle_ms=1)
    trade = open_trade(account, long_plan(**FIXED))
    venue.go(100_000)
    again(trade)
    cancel, left = venue.cancel, []

    def goes(ref: OrderRef) -> CancelOutcome:
        outcome = cancel(ref)
        left.append(stops(venue))
        return outcome

    monkeypatch.setattr(venue, "cancel", goes)
    venue.go(100_500)
    venue.drop(taken_away_at_once, is_stop)
    break_even_now(trade)
    again(trade, 3)
    assert left == [[D("0.1")]]


def taken_away_at_once(venue: VenueLike, intent: OrderIntent) -> OrderState:
    state = venue.accept(intent)
    venue.cancel_by_hand(intent.client_id)
    return state


def test_a_late_list_that_shows_a_stop_which_is_over_makes_no_other_one_go(account: Account, venue: VenueLike) -> None:
    """A hand had taken it away, and another rests in its place, of which nobody answers."""
    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    trade = open_trade(account, long_plan(**FIXED))
    venue.go(100_000)
    again(trade, 4)
    (old,) = resting(trade, "stop")
    late = [state for state in venue.read([trade.symbol], "").orders if state.trigger is not None]
    venue.cancel_by_hand(old.client_id)
    again(trade, 4)
    (new,) = resting(trade, "stop")
    assert new.pk != old.pk
    venue.altered, venue.cannot_find = lambda reading: replace(reading, orders=late), True
    again(trade, 4)
    assert [state.client_id for state in venue.resting()] == [new.client_id]


def test_a_stop_of_nothing_goes_though_a_target_of_its_trade_is_in_doubt(account: Account, venue: VenueLike) -> None:
    """The target can neither be found nor taken back: had it sold, there would be no more to protect."""
    venue.profile = Profile("slow", settle_ms=60 * SECOND)
    venue.drop(request_lost, lambda intent: intent.reduce_only and intent.price is not None)
    target = [{"price": "102000", "share": "1"}]
    trade = open_trade(account, long_plan(risk={"quantity": "0.1"}, take_profits=target))
    venue.go(100_000)
    again(trade)
    assert (stops(venue), Order.objects.get(role="take_profit").status) == ([D("0.1")], "unknown")
    close(trade, D(1))
    again(trade)
    assert (venue.resting(), Order.objects.get(role="take_profit").status) == ([], "unknown")

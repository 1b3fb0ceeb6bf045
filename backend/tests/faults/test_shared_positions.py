"""Two trades of one symbol and side lie in one position at the venue: neither takes what is the other's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.errors import OutcomeUnknown, Rejected
from buddy.core.exchange import Fill as Execution
from buddy.core.exchange import OrderIntent, OrderState, Profile, Reading
from buddy.core.simulated_books import Resting
from buddy.exchanges.models import Account
from buddy.trading.endings import AHEAD_MS
from buddy.trading.executor import close, hands_off, open_trade
from buddy.trading.models import Fill, ForeignPosition, Order, Trade
from buddy.trading.moments import at
from buddy.trading.watcher import look
from tests.apps.trading_rig import kinds, long_plan, resting
from tests.exchanges.venue_like import SECOND, SYMBOL, VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
LONG_AFTER = 5 * SECOND
"""No list lags any more."""


def trade_of(account: Account, quantity: str, stop: str = "99000", price: str = "100000", **changes: Any) -> Trade:
    plan = {"risk": {"quantity": quantity}, "stop": {"price": stop}, "entries": [{"price": price}], "take_profits": []}
    return open_trade(account, long_plan(**plan | changes))


def again(*trades: Trade, looks: int = 2) -> None:
    for _ in range(looks):
        assert not look(trades[0].account_id, seconds=0).trouble
    for trade in trades:
        trade.refresh_from_db()


def held(trade: Trade | None) -> Decimal:
    sides = {"buy": 1, "sell": -1}
    return sum((fill.quantity * sides[fill.order_side] for fill in Fill.objects.filter(trade=trade)), D(0))


def left(trade: Trade | None) -> Decimal:
    return sum((fill.quantity for fill in Fill.objects.filter(trade=trade, order_side="sell")), D(0))


def is_close(intent: OrderIntent) -> bool:
    return intent.reduce_only and intent.trigger is None and intent.price is None


def stop_at(price: int) -> Callable[[OrderIntent], bool]:
    return lambda intent: intent.reduce_only and intent.trigger == price


def refused(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Rejected("not now", "other")


def request_lost(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise OutcomeUnknown("the line was cut")


def test_a_trade_that_is_closed_for_want_of_a_stop_closes_nothing_of_the_other(
    account: Account, venue: VenueLike
) -> None:
    """It may hold more than it knows, since the reply to its second entry was lost; what the other has is sure."""
    venue.profile = Profile("slow", settle_ms=60 * SECOND)
    legs = [{"kind": "limit", "price": price, "share": "0.5"} for price in ("100000", "99500")]
    venue.drop(request_lost, lambda intent: intent.price == 99_500)
    venue.drop(refused, stop_at(99_000), times=2)
    doubtful, sure = trade_of(account, "0.04", entries=legs), trade_of(account, "0.03", stop="98900")
    venue.go(100_000)
    again(doubtful, sure, looks=4)
    assert Order.objects.get(trade=doubtful, leg=1, role="entry").status == "unknown"
    assert [intent.quantity for intent in venue.sent if is_close(intent)] == [D("0.02")]
    assert (venue.held(), [order.quantity for order in resting(sure, "stop")]) == (D("0.03"), [D("0.03")])


def test_an_exit_that_is_told_before_its_entry_does_not_count_the_entry_once_more(
    account: Account, venue: VenueLike
) -> None:
    legs = [{"kind": "limit", "price": price, "share": "0.5"} for price in ("100000", "99900")]
    first, second = trade_of(account, "0.04", entries=legs), trade_of(account, "0.03")
    venue.go(100_000)
    again(first, second)
    untold = Order.objects.get(trade=first, role="entry", leg=1).exchange_id
    kept: list[Execution] = []

    def without_the_second_leg(reading: Reading) -> Reading:
        kept.extend(fill for fill in reading.fills if fill.exchange_id == untold)
        return replace(reading, fills=[fill for fill in reading.fills if fill.exchange_id != untold])

    venue.altered = without_the_second_leg
    venue.go(99_900)
    again(close(first, D(1)), second, looks=3)
    assert [intent.quantity for intent in venue.sent if is_close(intent)] == [D("0.04")]
    venue.altered = lambda reading: replace(reading, fills=[*reading.fills, *kept])
    again(first, second)
    assert (first.status, first.entered_quantity, venue.held()) == ("closed", D("0.04"), D("0.03"))
    assert [order.quantity for order in resting(second, "stop")] == [D("0.03")]


def stop_executes_at_once(venue: VenueLike, intent: OrderIntent) -> OrderState:
    """The price falls to the stop between the market order and its answer, when nobody could make the stop smaller."""
    state = venue.accept(intent)
    venue.go(99_000)
    return state


def test_a_stop_that_closed_part_of_another_trade_is_an_exit_of_that_one(account: Account, venue: VenueLike) -> None:
    first, other = trade_of(account, "0.05"), trade_of(account, "0.06", stop="98000")
    venue.go(100_000)
    again(first, other)
    venue.drop(stop_executes_at_once, is_close)
    close(first, D("0.4"))
    again(first, other)
    assert (left(first), venue.held()) == (D("0.07"), D("0.04"))
    venue.time += LONG_AFTER
    again(first, other)
    assert (first.status, left(first), held(other)) == ("closed", D("0.05"), D("0.04"))
    assert [order.quantity for order in resting(other, "stop")] == [D("0.04")]
    assert "external_fill" in kinds(other)
    venue.go(98_000)
    again(first, other)
    assert (other.status, left(other), venue.held(), venue.resting()) == ("closed", D("0.06"), 0, [])
    for trade in (first, other):
        assert trade.gross == money(trade)
    assert D(10_000) + first.net + other.net == venue.sim.books.wallet


def test_a_target_that_outlives_its_trade_and_closes_another_is_an_exit_of_that_one(
    account: Account, venue: VenueLike
) -> None:
    """It could neither be found nor taken back."""
    target = {"take_profits": [{"price": "102000", "share": "1"}]}
    first, other = trade_of(account, "0.05", **target), trade_of(account, "0.02", stop="98000", price="99900")
    venue.go(100_000)
    again(first, other)
    left_behind = next(state for state in venue.resting() if state.price == 102_000)
    close(first, D(1))
    again(first, other)
    assert (first.status, other.status) == ("closed", "pending")
    intent = next(each for each in venue.sent if each.client_id == left_behind.client_id)
    venue.go(99_900)
    again(first, other)
    venue.sim.orders[intent.client_id] = Resting(intent, left_behind.exchange_id, venue.time, live=False)
    venue.go(102_000)
    again(first, other)
    assert (venue.held(), left(first)) == (0, D("0.07"))
    venue.time += LONG_AFTER
    again(first, other, looks=3)
    assert (first.status, left(first), other.status, left(other)) == ("closed", D("0.05"), "closed", D("0.02"))
    assert venue.resting() == []
    assert D(10_000) + first.net + other.net == venue.sim.books.wallet


def test_what_a_hand_adds_unseen_to_one_of_two_trades_is_nobodys_though_only_one_holds(
    account: Account, venue: VenueLike
) -> None:
    """Nobody could read for more than a minute; the other one's entry rests, and by its size might explain it."""
    first, other = trade_of(account, "0.05"), trade_of(account, "0.06", price="99500", stop="98000")
    venue.hand("buy", "market", "0.04")
    venue.time += 100 * SECOND
    venue.go(100_000)
    again(first, other)
    ForeignPosition.objects.update(first_seen=at(0))
    again(first, other)
    assert [(row.quantity, row.confirmed) for row in ForeignPosition.objects.all()] == [(D("0.04"), True)]
    assert (held(first), [order.quantity for order in resting(first, "stop")]) == (D("0.05"), [D("0.05")])


def money(trade: Trade | None) -> Decimal:
    """What its own quantity made, before fees."""
    fills = Fill.objects.filter(trade=trade)
    return sum((fill.price * fill.quantity * (1 if fill.order_side == "sell" else -1) for fill in fills), D(0))


def test_a_stop_that_closed_part_of_the_own_hands_position_is_nobodys_exit(account: Account, venue: VenueLike) -> None:
    venue.set_up(SYMBOL, D(20), "isolated")
    venue.hand("buy", "market", "0.1")
    assert not look(account.pk, seconds=0).trouble
    ForeignPosition.objects.update(ignored=True)
    trade = trade_of(account, "0.05")
    venue.go(100_000)
    again(trade)
    venue.drop(stop_executes_at_once, is_close)
    close(trade, D("0.4"))
    again(trade)
    assert (left(trade), venue.held()) == (D("0.07"), D("0.08"))
    venue.time += AHEAD_MS
    again(trade)
    assert (trade.status, left(trade), left(None)) == ("closed", D("0.05"), D("0.02"))
    assert [row.quantity for row in ForeignPosition.objects.all()] == [D("0.08")]
    assert trade.gross == money(trade)
    venue.hand("sell", "market", venue.held(), reduce_only=True)
    again(trade)
    own_hands = money(None) - sum(fill.fee for fill in Fill.objects.filter(trade=None))
    assert D(10_000) + trade.net + own_hands == pytest.approx(venue.sim.books.wallet, abs=D("1e-9"))


def closed_by_hand_beside_a_refused_stop(account: Account, venue: VenueLike) -> tuple[Trade, Trade]:
    """A hand closes the one as the other enters, and the venue refuses the stop of that one."""
    first, other = trade_of(account, "0.03"), trade_of(account, "0.02", stop="98900", price="99900")
    venue.go(100_000)
    again(first, other)
    venue.drop(refused, stop_at(98_900))
    venue.hand("sell", "market", "0.03", reduce_only=True)
    venue.go(99_900)
    return first, other


def stops(venue: VenueLike) -> list[tuple[Decimal | None, Decimal]]:
    return [(state.trigger, state.quantity) for state in venue.resting() if state.trigger is not None]


def test_the_stop_of_a_trade_that_is_over_stays_until_the_one_beside_it_has_its_own(
    account: Account, venue: VenueLike
) -> None:
    first, other = closed_by_hand_beside_a_refused_stop(account, venue)
    again(first, other, looks=1)
    assert (held(first), held(other)) == (0, D("0.02"))
    assert stops(venue) == [(D(99_000), D("0.03"))]
    again(first, other)
    assert (first.status, other.status) == ("closed", "open")
    assert stops(venue) == [(D(98_900), D("0.02"))]


def test_so_it_does_while_the_venues_positions_lag_behind_what_the_one_beside_it_has_executed(
    account: Account, venue: VenueLike
) -> None:
    first, other = trade_of(account, "0.03"), trade_of(account, "0.02", stop="98900", price="99900")
    venue.go(100_000)
    again(first, other)
    venue.hand("sell", "market", "0.03", reduce_only=True)
    venue.go(99_900)
    venue.altered = lambda reading: replace(reading, positions=())
    again(first, other, looks=1)
    assert (held(first), held(other), stops(venue)[0]) == (0, D("0.02"), (D(99_000), D("0.03")))
    venue.altered = lambda reading: reading
    again(first, other)
    assert (first.status, stops(venue)) == ("closed", [(D(98_900), D("0.02"))])


def test_so_does_one_that_arrives_after_the_end_of_its_trade(account: Account, venue: VenueLike) -> None:
    first, other = trade_of(account, "0.03"), trade_of(account, "0.02", stop="98900", price="99900")
    venue.go(100_000)
    again(first, other)
    close(first, D(1))
    again(first, other)
    assert (first.status, other.status, stops(venue)) == ("closed", "pending", [])
    late = next(intent for intent in venue.sent if intent.trigger == 99_000)
    venue.sim.orders[late.client_id] = Resting(late, "x-late", venue.time, live=False)
    venue.drop(refused, stop_at(98_900))
    venue.go(99_900)
    again(first, other, looks=1)
    assert stops(venue) == [(D(99_000), D("0.03"))]
    again(first, other)
    assert stops(venue) == [(D(98_900), D("0.02"))]


def test_it_does_not_stay_for_a_trade_that_is_not_managed_here(account: Account, venue: VenueLike) -> None:
    first, other = closed_by_hand_beside_a_refused_stop(account, venue)
    hands_off(other, True)
    again(first, other, looks=1)
    assert (first.status, other.hands_off, held(other), stops(venue)) == ("closed", True, D("0.02"), [])


def test_what_the_venue_takes_of_a_position_is_the_hands_part_first_though_no_look_has_found_it(
    account: Account, venue: VenueLike
) -> None:
    """A hand has added to the position of two trades, and both are told at once: what it added, and what was taken."""
    first, second = trade_of(account, "0.04"), trade_of(account, "0.03")
    venue.go(100_000)
    again(first, second)
    venue.hand("buy", "market", "0.02")
    venue.hand("sell", "market", "0.05", reduce_only=True)
    again(first, second)
    assert (held(None), held(first), held(second)) == (D(0), D("0.01"), D("0.03"))
    assert not ForeignPosition.objects.exists()
    assert [order.quantity for order in resting(first, "stop")] == [D("0.01")]


def test_what_a_hand_closes_is_what_it_opened_though_that_was_never_seen_for_sure(
    account: Account, venue: VenueLike
) -> None:
    """A look had found it beside two trades, and for longer than a minute none could tell whether it was theirs."""
    trades = [trade_of(account, "0.02"), trade_of(account, "0.03")]
    venue.go(100_000)
    again(*trades)
    venue.hand("buy", "market", "0.05")
    again(*trades, looks=1)
    ForeignPosition.objects.update(first_seen=at(venue.time))
    venue.time += 70 * SECOND
    venue.go(100_000)
    venue.hand("sell", "market", "0.05")
    venue.altered = lambda reading: replace(reading, positions=())
    again(*trades, looks=1)
    assert [held(trade) for trade in (*trades, None)] == [D("0.02"), D("0.03"), 0]

"""What a hand executed, and was booked to the wrong one because the list of positions lagged, is booked anew when sure.

No stop is too small for what is held meanwhile, and none is left for what is nobody's.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from buddy.core.exchange import PositionMode, PositionState, Reading
from buddy.core.market import Side
from buddy.exchanges.models import Account
from buddy.trading import gate
from buddy.trading.executor import open_trade
from buddy.trading.models import Fill, ForeignPosition, Trade
from buddy.trading.taken import moved
from buddy.trading.watcher import look
from tests.apps.trading_rig import long_plan, resting
from tests.exchanges.venue_like import SECOND, SYMBOL, VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
A_WHILE = 5 * SECOND
"""No list lags any more."""


@pytest.fixture
def hedged(account: Account, venue: VenueLike) -> Account:
    venue.mode, account.position_mode = PositionMode.HEDGE, "hedge"
    account.save(update_fields=["position_mode"])
    return account


def again(trade: Trade, looks: int = 2) -> Trade:
    for _ in range(looks):
        assert not look(trade.account_id, seconds=0).trouble
    trade.refresh_from_db()
    return trade


def waiting(account: Account, quantity: str) -> Trade:
    return open_trade(account, long_plan(risk={"quantity": quantity}, take_profits=[]))


def entered(account: Account, venue: VenueLike, quantity: str) -> Trade:
    trade = waiting(account, quantity)
    venue.go(100_000)
    return again(trade)


def adopted(account: Account, api: Any) -> Trade:
    """What a hand holds by now, with a stop at 99 000."""
    assert not look(account.pk, seconds=0).trouble
    row = ForeignPosition.objects.get()
    address = f"/api/v1/accounts/{account.pk}/foreign-positions/{row.pk}/adopt"
    body, key = {"stop": {"price": "99000"}}, {"Idempotency-Key": uuid.uuid4().hex}
    answer = api.post(address, body, format="json", headers=key)
    assert answer.status_code == 201, answer.json()
    return Trade.objects.get()


def listed(*positions: tuple[Side, str]) -> Callable[[Reading], Reading]:
    """The list of positions says this, whatever the venue holds."""
    states = [PositionState(SYMBOL, side, D(quantity), D(100_000)) for side, quantity in positions]
    return lambda reading: replace(reading, positions=states)


def as_it_is(reading: Reading) -> Reading:
    return reading


def held(trade: Trade | None) -> Decimal:
    sides = {"buy": 1, "sell": -1}
    return sum((fill.quantity * sides[fill.order_side] for fill in Fill.objects.filter(trade=trade)), D(0))


def stops(trade: Trade) -> list[Decimal]:
    return [order.quantity for order in resting(trade, "stop")]


def sure(trade: Trade) -> None:
    """The list has said so for long enough."""
    Trade.objects.filter(pk=trade.pk).update(mismatch_since=timezone.now() - timedelta(seconds=3))


def assert_ends_whole(trade: Trade, venue: VenueLike, quantity: str) -> None:
    venue.go(99_000)
    again(trade)
    assert (trade.status, trade.entered_quantity, venue.held(), venue.resting()) == ("closed", D(quantity), 0, [])


def test_what_a_hand_had_added_to_an_adopted_position_and_is_told_last_is_the_trades(
    account: Account, venue: VenueLike, api: Any
) -> None:
    """The list shows nothing at all when it is told, so that it cannot be seen to be new."""
    venue.hand("buy", "market", "0.06")
    assert not look(account.pk, seconds=0).trouble
    venue.lag = 100
    venue.hand("buy", "market", "0.02")
    venue.altered = listed((Side.LONG, "0.06"))
    trade = adopted(account, api)
    venue.lag, venue.altered = 0, listed()
    again(trade)
    assert (held(trade), held(None)) == (D("0.06"), D("0.08"))
    venue.altered = as_it_is
    venue.time += A_WHILE
    again(trade)
    assert (held(trade), stops(trade)) == (D("0.08"), [D("0.08")])
    assert_ends_whole(trade, venue, "0.08")


def test_where_both_sides_may_be_held_what_a_hand_bought_beside_a_waiting_entry_is_the_trades(
    hedged: Account, venue: VenueLike
) -> None:
    """Nobody could read meanwhile: both are told at once, the hand's first."""
    trade = waiting(hedged, "0.02")
    venue.hand("buy", "market", "0.05")
    venue.go(100_000)
    again(trade, 1)
    assert (held(trade), held(None), stops(trade)) == (D("0.02"), D("0.05"), [D("0.07")])
    venue.time += A_WHILE
    again(trade)
    assert (held(trade), held(None), stops(trade)) == (D("0.07"), 0, [D("0.07")])
    assert not ForeignPosition.objects.exists()
    assert_ends_whole(trade, venue, "0.07")
    assert D(10_000) + trade.net == venue.sim.books.wallet


def test_where_both_sides_may_be_held_what_a_hand_bought_is_the_trades_though_another_entry_rests(
    hedged: Account, venue: VenueLike
) -> None:
    """By its size it could be what that one has executed unheard, but the venue has told whose it was."""
    entries = [{"price": "100000", "share": "0.5"}, {"price": "99500", "share": "0.5"}]
    trade = open_trade(hedged, long_plan(risk={"quantity": "0.04"}, take_profits=[], entries=entries))
    venue.hand("buy", "market", "0.01")
    venue.go(100_000)
    again(trade, 1)
    assert (held(trade), held(None), stops(trade)) == (D("0.02"), D("0.01"), [D("0.03")])
    venue.time += A_WHILE
    again(trade)
    assert (held(trade), held(None), stops(trade)) == (D("0.03"), 0, [D("0.03")])
    venue.go(99_500)
    again(trade)
    assert (held(trade), stops(trade)) == (D("0.05"), [D("0.05")])


def test_a_sale_that_enlarged_a_short_of_the_own_hand_is_given_back(hedged: Account, venue: VenueLike) -> None:
    """It was booked as having left the long beside it, since the list showed neither of the two just then."""
    venue.set_up(SYMBOL, D(20), "isolated")
    venue.hand("sell", "market", "0.03")
    assert not look(hedged.pk, seconds=0).trouble
    ForeignPosition.objects.update(ignored=True)
    venue.altered = listed((Side.SHORT, "0.03"))
    trade = waiting(hedged, "0.1")
    venue.go(100_000)
    venue.altered = listed((Side.LONG, "0.1"), (Side.SHORT, "0.03"))
    again(trade)
    venue.altered = listed()
    venue.hand("sell", "market", "0.02")
    again(trade, 1)
    assert (held(trade), held(None)) == (D("0.08"), D("-0.03"))
    venue.altered = listed((Side.LONG, "0.1"), (Side.SHORT, "0.05"))
    venue.time += A_WHILE
    again(trade)
    assert (held(trade), held(None), stops(trade)) == (D("0.1"), D("-0.05"), [D("0.1")])
    assert [(row.side, row.quantity) for row in ForeignPosition.objects.all()] == [("short", D("0.05"))]


def side_by_side(hedged: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch) -> tuple[Trade, Trade]:
    """A long of 0.1 and a short of 0.06."""
    monkeypatch.setattr(gate, "_is_hedged", lambda account: True)  # by its name this account is on paper
    long = entered(hedged, venue, "0.1")
    plan = {"side": "short", "entries": [{"price": "100500"}], "stop": {"price": "102000"}, "take_profits": []}
    short = open_trade(hedged, long_plan(**plan | {"risk": {"quantity": "0.06"}}))
    venue.altered = listed((Side.LONG, "0.1"), (Side.SHORT, "0.06"))
    venue.go(100_500)
    again(long)
    return long, short


def test_what_enlarged_a_long_of_ours_while_no_list_showed_it_has_not_left_the_short_beside_it(
    hedged: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, short = side_by_side(hedged, venue, monkeypatch)
    venue.altered = listed()
    venue.hand("buy", "market", "0.02")
    again(long, 1)
    assert (held(long), held(short)) == (D("0.1"), D("-0.04"))
    venue.altered = listed((Side.LONG, "0.12"), (Side.SHORT, "0.06"))
    venue.time += A_WHILE
    again(long, 3)
    assert (held(long), held(short), held(None)) == (D("0.12"), D("-0.06"), 0)
    assert stops(long) == [D("0.12")]
    assert not ForeignPosition.objects.exists()


def test_what_left_a_short_of_ours_that_a_list_still_showed_has_not_enlarged_the_long_beside_it(
    hedged: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, short = side_by_side(hedged, venue, monkeypatch)
    venue.hand("buy", "market", "0.02")
    again(long, 1)
    assert (held(long), held(short)) == (D("0.12"), D("-0.06"))
    venue.altered = listed((Side.LONG, "0.1"), (Side.SHORT, "0.04"))
    again(long)
    for trade in (long, short):
        sure(trade)
    again(long, 3)
    assert (held(long), held(short), held(None)) == (D("0.1"), D("-0.04"), 0)
    assert stops(long) == [D("0.1")]
    assert not Trade.objects.exclude(mismatch_since=None).exists()


@pytest.mark.parametrize("is_adopted", [False, True])
def test_where_both_sides_may_be_held_what_a_hand_closed_while_the_list_lagged_has_left_the_trade(
    hedged: Account, venue: VenueLike, api: Any, is_adopted: bool
) -> None:
    """It could have opened a short. What was adopted is not nobody's any more, and explains nothing."""
    if is_adopted:
        venue.hand("buy", "market", "0.1")
        trade = adopted(hedged, api)
        venue.time += 2 * A_WHILE  # no execution before the adoption
    else:
        trade = entered(hedged, venue, "0.1")
    venue.altered = listed((Side.LONG, "0.1"))
    venue.hand("sell", "market", "0.04", reduce_only=True)
    before = held(None)
    again(trade, 1)
    assert (held(trade), held(None)) == (D("0.1"), before - D("0.04"))
    venue.altered = as_it_is
    again(trade)
    assert stops(trade) == [D("0.1")], "nothing is made smaller by what may be wrong"
    sure(trade)
    again(trade)
    assert (held(trade), held(None), stops(trade)) == (D("0.06"), before, [D("0.06")])
    assert_ends_whole(trade, venue, "0.1")


def test_an_execution_that_is_shared_out_in_two_steps_keeps_its_sum(account: Account, venue: VenueLike) -> None:
    venue.set_up(SYMBOL, D(20), "isolated")
    venue.hand("buy", "market", "0.05")
    assert not look(account.pk, seconds=0).trouble
    ForeignPosition.objects.update(ignored=True)
    trade, row = waiting(account, "0.02"), Fill.objects.get()
    whole = row.quantity, row.fee
    for part in ("0.01", "0.02"):
        moved(row, trade, D(part))
    assert (held(trade), held(None)) == (D("0.03"), D("0.02"))
    assert tuple(map(sum, zip(*Fill.objects.values_list("quantity", "fee"), strict=True))) == whole
    assert {fill.raw["exchange_id"] for fill in Fill.objects.all()} == {row.raw["exchange_id"]}

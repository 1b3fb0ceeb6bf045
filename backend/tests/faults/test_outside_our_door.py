"""What a hand does on the venue's own site: taken in within one look, counted, protected, and never fought."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from buddy.core.errors import Denied, InvalidPlan
from buddy.core.exchange import PositionState
from buddy.core.market import Side
from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.trading.executor import (
    NotNow,
    amend_plan,
    break_even_now,
    close,
    hands_off,
    open_trade,
    withdraw_entry,
)
from buddy.trading.models import Fill, ForeignPosition, Order, Trade
from buddy.trading.story import tell_foreign
from buddy.trading.watcher import look
from tests.apps.trading_rig import kinds, long_plan, resting, short_plan
from tests.exchanges.venue_like import SYMBOL, VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D, ZERO = Decimal, Decimal(0)


def entered(account: Account, venue: VenueLike, **changes: Any) -> Trade:
    trade = open_trade(account, long_plan(**changes))
    venue.go(100_000)
    return again(trade)


def again(trade: Trade, looks: int = 2) -> Trade:
    for _ in range(looks):
        assert not look(trade.account_id, seconds=0).trouble
    trade.refresh_from_db()
    return trade


def later() -> None:
    """Two seconds go by."""
    ForeignPosition.objects.update(first_seen=timezone.now() - timedelta(seconds=3))


def nobodys() -> list[tuple[str, Decimal]]:
    return [(row.side, row.quantity) for row in ForeignPosition.objects.filter(confirmed=True)]


def assert_books_are_equal(trade: Trade, venue: VenueLike) -> None:
    assert D(10_000) + trade.net == venue.sim.books.wallet


def test_closed_by_hand_the_trade_ends_as_external_within_one_look(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    venue.hand("sell", "market", trade_held(trade), reduce_only=True)
    again(trade, 1)
    assert (trade.status, trade.exit_reason, venue.resting()) == ("closed", "external", [])
    assert_books_are_equal(trade, venue)


def test_closed_by_hand_before_the_entry_was_told_the_trade_ends_all_the_same(
    account: Account, venue: VenueLike
) -> None:
    """The hand's execution comes first, and there is nothing yet that it could have closed."""
    trade, seen = open_trade(account, long_plan()), account.cursor
    ours = {order.exchange_id for order in Order.objects.filter(trade=trade, role="entry")}
    venue.altered = lambda reading: replace(
        reading, fills=[fill for fill in reading.fills if fill.exchange_id not in ours], cursor=seen
    )
    venue.go(100_000)
    again(trade)
    venue.hand("sell", "market", venue.held(), reduce_only=True)
    again(trade)
    assert trade.status != "closed"
    assert Fill.objects.get().trade is None
    venue.altered = lambda reading: reading
    again(trade)
    Trade.objects.filter(pk=trade.pk).update(mismatch_since=timezone.now() - timedelta(seconds=3))
    again(trade)
    assert (trade.status, trade.exit_reason, venue.resting()) == ("closed", "external", [])
    assert_books_are_equal(trade, venue)


def test_what_a_hand_reversed_and_our_second_entry_closed_again_is_the_trades(
    account: Account, venue: VenueLike
) -> None:
    """Nobody looked in between: of what the entry sold, a part closed what the hand had opened."""
    entries = [{"kind": "limit", "price": price, "share": "0.5"} for price in ("101000", "101500")]
    trade = open_trade(account, short_plan(entries=entries, stop={"price": "103000"}))
    venue.go(101_000)
    again(trade)
    first = -venue.held()
    venue.hand("buy", "market", first + D("0.005"))
    venue.go(101_500)
    again(trade)
    Trade.objects.filter(pk=trade.pk).update(mismatch_since=timezone.now() - timedelta(seconds=3))
    again(trade)
    assert (trade.status, trade_held(trade)) == ("open", venue.held())
    assert [order.quantity for order in resting(trade, "stop")] == [-venue.held()]
    close(trade, D(1))
    again(trade)
    assert (trade.status, venue.held(), venue.resting()) == ("closed", 0, [])
    assert_books_are_equal(trade, venue)


def assert_only_closed_the_hands(trade: Trade, venue: VenueLike) -> None:
    """Once it is sure: of the hand's short of 0.05, 0.03 is left, and nothing of the trade's."""
    again(trade, 1)
    later()
    again(trade)
    Trade.objects.filter(pk=trade.pk).update(mismatch_since=timezone.now() - timedelta(seconds=3))
    again(trade)
    assert (trade.status, trade.exit_reason, trade_held(trade)) == ("closed", "external", 0)
    assert (nobodys(), venue.resting()) == ([("short", D("0.03"))], [])


def test_an_entry_that_only_closed_what_a_hand_had_just_opened_the_other_way_is_over(
    account: Account, venue: VenueLike
) -> None:
    trade = open_trade(account, long_plan(risk={"quantity": "0.02"}))
    venue.hand("sell", "market", "0.05")
    venue.go(100_000)
    assert_only_closed_the_hands(trade, venue)


def test_an_entry_that_only_closed_what_a_hand_had_opened_before_we_were_asked_is_over(
    account: Account, venue: VenueLike
) -> None:
    """A moment before: no list had told of it yet."""
    venue.go(101_000)
    venue.hand("sell", "market", "0.05")
    venue.go(100_000)
    venue.altered = lambda reading: replace(reading, positions=(), fills=(), cursor="")
    trade = open_trade(account, long_plan(risk={"quantity": "0.02"}, entries=[{"kind": "market"}], margin_mode="cross"))
    venue.altered = lambda reading: reading
    assert_only_closed_the_hands(trade, venue)


def test_what_a_hand_added_and_our_own_exit_closed_counts_though_it_is_told_last(
    account: Account, venue: VenueLike
) -> None:
    trade = entered(account, venue)
    hand, seen = venue.hand("buy", "market", "0.02"), Account.objects.get().cursor
    told_last = venue.sim.closed[hand].exchange_id
    venue.altered = lambda reading: replace(
        reading, fills=[fill for fill in reading.fills if fill.exchange_id != told_last], cursor=seen
    )
    again(trade)
    close(trade, D(1))
    again(trade)
    assert (trade.status, venue.held()) == ("open", 0)  # more has left than has entered
    venue.altered = lambda reading: reading
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "manual")
    assert_books_are_equal(trade, venue)


def test_what_a_hand_entered_just_before_our_entry_filled_is_nobodys(account: Account, venue: VenueLike) -> None:
    """Both are told in one reading. Our stop is for ours alone."""
    trade = open_trade(account, long_plan(risk={"quantity": "0.02"}))
    venue.hand("buy", "market", "0.05")
    venue.go(100_000)
    again(trade, 1)
    assert (nobodys(), trade_held(trade)) == ([("long", D("0.05"))], D("0.02"))
    assert [order.quantity for order in resting(trade, "stop")] == [D("0.02")]
    venue.go(99_000)
    again(trade)
    assert (trade.status, trade.exit_reason, venue.held()) == ("closed", "stop_loss", D("0.05"))


def test_the_next_trades_stop_rests_before_that_of_the_one_before_it_goes(account: Account, venue: VenueLike) -> None:
    """A hand closes the one as the other fills: until then the stop of the first covers what the second holds."""
    first = entered(account, venue, risk={"quantity": "0.03"})
    second = open_trade(account, long_plan(risk={"quantity": "0.02"}, entries=[{"kind": "limit", "price": "99900"}]))
    cancel, covered = venue.cancel, []

    def cancelling(ref: Any) -> Any:
        answer = cancel(ref)
        covered.append(any(state.trigger is not None for state in venue.resting()))
        return answer

    venue.cancel = cancelling
    venue.hand("sell", "market", "0.03", reduce_only=True)
    venue.go(99_900)
    again(first, 1)
    second.refresh_from_db()
    assert (first.status, second.status, venue.held()) == ("closed", "open", D("0.02"))
    assert covered
    assert all(covered)


def trade_held(trade: Trade) -> Decimal:
    sides = {"buy": 1, "sell": -1}
    return sum((fill.quantity * sides[fill.order_side] for fill in Fill.objects.filter(trade=trade)), D(0))


def test_closed_in_part_by_hand_stop_and_targets_shrink(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    whole = trade_held(trade)
    venue.hand("sell", "market", "0.04", reduce_only=True)
    again(trade, 1)
    assert [order.quantity for order in resting(trade, "stop")] == [whole - D("0.04")]
    assert sum(order.quantity for order in resting(trade, "take_profit")) == whole - D("0.04")
    venue.go(101_000, 102_000)
    again(trade)
    assert (trade.status, trade.exit_reason, venue.held()) == ("closed", "take_profit", 0)
    assert_books_are_equal(trade, venue)


def test_what_a_hand_left_below_the_smallest_order_can_still_be_closed_whole(
    account: Account, venue: VenueLike
) -> None:
    trade = entered(account, venue, take_profits=[])
    venue.hand("sell", "market", trade_held(trade) - D("0.001"), reduce_only=True)
    trade = again(trade)
    venue.market = replace(venue.market, min_quantity=D("0.002"))
    trade = again(close(trade, D(1)))
    assert (trade.status, venue.held(), venue.resting()) == ("closed", ZERO, [])
    assert_books_are_equal(trade, venue)


def test_a_part_is_not_closed_when_what_is_left_could_have_no_stop(account: Account, venue: VenueLike) -> None:
    venue.market = replace(venue.market, min_quantity=D("0.02"))
    trade = entered(account, venue)
    held = trade_held(trade)
    with pytest.raises(InvalidPlan, match="no stop could protect it") as refused:
        close(trade, 1 - D("0.01") / held)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("share", "share_too_large")]
    assert venue.held() == held


def test_enlarged_by_hand_the_stop_grows_first_and_the_journal_counts_it(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    whole, sent = trade_held(trade), len(venue.sent)
    venue.hand("buy", "market", "0.02")
    again(trade, 1)
    assert (venue.sent[sent].trigger, venue.sent[sent].quantity) == (D(99_000), whole + D("0.02"))
    assert [order.quantity for order in resting(trade, "stop")] == [whole + D("0.02")]
    venue.go(99_000)
    again(trade)
    assert (trade.status, trade.entered_quantity, venue.held()) == ("closed", whole + D("0.02"), 0)
    assert_books_are_equal(trade, venue)


def test_a_stop_cancelled_by_hand_comes_back_in_the_same_look(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    venue.cancel_by_hand(resting(trade, "stop")[0].client_id)
    again(trade, 1)
    assert len(resting(trade, "stop")) == 1
    assert kinds(trade)[-2:] == ["protection_lost", "protection_restored"]


def test_a_stop_that_is_not_listed_and_cannot_be_asked_for_is_looked_for_again_at_once(
    account: Account, venue: VenueLike
) -> None:
    """Until it is known that it is gone, the account is not at rest."""
    trade = entered(account, venue)
    (stop,) = resting(trade, "stop")
    venue.cancel_by_hand(stop.client_id)
    venue.cannot_find = True
    assert look(account.pk, seconds=0).waits
    venue.cannot_find = False
    again(trade)
    assert [order.trigger for order in resting(trade, "stop")] == [stop.trigger]


def test_a_stop_cancelled_by_hand_stays_away_with_hands_off(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    hands_off(trade, True)
    venue.cancel_by_hand(resting(trade, "stop")[0].client_id)
    again(trade)
    assert resting(trade, "stop") == []


def test_what_nobody_would_carry_out_with_hands_off_is_refused(account: Account, venue: VenueLike) -> None:
    """It used to be written down as done; a plan is kept for later, and says so."""
    trade = entered(account, venue)
    waiting = open_trade(account, long_plan(entries=[{"price": "95000"}], stop={"price": "94000"}))
    for each in (trade, waiting):
        hands_off(each, True)
    wishes = (lambda: close(trade, D(1)), lambda: break_even_now(trade), lambda: withdraw_entry(waiting))
    for wish in wishes:
        with pytest.raises(NotNow, match="Manage again"):
            wish()
    assert (kinds(trade)[-1], trade.directives, venue.held() > 0) == ("action", {}, True)
    amend_plan(trade, long_plan(stop={"price": "99500"}))
    assert "once the trade is managed again" in Event.objects.filter(kind="plan_amended").get().text
    assert [order.trigger for order in resting(trade, "stop")] == [D(99_000)]
    hands_off(trade, False)
    assert [order.trigger for order in resting(trade, "stop")] == [D(99_500)]
    close(trade, D(1))
    assert venue.held() == 0


def test_a_target_and_an_entry_cancelled_by_hand_are_respected(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    venue.cancel_by_hand(resting(trade, "take_profit")[0].client_id)
    waiting = open_trade(account, long_plan(entries=[{"price": "95000"}], stop={"price": "94000"}))
    venue.cancel_by_hand(Order.objects.get(trade=waiting).client_id)
    again(trade)
    waiting.refresh_from_db()
    assert [order.leg for order in resting(trade, "take_profit")] == [1]
    assert waiting.status == "cancelled"
    again(trade)
    said = Event.objects.filter(kind="notice").order_by("id").values_list("trade_id", "text")
    stays = "was cancelled on the exchange, not by this desk: it is not placed again."
    assert list(said) == [(trade.pk, f"Target 1 {stays}"), (waiting.pk, f"Entry 1 {stays}")]


def test_targets_that_the_venue_ends_with_the_position_are_not_told_as_cancelled(
    account: Account, venue: VenueLike
) -> None:
    trade = entered(account, venue)
    for target in resting(trade, "take_profit"):
        venue.cancel_by_hand(target.client_id)
    venue.hand("sell", "market", trade_held(trade), reduce_only=True)
    again(trade)
    assert (trade.status, "notice" in kinds(trade)) == ("closed", False)


def test_reversed_by_hand_the_trade_ends_and_the_other_side_is_nobodys(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    held = trade_held(trade)
    venue.hand("sell", "market", held + D("0.05"))
    again(trade, 1)
    assert (trade.status, trade.exit_reason, trade.entered_quantity) == ("closed", "external", held)
    assert {(fill.trade_id, fill.quantity) for fill in Fill.objects.filter(order_side="sell")} == {
        (trade.pk, held),
        (None, D("0.05")),
    }
    assert venue.resting() == []
    later()
    again(trade, 1)
    assert nobodys() == [("short", D("0.05"))]


def test_a_position_without_a_trade_is_found_within_one_look_and_told(account: Account, venue: VenueLike) -> None:
    venue.hand("buy", "market", "0.05")
    look(account.pk, seconds=0)
    assert nobodys() == [("long", D("0.05"))]
    assert Event.objects.get(kind="foreign_position").data["symbol"] == SYMBOL
    venue.hand("buy", "market", "0.01")
    look(account.pk, seconds=0)
    assert nobodys() == [("long", D("0.06"))]


def test_a_position_that_is_gone_is_forgotten_but_not_at_the_first_empty_answer(
    account: Account, venue: VenueLike
) -> None:
    venue.hand("buy", "market", "0.05")
    look(account.pk, seconds=0)
    ForeignPosition.objects.update(ignored=True)
    venue.altered = lambda reading: replace(reading, positions=())
    look(account.pk, seconds=0)
    venue.altered = lambda reading: reading
    look(account.pk, seconds=0)
    assert [(row.ignored, row.gone_since) for row in ForeignPosition.objects.all()] == [(True, None)]
    venue.hand("sell", "market", "0.05", reduce_only=True)
    look(account.pk, seconds=0)
    ForeignPosition.objects.update(gone_since=timezone.now() - timedelta(seconds=6))
    look(account.pk, seconds=0)
    assert not ForeignPosition.objects.exists()


def test_a_position_that_lists_do_not_tell_for_a_while_still_bars_the_other_way(
    account: Account, venue: VenueLike
) -> None:
    """Held one way, an entry would close it: it is forgotten soon only when executions say that it was closed."""
    venue.hand("sell", "market", "0.05")
    look(account.pk, seconds=0)
    venue.altered = lambda reading: replace(reading, positions=())
    for away_for, is_there in ((6, True), (44, True), (46, False)):
        look(account.pk, seconds=0)
        ForeignPosition.objects.update(gone_since=timezone.now() - timedelta(seconds=away_for))
        look(account.pk, seconds=0)
        assert ForeignPosition.objects.exists() is is_there
        told = [row["missed_since"] for row in tell_foreign(list(ForeignPosition.objects.all()))]
        assert [each is not None for each in told] == [True] * is_there
        if is_there:
            with pytest.raises(Denied, match="which no trade here accounts for"):
                open_trade(account, long_plan())


def test_a_list_that_lacks_what_our_trade_holds_makes_no_position_forgotten(account: Account, venue: VenueLike) -> None:
    """However long it does: it is known to be wrong."""
    venue.hand("buy", "market", "0.05")
    look(account.pk, seconds=0)
    ForeignPosition.objects.update(ignored=True)
    trade = open_trade(account, long_plan(margin_mode="cross"))
    venue.go(100_000)
    again(trade)
    venue.altered = lambda reading: replace(reading, positions=())
    again(trade)
    ForeignPosition.objects.update(gone_since=timezone.now() - timedelta(seconds=60))
    again(trade)
    assert [(row.ignored, row.quantity) for row in ForeignPosition.objects.all()] == [(True, D("0.05"))]


def test_a_list_without_both_lacks_nothing_where_one_closed_the_other(account: Account, venue: VenueLike) -> None:
    """Held one way, our entry closed most of what a hand had opened, and our stop the rest, while nobody looked."""
    trade = open_trade(account, long_plan(risk={"quantity": "0.06"}, take_profits=[]))
    venue.hand("sell", "market", "0.05")
    again(trade, 1)
    ForeignPosition.objects.update(confirmed=True)
    venue.go(100_000)
    again(trade, 1)
    assert venue.held() == D("0.01")
    venue.go(98_900)
    again(trade)
    a_while_ago = timezone.now() - timedelta(seconds=60)
    ForeignPosition.objects.update(gone_since=a_while_ago)
    Trade.objects.update(mismatch_since=a_while_ago)
    again(trade)
    assert (venue.held(), venue.resting(), trade.status) == (0, [], "closed")
    assert not ForeignPosition.objects.exists()


def test_an_entry_on_its_way_is_no_foreign_position(account: Account, venue: VenueLike) -> None:
    """The position is listed before the order is told to have filled."""
    trade = open_trade(account, long_plan())
    early = PositionState(SYMBOL, Side.LONG, D("0.05"), D(100_000))
    venue.altered = lambda reading: replace(reading, positions=(early,))
    again(trade, 1)
    assert nobodys() == []
    venue.altered = lambda reading: reading
    venue.go(100_000)
    again(trade)
    assert not ForeignPosition.objects.exists()


def test_a_foreign_position_blocks_its_symbol_until_the_trader_decides(account: Account, venue: VenueLike) -> None:
    venue.hand("buy", "market", "0.05")
    look(account.pk, seconds=0)
    assert denied(account, long_plan()) == {"foreign_position"}
    ForeignPosition.objects.update(ignored=True)
    assert denied(account, short_plan(entries=[{"price": "101000"}], stop={"price": "102000"})) >= {"foreign_opposite"}
    assert denied(account, long_plan()) == set()


def denied(account: Account, plan: dict[str, Any]) -> set[str]:
    try:
        open_trade(account, plan)
    except Denied as denied:
        return {denial.code for denial in denied.denials}  # type: ignore[attr-defined]
    return set()


def test_beside_an_ignored_position_a_trade_counts_and_closes_only_its_own(account: Account, venue: VenueLike) -> None:
    venue.set_up(SYMBOL, D(20), "isolated")
    venue.hand("buy", "market", "0.05")
    look(account.pk, seconds=0)
    ForeignPosition.objects.update(ignored=True)
    trade = entered(account, venue)
    held = trade_held(trade)
    assert venue.held() == held + D("0.05")
    assert [order.quantity for order in resting(trade, "stop")] == [held]
    venue.hand("sell", "market", "0.02", reduce_only=True)  # a hand takes from what is nobody's first
    again(trade)
    assert nobodys() == [("long", D("0.03"))]
    assert [order.quantity for order in resting(trade, "stop")] == [held]
    venue.go(99_000)
    again(trade)
    assert (trade.status, trade.entered_quantity, venue.held()) == ("closed", held, D("0.03"))


def test_an_entry_whose_margin_mode_the_venue_refuses_is_called_off_with_its_words(
    account: Account, venue: VenueLike
) -> None:
    """The hand holds the symbol with cross margin, and the venue did not say so."""
    venue.set_up(SYMBOL, D(20), "cross")
    venue.hand("buy", "market", "0.05")
    look(account.pk, seconds=0)
    ForeignPosition.objects.update(ignored=True)
    trade = again(open_trade(account, long_plan()))
    assert (trade.status, trade.withdrawal, venue.sent) == ("cancelled", "rejected", [])
    assert "margin mode cannot change" in Event.objects.get(kind="order_rejected").text


def test_a_waiting_entry_against_a_foreign_position_is_withdrawn(account: Account, venue: VenueLike) -> None:
    """In one-way mode it would only close what the hand has opened."""
    trade = open_trade(account, long_plan())
    venue.hand("sell", "market", "0.05")
    again(trade, 1)
    later()
    again(trade)
    assert (trade.status, venue.resting()) == ("cancelled", [])


@pytest.fixture
def foreign(account: Account, venue: VenueLike) -> ForeignPosition:
    """A long of a hand, bought in two parts and sold in part."""
    venue.hand("buy", "market", "0.04")
    venue.go(100_700)
    venue.hand("buy", "market", "0.04")
    venue.hand("sell", "market", "0.02", reduce_only=True)
    look(account.pk, seconds=0)
    return ForeignPosition.objects.get()


def post(api: Any, row: ForeignPosition, what: str, body: Any = None) -> Any:
    address = f"/api/v1/accounts/{row.account_id}/foreign-positions/{row.pk}/{what}"
    return api.post(address, body, format="json", headers={"Idempotency-Key": uuid.uuid4().hex})


def test_adopted_it_is_a_whole_trade_with_the_stop_the_trader_names(
    api: Any, venue: VenueLike, foreign: ForeignPosition
) -> None:
    wallet = venue.sim.books.wallet
    listed = api.get(f"/api/v1/accounts/{foreign.account_id}/foreign-positions").json()["results"]
    assert [(row["side"], row["quantity"], row["ignored"]) for row in listed] == [("long", "0.06", False)]
    body = {"stop": {"price": "99000"}, "take_profits": [{"price": "103000"}]}
    answer = post(api, foreign, "adopt", body)
    assert answer.status_code == 201, answer.json()
    told = answer.json()
    assert (told["status"], told["source"], told["held"], told["protected"]["state"]) == (
        "open", "adopted", "0.06", "protected",
    )  # fmt: skip
    trade = again(Trade.objects.get())
    bought = Fill.objects.filter(trade=None, order_side="buy")
    assert trade_average(trade) == sum(fill.price for fill in bought) / 2
    assert trade.initial_risk > 0
    assert not ForeignPosition.objects.exists()
    venue.go(99_000)
    again(trade)
    assert (trade.status, trade.exit_reason, venue.held()) == ("closed", "stop_loss", 0)
    assert D("-1.2") < trade.r < D("-0.9")
    assert trade.gross - exit_fees(trade) == pytest.approx(venue.sim.books.wallet - wallet, abs=D("1e-9"))


def exit_fees(trade: Trade) -> Decimal:
    return sum((fill.fee for fill in Fill.objects.filter(trade=trade, order_side="sell")), D(0))


def trade_average(trade: Trade) -> Decimal:
    return Fill.objects.get(trade=trade, order__role="entry").price


@pytest.mark.parametrize("sold", [False, True])
def test_executions_told_after_the_adoption_are_not_counted_twice(
    api: Any, account: Account, venue: VenueLike, sold: bool
) -> None:
    """The position is listed before the hand's executions are; they explain the entry, and change nothing else."""
    venue.lag, wallet = 100, venue.sim.books.wallet
    venue.hand("buy", "market", "0.06" if sold else "0.04")
    if sold:
        venue.go(100_600)
        venue.hand("sell", "market", "0.02", reduce_only=True)
    look(account.pk, seconds=0)
    assert post(api, ForeignPosition.objects.get(), "adopt", {"stop": {"price": "99000"}}).status_code == 201
    trade = Trade.objects.get()
    venue.go(100_700)
    venue.hand("buy", "market", "0.01")  # this one is new
    venue.lag = 0
    again(trade)
    assert trade_held(trade) == D("0.05")
    assert [order.quantity for order in resting(trade, "stop")] == [D("0.05")]
    entry = Fill.objects.get(trade=trade, order__role="entry")
    assert entry.fee > 0
    assert any(event.text.startswith("The exchange told how") for event in Event.objects.filter(kind="notice"))
    venue.go(99_000)
    again(trade)
    assert (trade.status, trade.entered_quantity, venue.held()) == ("closed", D("0.05"), 0)
    early = left_early(trade) if sold else ZERO
    assert trade.net + early == pytest.approx(venue.sim.books.wallet - wallet, abs=D("1e-9"))


def left_early(trade: Trade) -> Decimal:
    """What the hand made of the part that it sold before the adoption, with that part's fees."""
    bought, sale = Fill.objects.filter(trade=None).order_by("time")
    part = sale.quantity / bought.quantity
    return (sale.price - bought.price) * sale.quantity - sale.fee - bought.fee * part


def test_a_stop_that_the_price_has_passed_adopts_nothing(api: Any, venue: VenueLike, foreign: ForeignPosition) -> None:
    answer = post(api, foreign, "adopt", {"stop": {"price": "101000"}})
    assert answer.status_code == 422
    assert answer.json()["errors"]["stop.price"][0]["code"] == "beyond_stop"
    assert (Trade.objects.count(), ForeignPosition.objects.count()) == (0, 1)


def test_without_executions_to_go_by_the_venues_average_counts(
    api: Any, venue: VenueLike, foreign: ForeignPosition
) -> None:
    Fill.objects.all().delete()
    assert post(api, foreign, "adopt", {"stop": {"price": "99000"}}).status_code == 201
    assert trade_average(Trade.objects.get()) == foreign.average_entry


def test_closed_on_request_it_leaves_at_market_reduce_only_and_stands_in_the_journal(
    api: Any, venue: VenueLike, foreign: ForeignPosition
) -> None:
    answer = post(api, foreign, "close")
    assert answer.status_code == 201, answer.json()
    trade = again(Trade.objects.get())
    assert (trade.status, trade.exit_reason, trade.r, venue.held(), venue.resting()) == (
        "closed", "manual", None, 0, [],
    )  # fmt: skip
    assert all(intent.reduce_only for intent in venue.sent)


def test_the_same_request_to_close_twice_closes_once(api: Any, venue: VenueLike, foreign: ForeignPosition) -> None:
    address = f"/api/v1/accounts/{foreign.account_id}/foreign-positions/{foreign.pk}/close"
    answers = [api.post(address, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Trade.objects.count() == 1


def test_ignored_and_thought_of_again(api: Any, venue: VenueLike, foreign: ForeignPosition) -> None:
    assert post(api, foreign, "ignore").json()["ignored"] is True
    assert post(api, foreign, "ignore", {"on": False}).json()["ignored"] is False

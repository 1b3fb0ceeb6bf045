"""Coins at an awkward venue: answers and requests lost, executions between two calls, a hand in the same wallet.

Never two orders for one wish, never coins of the trader's own for sale, and a stop for what is held as soon as it can
be certain that the coins are free.
"""

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
    CancelOutcome,
    Exits,
    OrderIntent,
    OrderKind,
    OrderRef,
    OrderState,
    OrderStatus,
    Profile,
    Reading,
    Refusal,
)
from buddy.core.exchange import Fill as Execution
from buddy.exchanges.models import Account
from buddy.exchanges.stream import Market
from buddy.trading import attached, executor
from buddy.trading.executor import open_trade
from buddy.trading.models import Fill, ForeignPosition, Order, Trade
from buddy.trading.moments import at, wall_ms
from buddy.trading.touches import Touches
from buddy.trading.watcher import look
from tests.apps.trading_rig import kinds, long_plan, resting
from tests.exchanges.venue_like import COIN, Fault, VenueLike, everywhere
from tests.faults.test_kill_points import Killed

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
STASH = D("0.7")
PLACES = {Exits.PAIRED: "binance", Exits.SINGLE: "kraken"}
LOT = D("0.001")
PLAN = {"symbol": COIN.symbol, "entries": [{"kind": "market"}], "risk": {"quantity": "0.02"}}


@pytest.fixture(params=["paired", "single"])
def exits(request: pytest.FixtureRequest) -> Exits:
    return Exits(request.param)


@pytest.fixture
def venue(exits: Exits, monkeypatch: pytest.MonkeyPatch) -> VenueLike:
    made = VenueLike(Profile("venue", exits=exits), COIN)
    made.sim.books.coins["BTC"] = STASH
    made.go(100_000)
    return everywhere(made, monkeypatch)


@pytest.fixture
def account(alice: Any) -> Account:
    return Account.objects.create(
        owner=alice, name="At the venue", is_main=True, venue="binance-spot", maker_fee="0.0002", taker_fee="0.0005"
    )


@pytest.fixture
def trade(venue: VenueLike, account: Account) -> Trade:
    """Entered and protected: two targets, half each."""
    return again(open_trade(account, long_plan(**PLAN)))


def again(trade: Trade, looks: int = 3) -> Trade:
    for _ in range(looks):
        assert not look(trade.account_id, seconds=0).trouble
    trade.refresh_from_db()
    return trade


def for_sale(venue: VenueLike) -> Decimal:
    """Coins that our orders lock; never more than those of the trade."""
    coins = venue.sim.books.coins["BTC"]
    locked = coins - venue.sim.free_coins(COIN.symbol)
    assert coins - locked >= STASH
    return locked


def of_the_trade(venue: VenueLike) -> Decimal:
    """In whole lots."""
    return COIN.round_quantity(venue.sim.books.coins["BTC"] - STASH)


def is_stop(intent: OrderIntent) -> bool:
    return intent.trigger is not None


def reply_lost(venue: VenueLike, intent: OrderIntent) -> OrderState:
    venue.accept(intent)
    raise TimeoutError("no reply")


def not_now(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Rejected("not now", Refusal.OTHER)


def request_lost(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise OutcomeUnknown("the line was cut")


def test_what_is_held_is_covered_and_the_traders_own_is_not_touched(venue: VenueLike, trade: Trade) -> None:
    assert for_sale(venue) == of_the_trade(venue) > D("0.0199")
    venue.go(101_000, 102_000)
    again(trade)
    venue.go(102_500)
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "take_profit")
    assert venue.resting() == []
    assert not ForeignPosition.objects.exists()


@pytest.mark.parametrize("fault", [reply_lost, request_lost])
def test_a_lost_answer_to_a_stop_doubles_nothing(
    venue: VenueLike, account: Account, fault: Callable[[VenueLike, OrderIntent], OrderState]
) -> None:
    venue.drop(fault, is_stop)
    trade = again(open_trade(account, long_plan(**PLAN)))
    assert for_sale(venue) == of_the_trade(venue)
    assert len({order.client_id for order in resting(trade, "stop")}) == (
        2 if venue.profile.exits is Exits.PAIRED else 1
    )
    assert not Order.objects.filter(trade=trade, status__in=["unknown", "intended"]).exists()


@pytest.mark.parametrize("fault", [reply_lost, request_lost])
def test_a_lost_answer_in_the_middle_of_a_swap_doubles_nothing(
    venue: VenueLike, trade: Trade, fault: Callable[[VenueLike, OrderIntent], OrderState]
) -> None:
    venue.go(100_500)
    again(trade)
    venue.drop(fault, is_stop)
    executor.break_even_now(trade)
    again(trade)
    stops = resting(trade, "stop")
    assert {order.trigger for order in stops} == {stops[0].trigger}
    assert stops[0].trigger is not None
    assert stops[0].trigger > 100_000
    assert for_sale(venue) == of_the_trade(venue)


def pair_refused(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Rejected("Filter failure: PERCENT_PRICE_BY_SIDE")


@pytest.mark.parametrize("exits", ["paired"], indirect=True)
def test_a_target_refused_beside_the_stop_is_sold_by_the_desk_and_asked_for_no_more(
    venue: VenueLike, account: Account
) -> None:
    venue.drop(pair_refused, lambda intent: intent.beside is not None and intent.beside.price == 102_000, times=99)
    trade = again(open_trade(account, long_plan(**PLAN)), looks=5)
    assert for_sale(venue) == of_the_trade(venue)
    refused = Order.objects.filter(trade=trade, role="stop", status="rejected")
    assert refused.count() == 2
    again(trade, looks=3)
    assert refused.count() == 2
    assert kinds(trade).count("notice") == 1
    venue.go(101_000, 102_500)
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "take_profit")


def killed(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Killed


def test_killed_between_cancel_and_place_the_next_look_protects_again(venue: VenueLike, trade: Trade) -> None:
    venue.go(100_500)
    again(trade)
    venue.drop(killed, is_stop)
    with pytest.raises(Killed):
        executor.break_even_now(trade)
    assert for_sale(venue) < of_the_trade(venue)
    Account.objects.update(lease_until=0)
    again(trade)
    assert for_sale(venue) == of_the_trade(venue)
    assert len({order.trigger for order in resting(trade, "stop")}) == 1


def test_an_unknown_pair_that_reads_hide_is_waited_for(
    venue: VenueLike, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent again while the venue may still accept what it has not answered."""
    venue.profile = Profile("slow", settle_ms=60_000, exits=venue.profile.exits)
    venue.drop(request_lost, is_stop, times=9)
    trade = again(open_trade(account, long_plan(**PLAN)), looks=5)
    sent = [intent.client_id for intent in venue.sent if is_stop(intent)]
    assert len(sent) == len(set(sent)) <= 2
    assert for_sale(venue) == 0
    Order.objects.filter(trade=trade).update(raw={"sent_at": 0, "absent_since": 0, "trigger_by": "last"})
    venue.faults.clear()
    again(trade, looks=5)
    assert for_sale(venue) == of_the_trade(venue)


def test_a_target_that_fills_while_its_stop_is_swapped_is_not_sold_twice(
    venue: VenueLike, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The price runs to the target after the reading, before the cancel arrives."""
    cancel = venue.cancel

    def late(ref: OrderRef) -> CancelOutcome:
        monkeypatch.setattr(venue, "cancel", cancel)
        venue.go(101_000)
        return cancel(ref)

    venue.go(100_500)
    again(trade)
    monkeypatch.setattr(venue, "cancel", late)
    executor.break_even_now(trade)
    again(trade)
    sold = sum((fill.quantity for fill in Fill.objects.filter(trade=trade, order_side="sell")), D(0))
    assert sold == Order.objects.get(trade=trade, role="take_profit", leg=0, status="filled").quantity
    assert for_sale(venue) == of_the_trade(venue)


def test_a_hand_that_takes_the_stop_away_gets_it_back(venue: VenueLike, trade: Trade) -> None:
    for order in resting(trade, "stop"):
        venue.cancel_by_hand(order.client_id)
    assert for_sale(venue) == 0
    again(trade)
    assert for_sale(venue) == of_the_trade(venue)
    assert "protection_lost" in kinds(trade)
    assert trade.protected_since is not None


def test_a_hand_that_sells_its_own_coins_sells_none_of_ours(venue: VenueLike, trade: Trade) -> None:
    venue.hand("sell", "market", "0.5")
    venue.hand("buy", "market", "0.1")
    again(trade)
    assert not Fill.objects.filter(trade=trade, order_side="sell").exists()
    assert Fill.objects.filter(trade=None).count() == 2
    assert not trade.mismatch_since
    venue.go(98_900)
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "stop_loss")
    assert D("-0.00006") < venue.sim.books.coins["BTC"] - (STASH - D("0.4")) < D("0.00001")


def answered_barely(venue: VenueLike, intent: OrderIntent) -> OrderState:
    """Without what it has executed; and a hand sells at the same moment."""
    state = venue.accept(intent)
    venue.hand("sell", "market", 5 * LOT)
    return replace(state, filled=D(0), status=OrderStatus.OPEN)


@pytest.mark.parametrize("is_told", [True, False])
def test_a_hand_sells_its_own_although_what_ours_have_sold_is_told_later(
    venue: VenueLike, trade: Trade, is_told: bool
) -> None:
    """The wallet lacks what our close has sold: that is no reason to believe that the hand sold of ours."""
    venue.sim.books.coins["BTC"] -= STASH - D("0.005")
    venue.altered = lambda reading: replace(reading, fills=[fill for fill in reading.fills if fill.quantity == 5 * LOT])
    if not is_told:
        venue.drop(answered_barely, lambda intent: intent.kind is OrderKind.MARKET)
    executor.close(trade, D("0.5"))
    if is_told:
        venue.hand("sell", "market", 5 * LOT)
    again(trade, looks=1)
    hands = Fill.objects.get(order_side="sell")
    assert (hands.quantity, hands.order, hands.trade) == (5 * LOT, None, None)


def test_a_hand_that_sells_everything_ends_the_trade(venue: VenueLike, trade: Trade) -> None:
    for order in resting(trade, "stop"):
        venue.cancel_by_hand(order.client_id)
    venue.hand("sell", "market", venue.sim.books.coins["BTC"].quantize(D("0.00001"), "ROUND_DOWN"))
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "external")
    assert venue.resting() == []
    assert "external_fill" in kinds(trade)


def long_missed(trade: Trade) -> None:
    """As if the coins had been missed for a while."""
    missed_for(trade, 90)


def missed_for(trade: Trade, seconds: int) -> None:
    Trade.objects.filter(pk=trade.pk).update(mismatch_since=timezone.now() - timedelta(seconds=seconds))


def test_coins_taken_elsewhere_leave_the_trade_at_what_they_cost(venue: VenueLike, trade: Trade) -> None:
    for order in resting(trade, "stop"):
        venue.cancel_by_hand(order.client_id)
    venue.sim.books.coins["BTC"] = D("0.00999")
    again(trade, looks=2)
    assert trade.status == "open"
    assert for_sale_at_most(venue) == D("0.00999")
    long_missed(trade)
    again(trade)
    taken = Fill.objects.get(trade=trade, order=None)
    assert D("0.00999") < taken.quantity <= D("0.01001")
    assert taken.price == trade_entry(trade)
    venue.go(98_900)
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "stop_loss")
    assert trade.net is not None
    left = taken.quantity * taken.price
    assert abs(trade.net - (venue.sim.books.wallet - 10_000 + left)) < D("0.00001")


def trade_entry(trade: Trade) -> Decimal:
    entry: Decimal = Fill.objects.get(trade=trade, order_side="buy").price
    return entry


def for_sale_at_most(venue: VenueLike) -> Decimal:
    return venue.sim.books.coins["BTC"] - venue.sim.free_coins(COIN.symbol)


def test_a_sale_told_before_the_wallet_shows_it_is_the_trades_after_all(venue: VenueLike, trade: Trade) -> None:
    for order in resting(trade, "stop"):
        venue.cancel_by_hand(order.client_id)
    before = venue.sim.read([COIN.symbol], "").positions
    sold = venue.sim.books.coins["BTC"] = of_the_trade(venue)
    venue.hand("sell", "market", sold)
    venue.altered = lambda reading: replace(reading, positions=before)
    again(trade, looks=1)
    venue.altered = lambda reading: reading
    assert Fill.objects.get(order_side="sell").trade is None
    again(trade, looks=1)
    long_missed(trade)
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "external")
    sale = Fill.objects.get(order_side="sell", quantity=sold)
    assert (sale.trade, sale.order) == (trade, None)


def test_an_entry_in_doubt_has_no_coins_of_the_traders_own_for_sale(venue: VenueLike, account: Account) -> None:
    venue.profile = Profile("slow", settle_ms=60_000, exits=venue.profile.exits)
    venue.drop(request_lost, lambda intent: intent.order_side.is_buy)
    trade = again(open_trade(account, long_plan(**PLAN)))
    assert Order.objects.get(trade=trade, role="entry").status == "unknown"
    assert venue.resting() == []
    assert len(venue.sent) == 1


def test_a_stop_that_came_with_the_entry_is_a_stop_like_any_other(
    venue: VenueLike, account: Account, exits: Exits
) -> None:
    """It locks the coins: it is kept where it is the wished one, and else gives way in a swap."""
    venue.profile = Profile("venue", attaches_stop=True, exits=exits)
    trade = again(open_trade(account, long_plan(**PLAN)))
    came = Order.objects.get(trade=trade, is_attached=True)
    assert for_sale(venue) == of_the_trade(venue)
    if exits is Exits.SINGLE:
        assert [order.pk for order in resting(trade, "stop")] == [came.pk]
    venue.go(98_900)
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "stop_loss")
    assert venue.resting() == []


def test_a_target_that_no_order_waits_at_is_listened_for(
    venue: VenueLike, account: Account, trade: Trade, exits: Exits
) -> None:
    """Where the desk sells at targets, the price that touches one is a look at once."""
    Account.objects.update(mode="live", price_source="live", venue=f"{PLACES[exits]}-spot")
    prices, market = Touches(), Market(f"{PLACES[exits]}-spot", "live")
    assert prices.symbols() == {market: frozenset({COIN.symbol})}
    assert list(prices.touched(market, COIN.symbol, D(100_500))) == []
    assert list(prices.touched(market, COIN.symbol, D(101_001))) == [account.pk]


def is_sale(intent: OrderIntent) -> bool:
    return intent.kind is OrderKind.MARKET and not intent.order_side.is_buy


def sale_refused(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Rejected("Market is closed.")


def too_busy(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Temporary("Too many requests.")


@pytest.mark.parametrize("fault", [sale_refused, too_busy])
def test_a_sale_of_all_that_fails_leaves_every_coin_under_a_stop_within_its_look(
    venue: VenueLike, trade: Trade, fault: Callable[[VenueLike, OrderIntent], OrderState]
) -> None:
    venue.drop(fault, is_sale, times=99)
    executor.close(trade, D(1))
    assert covered(venue) == of_the_trade(venue)
    venue.faults.clear()
    assert again(trade).status == "closed"
    assert venue.sim.books.coins["BTC"] - STASH < COIN.lot_size


def test_a_sale_in_doubt_frees_no_more_than_its_own_slice(venue: VenueLike, trade: Trade) -> None:
    """Where one stop rests for all, that is all of it."""
    venue.profile = replace(venue.profile, settle_ms=60_000)
    venue.drop(request_lost, is_sale, times=99)
    slices = sorted(order.quantity for order in resting(trade, "stop"))
    executor.close(trade, D(1))
    again(trade)
    (sale,) = [intent for intent in venue.sent if is_sale(intent)]
    assert sale.quantity in slices
    assert covered(venue) == of_the_trade(venue) - sale.quantity


def covered(venue: VenueLike) -> Decimal:
    """Coins under a stop."""
    return sum((order.quantity for order in venue.resting() if order.trigger is not None), D(0))


def test_what_is_sold_lies_on_a_tick_that_has_become_coarser(venue: VenueLike, account: Account) -> None:
    """Targets as well as stops, beside one another and alone."""
    targets = [{"price": "101000.3", "share": "0.5"}, {"price": "102000.3", "share": "0.5"}]
    plan = PLAN | {"entries": [{"kind": "limit", "price": "99990.3"}], "stop": {"price": "99000.3"}}
    trade = open_trade(account, long_plan(**plan, take_profits=targets))
    venue.market = venue.sim.instruments[COIN.symbol] = replace(COIN, tick_size=D(1))
    venue.go(99_990)
    again(trade)
    assert for_sale(venue) == of_the_trade(venue) > D("0.0199")
    before = len(venue.sent)
    again(trade)
    assert len(venue.sent) == before
    venue.go(101_000.5, 102_001, 102_002)
    again(trade)
    venue.go(102_500)
    again(trade)
    assert (trade.status, trade.exit_reason, venue.resting()) == ("closed", "take_profit", [])


def test_coins_that_a_resting_stop_locks_are_there_whatever_is_listed(venue: VenueLike, trade: Trade) -> None:
    venue.altered = lambda reading: replace(reading, positions=[])
    again(trade)
    long_missed(trade)
    assert again(trade).status == "open"
    assert covered(venue) == of_the_trade(venue)
    venue.altered = lambda reading: reading
    assert again(trade).mismatch_since is None


def test_a_hand_that_sells_its_own_while_the_wallet_is_told_empty_sells_none_of_ours(
    venue: VenueLike, trade: Trade
) -> None:
    venue.altered = lambda reading: replace(reading, positions=[])
    again(trade)
    venue.hand("sell", "market", "0.5")
    long_missed(trade)
    assert again(trade).status == "open"
    assert not Fill.objects.filter(trade=trade, order_side="sell").exists()
    venue.altered = lambda reading: reading
    assert again(trade).mismatch_since is None


@pytest.mark.parametrize("is_told_late", [False, True])
def test_what_a_hand_sold_before_an_entry_is_none_of_its_coins_though_the_wallet_is_told_empty(
    venue: VenueLike, account: Account, is_told_late: bool
) -> None:
    sales: list[Execution] = []

    def without_coins(reading: Reading) -> Reading:
        sales.extend(fill for fill in reading.fills if not fill.order_side.is_buy)
        fills = [fill for fill in reading.fills if fill.order_side.is_buy or not is_told_late]
        return replace(reading, positions=[], fills=fills)

    venue.hand("sell", "market", "0.01")
    venue.go(100_010)
    venue.altered = without_coins
    trade = again(open_trade(account, long_plan(**PLAN)))
    venue.altered = lambda reading: replace(reading, positions=[], fills=[*reading.fills, *sales])
    missed_for(trade, 30)
    assert again(trade).status == "open"
    assert Fill.objects.get(order_side="sell").trade is None
    venue.altered = lambda reading: reading
    assert again(trade).mismatch_since is None
    assert covered(venue) == of_the_trade(venue) + D("0.01")  # which the stash has less


@pytest.mark.parametrize("exits", [Exits.SINGLE])
@pytest.mark.parametrize("is_told_late", [False, True])
def test_a_sale_of_fewer_coins_than_a_wallet_lacks_does_not_explain_it(
    venue: VenueLike, trade: Trade, is_told_late: bool
) -> None:
    """A hand sells of its own, the stop is away just then, and the wallet is told empty."""
    for order in resting(trade, "stop"):
        venue.cancel_by_hand(order.client_id)
    venue.drop(not_now, is_stop, times=99)
    venue.hand("sell", "market", "0.01")
    if is_told_late:
        again(trade, looks=1)
        assert Fill.objects.filter(order_side="sell", trade=None).count() == 1
    venue.altered = lambda reading: replace(reading, positions=[])
    again(trade, looks=1)
    missed_for(trade, 30)
    assert again(trade).status == "open"
    assert not Fill.objects.filter(trade=trade, order_side="sell").exists()
    venue.altered, venue.faults = (lambda reading: reading), []
    assert again(trade).mismatch_since is None


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_a_wallet_with_fewer_coins_than_stops_rest_for_says_nothing_of_a_sale(
    venue: VenueLike, account: Account
) -> None:
    """It is told empty although one of two trades has its stop; what a hand sold was its own."""
    plan = long_plan(**PLAN, take_profits=[{"price": "102000", "share": "1"}])
    older, younger = again(open_trade(account, plan)), again(open_trade(account, plan))
    for order in resting(younger, "stop"):
        venue.cancel_by_hand(order.client_id)
    venue.hand("sell", "market", "0.03")
    venue.altered = lambda reading: replace(reading, positions=[])
    again(older, looks=1)
    assert Fill.objects.get(order_side="sell").trade is None
    venue.altered = lambda reading: reading
    again(older)
    assert again(younger).mismatch_since is None
    assert covered(venue) == COIN.round_quantity(venue.sim.books.coins["BTC"] - (STASH - D("0.03")))


def test_coins_without_a_stop_that_a_wallet_lacks_for_half_a_minute_are_not_given_up(
    venue: VenueLike, trade: Trade
) -> None:
    for order in resting(trade, "stop"):
        venue.cancel_by_hand(order.client_id)
    venue.altered = lambda reading: replace(reading, positions=[])
    again(trade)
    missed_for(trade, 30)
    assert again(trade).status == "open"
    venue.altered = lambda reading: reading
    again(trade)
    assert covered(venue) == of_the_trade(venue)


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_a_stop_that_came_before_its_entry_was_told_stays(venue: VenueLike, account: Account) -> None:
    venue.profile = Profile("venue", attaches_stop=True, settle_ms=15_000, exits=Exits.SINGLE)
    venue.lag = 6
    venue.drop(taken_unseen, lambda intent: intent.order_side.is_buy)
    trade = again(open_trade(account, long_plan(**PLAN)))
    assert venue.cancelled == []
    assert covered(venue) == of_the_trade(venue)
    venue.hidden.clear()
    assert again(trade, looks=5).status == "open"
    assert covered(venue) == of_the_trade(venue)


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_a_stop_that_came_with_an_entry_grows_with_it(venue: VenueLike, account: Account) -> None:
    """What it sells already is not put under another one, which would sell coins of the trader's own."""
    venue.profile = Profile("venue", attaches_stop=True, exits=Exits.SINGLE)
    trade = again(open_trade(account, long_plan(**PLAN)))
    came = Order.objects.get(trade=trade, is_attached=True)
    Order.objects.filter(pk=came.pk).update(quantity=came.quantity / 2)
    again(trade)
    came.refresh_from_db()
    assert for_sale(venue) == came.quantity == of_the_trade(venue)


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_what_a_stop_sold_that_nobody_saw_is_no_hands_sale(venue: VenueLike, account: Account) -> None:
    """Its order is not found for a moment: taken for a hand's, it would leave coins of the trader's own for ours."""
    venue.profile = Profile("venue", attaches_stop=True, settle_ms=15_000, exits=Exits.SINGLE)
    trade = open_trade(account, long_plan(**PLAN | {"entries": [{"kind": "limit", "price": "99900"}]}))
    (entry,) = venue.sent
    venue.hidden.add(f"sl-{entry.client_id}")
    venue.go(99_800, 98_900)
    again(trade)
    venue.hidden.clear()
    assert (again(trade).status, trade.exit_reason) == ("closed", "stop_loss")
    assert venue.sent == [entry]
    assert venue.sim.books.coins["BTC"] == STASH


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_a_stop_that_sold_unseen_came_with_the_entry_that_has_executed(venue: VenueLike, account: Account) -> None:
    """Another leg waits with the same stop, and neither was known to have executed: what that would bring later would
    be thought to be without a stop yet, and what this one brings to wait for its own."""
    venue.profile = Profile("venue", attaches_stop=True, settle_ms=15_000, exits=Exits.SINGLE)
    legs = [{"kind": "trigger", "trigger": "101000"}, {"kind": "limit", "price": "99900"}]
    trade = open_trade(account, long_plan(**PLAN | {"entries": [leg | {"share": "0.5"} for leg in legs]}))
    _, executed = venue.sent
    venue.go(99_800, 98_900)
    found = venue.sim.find(OrderRef(COIN.symbol, executed.client_id))
    assert found is not None
    partial = replace(found, status=OrderStatus.PARTIAL)
    venue.altered = lambda reading: replace(reading, orders=[*reading.orders, partial])
    again(trade, 1)
    assert Order.objects.get(is_attached=True).raw["entry"] == executed.client_id


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_each_sale_of_a_stop_that_nobody_saw_is_waited_for(venue: VenueLike, account: Account) -> None:
    """Another one was given up long ago: that says nothing of this one."""
    venue.profile = Profile("venue", attaches_stop=True, settle_ms=15_000, exits=Exits.SINGLE)
    trade = open_trade(account, long_plan(**PLAN | {"entries": [{"kind": "limit", "price": "99900"}]}))
    entry = Order.objects.get(trade=trade)
    Order.objects.update(raw=entry.raw | {"strange_since": {"another": 1}})
    venue.hidden.add(f"sl-{entry.client_id}")
    venue.go(99_800, 98_900)
    again(trade)
    venue.hidden.clear()
    assert (again(trade).status, trade.exit_reason) == ("closed", "stop_loss")
    assert venue.sim.books.coins["BTC"] == STASH


def taken_unseen(venue: VenueLike, intent: OrderIntent) -> OrderState:
    venue.accept(intent)
    venue.hidden.add(intent.client_id)
    raise TimeoutError("no reply")


@pytest.fixture
def bought(venue: VenueLike, account: Account) -> Trade:
    """By an entry whose stop came with it, and is not listed by anybody yet."""
    venue.profile = Profile("venue", attaches_stop=True, settle_ms=15_000, exits=Exits.SINGLE)
    made = open_trade(account, long_plan(**PLAN | {"entries": [{"kind": "limit", "price": "99900"}]}))
    venue.hidden.add(f"sl-{venue.sent[0].client_id}")
    venue.go(99_890)
    return made


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_no_stop_is_put_beside_one_that_is_listed_late(venue: VenueLike, bought: Trade) -> None:
    """Both would be sold, and the second would be coins of the trader's own."""
    again(bought)
    assert len(venue.sent) == 1
    assert (bought.status, bought.naked_since is None) == ("open", False)
    venue.hidden.clear()
    assert again(bought).naked_since is None
    assert len(venue.sent) == 1
    venue.go(98_900)
    again(bought)
    assert venue.sim.books.coins["BTC"] == STASH


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_a_stop_that_is_never_listed_is_waited_for_no_longer_than_lists_lag(venue: VenueLike, bought: Trade) -> None:
    venue.cancel_by_hand(f"sl-{venue.sent[0].client_id}")
    again(bought)
    assert len(venue.sent) == 1
    venue.time += 20_000
    venue.go(99_880)
    assert again(bought).naked_since is None
    assert covered(venue) == of_the_trade(venue)
    entry = Order.objects.get(trade=bought, role="entry")
    assert attached.unlisted(bought, [(entry, 2 * entry.quantity)]) == 0  # nor does what fills later wait for it


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_a_stop_is_waited_for_while_the_list_lacks_another_order_that_is_there(
    venue: VenueLike, account: Account, bought: Trade
) -> None:
    """It says "none" for half a minute: that a stop is not in it says nothing."""
    waiting = {"entries": [{"kind": "limit", "price": "99500"}], "stop": {"price": "98000"}, "take_profits": []}
    open_trade(account, long_plan(**PLAN | waiting))
    entries = list(venue.sent)
    venue.altered = lambda reading: replace(reading, orders=[])
    venue.time += 21_000
    venue.go(99_880)
    again(bought)
    assert venue.sent == entries
    venue.hidden.clear()
    venue.altered = lambda reading: reading
    assert again(bought).naked_since is None
    assert venue.sent == entries
    assert covered(venue) == of_the_trade(venue)


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_what_a_stop_grows_by_is_waited_for_too(venue: VenueLike, bought: Trade) -> None:
    """The list still tells its first half."""
    venue.hidden.clear()
    half = D("0.01")
    venue.altered = lambda reading: replace(
        reading, orders=[replace(each, quantity=half) if each.is_attached else each for each in reading.orders]
    )
    again(bought)
    assert Order.objects.get(trade=bought, is_attached=True).quantity == half
    assert len(venue.sent) == 1


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_without_coins_of_the_traders_own_a_stop_is_tried_once_and_then_waits(venue: VenueLike, bought: Trade) -> None:
    """The venue refuses it while the one that it made locks the coins; nothing is closed for that."""
    venue.sim.books.coins["BTC"] -= STASH
    again(bought, looks=6)
    assert [each.trigger for each in venue.sent] == [None, D("99000")]
    assert bought.status == "open"
    venue.hidden.clear()
    assert again(bought).naked_since is None
    assert len(venue.sent) == 2


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_a_stop_that_is_over_and_that_a_late_list_shows_gets_no_second_row(venue: VenueLike, bought: Trade) -> None:
    venue.hidden.clear()
    again(bought)
    late = venue.read([COIN.symbol], "").orders
    venue.go(100_500)
    again(bought)
    executor.break_even_now(bought)
    again(bought)
    stops = [order.pk for order in resting(bought, "stop")]
    venue.altered = lambda reading: replace(reading, orders=[*reading.orders, *late])
    again(bought)
    assert [order.pk for order in resting(bought, "stop")] == stops
    assert Order.objects.filter(trade=bought, is_attached=True).count() == 1


@pytest.mark.parametrize("exits", [Exits.SINGLE])
@pytest.mark.parametrize(("sold", "lag"), [("0.02", 0), ("0.015", 9)])
def test_coins_that_a_stop_locks_are_those_of_its_trade(
    venue: VenueLike, account: Account, sold: str, lag: int
) -> None:
    """A hand has sold coins of two trades, which is told at once, or only seen in the wallet. The stop that still rests
    gives way where its trade has none left, and else the other's covers what it leaves."""
    plan = long_plan(**PLAN, take_profits=[{"price": "102000", "share": "1"}])
    older, younger = again(open_trade(account, plan)), again(open_trade(account, plan))
    for order in resting(older, "stop"):
        venue.cancel_by_hand(order.client_id)
    venue.lag = lag
    venue.hand("sell", "market", D(sold) + STASH)
    left = venue.sim.books.coins["BTC"]
    again(older)
    assert bool(resting(younger, "stop")) is (lag > 0)
    assert covered(venue) == COIN.round_quantity(left)


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_each_entry_has_a_stop_of_its_own(venue: VenueLike, account: Account) -> None:
    """Both ask for one price, and one is listed as it was when half of its entry had executed."""
    venue.profile = Profile("venue", attaches_stop=True, settle_ms=15_000, exits=Exits.SINGLE)
    entries = [{"kind": "limit", "price": "99900", "share": "0.7"}, {"kind": "limit", "price": "99800", "share": "0.3"}]
    trade = open_trade(account, long_plan(**PLAN | {"entries": entries}))
    venue.go(99_790)
    half = {D("0.014"): D("0.014"), D("0.006"): D("0.003")}
    venue.altered = lambda reading: replace(
        reading,
        orders=[replace(each, quantity=half[each.quantity]) if each.is_attached else each for each in reading.orders],
    )
    again(trade)
    sent = {order.client_id: order.quantity for order in Order.objects.filter(trade=trade, role="entry")}
    came = Order.objects.filter(trade=trade, is_attached=True)
    assert {sent[each.raw["entry"]]: each.quantity for each in came} == half


@pytest.mark.parametrize("exits", [Exits.SINGLE])
def test_of_two_trades_with_one_plan_neither_waits_for_longer_than_it_may_be_without_a_stop(
    venue: VenueLike, account: Account
) -> None:
    """Whose stop is whose cannot be told for sure there: one that was replaced could be waited for in vain."""
    venue.profile = Profile("venue", attaches_stop=True, settle_ms=15_000, exits=Exits.SINGLE)
    plan = long_plan(**PLAN | {"entries": [{"kind": "limit", "price": "99900"}], "take_profits": []})
    one, other = open_trade(account, plan), open_trade(account, plan)
    for intent in list(venue.sent):
        venue.hidden.add(f"sl-{intent.client_id}")
    venue.go(99_890)
    again(one)
    assert len(venue.sent) == 2
    for intent in list(venue.sent):
        venue.cancel_by_hand(f"sl-{intent.client_id}")
    venue.time += 7_000
    venue.go(99_890)
    again(other)
    assert covered(venue) == of_the_trade(venue)


@pytest.mark.parametrize("exits", [Exits.PAIRED, Exits.SINGLE])
def test_nothing_is_sold_at_market_while_a_stop_may_rest_unseen(venue: VenueLike, account: Account) -> None:
    """Taken, without an answer, and listed by nobody yet: it would sell coins of the trader's own."""
    venue.profile = Profile("venue", settle_ms=15_000, exits=venue.profile.exits)
    venue.drop(taken_unseen, is_stop)
    trade = again(open_trade(account, long_plan(**PLAN, take_profits=[])), looks=1)
    Order.objects.filter(role="stop").update(lease_epoch=10**6)  # as if this process had sent it
    Trade.objects.update(naked_since=at(venue.time - 15_000))
    again(trade)
    assert [intent.kind for intent in venue.sent if not intent.order_side.is_buy] == ["stop_market"]
    assert "reduce_to" not in trade.directives
    venue.hidden.clear()
    assert again(trade).naked_since is None
    assert for_sale(venue) == of_the_trade(venue)


@pytest.mark.parametrize("exits", [Exits.PAIRED, Exits.SINGLE])
def test_a_refusal_says_nothing_of_the_first_sending_while_that_may_rest_unseen(
    venue: VenueLike, account: Account
) -> None:
    """It was taken, without an answer, and is listed by nobody yet; sent again it is refused, and not for its name."""
    venue.profile = Profile("venue", settle_ms=15_000, exits=venue.profile.exits)
    venue.drop(taken_unseen, is_stop)
    trade = again(open_trade(account, long_plan(**PLAN, take_profits=[])), looks=1)
    stop = Order.objects.get(role="stop")
    ago = {"sent_at": wall_ms() - 7_000, "absent_since": wall_ms() - 6_000}
    Order.objects.filter(pk=stop.pk).update(raw=stop.raw | ago)
    venue.drop(not_now, is_stop)
    again(trade)
    assert [intent.client_id for intent in venue.sent if is_stop(intent)] == [stop.client_id] * 2
    venue.hidden.clear()
    assert again(trade).naked_since is None
    assert for_sale(venue) == of_the_trade(venue)


def closed_with_its_stop_in_doubt(trade: Trade) -> Order:
    """Sent seven seconds ago, and missed since."""
    stop = Order.objects.get(role="stop")
    executor.close(trade, D(1))
    stop.refresh_from_db()
    ago = {"sent_at": wall_ms() - 7_000, "absent_since": wall_ms() - 6_000}
    Order.objects.filter(pk=stop.pk).update(raw=stop.raw | ago)
    return stop


@pytest.mark.parametrize("exits", [Exits.PAIRED, Exits.SINGLE])
def test_a_close_waits_for_a_stop_that_may_rest_unseen(
    venue: VenueLike, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can neither be found nor taken back yet."""
    cancel = venue.cancel

    def not_found(ref: OrderRef) -> CancelOutcome:
        return CancelOutcome.NOT_FOUND if venue.hidden else cancel(ref)

    monkeypatch.setattr(venue, "cancel", not_found)
    venue.profile = Profile("venue", settle_ms=15_000, exits=venue.profile.exits)
    venue.drop(taken_unseen, is_stop)
    trade = again(open_trade(account, long_plan(**PLAN, take_profits=[])), looks=1)
    stop = closed_with_its_stop_in_doubt(trade)
    again(trade)
    assert venue.sim.books.coins["BTC"] == STASH + stop.quantity
    venue.hidden.clear()
    assert again(trade).status == "closed"
    assert venue.sim.books.coins["BTC"] == STASH
    assert venue.resting() == []


@pytest.mark.parametrize("exits", [Exits.PAIRED, Exits.SINGLE])
@pytest.mark.parametrize("fault", [request_lost, taken_unseen])
def test_without_coins_of_the_traders_own_a_close_waits_no_longer_than_a_stop_may_arrive(
    venue: VenueLike, account: Account, fault: Fault
) -> None:
    """Where it did, the venue itself would refuse to sell what that locks."""
    venue.sim.books.coins["BTC"] -= STASH
    venue.profile = Profile("venue", settle_ms=15_000, exits=venue.profile.exits)
    venue.drop(fault, is_stop)
    trade = again(open_trade(account, long_plan(**PLAN, take_profits=[])), looks=1)
    closed_with_its_stop_in_doubt(trade)
    assert again(trade).status == "closed"
    assert (venue.sim.books.coins["BTC"] < COIN.lot_size, venue.resting()) == (True, [])


@pytest.mark.parametrize("exits", [Exits.SINGLE])
@pytest.mark.parametrize("shares", [("0.5", "0.5"), ("0.3", "0.7")])
def test_a_stop_is_not_taken_for_that_of_an_entry_whose_own_has_gone(
    venue: VenueLike, account: Account, shares: tuple[str, str]
) -> None:
    """Both ask for one price; the stop of the first had been moved when as much of the second filled."""
    venue.profile = Profile("venue", attaches_stop=True, settle_ms=15_000, exits=Exits.SINGLE)
    legs = zip(("99900", "99800"), shares, strict=True)
    entries = [{"kind": "limit", "price": price, "share": share} for price, share in legs]
    trade = open_trade(account, long_plan(**PLAN | {"entries": entries}))
    first, second = venue.sent
    venue.go(99_890)
    again(trade)
    Order.objects.filter(is_attached=True).update(status="cancelled")
    venue.sim.cancel(OrderRef(COIN.symbol, f"sl-{first.client_id}"))
    venue.altered = lambda reading: replace(
        reading, orders=[replace(o, quantity=first.quantity) if o.is_attached else o for o in reading.orders]
    )
    venue.go(99_790)
    again(trade)
    came = Order.objects.filter(trade=trade, is_attached=True).order_by("pk")
    assert [each.raw["entry"] for each in came] == [first.client_id, second.client_id]

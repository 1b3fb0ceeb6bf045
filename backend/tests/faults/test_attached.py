"""Protection that travels with an entry: a net until our own orders rest, and never a second target."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from buddy.core.errors import OutcomeUnknown, Rejected, Temporary
from buddy.core.exchange import OrderIntent, OrderKind, OrderState, OrderStatus, Profile, Reading
from buddy.core.simulated_books import Resting
from buddy.exchanges.models import Account
from buddy.trading import ledger
from buddy.trading.executor import open_trade
from buddy.trading.models import Fill, Order, Trade
from buddy.trading.moments import to_ms
from buddy.trading.story import tell_trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import kinds, long_plan
from tests.exchanges.venue_like import SECOND, VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
ONE_TARGET = {"take_profits": [{"price": "102000"}]}
TARGETS = ["tb101000", "tb102000"]


@pytest.fixture(autouse=True)
def _attaches(venue: VenueLike) -> None:
    venue.profile = Profile("attaching", attaches_stop=True)


def refused(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Rejected("not now", "other")


def not_now(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise Temporary("busy")


def request_lost(venue: VenueLike, intent: OrderIntent) -> OrderState:
    raise OutcomeUnknown("the line was cut")


def is_stop(intent: OrderIntent) -> bool:
    return intent.reduce_only and intent.trigger is not None


def again(trade: Trade, looks: int = 3) -> Trade:
    for _ in range(looks):
        assert not look(trade.account_id, seconds=0).trouble
    trade.refresh_from_db()
    return trade


def names(venue: VenueLike) -> list[str]:
    """What rests: ours, or the venue's own (sl-, tp-)."""
    return sorted(state.client_id[:2] + str(state.trigger or state.price) for state in venue.resting())


def test_the_net_goes_once_our_own_stop_rests_and_no_target_is_ever_doubled(account: Account, venue: VenueLike) -> None:
    trade = open_trade(account, long_plan(**ONE_TARGET))
    entry = venue.sent[0]
    assert (str(entry.attached_stop), str(entry.attached_target)) == ("99000", "102000")
    venue.go(100_000)
    assert names(venue) == ["sl99000", "tp102000"]
    selling = watch_targets(venue)
    again(trade)
    assert names(venue) == ["tb102000", "tb99000"]
    assert max(selling) <= 1
    assert tell_trade(trade)["protected"]["state"] == "protected"


def entered_with_its_stop_in_doubt(account: Account, venue: VenueLike) -> tuple[Trade, Order]:
    venue.drop(request_lost, is_stop)
    trade = open_trade(account, long_plan(take_profits=[]))
    venue.go(100_000)
    look(account.pk, seconds=0)
    own = Order.objects.get(role="stop", is_attached=False)
    Order.objects.filter(pk=own.pk).update(raw=own.raw | {"sent_at": 1})  # this venue's clock stands in the past
    return trade, own


def test_the_nets_execution_is_not_that_of_our_own_stop_of_which_nobody_knows_whether_it_arrived(
    account: Account, venue: VenueLike
) -> None:
    """It has the same figures and no name, and the execution is told under the number of what the net became, while
    the venue does not find the net by its own."""
    venue.profile = Profile("nameless", attaches_stop=True, names_stops=False, settle_ms=1)
    trade, _ = entered_with_its_stop_in_doubt(account, venue)
    net, find = Order.objects.get(role="stop", is_attached=True), venue.find
    venue.go(99_000)
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(venue, "find", lambda ref: None if ref.exchange_id == net.exchange_id else find(ref))
        look(account.pk, seconds=0)
    again(trade)
    assert (trade.status, Fill.objects.get(order_side="sell").order) == ("closed", net)
    assert [order.filled for order in Order.objects.filter(role="stop", is_attached=False)] == [0]


def test_a_hands_close_near_a_stop_in_doubt_is_the_hands_where_orders_keep_their_names(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the stop's size, and executed where the stop's trigger could have led: the stop would bear its name."""
    venue.profile = Profile("attaching", attaches_stop=True, settle_ms=60 * SECOND)
    monkeypatch.setattr("buddy.trading.absence.STOP_AGAIN_MS", 60 * SECOND)
    trade, own = entered_with_its_stop_in_doubt(account, venue)
    venue.go("99000.1")
    venue.hand("sell", "market", own.quantity)
    again(trade)
    assert not Fill.objects.filter(order_side="sell").exists()  # while the stop may still be behind it
    venue.profile = Profile("attaching", attaches_stop=True)
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "external")
    assert Fill.objects.get(order_side="sell").order is None


def test_the_net_stays_while_our_own_stop_is_neither_listed_nor_found(account: Account, venue: VenueLike) -> None:
    """A hand may have taken that one away before the net was first listed."""
    venue.profile = Profile("attaching", attaches_stop=True, settle_ms=60 * SECOND)
    trade = open_trade(account, long_plan(take_profits=[]))
    net = f"sl-{venue.sent[0].client_id}"
    venue.hidden.add(net)
    venue.go(100_000)
    again(trade)
    venue.hidden = {venue.sent[1].client_id}
    again(trade)
    assert names(venue) == ["sl99000", "tb99000"]
    venue.hidden.clear()
    again(trade)
    assert names(venue) == ["tb99000"]


def watch_targets(venue: VenueLike) -> list[int]:
    """How many targets rest at the venue after each call."""
    counts: list[int] = []

    def counting(name: str) -> Any:
        before = getattr(venue, name)

        def call(argument: Any) -> Any:
            answer = before(argument)
            counts.append(sum(1 for state in venue.resting() if state.price is not None and state.reduce_only))
            return answer

        return call

    for name in ("place", "cancel"):
        setattr(venue, name, counting(name))
    return counts


def test_the_net_stays_while_more_of_the_same_entry_may_fill(account: Account, venue: VenueLike) -> None:
    """What fills next would have no stop until the next look."""
    trade = open_trade(account, long_plan())
    entry, half = venue.sent[0], Decimal("0.04")
    number = Order.objects.get(trade=trade).exchange_id
    venue.hand("buy", "market", half)  # told as the first half of our entry
    venue.sim.place(replace(stop_of(entry), client_id="sl-half", quantity=half))

    def half_filled(reading: Reading) -> Reading:
        partial = {"filled": half, "status": OrderStatus.PARTIAL}
        orders = [replace(o, **partial) if o.exchange_id == number else o for o in reading.orders]  # type: ignore[arg-type]
        return replace(reading, orders=orders, fills=[replace(fill, exchange_id=number) for fill in reading.fills])

    venue.altered = half_filled
    again(trade)
    assert names(venue) == ["sl99000", "tb100000", "tb101000", "tb102000", "tb99000"]
    trade.plan = {**trade.plan, "stop": {"price": "98000"}}  # a net that is tighter than what is wanted goes
    trade.memory = {name: value for name, value in trade.memory.items() if name != "tightest_stop"}
    trade.save()
    again(trade)
    assert names(venue) == ["tb100000", "tb101000", "tb102000", "tb98000"]


def stop_of(entry: OrderIntent) -> OrderIntent:
    """What a venue makes of the stop that an entry brought."""
    return replace(
        entry, order_side=entry.order_side.opposite, kind=OrderKind.STOP_MARKET, price=None,
        trigger=entry.attached_stop, reduce_only=True, attached_stop=None, attached_target=None,
    )  # fmt: skip


def test_several_targets_never_travel_with_the_entry(account: Account, venue: VenueLike) -> None:
    open_trade(account, long_plan())
    assert (str(venue.sent[0].attached_stop), venue.sent[0].attached_target) == ("99000", None)


def test_where_protection_is_for_the_whole_position_a_target_never_travels_beside_another_trade(
    account: Account, venue: VenueLike
) -> None:
    """It would end the other at a price that is not its own. The stop travels: nothing held may be without one."""
    venue.profile = Profile("whole", attaches_stop=True, protects_position=True)
    open_trade(account, long_plan(risk={"quantity": "0.02"}, **ONE_TARGET))
    open_trade(account, long_plan(risk={"quantity": "0.03"}, **ONE_TARGET))
    first, second = venue.sent
    assert (first.attached_stop, first.attached_target) == (Decimal(99_000), Decimal(102_000))
    assert (second.attached_stop, second.attached_target) == (Decimal(99_000), None)


def test_an_amended_stop_does_not_change_what_was_asked_for(account: Account, venue: VenueLike) -> None:
    trade = open_trade(account, long_plan())
    venue.go(100_000)
    trade.plan = {**trade.plan, "stop": {"price": "98000"}}
    trade.save()
    again(trade)
    assert names(venue) == ["tb101000", "tb102000", "tb98000"]


def test_a_net_that_catches_is_our_stop(account: Account, venue: VenueLike) -> None:
    """Entered and stopped out while nobody looked: our own stop never rested."""
    trade = open_trade(account, long_plan(**ONE_TARGET))
    venue.go(100_000, 99_500, 98_900)
    again(trade)
    assert (trade.status, trade.exit_reason, venue.held()) == ("closed", "stop_loss", 0)
    assert Fill.objects.get(order_side="sell").order.role == "stop"
    assert "external_fill" not in kinds(trade)
    assert names(venue) == []


def test_nets_of_two_trades_at_one_price_are_each_their_own_trades(account: Account, venue: VenueLike) -> None:
    trades = [open_trade(account, long_plan(risk={"quantity": quantity})) for quantity in ("0.02", "0.03")]
    venue.go(100_000, 98_900)
    again(trades[0])
    found = [Trade.objects.get(pk=trade.pk) for trade in trades]
    assert [(trade.status, trade.exit_reason) for trade in found] == [("closed", "stop_loss")] * 2
    sold = Fill.objects.filter(order_side="sell").order_by("trade").values_list("trade", "quantity")
    assert list(sold) == [(trades[0].pk, Decimal("0.02")), (trades[1].pk, Decimal("0.03"))]


def nets_of(trade: Trade) -> list[Decimal]:
    return [order.quantity for order in Order.objects.filter(trade=trade, is_attached=True)]


LEGS = [{"kind": "limit", "price": price, "share": "0.5"} for price in ("100000", "99500")]


def test_a_net_is_not_of_the_entry_that_was_refused(account: Account, venue: VenueLike) -> None:
    """That trade waits for its second entry, with the same stop: the net would outlive what it is there for."""
    venue.drop(refused, lambda intent: intent.price == 100_000)
    waiting = open_trade(account, long_plan(risk={"quantity": "0.04"}, entries=LEGS))
    entered = open_trade(account, long_plan(risk={"quantity": "0.02"}))
    venue.go(100_000)
    again(entered, 1)
    assert (nets_of(waiting), nets_of(entered)) == ([], [Decimal("0.02")])


@pytest.mark.parametrize("lag", [0, 100])
def test_a_net_is_of_the_entry_that_has_executed(account: Account, venue: VenueLike, lag: int) -> None:
    """Whether its executions are told or, until then, only the order itself says so."""
    waiting = open_trade(account, long_plan(risk={"quantity": "0.02"}, entries=[{"price": "99500"}]))
    entered = open_trade(account, long_plan(risk={"quantity": "0.02"}))
    venue.lag = lag
    venue.go(100_000)
    again(entered, 1)
    assert (nets_of(waiting), nets_of(entered)) == ([], [Decimal("0.02")])


def test_one_net_is_of_an_entry_and_the_next_of_another_trades_before_a_second_entry_has_executed(
    account: Account, venue: VenueLike
) -> None:
    """Both came while nobody looked, and are alike."""
    first = open_trade(account, long_plan(risk={"quantity": "0.04"}, entries=LEGS))
    second = open_trade(account, long_plan(risk={"quantity": "0.02"}, entries=[{"price": "99900"}]))
    venue.go(100_000, 99_900)
    again(second, 1)
    assert (nets_of(first), nets_of(second)) == ([Decimal("0.02")], [Decimal("0.02")])


def test_a_stop_at_our_price_is_a_hands_while_our_entry_has_never_been_there(
    account: Account, venue: VenueLike
) -> None:
    venue.drop(not_now, lambda intent: not intent.reduce_only, times=20)
    trade = open_trade(account, long_plan())
    entry = venue.sent[0]
    venue.hand("buy", "market", entry.quantity)
    venue.sim.place(replace(stop_of(entry), client_id="sl-byhand"))
    again(trade)
    assert (nets_of(trade), names(venue)) == ([], ["sl99000"])


def without_nets(reading: Reading) -> Reading:
    return replace(reading, orders=[state for state in reading.orders if state.client_id.startswith("tb")])


def test_a_net_listed_after_its_trades_end_is_not_of_another_that_waits_with_the_same_plan(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "OUTLIVES", timedelta(days=10_000))  # this venue's clock stands in the past
    waiting = open_trade(account, long_plan(risk={"quantity": "0.02"}, entries=[{"price": "99500"}]))
    over = open_trade(account, long_plan(risk={"quantity": "0.02"}))
    venue.altered = without_nets
    venue.go(100_000)
    again(over)
    venue.hand("sell", "market", venue.held())
    again(over)
    for name in [name for name in venue.sim.orders if name.startswith("sl-")]:
        del venue.sim.orders[name]
    left_behind(venue, over)
    venue.altered = lambda reading: reading
    again(over)
    assert (over.status, nets_of(waiting), nets_of(over)) == ("closed", [], [Decimal("0.02")])
    assert [state.reduce_only for state in venue.resting()] == [False]


def test_a_net_of_a_trade_that_never_entered_goes_when_its_execution_is_not_told_either(
    account: Account, venue: VenueLike
) -> None:
    trade = open_trade(account, long_plan())
    entry = venue.sent[0]
    rests(venue, stop_of(entry), venue.time)
    again(trade, 1)
    venue.cancel_by_hand(entry.client_id)
    again(trade)
    assert (trade.status, names(venue)) == ("pending", ["sl99000"])
    a_while_ago = timezone.now() - timedelta(seconds=31)
    Order.objects.filter(is_attached=True).update(created_at=a_while_ago)
    again(trade)
    assert (trade.status, names(venue)) == ("cancelled", [])


def test_while_our_stop_is_refused_the_net_protects(account: Account, venue: VenueLike) -> None:
    venue.drop(refused, is_stop, times=100)
    trade = open_trade(account, long_plan(**ONE_TARGET))
    venue.go(100_000, *[100_100] * 20)
    again(trade, 4)
    assert (trade.status, tell_trade(trade)["protected"]["state"]) == ("open", "attached")
    assert names(venue) == ["sl99000", "tp102000"]
    assert Order.objects.filter(role="stop", status="rejected").count() <= 2
    venue.go(98_900)
    again(trade)
    assert (trade.status, trade.exit_reason) == ("closed", "stop_loss")


def test_our_own_stop_that_was_refused_is_tried_again_after_fifteen_seconds(account: Account, venue: VenueLike) -> None:
    venue.drop(refused, is_stop, times=2)
    trade = open_trade(account, long_plan())
    venue.go(100_000)
    again(trade)
    assert (names(venue), tell_trade(trade)["protected"]["state"]) == (["sl99000", *TARGETS], "attached")
    a_while_ago = timezone.now() - timedelta(seconds=16)
    Order.objects.filter(role="stop", status="rejected").update(created_at=a_while_ago)
    again(trade)
    assert (names(venue), tell_trade(trade)["protected"]["state"]) == ([*TARGETS, "tb99000"], "protected")


def test_protection_that_a_hand_attached_is_left_alone(account: Account, venue: VenueLike) -> None:
    trade = open_trade(account, long_plan())
    venue.go(100_000)
    again(trade)
    venue.sim.place(
        OrderIntent(
            "sl-byhand", trade.symbol, venue.sent[-1].order_side, is_kind(venue), venue.sent[-1].quantity,
            trigger=venue.sent[1].trigger - 7, reduce_only=True,  # type: ignore[operator]
        )
    )  # fmt: skip
    again(trade)
    assert "sl98993" in names(venue)


def is_kind(venue: VenueLike) -> Any:
    return next(intent.kind for intent in venue.sent if is_stop(intent))


@pytest.mark.parametrize("arrival", ["told", "never_told"])
def test_a_net_that_nobody_saw_goes_though_its_trade_is_over(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch, arrival: str
) -> None:
    """Entered and closed by hand while the venue told of no orders, and it leaves its net behind. Where executions
    alone told of the entry, nobody has said when it arrived."""
    monkeypatch.setattr(ledger, "OUTLIVES", timedelta(days=10_000))  # this venue's clock stands in the past
    trade = open_trade(account, long_plan(**ONE_TARGET))
    venue.altered = lambda reading: replace(reading, orders=[])
    venue.go(100_000)
    again(trade)
    venue.hand("sell", "market", venue.held())
    again(trade)
    venue.sim.orders.clear()
    left_behind(venue, trade)
    if arrival == "never_told":
        Order.objects.filter(trade=trade, role="entry").update(placed_at=None, created_at=trade.opened_at)
    again(trade)
    assert names(venue) == ["sl99000"]
    venue.altered = lambda reading: reading
    again(trade)
    assert (trade.status, names(venue)) == ("closed", [])


def test_a_stop_that_a_hand_sets_later_where_a_net_had_been_is_the_hands(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "OUTLIVES", timedelta(days=10_000))
    trade = open_trade(account, long_plan(**ONE_TARGET))
    venue.go(100_000, 98_900)
    again(trade)
    assert trade.status == "closed"
    left_behind(venue, trade, after=1_000)
    again(trade)
    assert names(venue) == ["sl99000"]


def left_behind(venue: VenueLike, trade: Trade, after: int = 0) -> None:
    """A net of the trade's own figures at the venue, made before its end or `after` it (ms)."""
    assert trade.closed_at is not None
    rests(venue, stop_of(venue.sent[0]), to_ms(trade.closed_at) + after)


def rests(venue: VenueLike, stop: OrderIntent, since: int) -> None:
    """It lies at the venue, whatever is held."""
    venue.sim.orders["sl-left"] = Resting(replace(stop, client_id="sl-left"), "x-left", since, live=False)

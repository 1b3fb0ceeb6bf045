"""A market that changes while something is held: another tick or lot, no trading for a while, no name any more."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.errors import Rejected
from buddy.core.exchange import OrderIntent, OrderState, PositionMode, Profile, Refusal
from buddy.core.market import Instrument
from buddy.events.models import Event
from buddy.exchanges.market_data.source import UnknownSymbol
from buddy.exchanges.models import Account
from buddy.trading.executor import NotNow, amend_plan, break_even_now, open_trade
from buddy.trading.models import Fill, Order, Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import kinds, long_plan, resting
from tests.exchanges.venue_like import SYMBOL, Prices, VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
PLAN: dict[str, Any] = {
    "stop": {"price": "99000.3"},
    "take_profits": [{"price": "101000.3", "share": "0.5"}, {"price": "102000.3", "share": "0.5"}],
}


def changed(venue: VenueLike, **rules: Any) -> None:
    """By the venue; we know once an order has been refused for it."""
    venue.sim.instruments[SYMBOL] = replace(venue.sim.instruments[SYMBOL], **rules)


def known(venue: VenueLike) -> None:
    """The markets are read anew."""
    venue.market = venue.sim.instruments[SYMBOL]


@pytest.fixture(autouse=True)
def _learns_from_refusals(venue: VenueLike, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the real adapter does."""
    accept = venue.accept

    def accepts(intent: OrderIntent) -> OrderState:
        try:
            return accept(intent)
        except Rejected:
            known(venue)
            raise

    monkeypatch.setattr(venue, "accept", accepts)


def again(trade: Trade, looks: int = 4) -> Trade:
    for _ in range(looks):
        assert not look(trade.account_id, seconds=0).trouble
    trade.refresh_from_db()
    return trade


def entered(account: Account, venue: VenueLike) -> Trade:
    trade = open_trade(account, long_plan(**PLAN))
    venue.go(100_000)
    return again(trade)


def triggers(trade: Trade) -> list[Decimal]:
    return [order.trigger for order in resting(trade, "stop")]


def prices(trade: Trade) -> list[Decimal]:
    return sorted(order.price for order in resting(trade, "take_profit"))


def left(trade: Trade, role: str) -> list[Decimal]:
    return sorted(order.quantity - order.filled for order in resting(trade, role))


def is_exit(intent: OrderIntent) -> bool:
    return intent.reduce_only


def test_a_coarser_tick_that_an_order_was_refused_for_protects_all_the_same(account: Account, venue: VenueLike) -> None:
    trade = open_trade(account, long_plan(**PLAN))
    changed(venue, tick_size=D(1))
    venue.go(100_000)
    again(trade)
    assert (trade.status, triggers(trade), prices(trade)) == ("open", [D(99_001)], [D(101_000), D(102_000)])
    assert "protection_lost" not in kinds(trade)


def test_what_rests_keeps_its_price_and_a_stop_never_goes_back_to_a_finer_tick(
    account: Account, venue: VenueLike
) -> None:
    trade = entered(account, venue)
    targets = {order.pk for order in resting(trade, "take_profit")}
    changed(venue, tick_size=D(1))
    known(venue)
    again(trade)
    assert (triggers(trade), prices(trade)) == ([D(99_001)], [D("101000.3"), D("102000.3")])
    assert {order.pk for order in resting(trade, "take_profit")} == targets
    changed(venue, tick_size=D("0.1"))
    known(venue)
    again(trade)
    assert triggers(trade) == [D(99_001)]


def test_nor_does_the_stop_of_what_is_held_by_the_venues_word_alone(account: Account, venue: VenueLike) -> None:
    """Its executions are told only after the tick has become finer again."""
    trade = open_trade(account, long_plan(**PLAN))
    changed(venue, tick_size=D(1))
    known(venue)
    venue.altered = lambda reading: replace(reading, fills=(), cursor="")
    venue.go(100_000)
    again(trade)
    assert (triggers(trade), venue.held() > 0, Fill.objects.exists()) == ([D(99_001)], True, False)
    changed(venue, tick_size=D("0.1"))
    known(venue)
    venue.altered = lambda reading: reading
    again(trade)
    assert (triggers(trade), Fill.objects.exists()) == ([D(99_001)], True)


def test_a_larger_lot_leaves_what_rests_and_what_is_placed_anew_is_in_whole_lots(
    account: Account, venue: VenueLike
) -> None:
    trade = entered(account, venue)
    held = venue.held()
    (stop,) = resting(trade, "stop")
    changed(venue, lot_size=D("0.01"))
    known(venue)
    again(trade)
    assert [order.pk for order in resting(trade, "stop")] == [stop.pk]
    venue.cancel_by_hand(stop.client_id)
    again(trade)
    whole = venue.market.round_quantity(held)
    assert (held - whole > 0, left(trade, "stop"), sum(left(trade, "take_profit"))) == (True, [whole], whole)
    told = Event.objects.filter(trade_id=trade.pk, data__has_key="dust")
    assert [event.data["dust"] for event in told] == [f"{(held - whole).normalize():f}"]
    assert trade.naked_since is None


def test_what_is_less_than_a_lot_leaves_once_the_rest_has_gone(account: Account, venue: VenueLike) -> None:
    trade = entered(account, venue)
    changed(venue, lot_size=D("0.01"))
    known(venue)
    venue.cancel_by_hand(resting(trade, "stop")[0].client_id)
    again(trade)
    venue.go(98_900)
    again(trade)
    assert (venue.held(), trade.status) == (0, "closed")


def test_a_larger_lot_that_orders_were_refused_for_brings_stop_and_targets_in_lots(
    account: Account, venue: VenueLike
) -> None:
    trade = open_trade(account, long_plan(**PLAN))
    changed(venue, lot_size=D("0.01"))
    venue.go(100_000)
    again(trade)
    whole = venue.market.round_quantity(venue.held())
    assert (trade.status, left(trade, "stop"), sum(left(trade, "take_profit"))) == ("open", [whole], whole)


def test_what_is_not_traded_for_a_while_gets_its_exits_when_it_is_again(account: Account, venue: VenueLike) -> None:
    """Neither a stop nor a close can be placed meanwhile, and neither is tried over and over."""
    trade = open_trade(account, long_plan())
    changed(venue, active=False)
    venue.go(100_000)
    again(trade, 12)
    assert (trade.status, trade.naked_since is not None, trade.directives) == ("open", True, {})
    assert len([intent for intent in venue.sent if is_exit(intent)]) <= 3
    changed(venue, active=True)
    known(venue)
    again(trade)
    assert (left(trade, "stop"), trade.naked_since) == ([venue.held()], None)
    assert sum(left(trade, "take_profit")) == venue.held()


def test_a_trail_over_candles_that_nobody_lists_any_more_keeps_its_stop(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any) -> None:
        raise UnknownSymbol(SYMBOL, "venue")

    plan = long_plan(rules={"trail": {"candles": 5, "timeframe": "1m"}})
    trade = open_trade(account, plan)
    monkeypatch.setattr(Prices, "candles", unknown)
    venue.go(100_000)
    again(trade)
    assert triggers(trade) == [D(99_000)]


def test_what_is_asked_about_a_symbol_without_a_price_is_answered(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any) -> None:
        raise UnknownSymbol(SYMBOL, "venue")

    trade = entered(account, venue)
    monkeypatch.setattr(Prices, "quote", unknown)
    with pytest.raises(NotNow, match="is not traded here"):
        break_even_now(trade)


def test_an_execution_is_not_that_of_a_like_order_that_was_refused(account: Account, venue: VenueLike) -> None:
    """Where stops have no names: the amended plan asks for the same entry again, which executes unanswered."""

    def refused(venue: VenueLike, intent: OrderIntent) -> OrderState:
        raise Rejected("not now", Refusal.OTHER)

    def reply_lost(venue: VenueLike, intent: OrderIntent) -> OrderState:
        venue.accept(intent)
        raise TimeoutError("no reply")

    def is_first(intent: OrderIntent) -> bool:
        return intent.trigger == D(100_600)

    venue.profile = Profile("nameless", names_stops=False, settle_ms=1)
    entries = [{"kind": "trigger", "trigger": "100600", "share": "0.5"}]
    entries.append({"kind": "trigger", "trigger": "100700", "share": "0.5"})
    venue.drop(refused, is_first)
    trade = open_trade(account, long_plan(entries=entries))
    venue.drop(reply_lost, is_first)
    amend_plan(trade, long_plan(entries=entries))
    venue.go(100_650)
    again(trade)
    refusal = Order.objects.get(trade=trade, role="entry", leg=0, status="rejected")
    assert not Fill.objects.filter(order=refusal).exists()
    assert Fill.objects.get(trade=trade).order.leg == 0


def test_nothing_enters_once_a_hand_has_changed_the_position_mode(account: Account, venue: VenueLike) -> None:
    """The venue refuses the first leg, which does not go with its mode; the others would go with it."""

    def refuses(at: VenueLike, intent: OrderIntent) -> OrderState:
        at.mode = PositionMode.HEDGE
        raise Rejected("The position side does not match the mode.", Refusal.OTHER)

    venue.drop(refuses)
    legs = [{"kind": "limit", "price": price, "share": "0.5"} for price in ("100000", "99900")]
    trade = again(open_trade(account, long_plan(entries=legs, **PLAN)))
    venue.go(99_800)
    again(trade)
    assert (len(venue.sent), venue.held(), trade.status) == (1, 0, "cancelled")
    assert "hedge mode" in Event.objects.filter(trade_id=trade.pk, kind="order_rejected").latest("pk").text


def test_a_leverage_that_is_not_to_be_had_any_more_withdraws_the_entry(account: Account, venue: VenueLike) -> None:
    changed(venue, max_leverage=D(5))
    trade = again(open_trade(account, long_plan(leverage="10", **PLAN)))
    assert (venue.sent, venue.held(), trade.status) == ([], 0, "cancelled")
    assert "leverage" in Event.objects.get(trade_id=trade.pk, kind="order_rejected").text


def test_a_market_taken_down_between_its_reading_and_its_look_waits_for_the_next(
    account: Account, venue: VenueLike, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No defect is written to the log for that, and nothing is touched."""
    trade = entered(account, venue)
    before = len(venue.sent), len(venue.cancelled)

    def is_gone(symbol: str) -> Instrument:
        raise UnknownSymbol(symbol, "the venue")

    monkeypatch.setattr(venue, "instrument", is_gone)
    assert again(trade).status == "open"
    assert (len(venue.sent), len(venue.cancelled)) == before
    assert not [record for record in caplog.records if record.levelname == "ERROR"]

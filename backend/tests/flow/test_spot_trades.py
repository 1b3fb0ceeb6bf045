"""Whole trades on spot, on candles written by hand: coins are bought, locked by what sells them, and sold again.

Whatever happens, the trader's own coins in the same wallet stay, nothing of ours rests afterwards, and the journal's
net is what the wallet gained, the coins too few to be sold taken at what they cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest

from buddy.events.models import Event
from buddy.exchanges import paper_book
from buddy.exchanges.models import Account
from buddy.trading import executor
from buddy.trading.executor import open_trade
from buddy.trading.models import Fill, ForeignPosition, Order, Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import (
    flat,
    freeze,
    go_on,
    is_protected,
    kinds,
    long_plan,
    replay_account,
    resting,
    write_candles,
)

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
COIN = "BTC/USDT"
STASH = D("0.7")
"""Of the trader's own, in the same wallet all the while."""
UP_TO_101 = [*flat("100500", 2), ("100500", "100500", "99900", "100200"), ("100200", "101100", "100200", "101050")]
"""The entry at 100000, the first target at 101000."""


@pytest.fixture(params=["binance-spot", "kraken-spot"])
def venue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _one_reading_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buddy.trading.executor.LOOK_SECONDS", 0.0)


def spot_plan(**changes: Any) -> dict[str, Any]:
    targets = [{"price": "101000", "share": "0.4"}, {"price": "102000", "share": "0.3"}]
    targets.append({"price": "103000", "share": "0.3"})
    return long_plan(**{"symbol": COIN, "take_profits": targets, "risk": {"percent": "0.5"}} | changes)


def account_on(
    owner: Any, venue: str, rows: Sequence[Sequence[str]], *, slices: int | None = None, **values: Any
) -> Account:
    """An account with a stash; `slices`: orders fill in parts."""
    file = write_candles("spot_BTCUSDT_1m.csv", rows)
    account = replay_account(owner, file, venue=venue, maker_fee=D("0.001"), taker_fee=D("0.0012"), **values)
    book = paper_book.load(account)
    book.exchange.books.coins["BTC"], book.exchange.slices = STASH, slices
    paper_book.store(account, book, clock=False)
    return account


class Eye:
    """Sees after every reading that the rules of spot are kept, by the exchange's own books."""

    def __init__(self, trade: Trade) -> None:
        self.trade = trade
        self.least_covered = True

    def look(self) -> None:
        looked = look(self.trade.account_id, seconds=0)
        assert not looked.trouble
        self.trade.refresh_from_db()
        exchange = paper_book.load(self.trade.account).exchange
        sales = [order for order in exchange.orders.values() if not order.intent.order_side.is_buy]
        locked = sum((o.remaining for o in sales if not o.other or not o.live), D(0))
        assert exchange.books.coins["BTC"] - locked >= STASH, "coins of the trader's own are for sale"

    def until(self, condition: Callable[[Trade], bool], most: int = 120) -> Trade:
        for _ in range(most):
            if condition(self.trade):
                return self.trade
            self.look()
        raise AssertionError(f"it never came to that: {self.trade.status} {kinds(self.trade)}")


def over(trade: Trade) -> bool:
    return trade.status == Trade.Status.CLOSED


def part_sold(trade: Trade) -> bool:
    return Fill.objects.filter(trade=trade, order__role="take_profit", order__leg=0).exists()


def assert_accounts_agree(trade: Trade, reason: str) -> None:
    account, books = trade.account, paper_book.load(trade.account).exchange.books
    fills = list(Fill.objects.filter(trade=trade))
    bought = [fill for fill in fills if fill.order_side == "buy"]
    came = sum((fill.quantity - fill.withheld for fill in bought), D(0))
    went = sum((fill.quantity for fill in fills if fill.order_side == "sell"), D(0))
    cost = sum(((fill.quantity - fill.withheld) * fill.price for fill in bought), D(0))
    left = came - went
    assert (trade.status, trade.exit_reason) == ("closed", reason), kinds(trade)
    assert books.coins["BTC"] == STASH + left
    assert D(0) <= left < D("0.00005")
    assert trade.net is not None
    assert abs(trade.net - (books.wallet - account.opening_balance + cost * left / came)) < D("1e-17")
    assert ("stay in the wallet" in trade_closed(trade)) == bool(left)
    assert not paper_book.load(account).exchange.orders
    assert not Order.objects.filter(trade=trade, status__in=["intended", "unknown", "open", "partial"]).exists()
    assert not ForeignPosition.objects.exists()


def trade_closed(trade: Trade) -> str:
    return str(Event.objects.get(trade_id=trade.pk, kind="trade_closed").text)


def test_all_targets_are_taken_one_after_the_other(alice: Any, venue: str) -> None:
    rows = [*UP_TO_101, ("101050", "102100", "101000", "102050"), ("102050", "103200", "102000", "103100")]
    trade = open_trade(account_on(alice, venue, [*rows, *flat("103100", 3)]), spot_plan())
    Eye(trade).until(over)
    assert_accounts_agree(trade, "take_profit")
    targets = Order.objects.filter(trade=trade, role="take_profit").exclude(filled=0)
    assert [order.leg for order in targets] == [0, 1, 2]
    assert all(order.filled == order.quantity for order in targets)


def test_after_the_first_target_the_rest_leaves_at_break_even(alice: Any, venue: str) -> None:
    rows = [*UP_TO_101, ("101050", "101060", "99900", "99950"), *flat("99950", 3)]
    plan = spot_plan(rules={"break_even": {"after": {"take_profit": 1}, "cover": "costs"}})
    trade = open_trade(account_on(alice, venue, rows), plan)
    Eye(trade).until(over)
    assert_accounts_agree(trade, "break_even")
    moved = Order.objects.filter(trade=trade, role="stop", reason="break_even")
    assert {order.trigger for order in moved} == {moved[0].trigger}
    assert moved[0].trigger > D(100000)
    assert kinds(trade).count("stop_moved") == 1
    assert trade.r is not None
    assert trade.r > 0


def test_a_trailing_stop_is_swapped_behind_the_price(alice: Any, venue: str) -> None:
    rows = [*UP_TO_101, ("101050", "101900", "101000", "101800"), ("101800", "101900", "100800", "100900")]
    plan = spot_plan(rules={"trail": {"percent": "0.5", "after": {"r": "0.5"}}})
    trade = open_trade(account_on(alice, venue, [*rows, *flat("100900", 3)]), plan)
    Eye(trade).until(over)
    assert_accounts_agree(trade, "trailing_stop")
    stops = list(Order.objects.filter(trade=trade, role="stop").order_by("id").values_list("trigger", flat=True))
    assert stops == sorted(stops)
    assert stops[-1] == D(101391)
    assert "order_rejected" not in kinds(trade)
    assert "protection_lost" not in kinds(trade)


def test_a_stop_out_sells_every_slice(alice: Any, venue: str) -> None:
    rows = [*flat("100500", 2), ("100500", "100500", "99900", "100200"), ("100200", "100300", "98800", "98900")]
    trade = open_trade(account_on(alice, venue, [*rows, *flat("98900", 3)]), spot_plan())
    Eye(trade).until(over)
    assert_accounts_agree(trade, "stop_loss")
    assert trade.r is not None
    assert D("-1.05") < trade.r < D("-0.9")


def test_a_gap_beyond_the_stop_is_sold_where_it_opens(alice: Any, venue: str) -> None:
    rows = [*flat("100500", 2), ("100500", "100500", "99900", "100200"), ("98000", "98100", "97900", "98000")]
    trade = open_trade(account_on(alice, venue, [*rows, *flat("98000", 3)]), spot_plan())
    Eye(trade).until(over)
    assert_accounts_agree(trade, "stop_loss")
    assert trade.average_exit is not None
    assert trade.average_exit < D(98001)


@pytest.mark.parametrize("seed", [1, 2])
def test_orders_that_fill_in_parts(alice: Any, venue: str, seed: int) -> None:
    rows = [*UP_TO_101, ("101050", "101060", "100900", "101000"), ("101000", "102100", "100950", "102050")]
    rows += [("102050", "102100", "99000", "99500"), *flat("99500", 3)]
    plan = spot_plan(rules={"break_even": {"after": {"take_profit": 1}}})
    trade = open_trade(account_on(alice, venue, rows, slices=seed), plan)
    Eye(trade).until(over)
    assert_accounts_agree(trade, trade.exit_reason)
    assert Fill.objects.filter(trade=trade).count() >= 4
    assert "protection_lost" not in kinds(trade)


def test_two_trades_share_a_wallet(alice: Any, venue: str) -> None:
    rows = [*UP_TO_101, ("101050", "102100", "101000", "102050"), ("102050", "103200", "102000", "103100")]
    account = account_on(alice, venue, [*rows, *flat("103100", 3)])
    targets = [{"price": "101000", "share": "0.5"}, {"price": "102000", "share": "0.5"}]
    first = open_trade(account, spot_plan(risk={"percent": "0.3"}, take_profits=targets))
    second = open_trade(account, spot_plan(risk={"percent": "0.2"}, stop={"price": "98000"}, take_profits=[]))
    Eye(first).until(over)
    Eye(second).until(lambda trade: Fill.objects.filter(trade=trade).exists())
    executor.close(second, D(1))
    Eye(second).until(over)
    came = sum((fill.quantity - fill.withheld for fill in Fill.objects.filter(order_side="buy")), D(0))
    went = sum((fill.quantity for fill in Fill.objects.filter(order_side="sell")), D(0))
    assert paper_book.load(account).exchange.books.coins["BTC"] == STASH + came - went
    assert (first.exit_reason, second.exit_reason) == ("take_profit", "manual")


def test_half_is_closed_by_hand_and_the_rest_keeps_its_orders(alice: Any, venue: str) -> None:
    rows = [*UP_TO_101[:3], *flat("100200", 20), *UP_TO_101[3:], ("101050", "103100", "101000", "103050")]
    trade = open_trade(account_on(alice, venue, [*rows, *flat("103050", 3)]), spot_plan())
    eye = Eye(trade)
    eye.until(is_protected)
    freeze(trade.account)
    executor.close(trade, D("0.5"))
    eye.look()
    left = sum((order.quantity for order in resting(trade, "stop")), D(0))
    entered = Order.objects.get(trade=trade, role="entry").quantity
    go_on(trade.account)
    assert D("0.495") < left / entered < D("0.505")
    eye.until(over)
    assert_accounts_agree(trade, "take_profit")
    assert Order.objects.get(trade=trade, role="close").filled > 0


def test_a_trade_is_closed_by_hand(alice: Any, venue: str) -> None:
    trade = open_trade(account_on(alice, venue, [*UP_TO_101, *flat("101050", 9)]), spot_plan())
    eye = Eye(trade)
    eye.until(part_sold)
    executor.close(trade, D(1))
    eye.until(over)
    assert_accounts_agree(trade, "manual")


def test_the_plan_is_changed_on_the_way(alice: Any, venue: str) -> None:
    rows = [*UP_TO_101, ("101050", "101700", "100900", "101600"), *flat("101600", 3)]
    trade = open_trade(account_on(alice, venue, rows), spot_plan())
    eye = Eye(trade)
    eye.until(is_protected)
    freeze(trade.account)
    targets = [{"price": "101500", "share": "1"}]
    executor.amend_plan(trade, spot_plan(stop={"price": "99500"}, take_profits=targets))
    eye.look()
    assert {order.trigger for order in resting(trade, "stop")} == {D(99500)}
    go_on(trade.account)
    eye.until(over)
    assert_accounts_agree(trade, "take_profit")
    assert trade.average_exit == D(101500)


def test_hands_off_leaves_the_orders_and_records_on(alice: Any, venue: str) -> None:
    rows = [*UP_TO_101[:3], *flat("100200", 3), ("100200", "100300", "98800", "98900"), *flat("98900", 3)]
    trade = open_trade(account_on(alice, venue, rows), spot_plan())
    eye = Eye(trade)
    eye.until(is_protected)
    orders = list(Order.objects.filter(trade=trade).values_list("client_id", flat=True))
    executor.hands_off(trade, True)
    eye.until(over)
    assert list(Order.objects.filter(trade=trade).values_list("client_id", flat=True)) == orders
    assert_accounts_agree(trade, "stop_loss")


def test_the_ticket_says_what_spot_means(alice: Any, api: Any, venue: str) -> None:
    account = account_on(alice, venue, flat("100500", 9))
    asked = {"account": account.pk, "plan": spot_plan(rules={"break_even": {"after": {"take_profit": 1}}})}
    told = api.post("/api/v1/plans/preview", asked, format="json").json()
    codes = {warning["code"] for warning in told["warnings"]}
    assert codes == {"stop_swapped"} | ({"targets_by_desk"} if venue == "kraken-spot" else set())
    assert (told["faults"], told["denials"], told["possible"]["leverage"]) == ([], [], "1")
    assert api.get(f"/api/v1/accounts/{account.pk}").json()["spot"] is True


def test_no_more_targets_than_a_venue_takes_stops(alice: Any, api: Any, venue: str) -> None:
    account = account_on(alice, venue, flat("100500", 9))
    many = [{"price": str(101_000 + 500 * number), "share": "0.2"} for number in range(5)]
    asked = {"account": account.pk, "plan": spot_plan(take_profits=many)}
    told = api.post("/api/v1/plans/preview", asked, format="json").json()
    assert [denial["code"] for denial in told["denials"]] == (["too_many_stops"] if venue == "binance-spot" else [])


def test_a_new_account_pays_what_its_venue_asks(api: Any, venue: str) -> None:
    asked = {"name": "Coins", "venue": venue, "price_source": "simulated"}
    told = api.post("/api/v1/accounts", asked, format="json").json()
    fees = {"binance-spot": ("0.001", "0.001"), "kraken-spot": ("0.0025", "0.004")}
    assert (told["maker_fee"], told["taker_fee"], told["spot"]) == (*fees[venue], True)
    own = api.post("/api/v1/accounts", asked | {"name": "Mine", "taker_fee": "0.0008"}, format="json").json()
    assert (own["maker_fee"], own["taker_fee"]) == (fees[venue][0], "0.0008")

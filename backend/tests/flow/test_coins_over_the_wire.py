"""Whole trades of coins at a venue over HTTP: pairs that rest and move, and lines that are cut at the wrong moment.

Whatever happens: no coin of the trader's own is sold, nothing is bought or sold twice, nothing of ours rests in the
end, and the journal says what the wallet says, the coins too few to be sold taken at what they cost.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from buddy.trading.models import Fill, ForeignPosition, Order, Trade
from tests.apps.trading_rig import kinds
from tests.flow.at_a_venue import COINS, Place, place, stand_in

__all__ = ["place", "stand_in"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
STASH = D("0.5")
"""Of the trader's own, in the same wallet."""
ORDER, PAIR, TRADES = "/api/v3/order", "/api/v3/orderList/oco", "/api/v3/myTrades"


@pytest.fixture
def venue() -> str:
    return "binance-spot"


class Story:
    """An entry at the market, two targets with their stops, and the rest with a stop alone."""

    def __init__(self, place: Place, api: Any) -> None:
        self.place = place
        place.hand.deposit(place.key, "BTC", str(STASH))
        targets = [{"price": "101000", "share": "0.5"}, {"price": "102000", "share": "0.5"}]
        self.plan = {
            "symbol": COINS,
            "entries": [{"kind": "limit", "price": "99900"}],
            "stop": {"price": "99000"},
            "take_profits": targets,
            "risk": {"money": "20"},
            "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "costs"}},
        }
        self.api = api

    def open(self) -> None:
        body, key = {"account": self.place.account.pk, "plan": self.plan}, {"Idempotency-Key": uuid.uuid4().hex}
        answer = self.api.post("/api/v1/trades", body, format="json", headers=key)
        assert answer.status_code == 201, answer.json()
        self.until(lambda: self.place.books().resting)

    @property
    def trade(self) -> Trade:
        return Trade.objects.get()

    def sales(self) -> list[dict[str, Any]]:
        return [order for order in self.place.books().resting if order["wish"]["order_side"] == "sell"]

    def levels(self) -> set[tuple[str, str]]:
        """Of what rests to be sold: what sort it is, and where."""
        rows = [(order["wish"]["trigger"], order["wish"]["price"]) for order in self.sales()]
        return {("stop", str(D(trigger))) if trigger else ("target", str(D(price))) for trigger, price in rows}

    def covered(self) -> Decimal:
        """Coins that stops would sell."""
        stops = [order for order in self.sales() if order["wish"]["trigger"]]
        return sum((D(order["quantity"]) - D(order["filled"]) for order in stops), D(0))

    def owned(self) -> Decimal:
        coin = self.place.books().told["coins"].get("BTC", {"free": "0", "locked": "0"})
        return D(coin["free"]) + D(coin["locked"])

    def until(self, condition: Callable[[], Any], most: int = 60) -> None:
        for _ in range(most):
            self.place.look()
            assert self.owned() >= STASH, "coins of the trader's own were sold"
            if condition():
                return
            time.sleep(0.05)
        raise AssertionError(f"it never came to that: {self.trade.status} {self.levels()} {kinds(self.trade)}")

    def is_over(self) -> bool:
        doubtful = Order.objects.filter(status__in=("unknown", "intended")).exists()
        return self.trade.status == "closed" and not doubtful and not self.place.books().resting

    def assert_ended_well(self, reason: str) -> None:
        trade, books = self.trade, self.place.books()
        assert (trade.status, trade.exit_reason) == ("closed", reason), kinds(trade)
        bought = [fill for fill in Fill.objects.filter(trade=trade) if fill.order_side == "buy"]
        came = sum((fill.quantity - fill.withheld for fill in bought), D(0))
        cost = sum(((fill.quantity - fill.withheld) * fill.price for fill in bought), D(0))
        left = self.owned() - STASH
        assert 0 <= left < D("0.0002")
        assert trade.net is not None
        assert abs(trade.net - (books.wallet - 10_000 + cost * left / came)) < D("1e-12")
        assert Fill.objects.filter(trade=trade).count() == len(books.told["trades"])
        assert not Fill.objects.filter(trade=None).exists()
        assert not ForeignPosition.objects.exists()


@pytest.fixture
def story(place: Place, api: Any) -> Story:
    return Story(place, api)


BOTH = {("stop", "99000"), ("target", "101000"), ("target", "102000")}


def test_each_target_rests_beside_its_stop_and_all_are_reached(story: Story) -> None:
    story.open()
    story.place.go("99850")
    story.until(lambda: story.levels() == BOTH)
    assert {order["wish"]["reduce_only"] for order in story.sales()} == {False}
    story.place.go("101100")
    story.until(lambda: Fill.objects.filter(order__role="take_profit").exists())
    story.place.go("102100")
    story.until(story.is_over)
    story.assert_ended_well("take_profit")


def test_after_the_first_target_the_other_half_leaves_at_break_even(story: Story) -> None:
    story.open()
    story.place.go("99850")
    story.until(lambda: story.levels() == BOTH)
    story.place.go("101100")
    story.until(lambda: ("target", "102000") in story.levels() and ("stop", "99000") not in story.levels())
    (stop,) = [level for kind, level in story.levels() if kind == "stop"]
    assert D(stop) > 99_900
    story.place.go("99500")
    story.until(story.is_over)
    story.assert_ended_well("break_even")


def test_a_stop_out_sells_both_halves(story: Story) -> None:
    story.open()
    story.place.go("99850")
    story.until(lambda: story.levels() == BOTH)
    story.place.go("98900")
    story.until(story.is_over)
    story.assert_ended_well("stop_loss")


CUT: dict[str, tuple[str, dict[str, Any]]] = {
    "a pair whose answer is lost": ("drop_after", {"method": "POST", "path": PAIR}),
    "a pair that never arrives": ("drop_before", {"method": "POST", "path": PAIR}),
    "a pair answered with nonsense": ("garbage", {"method": "POST", "path": PAIR}),
    "a pair that was placed and answered with 503": ("status_after", {"method": "POST", "path": PAIR, "status": 503}),
    "an account that says nothing": ("empty", {"method": "GET", "path": "/api/v3/account", "times": 3}),
    "executions that say nothing": ("empty", {"method": "GET", "path": TRADES, "times": 3}),
}


@pytest.mark.parametrize("how", CUT)
def test_lines_that_are_cut_double_nothing(story: Story, how: str) -> None:
    story.open()
    kind, more = CUT[how]
    story.place.hand.fault(kind, **more)
    story.place.go("99850")
    story.until(lambda: story.levels() == BOTH)
    assert len(story.sales()) == 4
    story.place.go("101100")
    story.until(lambda: ("target", "102000") in story.levels() and ("stop", "99000") not in story.levels())
    story.place.go("99500")
    story.until(story.is_over)
    story.assert_ended_well("break_even")


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_a_cancel_that_is_cut_leaves_the_other_half_protected(story: Story, kind: str) -> None:
    story.open()
    story.place.go("99850")
    story.until(lambda: story.levels() == BOTH)
    story.place.hand.fault(kind, method="DELETE", path=ORDER)
    story.place.go("101100")
    story.until(lambda: ("target", "102000") in story.levels() and ("stop", "99000") not in story.levels())
    assert len(story.sales()) == 2
    story.place.go("99500")
    story.until(story.is_over)
    story.assert_ended_well("break_even")


def test_an_entry_and_a_target_that_fill_in_parts(story: Story) -> None:
    """What has entered is covered while the rest still waits; a target that stops half way has its stop again."""
    story.open()
    (entry,) = story.place.books().resting
    story.place.hand.fill(story.place.key, "0.008", order_id=entry["id"])
    story.until(lambda: story.covered() >= D("0.00799"))
    story.place.go("99850")
    story.until(lambda: story.levels() == BOTH and story.covered() >= story.owned() - STASH - D("0.00002"))
    target = next(o for o in story.sales() if o["wish"]["price"] and D(o["wish"]["price"]) == 101_000)
    story.place.hand.fill(story.place.key, "0.002", order_id=target["id"])
    story.until(lambda: Fill.objects.filter(order__role="take_profit").exists())
    story.until(lambda: story.levels() == BOTH and story.covered() >= story.owned() - STASH - D("0.00002"))
    story.place.go("101100")
    story.until(lambda: ("target", "102000") in story.levels() and ("stop", "99000") not in story.levels())
    story.place.go("102100")
    story.until(story.is_over)
    story.assert_ended_well("take_profit")

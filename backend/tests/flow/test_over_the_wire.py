"""Whole trades at a venue over HTTP, long and short, with everything that goes wrong on a line going wrong once.

Whatever happens: what is held is covered by a stop within ten seconds, no wish becomes two orders, nothing of ours
rests afterwards, and the journal says what the venue's books say, to the last digit.
"""

from __future__ import annotations

import time
import uuid
from decimal import Decimal
from typing import Any

import pytest

from buddy.exchanges import ccxt_client
from buddy.exchanges.models import Keys, VenueFacts
from buddy.trading.figures import kept
from buddy.trading.models import Fill, Order, Trade
from tests.apps.trading_rig import kinds
from tests.flow.at_a_venue import BTC, Books, Place, place, stand_in, venue

__all__ = ["place", "stand_in", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
NAKED_AT_MOST = 10.0
STEPS = ("open", "part", "whole", "target", "end")
LEVELS = {
    1: {"entry": "99800", "stop": "99000", "targets": ("100400", "100900", "101400"), "back": "99700"},
    -1: {"entry": "100200", "stop": "101000", "targets": ("99600", "99100", "98600"), "back": "100300"},
}
SHARES = ("0.4", "0.3", "0.3")
ORDER, ALGO = "/fapi/v1/order", "/fapi/v1/algoOrder"


class Story:
    """One trade step by step: a resting entry that fills in parts, a first target, and the stop at break-even."""

    def __init__(self, place: Place, api: Any, sign: int) -> None:
        self.place, self.api, self.sign, self.levels = place, api, sign, LEVELS[sign]
        self.naked_since: float | None = None

    @property
    def trade(self) -> Trade:
        return Trade.objects.get()

    def tell(self) -> None:
        for name in STEPS:
            self.step(name)

    def step(self, name: str) -> None:
        getattr(self, f"_{name}")()
        self.calm_down()

    def _open(self) -> None:
        targets = zip(self.levels["targets"], SHARES, strict=True)
        plan = {
            "symbol": BTC,
            "entries": [{"kind": "limit", "price": self.levels["entry"]}],
            "stop": {"price": self.levels["stop"]},
            "take_profits": [{"price": price, "share": share} for price, share in targets],
            "risk": {"money": "100"},
            "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "costs"}},
        }
        body, key = {"account": self.place.account.pk, "plan": plan}, {"Idempotency-Key": uuid.uuid4().hex}
        answer = self.api.post("/api/v1/trades", body, format="json", headers=key)
        assert answer.status_code == 201, answer.json()

    def _part(self) -> None:
        entry = next(order for order in self.place.books().resting if not order["wish"]["reduce_only"])
        self.place.hand.fill(self.place.key, "0.040", order_id=entry["id"])

    def _whole(self) -> None:
        self.place.go(self.levels["back"])

    def _target(self) -> None:
        self.place.go(self.levels["targets"][0])

    def _end(self) -> None:
        self.place.go(self.levels["back"])

    def calm_down(self, looks: int = 30) -> None:
        """Look until the venue is as the plan wants it; what is held may be uncovered for a moment at most."""
        for _ in range(looks):
            self.place.look()
            books = self.place.books()
            self.check(books)
            if self._is_calm(books):
                return
            time.sleep(0.05)
        raise AssertionError("it does not come to rest")

    def _is_calm(self, books: Books) -> bool:
        trade, doubtful = self.trade, Order.objects.filter(status__in=("unknown", "intended")).exists()
        self.place.account.refresh_from_db()
        over = trade.status in ("closed", "cancelled")
        if doubtful or self.place.account.trouble or over != (not books.resting and not books.held):
            return False
        settled = self.naked_since is None and trade.mismatch_since is None
        return over or (settled and self._booked(trade) == books.held)

    def _booked(self, trade: Trade) -> Decimal:
        sides = {"buy": 1, "sell": -1}
        return sum((f.quantity * sides[f.order_side] for f in Fill.objects.filter(trade=trade)), D(0))

    def check(self, books: Books) -> None:
        """The invariants, by the venue's own books."""
        held = abs(books.held)
        stops = [order for order in books.resting if order["wish"]["trigger"] is not None]
        exits = [order for order in books.resting if order["wish"]["reduce_only"] and order not in stops]
        assert sum((D(order["quantity"]) - D(order["filled"]) for order in exits), D(0)) <= held
        assert all(order["wish"]["reduce_only"] for order in stops)
        covered = not held or sum((D(order["quantity"]) for order in stops), D(0)) >= held
        self.naked_since = None if covered else self.naked_since or time.monotonic()
        assert covered or time.monotonic() - (self.naked_since or 0) < NAKED_AT_MOST
        assert self._entered(books) <= sum((D(quantity) for quantity in self.trade.quantities), D(0))

    def _entered(self, books: Books) -> Decimal:
        """All that our entry orders have taken or may still take."""
        ours = [order for order in books.told["orders"] if order["client_id"].startswith("tb")]
        entries = [order for order in ours if not order["wish"]["reduce_only"]]
        return sum((D(o["quantity"] if o in books.resting else o["filled"]) for o in entries), D(0))

    def assert_ended_well(self, reason: str = "break_even") -> None:
        trade, books = self.trade, self.place.books()
        assert (trade.status, trade.exit_reason) == ("closed", reason)
        assert (books.held, books.resting) == (0, [])
        assert trade.net == books.wallet - 10_000
        assert trade.fees == -sum((D(r["amount"]) for r in books.told["income"] if r["kind"] == "COMMISSION"), D(0))
        assert Fill.objects.filter(trade=trade).count() == len(books.told["trades"])
        assert not Fill.objects.filter(trade=None).exists()
        assert "external_fill" not in kinds(trade)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_trade_from_wish_to_journal(api: Any, place: Place, sign: int) -> None:
    story = Story(place, api, sign)
    story.tell()
    story.assert_ended_well()
    assert [order.filled for order in Order.objects.filter(role="entry")] == [D(q) for q in story.trade.quantities]
    row = api.get(f"/api/v1/journal/{story.trade.pk}").json()["trade"]
    assert D(row["net"]) == place.books().wallet - 10_000


@pytest.mark.parametrize("sign", [1, -1])
def test_all_targets_are_reached(api: Any, place: Place, sign: int) -> None:
    story = Story(place, api, sign)
    for name in STEPS[:3]:
        story.step(name)
    place.go(*story.levels["targets"])
    story.calm_down()
    story.assert_ended_well("take_profit")


POST_ORDER, POST_STOP = {"method": "POST", "path": ORDER}, {"method": "POST", "path": ALGO}
CANCEL_STOP = {"method": "DELETE", "path": ALGO}
LINE: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "replies are cut": {
        "open": ("drop_after", POST_ORDER),
        "part": ("drop_after", POST_STOP),
        "target": ("drop_after", CANCEL_STOP),
    },
    "requests are cut": {
        "open": ("drop_before", POST_ORDER),
        "part": ("drop_before", POST_STOP),
        "target": ("drop_before", CANCEL_STOP),
    },
    "503, though it was done": {
        "open": ("status_after", {**POST_ORDER, "status": 503}),
        "part": ("status_after", {**POST_STOP, "status": 503}),
        "target": ("status_after", {**CANCEL_STOP, "status": 503}),
    },
    "502, and nothing was done": {
        "open": ("status_before", {**POST_ORDER, "status": 502}),
        "part": ("status_before", {**POST_STOP, "status": 502}),
        "whole": ("status_before", {"method": "GET", "times": 4, "status": 500}),
    },
    "no JSON": {
        "open": ("garbage", POST_ORDER),
        "part": ("truncated", POST_STOP),
        "target": ("garbage", POST_STOP),
    },
    "targets lost": {
        "part": ("drop_after", POST_ORDER),
        "whole": ("drop_before", POST_ORDER),
        "end": ("empty", {"path": "*/userTrades", "times": 3}),
    },
    "refusals": {
        "part": ("refuse", {**POST_STOP, "code": -1000, "message": "An unknown error occurred."}),
        "target": ("refuse", {**CANCEL_STOP, "code": -2011, "message": "Unknown order sent."}),
    },
    "empty answers": {
        "part": ("empty", {"path": "*/userTrades", "times": 3}),
        "whole": ("empty", {"path": "*/openOrders", "times": 3}),
        "target": ("empty", {"path": "*/openAlgoOrders", "times": 3}),
        "end": ("empty", {"path": "*/positionRisk", "times": 3}),
    },
    "no position though one is held": {"target": ("empty", {"path": "*/positionRisk", "times": 3})},
    "old answers": {
        "whole": ("stale", {"path": "*/positionRisk", "times": 3, "seconds": 30}),
        "target": ("stale", {"path": "*/open*Orders", "times": 4, "seconds": 30}),
    },
    "rates": {"whole": ("rate_limit", {"seconds": 1}), "target": ("ban", {"seconds": 1})},
}


@pytest.mark.parametrize(("number", "name"), list(enumerate(LINE)))
def test_what_goes_wrong_on_the_line_changes_nothing_about_the_end(
    api: Any, place: Place, number: int, name: str
) -> None:
    story = Story(place, api, 1 if number % 2 else -1)
    for step in STEPS:
        if step in LINE[name]:
            kind, how = LINE[name][step]
            place.hand.fault(kind, **how)
        story.step(step)
    story.assert_ended_well()


@pytest.mark.parametrize("lost", ["drop_after", "drop_before"])
def test_a_lost_entry_is_not_concluded_from_lookups_that_fail_too(api: Any, place: Place, lost: str) -> None:
    place.hand.fault(lost, **POST_ORDER)
    place.hand.fault("status_before", method="GET", path=ORDER, times=3, status=500)
    story = Story(place, api, 1)
    story.tell()
    story.assert_ended_well()
    assert Order.objects.filter(role="entry").count() == 1


def test_a_clock_that_is_half_a_minute_slow(api: Any, place: Place) -> None:
    """Ours; to us the venue's is fast."""
    place.hand.set_skew(30_000)
    place.go("100000")
    story = Story(place, api, 1)
    story.tell()
    story.assert_ended_well()


def test_maintenance_in_the_middle(api: Any, place: Place) -> None:
    story = Story(place, api, -1)
    for name in STEPS[:3]:
        story.step(name)
    before = list(Order.objects.values())
    place.hand.set_maintenance(True)
    place.look(2)
    place.account.refresh_from_db()
    assert place.account.trouble
    assert list(Order.objects.values()) == before
    place.hand.set_maintenance(False)
    for name in STEPS[3:]:
        story.step(name)
    story.assert_ended_well()


def test_a_revoked_key_concludes_nothing_and_a_good_one_goes_on(api: Any, place: Place) -> None:
    story = Story(place, api, 1)
    for name in STEPS[:3]:
        story.step(name)
    before = list(Order.objects.values())
    place.hand.change_key(place.key, active=False)
    place.go(story.levels["targets"][0])
    place.look(2)
    assert (list(Order.objects.values()), story.trade.status) == (before, "open")
    place.hand.change_key(place.key, active=True)
    for name in STEPS[3:]:
        story.step(name)
    story.assert_ended_well()


def test_a_stop_that_is_refused_for_good_closes_the_position_loudly(api: Any, place: Place) -> None:
    story = Story(place, api, 1)
    story.step("open")
    place.hand.fault("refuse", method="POST", path=ALGO, code=-4045, message="Reach max stop order limit.", times=None)
    story.step("whole")
    story.assert_ended_well("unprotected")
    assert Order.objects.filter(role="stop", status="rejected").count() == 2


def test_a_price_already_beyond_the_stop_is_the_stop(api: Any, place: Place) -> None:
    story = Story(place, api, 1)
    story.step("open")
    place.hand.fault("refuse", method="POST", path=ALGO, code=-2021, message="Order would immediately trigger.")
    story.step("whole")
    story.assert_ended_well("stop_loss")


def test_what_a_hand_does_on_the_site_is_taken_in(api: Any, place: Place) -> None:
    story = Story(place, api, 1)
    for name in STEPS[:3]:
        story.step(name)
    place.hand.place(place.key, BTC, "buy", "0.02")
    story.calm_down()
    place.hand.cancel_all(place.key, BTC)
    story.calm_down()
    place.hand.close(place.key, BTC, "0.5")
    story.calm_down()
    place.hand.close(place.key, BTC)
    story.calm_down()
    trade = story.trade
    assert (trade.status, trade.exit_reason) == ("closed", "external")
    assert (trade.net, place.books().resting) == (place.books().wallet - 10_000, [])


def test_a_position_mode_changed_on_the_site_refuses_entries(
    api: Any, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("buddy.exchanges.ccxt_exchange.MODE_KEPT", 0)
    VenueFacts.objects.create(account=place.account, position_mode="one_way")
    place.hand.set_position_mode(place.key, True)
    place.look()
    plan = {"symbol": BTC, "entries": [{"price": "99800"}], "stop": {"price": "99000"}, "risk": {"money": "100"}}
    answer = api.post("/api/v1/plans/preview", {"account": place.account.pk, "plan": plan}, format="json").json()
    assert [denial["code"] for denial in answer["denials"]] == ["position_mode"]
    assert [warning["code"] for warning in answer["warnings"]] == ["waits_unattended"]


def test_funding_is_in_the_books(api: Any, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buddy.exchanges.ccxt_history.INCOME_EVERY", 0)
    story = Story(place, api, 1)
    for name in STEPS[:3]:
        story.step(name)
    place.hand.fund(BTC, "0.0001")
    for name in STEPS[3:]:
        story.step(name)
    story.assert_ended_well()
    assert story.trade.funding < 0


def test_fees_in_another_coin_are_valued_when_they_were_paid(api: Any, place: Place) -> None:
    """Paid from a wallet of its own; the coin is worth what it traded at in that minute."""
    key = f"{place.key}-bnb"
    place.hand.open_account(key, "secret", fee_coin="BNB", fee_coin_price="600")
    place.hand.add_instrument("BNB", price="640")
    ccxt_client.forget_markets()
    row = place.account.credentials.get()
    row.keep(Keys(key, "secret"))
    row.save()
    place.key = key
    story = Story(place, api, 1)
    story.tell()
    trade, books = story.trade, place.books()
    paid = [row for row in books.told["income"] if row["kind"] == "COMMISSION"]
    assert {row["asset"] for row in paid} == {"BNB"}
    worth = -sum((D(row["amount"]) for row in paid), D(0)) * 640
    assert trade.status == "closed"
    assert trade.fees == kept(worth)
    assert trade.net == books.wallet - 10_000 - trade.fees

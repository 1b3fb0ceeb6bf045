"""Canary orders over HTTP: placed, seen in the list and by name, cancelled; whatever is cut, nothing of them stays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from buddy.events.models import Event
from buddy.exchanges.models import Account, Credentials
from buddy.exchanges.venues import exits_of
from buddy.trading import canary, canary_rows, executor
from buddy.trading.models import Canary, Fill, ForeignPosition, Order, Trade
from buddy.trading.rounds import with_work
from tests.flow.at_a_venue import Place, place, stand_in, venue

__all__ = ["place", "stand_in", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
VENUES = ["binance", "bybit", "bingx", "binance-spot"]
at_every_venue = pytest.mark.parametrize("venue", VENUES)
POST = {
    "binance": {"method": "POST", "path": "/fapi/v1/algoOrder"},
    "bybit": {"method": "POST", "path": "/v5/order/create"},
    "bingx": {"method": "POST", "path": "/openApi/swap/v2/trade/order"},
    "binance-spot": {"method": "POST", "path": "/api/v3/order"},
}
CANCEL = {
    "binance": {"method": "DELETE", "path": "/fapi/v1/algoOrder"},
    "bybit": {"method": "POST", "path": "/v5/order/cancel"},
    "bingx": {"method": "DELETE", "path": "/openApi/swap/v2/trade/order"},
    "binance-spot": {"method": "DELETE", "path": "/api/v3/order"},
}

TOO_FAR = {
    "binance": {"code": -4016, "message": "Price is higher than the limit."},
    "bybit": {"code": 110003, "message": "Order price exceeds the allowable range."},
    "bingx": {"code": 109400, "message": "price too far"},
    "binance-spot": {"code": -1013, "message": "Filter failure: PERCENT_PRICE_BY_SIDE"},
}


@pytest.fixture(autouse=True)
def _a_worker_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(canary_rows.Worker, "since", timezone.now())
    monkeypatch.setattr(canary_rows, "ASKED_EVERY", 0.0)
    monkeypatch.setattr(canary, "RECEIVE_WINDOW", timedelta(milliseconds=300))
    monkeypatch.setattr(canary, "SEEN_WITHIN", timedelta(milliseconds=500))
    yield
    canary_rows._ASKED.clear()


def last() -> Canary:
    return Canary.objects.filter(closes=None).latest("pk")


def until(place: Place, so: Callable[[], bool]) -> None:
    """What settles settles in time, not in looks."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if so():
            return
        place.look()
    raise AssertionError(vars(last()))


def over(place: Place) -> Canary:
    """The canary once it has come to its end; nothing of it rests, and nothing is held of it."""
    until(place, lambda: Canary.objects.exists() and not Canary.objects.filter(over_at=None).exists())
    assert place.books().resting == []
    return last()


def notices(kind: str) -> list[str]:
    return list(Event.objects.filter(kind=kind).values_list("text", flat=True))


@at_every_venue
def test_it_is_placed_seen_cancelled_and_told(place: Place, venue: str) -> None:
    place.look()
    assert with_work() == [place.account.pk]  # the next look is soon, though nothing trades
    found = over(place)
    assert (found.outcome, found.why) == ("proved", "")
    assert found.sent_at <= found.listed_at <= found.over_at
    told = canary_rows.told(place.account)
    assert told is not None
    assert (told["outcome"], told["placed"], told["seen"], told["cancelled"]) == ("proved", True, True, True)
    (sentence,) = notices("order_proved")
    assert sentence.endswith("seen and cancelled.")
    assert (Trade.objects.count(), Order.objects.count(), Fill.objects.count()) == (0, 0, 0)
    place.look(3)
    assert Canary.objects.count() == 1


@at_every_venue
@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "garbage"])
def test_an_order_without_an_answer_is_never_sent_again_nor_left_behind(place: Place, venue: str, kind: str) -> None:
    place.hand.fault(kind, **POST[venue])
    found = over(place)
    assert Canary.objects.count() == 1
    if kind == "drop_before":
        assert (found.outcome, found.why) == ("failed", "no answer came, and it never arrived.")
    else:
        assert found.outcome == "proved"


@at_every_venue
def test_a_cancel_without_an_answer_is_made_certain(place: Place, venue: str) -> None:
    place.hand.fault("drop_after", **CANCEL[venue])
    assert over(place).outcome == "proved"


@at_every_venue
@pytest.mark.parametrize("when", ["place", "cancel"])
def test_a_process_that_dies_leaves_nothing_behind(
    place: Place, venue: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies once the venue has done it, before a word of that is written."""
    exchange = canary._Step

    class Dies(BaseException):
        pass

    def dies(step: Any, *_: Any, **__: Any) -> None:
        if when == "place" or step.row.cancel_at:
            raise Dies

    if when == "place":
        with monkeypatch.context() as dying:
            dying.setattr(exchange, "_adopt", dies)
            with pytest.raises(Dies):
                until(place, lambda: False)
        assert len(place.books().resting) == 1
    else:
        until(place, lambda: Canary.objects.filter(cancel_at__isnull=False).exists())
    canary_rows._ASKED.clear()
    Account.objects.update(lease_until=0)
    assert over(place).outcome == "proved"


@at_every_venue
def test_a_refusal_is_told_with_its_reason_after_a_nearer_one_was_tried(place: Place, venue: str) -> None:
    place.hand.fault("refuse", times=None, **POST[venue], **TOO_FAR[venue])
    found = over(place)
    assert (found.outcome, found.attempt, Canary.objects.count()) == ("failed", 1, 1)
    (sentence,) = notices("order_unproven")
    assert "no order could be proven" in sentence
    assert found.trigger is not None
    assert f"at {found.trigger.normalize():f}" in sentence


@at_every_venue
def test_one_refused_as_too_far_is_placed_nearer(place: Place, venue: str) -> None:
    place.hand.fault("refuse", **POST[venue], **TOO_FAR[venue])
    found = over(place)
    assert (found.outcome, found.attempt) == ("proved", 1)


def test_a_list_that_does_not_show_it_is_said_loudly(place: Place) -> None:
    place.hand.fault("empty", path="/fapi/*/openAlgoOrders", times=None)
    found = over(place)
    assert found.outcome == "failed"
    assert "STOPS MAY BE OVERLOOKED" in found.why


def test_one_that_executes_after_all_is_closed_at_once(place: Place) -> None:
    until(place, lambda: place.books().resting != [])
    symbol = last().symbol
    place.hand.set_price(symbol, str(last().trigger), jump=True)
    assert place.books().held > 0
    until(place, lambda: not Canary.objects.filter(over_at=None).exists())
    assert (place.books().held, place.books().resting) == (0, [])
    assert len(notices("order_proof_filled")) == 1
    assert last().why.startswith("IT EXECUTED")
    assert Trade.objects.count() == 0
    monkeyed = ForeignPosition.objects.filter(symbol=symbol)
    monkeyed.update(gone_since=timezone.now() - timedelta(minutes=1))
    place.look(2)
    assert not monkeyed.exists()


def test_it_keeps_off_what_is_traded(place: Place) -> None:
    place.hand.set_price("XRP/USDT:USDT", "2", jump=True)
    plan = {
        "symbol": "XRP/USDT:USDT",
        "entries": [{"kind": "market"}],
        "stop": {"price": "1.9"},
        "risk": {"money": "10"},
    }
    canary_rows.Worker.since = None
    trade = executor.open_trade(place.account, plan)
    canary_rows.Worker.since = timezone.now()
    until(place, lambda: Canary.objects.filter(outcome="proved").exists())
    assert last().symbol == "DOGE/USDT:USDT"
    trade.refresh_from_db()
    assert (trade.status, trade.orders.count()) == ("open", 2)


# --- when ---


def asked(place: Place) -> bool:
    place.account.refresh_from_db()
    return canary_rows.is_due(place.account)


def proved(place: Place, *, hours_ago: float, outcome: str = "proved") -> None:
    row = canary_rows.begin(place.account, "XRP/USDT:USDT")
    at = timezone.now() - timedelta(hours=hours_ago)
    Canary.objects.filter(pk=row.pk).update(created_at=at, over_at=at, outcome=outcome)
    Credentials.objects.update(saved_at=at - timedelta(hours=1))


@pytest.mark.parametrize(
    ("hours_ago", "outcome", "started_ago", "due"),
    [
        (23, "proved", 48, False),
        (25, "proved", 48, True),
        (0.5, "failed", 48, False),
        (1.1, "failed", 48, True),
        (5, "proved", 0, True),
        (0.1, "proved", 0, False),
    ],
)
def test_it_is_due_at_a_start_daily_and_an_hour_after_a_failure(
    place: Place, hours_ago: float, outcome: str, started_ago: float, due: bool
) -> None:
    canary_rows.Worker.since = timezone.now() - timedelta(hours=started_ago)
    proved(place, hours_ago=hours_ago, outcome=outcome)
    assert asked(place) is due


def test_another_key_is_proven_too(place: Place) -> None:
    canary_rows.Worker.since = timezone.now() - timedelta(hours=48)
    proved(place, hours_ago=2)
    assert not asked(place)
    Credentials.objects.update(saved_at=timezone.now())
    assert asked(place)


def test_where_nothing_may_be_entered_nothing_is_placed(place: Place, settings: Any) -> None:
    assert asked(place)
    for state in ("halted", "reducing"):
        Account.objects.update(state=state)
        assert not asked(place)
    Account.objects.update(state="active", mode="paper")
    assert not asked(place)
    Account.objects.update(mode="live")
    settings.CANARY_ORDERS = False
    assert not asked(place)
    settings.CANARY_ORDERS, settings.LIVE_TRADING = True, False
    assert not asked(place)
    canary_rows.Worker.since, settings.LIVE_TRADING = None, True
    assert not asked(place)


def test_an_account_is_not_asked_about_at_every_look(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary_rows, "ASKED_EVERY", 60.0)
    assert asked(place)
    assert not asked(place)


def test_spot_and_perpetuals_name_their_markets(place: Place, venue: str) -> None:
    place.look()
    assert last().symbol == ("XRP/USDT" if exits_of(venue).is_spot else "XRP/USDT:USDT")


def test_what_a_venue_executes_is_worth_little(place: Place) -> None:
    over(place)
    assert last().quantity * last().trigger < Decimal(20)

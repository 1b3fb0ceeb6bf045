"""The watchdog speaks up when nobody looks, or when less rests than is held, whatever the watcher thinks of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import OrderKind, OrderState, OrderStatus, PositionState, Reading
from buddy.core.market import OrderSide, Side
from buddy.events.models import Event, Pulse
from buddy.exchanges.models import Account, Credentials, Keys
from buddy.trading import second_sight
from buddy.trading.models import Alarm, Fill, Order, Trade
from buddy.trading.moments import EPOCH
from buddy.trading.watchdog import Watchdog

from .records import still_open

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SYMBOL = "BTC/USDT:USDT"
D = Decimal
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def account(alice: Any) -> Account:
    return Account.objects.create(
        owner=alice, name="Demo", mode="testnet", venue="bingx", price_source="live", good_look_at=NOON, looked_at=NOON
    )


def holding(account: Account, quantity: str = "0.5", side: str = "long", symbol: str = SYMBOL) -> Trade:
    trade = still_open(account, side=side, symbol=symbol)
    entry = "buy" if side == "long" else "sell"
    Fill.objects.create(
        account=account, trade=trade, symbol=symbol, price=D(100), fee=D(0), order_side=entry, quantity=D(quantity),
        fill_id=f"{trade.pk}-1", time=NOON, liquidity="taker",
    )  # fmt: skip
    return trade


def ordered(trade: Trade, quantity: str = "0.5", trigger: str | None = "90", **more: Any) -> Order:
    """A stop of the trade that rests, unless told otherwise."""
    given = {
        "role": "stop",
        "order_side": "sell" if trade.side == "long" else "buy",
        "kind": "stop_market",
        "status": "open",
        "quantity": D(quantity),
        "trigger": None if trigger is None else D(trigger),
        "client_id": f"tb{Order.objects.count():026}",
    }
    return Order.objects.create(account=trade.account, trade=trade, symbol=trade.symbol, **given | more)


def after(seconds: float) -> Any:
    return time_machine.travel(NOON + timedelta(seconds=seconds), tick=False)


def told() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


def watch_for(watchdog: Watchdog, seconds: int, every: int = 5) -> None:
    """Rounds from noon on."""
    for second in range(0, seconds + 1, every):
        with after(second):
            watchdog.round()


# --- nobody looks ---


def test_a_minute_without_a_good_look_is_told_by_what_was_held(account: Account) -> None:
    trade = holding(account)
    ordered(trade)
    watchdog = Watchdog()
    watch_for(watchdog, 60)
    assert told() == []
    with after(65):
        (unseen,) = watchdog.round().unseen
    (event,) = Event.objects.all()
    assert (unseen, event.kind, event.owner_id, event.account_id) == (account, "unseen", account.owner_id, account.pk)
    assert event.text == (
        "NOBODY LOOKS AFTER Demo. Last read 2026-05-01 12:00:00 UTC: long 0.5 BTC/USDT:USDT, stop resting at 90."
    )
    assert "worker" in event.data["cure"]
    assert event.data["positions"][0]["stop"] == "90"


def test_it_is_repeated_less_and_less_often_and_taken_back(account: Account) -> None:
    holding(account)
    ordered(Trade.objects.get())
    minutes, watchdog = [], Watchdog()
    for minute in range(200):
        with after(minute * 60 + 5):
            minutes += [minute] * len(watchdog.round().unseen)
    assert minutes == [1, 6, 16, 31, 61, 121, 181]
    with after(200 * 60):
        Account.objects.update(good_look_at=timezone.now())
        watchdog.round()
    assert Event.objects.latest("pk").text == "Demo is looked after again."
    assert not Alarm.objects.exists()


def test_a_look_that_cannot_read_is_no_look(account: Account) -> None:
    holding(account)
    with after(120):
        Account.objects.update(looked_at=timezone.now(), trouble="BingX does not answer.")
        Watchdog(awake_since=NOON).round()
    assert "(BingX does not answer.)" in Event.objects.get(kind="unseen").text


def test_an_entry_that_waits_at_a_venue_is_reason_enough(account: Account) -> None:
    still_open(account)
    Trade.objects.update(status="pending")
    with after(90):
        Watchdog(awake_since=NOON).round()
    assert "an entry waits there" in Event.objects.get().text


def test_with_nothing_to_protect_nobody_is_missed(account: Account) -> None:
    with after(3600):
        Watchdog(awake_since=NOON).round()
    assert told() == []


def test_after_a_night_the_others_have_a_minute_to_wake_up(account: Account) -> None:
    ordered(holding(account))
    watchdog = Watchdog()
    with after(12 * 3600):
        watchdog._rounded = time.monotonic() - 12 * 3600  # the whole machine slept
        watchdog.round()
        Watchdog().round()  # and so has one that was started just now
        assert told() == []
    with after(12 * 3600 + 61):
        watchdog.round()
        assert told() == ["unseen"]


def test_two_watchdogs_tell_once(account: Account) -> None:
    ordered(holding(account))
    with after(90):
        Watchdog(awake_since=NOON).round()
        Watchdog(awake_since=NOON).round()
    assert told() == ["unseen"]


def test_a_refused_key_that_is_being_told_of_is_not_told_twice(account: Account) -> None:
    holding(account)
    row = Credentials(account=account, in_use=True, refused_at=NOON, told_refused=1, told_refused_at=NOON)
    row.keep(Keys("key", "secret"))
    row.save()
    with after(90):
        Watchdog(awake_since=NOON).round()
        assert "unseen" not in told()
    with after(2 * 3600):  # whoever should repeat it does not
        Watchdog(awake_since=NOON).round()
        assert "unseen" in told()


# --- less rests than is held ---


def wrongs(trade: Trade) -> dict[str, Any]:
    """Ways in which a stop of the trade may not cover it."""
    return {
        "none": lambda: None,
        "too small": lambda: ordered(trade, "0.4"),
        "not resting": lambda: ordered(trade, status="unknown"),
        "cancelled": lambda: ordered(trade, status="cancelled"),
        "wrong side": lambda: ordered(trade, order_side="buy"),
        "a target": lambda: ordered(trade, role="take_profit", trigger=None, kind="limit", price=D(120)),
        "partly used up": lambda: ordered(trade, filled=D("0.2")),
    }


@pytest.mark.parametrize(
    "how", ["none", "too small", "not resting", "cancelled", "wrong side", "a target", "partly used up"]
)
def test_what_no_stop_covers_is_told_whatever_the_watcher_believes(account: Account, how: str) -> None:
    trade = holding(account)
    wrongs(trade)[how]()
    Trade.objects.update(protected_since=NOON, naked_since=None, checked_at=NOON + timedelta(hours=1))
    Account.objects.update(good_look_at=NOON + timedelta(hours=1))
    watch_for(Watchdog(), 14, every=2)
    assert told() == []
    with after(15):
        Watchdog().round()
    event = Event.objects.get(kind="uncovered")
    assert (event.trade_id, event.data["held"]) == (trade.pk, "0.5")
    assert "Demo holds long 0.5 BTC/USDT:USDT" in event.text


@pytest.mark.parametrize("side", ["long", "short"])
def test_what_is_covered_is_left_in_peace(account: Account, side: str) -> None:
    trade = holding(account, side=side)
    ordered(trade, "0.3")
    ordered(trade, "0.2", "95")
    Account.objects.update(good_look_at=NOON + timedelta(hours=1))
    watch_for(Watchdog(), 60)
    assert told() == []


def test_it_is_taken_back_once_a_stop_rests_and_not_told_at_all_when_that_is_soon(account: Account) -> None:
    trade = holding(account)
    Account.objects.update(good_look_at=NOON + timedelta(hours=1))
    watchdog = Watchdog()
    watch_for(watchdog, 10)
    stop = ordered(trade)
    with after(20):
        watchdog.round()
    assert (told(), Alarm.objects.count()) == ([], 0)
    stop.delete()
    for second in (25, 45):
        with after(second):
            watchdog.round()
    ordered(trade)
    with after(50):
        watchdog.round()
    assert told() == ["uncovered", "covered_again"]


def test_protection_that_the_venue_attached_covers(account: Account) -> None:
    ordered(holding(account), "0", is_attached=True)
    Account.objects.update(good_look_at=NOON + timedelta(hours=1))
    watch_for(Watchdog(), 30)
    assert told() == []


def test_hands_off_is_the_traders_own_business(account: Account) -> None:
    holding(account)
    Trade.objects.update(hands_off=True)
    Account.objects.update(good_look_at=NOON + timedelta(hours=1))
    watch_for(Watchdog(), 30)
    assert told() == []


@pytest.mark.parametrize(("held", "alarmed"), [("0.50009", False), ("0.52", True)])
def test_coins_too_few_for_an_order_are_no_gap(alice: Any, held: str, alarmed: bool) -> None:
    spot = Account.objects.create(
        owner=alice, name="Coins", venue="binance-spot", good_look_at=NOON + timedelta(hours=1)
    )
    ordered(holding(spot, held, symbol="BTC/USDT"), "0.4999")
    ordered(Trade.objects.get(), "0.0001", "91")
    watch_for(Watchdog(), 30)
    assert told() == (["uncovered"] if alarmed else [])


# --- with its surroundings away ---


def test_it_needs_no_store(account: Account, settings: Any) -> None:
    from buddy.store import store as client

    settings.REDIS_URL = "unix:///nowhere/there.sock"
    client.cache_clear()
    ordered(holding(account))
    try:
        with after(90):
            assert Watchdog(awake_since=NOON).try_round()
    finally:
        client.cache_clear()
    assert told() == ["unseen"]
    assert Pulse.objects.get(name="watchdog").at == NOON + timedelta(seconds=90)


def test_without_the_database_it_says_so_in_the_log_and_by_its_exit(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("server at 10.0.0.7 is gone")

    with connection.execute_wrapper(away):
        assert not Watchdog().try_round()
        with pytest.raises(CommandError) as ended:
            call_command("watchdog", "--once")
        with pytest.raises(CommandError) as checked:
            call_command("watchdog", "--check")
    assert (ended.value.returncode, checked.value.returncode) == (2, 2)
    assert "the database is away (OperationalError)" in caplog.text
    assert "10.0.0.7" not in caplog.text


def test_one_round_tells_by_its_exit_whether_all_is_well(account: Account) -> None:
    with pytest.raises(CommandError, match="No watchdog is running"):
        call_command("watchdog", "--check")
    ordered(holding(account))
    call_command("watchdog", "--once")
    call_command("watchdog", "--check")
    with after(90), pytest.raises(CommandError) as ended:
        call_command("watchdog", "--once")
    assert ended.value.returncode == 1


# --- the venue's own word ---


class Told:
    """A venue that holds half a coin, under a stop for `stopped` of it."""

    def __init__(self, stopped: str) -> None:
        self.stopped = D(stopped)

    def read(self, symbols: list[str], cursor: str) -> Reading:
        stop = OrderState(
            "", "7", SYMBOL, OrderSide.SELL, OrderKind.STOP_MARKET, self.stopped, OrderStatus.OPEN, trigger=D(90)
        )
        orders = [stop] if self.stopped else []
        positions = [PositionState(SYMBOL, Side.LONG, D("0.5"), D(100)), PositionState("X/USDT", Side.LONG, D(1), D(1))]
        return Reading(0, orders, positions, [], [], {})


@pytest.mark.parametrize(
    ("stopped", "words"),
    [("0.5", "stops rest for all of it"), ("0.2", "stops rest for 0.2 of it"), ("0", "NO STOP RESTS")],
)
def test_the_venue_is_asked_where_nobody_has_tried(
    account: Account, monkeypatch: pytest.MonkeyPatch, stopped: str, words: str
) -> None:
    holding(account)
    monkeypatch.setattr(second_sight, "connect", lambda account: Told(stopped))
    asked: list[Account] = []
    with after(90):
        Watchdog(asked.append, awake_since=EPOCH).round()
        (account,) = asked
        assert second_sight.may_be_asked(account)
        second_sight.tell(account)
    assert Event.objects.latest("pk").text == f"BingX itself says now: long 0.5 BTC/USDT:USDT, {words}."


def test_the_venue_is_not_asked_again_what_it_did_not_answer_a_worker(account: Account) -> None:
    with after(90):
        account.looked_at = timezone.now() - timedelta(seconds=5)
        assert not second_sight.may_be_asked(account)


def test_a_venue_that_does_not_answer_is_said(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(account: Account) -> None:
        raise CouldNotRead("secret address")

    monkeypatch.setattr(second_sight, "connect", fails)
    second_sight.tell(account)
    assert Event.objects.get().text == "BingX could not be asked either what Demo holds."

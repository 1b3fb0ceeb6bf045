"""A key that its venue does not accept any more: the loudest notice, repeated, and nothing concluded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from buddy.core.errors import CouldNotRead, KeyRefused
from buddy.events.models import Event
from buddy.exchanges.key_standing import key_denials
from buddy.exchanges.models import Account, Credentials, Keys
from buddy.trading import unmanaged
from buddy.trading.models import Fill, Order, Trade
from buddy.trading.rounds import with_work
from buddy.trading.watcher import look

from .records import still_open

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def account(alice: Any) -> Account:
    made = Account.objects.create(
        owner=alice, name="Demo", mode="testnet", venue="bingx", price_source="live", good_look_at=NOON
    )
    row = Credentials(account=made, in_use=True)
    row.keep(Keys("key", "secret"))
    row.save()
    return made


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def answers(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """From now on, whoever connects is answered with `error`."""

    def fails(account: Account) -> None:
        raise error

    monkeypatch.setattr("buddy.trading.watcher.connect", fails)


def holding(account: Account, side: str, quantity: str, stop: str | None) -> Trade:
    trade = still_open(account, side=side, symbol="BTC/USDT:USDT")
    order_side, out = ("buy", "sell") if side == "long" else ("sell", "buy")
    bought = {"account": account, "trade": trade, "symbol": trade.symbol, "price": Decimal(100), "fee": Decimal(0)}
    rows = [(order_side, Decimal(quantity) + 1), (out, Decimal(1))]
    for number, (direction, amount) in enumerate(rows):
        fill = {"order_side": direction, "quantity": amount, "fill_id": f"{trade.pk}-{number}", "time": NOON}
        Fill.objects.create(**bought, **fill, liquidity="taker")
    if stop is not None:
        what = {"role": "stop", "order_side": out, "kind": "stop_market", "quantity": Decimal(quantity)}
        Order.objects.create(
            account=account, trade=trade, symbol=trade.symbol, client_id=f"tb{trade.pk}", status="open",
            trigger=Decimal(stop), **what,
        )  # fmt: skip
    return trade


def notices() -> list[Event]:
    return list(Event.objects.filter(kind="key_refused").order_by("pk"))


def test_it_says_what_is_held_and_which_stop_was_seen(account, monkeypatch):
    long, short = holding(account, "long", "0.5", "90"), holding(account, "short", "2", None)
    answers(monkeypatch, KeyRefused("BingX: incorrect apiKey"))
    looked = look(account.pk)
    (notice,) = notices()
    assert notice.text == (
        "BingX does not accept the key of Demo: nothing is looked after. When last read (2026-05-01 12:00 UTC): "
        "long 0.5 BTC/USDT:USDT, stop resting at 90; short 2 BTC/USDT:USDT, with no stop resting."
    )
    assert "save a key that it accepts" in notice.data["cure"]
    assert [(one["trade"], one["held"], one["stop"]) for one in notice.data["positions"]] == [
        (long.pk, "0.5", "90"),
        (short.pk, "2", None),
    ]
    assert looked.trouble == "BingX: incorrect apiKey"


def test_nothing_is_concluded_and_entries_are_denied(account, monkeypatch):
    trade = holding(account, "long", "0.5", "90")
    before = (list(Trade.objects.values()), list(Order.objects.values()), list(Fill.objects.values()))
    answers(monkeypatch, KeyRefused("no"))
    look(account.pk)
    assert (list(Trade.objects.values()), list(Order.objects.values()), list(Fill.objects.values())) == before
    assert trade.status == "open"
    assert [denial.code for denial in key_denials(account)] == ["key_refused"]


def test_it_is_repeated_less_and_less_often_while_something_is_held(account, monkeypatch):
    holding(account, "long", "0.5", "90")
    answers(monkeypatch, KeyRefused("no"))
    told = []
    for minute in range(0, 240, 5):
        with time_machine.travel(NOON + timedelta(minutes=minute), tick=False):
            before = len(notices())
            if minute == 0:
                look(account.pk)
            unmanaged.warn_all()
            told += [minute] * (len(notices()) - before)
    assert told == [0, 5, 15, 30, 60, 120, 180]


def test_with_nothing_held_it_is_told_once(account, monkeypatch):
    answers(monkeypatch, KeyRefused("no"))
    for hour in range(3):
        with time_machine.travel(NOON + timedelta(hours=hour), tick=False):
            look(account.pk)
            unmanaged.warn_all()
    assert [notice.text for notice in notices()] == ["BingX does not accept the key of Demo: nothing is looked after."]


def test_the_venue_is_not_asked_every_two_seconds_with_a_refused_key(account, monkeypatch):
    holding(account, "long", "0.5", "90")
    answers(monkeypatch, KeyRefused("no"))
    assert with_work() == [account.pk]
    look(account.pk)
    assert with_work() == []
    with time_machine.travel(NOON + timedelta(seconds=16), tick=False):
        assert with_work() == [account.pk]


def test_another_trouble_says_nothing_about_the_key(account, monkeypatch):
    holding(account, "long", "0.5", "90")
    answers(monkeypatch, CouldNotRead("BingX cannot be reached."))
    look(account.pk)
    assert not notices()
    assert Credentials.objects.get().refused_at is None


def test_a_key_that_is_refused_stays_so_until_it_has_been_accepted(account, monkeypatch):
    answers(monkeypatch, KeyRefused("no"))
    look(account.pk)
    answers(monkeypatch, CouldNotRead("BingX cannot be reached."))
    look(account.pk)
    assert Credentials.objects.get().refused_at == NOON
    unmanaged.note(account, None)
    row = Credentials.objects.get()
    assert (row.refused_at, row.told_refused, row.told_refused_at) == (None, 0, None)


def test_it_begins_anew_when_the_key_is_refused_again(account, monkeypatch):
    for _ in range(2):
        answers(monkeypatch, KeyRefused("no"))
        look(account.pk)
        unmanaged.note(account, None)
    assert len(notices()) == 2


def test_paper_has_no_key_to_refuse(alice):
    account = Account.objects.create(owner=alice, name="Paper")
    unmanaged.note(account, KeyRefused("no"))
    assert not notices()

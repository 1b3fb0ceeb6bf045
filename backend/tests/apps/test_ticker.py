"""Every second: prices to those who watch, and a look at once where a price touched a working level."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from threading import Event, Semaphore, Thread
from typing import Any

import pytest
from django.db import connections

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Quote
from buddy.exchanges.connect import source_for
from buddy.exchanges.models import Account
from buddy.store import store
from buddy.trading import rounds, ticker
from buddy.trading.executor import open_trade
from buddy.trading.models import Trade
from tests.apps.test_trades import account, around, price
from tests.apps.trading_rig import SYMBOL, flat, replay_account, write_candles

__all__ = ["account", "price"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_told_before() -> None:
    ticker._LAST.clear()


@pytest.fixture
def heard(account: Account) -> Any:
    """What a page of the account gets."""
    listener = store().pubsub(ignore_subscribe_messages=True)
    listener.subscribe(f"price:{account.pk}")
    listener.get_message(timeout=1)

    def messages() -> list[dict[str, Any]]:
        found = []
        while message := listener.get_message(timeout=0.3):
            found.append(json.loads(message["data"]))
        return found

    return messages


def test_nobody_is_told_what_nobody_watches(account: Account, heard: Any) -> None:
    ticker.tick()
    assert heard() == []


def test_a_watched_price_is_told(account: Account, heard: Any) -> None:
    store().set(f"watched:{account.pk}:{SYMBOL}", 1, ex=30)
    ticker.tick()
    (message,) = heard()
    assert (message["name"], message["data"]["symbol"]) == ("price", SYMBOL)
    assert Decimal(message["data"]["last"]) > 0


def test_the_price_of_a_working_trade_is_told_unasked(account: Account, price: Decimal, heard: Any) -> None:
    open_trade(account, around(price))
    ticker.tick()
    assert [message["data"]["symbol"] for message in heard()] == [SYMBOL]


def test_a_price_that_touches_a_level_is_looked_at_at_once(
    account: Account, price: Decimal, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade = open_trade(account, around(price))
    (stop,) = (order.trigger for order in trade.orders.filter(role="stop"))
    assert stop is not None
    before = replace(source_for(account).quote(SYMBOL), last=stop - 1, time=0)
    ticker._LAST[ticker._market(account, SYMBOL)] = before
    looked: list[int] = []
    monkeypatch.setattr(ticker, "look_quietly", looked.append)
    ticker.tick()
    ticker.tick()
    assert looked == [account.pk]


def test_what_was_told_of_another_account_of_the_same_number_counts_for_nothing(alice: Any) -> None:
    account = replay_account(alice, write_candles("ticker_BTCUSDT_1m.csv", flat("100500", 3)))
    store().set(f"watched:{account.pk}:{SYMBOL}", 1, ex=30)
    listener = store().pubsub(ignore_subscribe_messages=True)
    listener.subscribe(f"price:{account.pk}")
    listener.get_message(timeout=1)
    ticker.tick()
    assert listener.get_message(timeout=1) is not None
    ticker.tick()
    assert listener.get_message(timeout=0.2) is None, "the price has not moved"
    number = account.pk
    account.delete()
    replay_account(alice, "ticker_BTCUSDT_1m.csv", pk=number)
    ticker.tick()
    assert listener.get_message(timeout=1) is not None


class Silent:
    """A venue that takes a question and does not answer it until it is told to."""

    def __init__(self) -> None:
        self.asked, self.answer = Semaphore(0), Event()

    def quote(self, symbol: str) -> Quote:
        self.asked.release()
        self.answer.wait(20)
        raise CouldNotRead("The venue does not answer.")


def test_a_venue_that_does_not_answer_holds_one_thread_and_nobody_elses_prices(
    account: Account, alice: Any, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, known = Silent(), ticker.source_for
    away = Account.objects.create(owner=alice, name="Away", price_source="live", venue="bybit")
    monkeypatch.setattr(ticker, "source_for", lambda one: silent if one.pk == away.pk else known(one))
    for one in (away, account):
        store().set(f"watched:{one.pk}:{SYMBOL}", 1, ex=30)
    ticks = [Thread(target=tick_in_a_thread) for _ in range(3)]
    ticks[0].start()
    assert silent.asked.acquire(timeout=10)
    assert len(heard()) == 1
    for tick in ticks[1:]:
        tick.start()
        tick.join(10)
    stuck = [tick.is_alive() for tick in ticks]
    silent.answer.set()
    ticks[0].join(10)
    assert stuck == [True, False, False]


def tick_in_a_thread() -> None:
    try:
        ticker.tick()
    finally:
        connections.close_all()


@pytest.mark.parametrize(
    ("before", "now", "touched"), [("1", "3", True), ("3", "1", True), ("2", "2", True), ("3", "4", False)]
)
def test_a_level_between_two_prices_was_touched(before: str, now: str, touched: bool) -> None:
    assert ticker._touches(Decimal(before), Decimal(now), [Decimal(2)]) is touched


def test_only_accounts_with_work_are_looked_at(account: Account, price: Decimal) -> None:
    assert rounds.with_work() == []
    open_trade(account, around(price))
    assert rounds.with_work() == [account.pk]
    Trade.objects.update(status=Trade.Status.CLOSED)
    assert rounds.with_work() == [account.pk], "its orders still rest"
    rounds.watch_all()
    assert rounds.with_work() == []

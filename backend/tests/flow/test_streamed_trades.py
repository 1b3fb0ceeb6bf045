"""Whole trades at a stand-in venue, hinted at by the stream or looked at by the poll alone: the same comes of both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from buddy.exchanges import ccxt_client, stream, venue_exchange
from buddy.exchanges.market_data import fetching
from buddy.exchanges.models import Account, Credentials
from buddy.trading import executor, rounds
from buddy.trading.models import Trade
from buddy.trading.touches import Touches
from emulator.handle import Hand, StandIn, running
from tests.exchanges.test_stream import BTC, account_at, key_at, listening, until

PLAN = {
    "symbol": BTC,
    "entries": [{"kind": "market"}],
    "stop": {"price": "63000"},
    "take_profits": [{"price": "64500", "share": "0.5"}, {"price": "66000", "share": "0.5"}],
    "risk": {"percent": "1"},
    "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "entry"}},
}


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with running() as venues:
        yield venues


@pytest.fixture
def binance(stand_in: StandIn, settings: Any, store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    """The venue at 64 000, and this process a worker."""
    settings.EXCHANGE_TRANSPORT_BASE, settings.LIVE_TRADING = stand_in.base, True
    monkeypatch.setattr(fetching.Place, "is_worker", True)
    monkeypatch.setattr(stream, "ROUND", 0.1)
    ccxt_client.forget_markets()
    venue_exchange.forget()
    stand_in.binance.set_price(BTC, "64000", jump=True)
    yield stand_in.binance
    stand_in.binance.clear_faults()
    ccxt_client.forget_markets()
    venue_exchange.forget()


@pytest.fixture
def account(transactional_db: None, django_user_model: Any, binance: Hand) -> Account:
    owner = django_user_model.objects.create_user("alice@example.org", "x")
    made = account_at(binance, owner, key_at(binance))
    made.credentials.update(can_trade=True, can_withdraw=False)
    return made


class Worker:
    """Looks in a thread when woken."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.woken = threading.Event()

    def wake(self, account_id: int) -> None:
        self.woken.set()
        self.threads.append(threading.Thread(target=self._look, args=[account_id]))
        self.threads[-1].start()

    def _look(self, account_id: int) -> None:
        try:
            rounds.look_when_asked(account_id)
        finally:
            connections.close_all()


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    one = Worker()
    monkeypatch.setattr(stream, "wake", one.wake)
    yield one
    for thread in one.threads:
        thread.join()


def opened(account: Account) -> Trade:
    trade = executor.open_trade(account, PLAN)
    rounds.look_quietly(account.pk)
    trade.refresh_from_db()
    assert trade.status == "open"
    return trade


def moved(trade: Trade) -> bool:
    return trade.orders.filter(role="stop", status="open", reason="break_even").exists()


def closed(trade: Trade) -> bool:
    return Trade.objects.filter(pk=trade.pk, status="closed").exists()


def key_of(account: Account) -> str:
    return Credentials.objects.get(account=account).keys().api_key


def test_a_target_filled_at_the_venue_moves_the_stop_without_any_poll(
    account: Account, binance: Hand, worker: Worker
) -> None:
    with listening():
        assert worker.woken.wait(20)
        trade = opened(account)
        binance.set_price(BTC, "64600")
        until(lambda: moved(trade))
        binance.set_price(BTC, "66100")
        until(lambda: closed(trade))
    trade.refresh_from_db()
    assert trade.exit_reason == "take_profit"
    assert binance.books(key_of(account))["positions"] == []


def test_without_the_stream_the_poll_alone_does_the_same(account: Account, binance: Hand) -> None:
    trade = opened(account)
    binance.set_price(BTC, "64600")
    rounds.watch_all()
    assert moved(trade)
    binance.set_price(BTC, "66100")
    rounds.watch_all()
    trade.refresh_from_db()
    assert trade.exit_reason == "take_profit"
    assert binance.books(key_of(account))["positions"] == []


def test_a_price_that_touches_a_working_level_is_a_look_even_where_the_account_tells_nothing(
    account: Account, binance: Hand, worker: Worker
) -> None:
    trade = opened(account)
    Credentials.objects.update(refused_at=trade.created_at)  # not listened to
    prices = Touches()
    with listening(prices) as one:
        until(lambda: bool(prices.last))
        binance.set_price(BTC, "64600")
        assert worker.woken.wait(20)
        assert [type(job).__name__ for job in one.running] == ["PriceJob"]
        until(lambda: moved(trade))

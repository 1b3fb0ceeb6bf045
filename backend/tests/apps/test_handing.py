"""A click on an account at a venue: the web writes the wish, a worker looks, and the answer tells what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from kombu.exceptions import OperationalError

from buddy.exchanges.market_data.simulated import SimulatedPrices
from buddy.exchanges.models import Account, Credentials, Keys
from buddy.exchanges.paper import PaperExchange
from buddy.trading import executor, handing, rounds
from buddy.trading.models import Order, Trade

SYMBOL = "BTC/USDT:USDT"
Send = Callable[[int], object]


@pytest.fixture
def account(transactional_db: None, django_user_model: Any, monkeypatch: pytest.MonkeyPatch) -> Account:
    """At a venue that is our own paper exchange, so that only the way to it is under test."""
    owner = django_user_model.objects.create_user("alice@example.org", "x")
    read = {"good_look_at": timezone.now(), "looked_at": timezone.now()}
    made = Account.objects.create(owner=owner, name="Demo", mode="testnet", price_source="live", **read)
    row = Credentials(account=made, in_use=True, can_trade=True, can_withdraw=False)
    row.keep(Keys("key", "secret"))
    row.save()
    prices = SimulatedPrices(7)
    for place in ("executor.glance", "watcher.connect"):
        monkeypatch.setattr(f"buddy.trading.{place}", lambda account: PaperExchange(account, prices))
    monkeypatch.setattr("buddy.trading.executor.source_for", lambda account: prices)
    return made


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The tasks that were sent; what `work` of the test does with one runs in a thread, as in a worker."""
    found: list[Any] = []
    threads: list[Thread] = []

    def send_task(name: str, args: list[int], **how: Any) -> None:
        found.append((name, args, how["queue"]))
        if Worker.look is not None:
            threads.append(Thread(target=in_worker, args=(Worker.look, *args)))
            threads[-1].start()

    monkeypatch.setattr(handing.current_app, "send_task", send_task)
    yield found
    for thread in threads:
        thread.join()
    Worker.look = None


class Worker:
    look: Send | None = None


def in_worker(look: Send, account_id: int) -> None:
    try:
        look(account_id)
    finally:
        connections.close_all()


def plan() -> dict[str, Any]:
    price = int(SimulatedPrices(7).quote(SYMBOL).last)
    return {
        "symbol": SYMBOL,
        "entries": [{"kind": "market"}],
        "stop": {"price": str(price * 95 // 100)},
        "take_profits": [{"price": str(price * 110 // 100)}],
        "risk": {"percent": "1"},
    }


def test_the_answer_tells_what_the_workers_look_came_to(account: Account, sent: list[Any]) -> None:
    Worker.look = rounds.look_quietly
    trade = executor.open_trade(account, plan())
    assert trade.status == Trade.Status.OPEN
    assert sent == [("buddy.trading.tasks.look_account", [account.pk], "watch")]
    assert {order.role for order in Order.objects.filter(trade=trade, status="open")} == {"stop", "take_profit"}


def test_closing_and_moving_the_stop_go_the_same_way(account: Account, sent: list[Any]) -> None:
    Worker.look = rounds.look_quietly
    trade = executor.open_trade(account, plan())
    assert executor.close(trade, Decimal(1)).status == Trade.Status.CLOSED
    assert len(sent) == 2


def test_without_a_worker_the_wish_stands_and_the_next_look_carries_it_out(
    account: Account, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "WAIT", 0.1)
    trade = executor.open_trade(account, plan())
    assert trade.status == Trade.Status.PENDING
    assert not Order.objects.exists()
    rounds.look_quietly(account.pk)
    trade.refresh_from_db()
    assert trade.status == Trade.Status.OPEN


def test_a_broker_that_is_away_loses_no_wish(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(handing.current_app, "send_task", away)
    assert executor.open_trade(account, plan()).status == Trade.Status.PENDING


def test_a_worker_looks_by_itself(account: Account, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing.Place, "is_worker", True)
    assert executor.open_trade(account, plan()).status == Trade.Status.OPEN
    assert sent == []

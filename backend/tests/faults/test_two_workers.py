"""Several processes on one account: every order is placed once, and the stalled one finds that it is too late."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connections

from buddy.core.exchange import OrderIntent, OrderState
from buddy.exchanges.models import Account
from buddy.trading import rounds
from buddy.trading.executor import open_trade
from buddy.trading.models import Fill, Order, Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import look_until, replay_account, write_candles
from tests.faults.faulty import Faults, Line, faults, is_stop
from tests.faults.test_kill_points import PLAN, ROWS, told

__all__ = ["faults"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(alice: Any) -> Account:
    return replay_account(alice, write_candles("two_BTCUSDT_1m.csv", ROWS))


@pytest.fixture
def expected(alice: Any) -> tuple[Any, ...]:
    """How the trade ends when one process works alone."""
    alone = replay_account(alice, write_candles("two_BTCUSDT_1m.csv", ROWS), name="Alone", is_main=False)
    return told(look_until(open_trade(alone, PLAN), lambda trade: trade.status == "closed"))


def look_for_a_while(account: Account, times: int) -> None:
    try:
        for _ in range(times):
            rounds.look_quietly(account.pk)
    finally:
        connections.close_all()


def test_of_many_workers_every_order_is_placed_once(
    account: Account, expected: tuple[Any, ...], faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("buddy.trading.executor.LOOK_SECONDS", 0.0)
    threads = [threading.Thread(target=look_for_a_while, args=(account, 12)) for _ in range(4)]
    for thread in threads:
        thread.start()
    trade = open_trade(account, PLAN)
    for thread in threads:
        thread.join()
    assert told(look_until(trade, lambda trade: trade.status == "closed")) == expected
    assert max(Counter(faults.sent).values()) == 1
    wishes = Counter(Order.objects.filter(trade=trade).values_list("role", "leg", "quantity", "trigger"))
    assert max(wishes.values()) == 1


@pytest.mark.parametrize("which", ["entry", "stop"])
def test_a_worker_that_stalls_before_sending_does_not_send_a_second_order(
    account: Account, expected: tuple[Any, ...], faults: Faults, which: str
) -> None:
    def stalls(line: Line, intent: OrderIntent) -> OrderState:
        """A minute passes; another worker finishes the job; then this one goes on where it was."""
        Account.objects.filter(pk=account.pk).update(lease_until=0)
        look(account.pk, seconds=0)
        return line.exchange.place(intent)  # type: ignore[no-any-return]

    faults.add(stalls, is_stop if which == "stop" else lambda intent: True)
    trade = open_trade(account, PLAN)
    assert told(look_until(trade, lambda trade: trade.status == "closed")) == expected
    fills = Fill.objects.filter(trade=trade)
    assert fills.filter(order_side="buy").count() == 1
    assert Order.objects.filter(trade=trade, role="entry").count() == 1


def test_a_stalled_action_writes_nothing_after_the_lease_is_lost(account: Account, faults: Faults) -> None:
    def loses_its_lease(line: Line, intent: OrderIntent) -> OrderState:
        Account.objects.filter(pk=account.pk).update(lease_epoch=10**6)
        return line.exchange.place(intent)  # type: ignore[no-any-return]

    faults.add(loses_its_lease)
    trade = open_trade(account, PLAN)
    assert Order.objects.filter(trade=trade).count() == 1
    Account.objects.filter(pk=account.pk).update(lease_until=0)
    assert look_until(trade, lambda trade: trade.status == "closed").exit_reason == "break_even"


def test_one_accounts_exception_does_not_stop_the_others(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("buddy.trading.executor.LOOK_SECONDS", 0.0)
    file = write_candles("two_BTCUSDT_1m.csv", ROWS)
    broken, well = (replay_account(alice, file, name=name, is_main=name == "well") for name in ("broken", "well"))
    trades = [open_trade(account, PLAN) for account in (broken, well)]
    Trade.objects.filter(pk=trades[0].pk).update(plan={"nonsense": True}, plan_version=2)
    for _ in range(20):
        rounds.watch_all()
    assert [Trade.objects.get(pk=trade.pk).status for trade in trades] == ["pending", "closed"]


def test_one_trades_exception_does_not_stop_the_others_of_its_account(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("buddy.trading.executor.LOOK_SECONDS", 0.0)
    broken, well = open_trade(account, PLAN | {"risk": {"percent": "0.3"}}), open_trade(account, PLAN)
    Trade.objects.filter(pk=broken.pk).update(directives={"reduce_to": "nonsense"})
    for _ in range(20):
        rounds.watch_all()
    assert Trade.objects.get(pk=well.pk).status == "closed"

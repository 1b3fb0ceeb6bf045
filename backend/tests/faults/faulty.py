"""A real paper exchange behind a bad line: what goes in may get lost, and so may what comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from buddy.core.errors import CouldNotRead, OutcomeUnknown
from buddy.core.exchange import OrderIntent, OrderState, Reading
from buddy.exchanges.connect import connect
from buddy.exchanges.models import Account

Fault = Callable[["Line", OrderIntent], OrderState]


class Line:
    """Everything goes through to the exchange, unless a fault is in force. `sent`: the client ids asked for."""

    def __init__(self, exchange: Any, plan: Faults) -> None:
        self.exchange, self.plan = exchange, plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self.exchange, name)

    def place(self, intent: OrderIntent) -> OrderState:
        self.plan.sent.append(intent.client_id)
        fault = self.plan.next_fault(intent)
        return fault(self, intent) if fault else self.exchange.place(intent)

    def read(self, symbols: Any, cursor: str) -> Reading:
        if self.plan.dead:
            raise CouldNotRead("The venue does not answer.")
        reading: Reading = self.exchange.read(symbols, cursor)
        return self.plan.altered(reading)

    def watch(self, watches: Any) -> None:
        self.exchange.watch(watches)


class Faults:
    """What is to go wrong, in order; each fault is for one order that `wanted` picks."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[OrderIntent], bool], Fault]] = []
        self.sent: list[str] = []
        self.dead = False
        self.altered: Callable[[Reading], Reading] = lambda reading: reading

    def add(self, fault: Fault, wanted: Callable[[OrderIntent], bool] = lambda intent: True, times: int = 1) -> None:
        self.waiting += [(wanted, fault)] * times

    def next_fault(self, intent: OrderIntent) -> Fault | None:
        for number, (wanted, fault) in enumerate(self.waiting):
            if wanted(intent):
                del self.waiting[number]
                return fault
        return None


def reply_lost(line: Line, intent: OrderIntent) -> OrderState:
    line.exchange.place(intent)
    raise TimeoutError("no reply")


def request_lost(line: Line, intent: OrderIntent) -> OrderState:
    raise OutcomeUnknown("the line was cut")


def is_stop(intent: OrderIntent) -> bool:
    return intent.reduce_only and intent.trigger is not None


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Faults:
    """Every exchange that the trading app connects to lies behind this line."""
    plan = Faults()

    def behind_the_line(account: Account) -> Any:
        return Line(connect(account), plan)

    monkeypatch.setattr("buddy.trading.watcher.connect", behind_the_line)
    monkeypatch.setattr("buddy.trading.executor.glance", behind_the_line)
    return plan

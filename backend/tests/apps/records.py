"""Closed trades for the tests of journal and statistics, written as rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from buddy.exchanges.models import Account
from buddy.trading.models import Trade

START = datetime(2025, 6, 1, 12, tzinfo=UTC)


def account_of(owner: Any, name: str = "Practice", **more: Any) -> Account:
    return Account.objects.create(owner=owner, name=name, **more)


def closed(account: Account, net: str = "10", *, day: float = 0, risk: str | None = "100", **more: Any) -> Trade:
    """A trade closed at noon UTC, `day` days after 1 June 2025; fees of 1 are in the net."""
    closed_at = START + timedelta(days=day)
    given = {
        "owner": account.owner,
        "account": account,
        "symbol": "BTC/USDT:USDT",
        "side": "long",
        "status": Trade.Status.CLOSED,
        "first_plan": {},
        "plan": {},
        "quantities": [],
        "asked_risk": Decimal(100),
        "first_stop": Decimal(90),
        "initial_risk": None if risk is None else Decimal(risk),
        "average_entry": Decimal(100),
        "average_exit": Decimal(110),
        "entered_quantity": Decimal(1),
        "gross": Decimal(net) + 1,
        "fees": Decimal(1),
        "funding": Decimal(0),
        "net": Decimal(net),
        "r": None if risk is None else Decimal(net) / Decimal(risk),
        "exit_reason": "take_profit",
        "opened_at": closed_at - timedelta(hours=2),
        "closed_at": closed_at,
    }
    return Trade.objects.create(**{**given, **more})


def cancelled(account: Account, **more: Any) -> Trade:
    """A trade whose entry never filled."""
    return _unfinished(account, status="cancelled", withdrawal="missed", opened_at=None, **more)


def still_open(account: Account, **more: Any) -> Trade:
    return _unfinished(account, status="open", **more)


def _unfinished(account: Account, **more: Any) -> Trade:
    trade = closed(account)
    unknown = ("net", "gross", "fees", "funding", "r", "average_exit", "closed_at")
    for field, value in {**dict.fromkeys(unknown), "exit_reason": "", **more}.items():
        setattr(trade, field, value)
    trade.save()
    return trade


def faults(answer: Any) -> dict[str, list[str]]:
    """The codes by field of a problem document, after checking that it is one."""
    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json", problem
    assert problem["status"] == answer.status_code
    assert all({"message", "cure", "code"} <= set(one) for field in problem["errors"].values() for one in field)
    return {field: [one["code"] for one in found] for field, found in problem["errors"].items()}

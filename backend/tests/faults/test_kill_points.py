"""Killed at any statement, a trade ends exactly as it would have: the next look finishes what the dead one began."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from buddy.exchanges.models import Account
from buddy.exchanges.paper import balance_of
from buddy.trading.executor import open_trade
from buddy.trading.models import Fill, Income, Order, Trade
from buddy.trading.moments import to_ms
from tests.apps.trading_rig import MINUTE, flat, long_plan, look_until, replay_account, write_candles

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [
    *flat("100500", 2),
    ("100500", "100500", "99900", "100200"),
    ("100200", "101100", "100200", "101050"),
    ("101050", "101060", "99900", "99950"),
    *flat("99950", 3),
]
"""The entry, funding, the first target, and the stop at break-even."""
FUNDED = 1_750_003_200_000
"""16:00 UTC, when the fourth candle opens."""
BEGIN = FUNDED - 3 * MINUTE
PLAN = long_plan(rules={"break_even": {"after": {"take_profit": 1}}})
EVERY = 6
"""Statements between two kill points."""


class Killed(BaseException):
    """kill -9: nobody catches it."""


class Killer:
    """Lets `alive` statements through to the database, then none any more."""

    def __init__(self, alive: int) -> None:
        self.alive, self.seen = alive, 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.seen += 1
        if self.seen > self.alive:
            raise Killed
        return execute(sql, params, many, context)


def run(account: Account, alive: int) -> int:
    """Open the trade and look until the end or the kill; how many statements it got through."""
    killer = Killer(alive)
    try:
        with connection.execute_wrapper(killer):
            trade = open_trade(account, PLAN)
            look_until(trade, lambda trade: trade.status == "closed")
    except Killed:
        Account.objects.filter(pk=account.pk).update(lease_until=0)  # half a minute later
    return killer.seen


def finished(account: Account) -> Trade:
    """What the next process makes of it; the trader repeats what was never committed."""
    trade = Trade.objects.filter(account=account).first() or open_trade(account, PLAN)
    return look_until(trade, lambda trade: trade.status == "closed")


def told(trade: Trade) -> tuple[Any, ...]:
    fills = [(f.order_side, f.price, f.quantity, f.fee, f.time) for f in Fill.objects.filter(trade=trade)]
    income = [(row.amount, to_ms(row.time)) for row in Income.objects.filter(trade=trade)]
    return (trade.exit_reason, trade.net, trade.fees, trade.funding, trade.r, trade.closed_at, fills, income)


def test_a_kill_at_any_statement_changes_nothing_about_the_end(alice: Any) -> None:
    file = write_candles("kill_BTCUSDT_1m.csv", ROWS, BEGIN)
    whole = replay_account(alice, file, name="whole", clock_time=BEGIN + MINUTE)
    statements, expected = run(whole, 10**9), told(finished(whole))
    assert expected[0] == "break_even"
    assert expected[-1] == [(-whole.trades.get().entered_quantity * 100_200 / 10_000, FUNDED)]
    assert balance_of(whole).wallet == whole.opening_balance + expected[1]
    for alive in range(1, statements, EVERY):
        account = replay_account(alice, file, name=f"kill {alive}", is_main=False, clock_time=BEGIN + MINUTE)
        run(account, alive)
        trade = finished(account)
        assert told(trade) == expected, f"killed after {alive} statements"
        assert balance_of(account).wallet == account.opening_balance + expected[1]
        assert Trade.objects.filter(account=account).count() == 1
        assert not Order.objects.filter(account=account, status__in=["open", "partial", "unknown", "intended"]).exists()

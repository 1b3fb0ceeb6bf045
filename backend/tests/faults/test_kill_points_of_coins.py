"""Killed at any statement, also between the two halves of a swap, a trade in coins ends as it would have."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from buddy.exchanges import paper_book
from buddy.exchanges.models import Account
from buddy.trading.executor import open_trade
from buddy.trading.models import Fill, Order, Trade
from tests.apps.trading_rig import flat, long_plan, look_until, replay_account, write_candles
from tests.faults.test_kill_points import Killed, Killer

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = [
    *flat("100500", 2),
    ("100500", "100500", "99900", "100200"),
    ("100200", "101100", "100200", "101050"),
    ("101050", "101060", "99900", "99950"),
    *flat("99950", 3),
]
"""The entry, the first target, and what is left at break-even: each slice's stop has been swapped."""
PLAN = long_plan(symbol="BTC/USDT", risk={"percent": "0.5"}, rules={"break_even": {"after": {"take_profit": 1}}})
EVERY = 17
"""Statements between two kill points."""
STASH = Decimal("0.7")


def account_at(owner: Any, venue: str, file: str, name: str) -> Account:
    account = replay_account(owner, file, name=name, venue=venue, is_main=name == "whole")
    book = paper_book.load(account)
    book.exchange.books.coins["BTC"] = STASH
    paper_book.store(account, book, clock=False)
    return account


def run(account: Account, alive: int) -> int:
    """Open the trade and look until the end or the kill; how many statements it got through."""
    killer = Killer(alive)
    try:
        with connection.execute_wrapper(killer):
            trade = open_trade(account, PLAN)
            look_until(trade, lambda trade: trade.status == "closed")
    except Killed:
        Account.objects.filter(pk=account.pk).update(lease_until=0)
    return killer.seen


def finished(account: Account) -> Trade:
    trade = Trade.objects.filter(account=account).first() or open_trade(account, PLAN)
    return look_until(trade, lambda trade: trade.status == "closed")


def told(trade: Trade) -> tuple[Any, ...]:
    fills = [(f.order_side, f.price, f.quantity, f.withheld, f.fee, f.time) for f in Fill.objects.filter(trade=trade)]
    books = paper_book.load(trade.account).exchange.books
    return (trade.exit_reason, trade.net, trade.fees, trade.r, trade.closed_at, fills, books.wallet, books.coins)


@pytest.mark.parametrize("venue", ["binance-spot", "kraken-spot"])
def test_a_kill_at_any_statement_changes_nothing_about_the_end(alice: Any, venue: str) -> None:
    file = write_candles("kill_BTCUSDT_1m.csv", ROWS)
    whole = account_at(alice, venue, file, "whole")
    statements, expected = run(whole, 10**9), told(finished(whole))
    assert expected[0] == "break_even"
    assert Decimal(0) <= expected[-1]["BTC"] - STASH < Decimal("0.00002")
    for alive in range(1, statements, EVERY):
        account = account_at(alice, venue, file, f"kill {alive}")
        run(account, alive)
        assert told(finished(account)) == expected, f"killed after {alive} statements"
        assert not paper_book.load(account).exchange.orders
        assert not Order.objects.filter(account=account, status__in=["open", "partial", "unknown", "intended"]).exists()

"""What a venue tells of a trade after its end: taken in once, whatever else happens, and seen in the statistics."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Income, IncomeKind
from buddy.exchanges.models import Account
from buddy.trading.executor import open_trade, withdraw_entry
from buddy.trading.models import Trade
from buddy.trading.watcher import look
from tests.apps.trading_rig import kinds, long_plan
from tests.exchanges.venue_like import SYMBOL, VenueLike, account, venue

__all__ = ["account", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal


@pytest.fixture
def closed(account: Account, venue: VenueLike) -> Trade:
    """Stopped out."""
    trade = open_trade(account, long_plan())
    venue.go(100_000)
    again(trade)
    venue.go(99_000)
    again(trade)
    assert trade.status == "closed"
    return trade


def again(trade: Trade) -> None:
    for _ in range(2):
        assert not look(trade.account_id, seconds=0).trouble
    trade.refresh_from_db()


def test_an_entry_that_has_filled_is_not_taken_back_before_its_executions_are_told(
    account: Account, venue: VenueLike
) -> None:
    trade = open_trade(account, long_plan())
    venue.lag = 100
    venue.go(100_000)
    withdraw_entry(trade)
    again(trade)
    assert (trade.status, venue.cancelled) == ("pending", [])
    venue.lag = 0
    again(trade)
    assert (trade.status, venue.cancelled) == ("open", [])


def net_of(stats: Any) -> Decimal:
    return D(stats["figures"]["net_pnl"]["value"])


def tell_funding(venue: VenueLike, trade: Trade, amount: str) -> None:
    """Paid in the middle of what the trade held, and told from now on."""
    moment = int((trade.opened_at.timestamp() + 0.5) * 1000)
    row = Income(f"late {amount}", IncomeKind.FUNDING, SYMBOL, D(amount), moment)
    venue.altered = lambda reading: replace(reading, income=[row])


def test_funding_told_after_the_end_is_the_trades_and_the_statistics_know(
    api: APIClient, closed: Trade, venue: VenueLike
) -> None:
    before = api.get("/api/v1/stats/summary").json()
    tell_funding(venue, closed, "-1.25")
    net, asked = closed.net, closed.initial_risk
    again(closed)
    assert (closed.funding, closed.net, closed.r) == (D("-1.25"), net - D("1.25"), D(closed.r))
    assert closed.r == pytest.approx((net - D("1.25")) / asked, abs=D("1e-15"))
    after = api.get("/api/v1/stats/summary").json()
    assert net_of(after) == net_of(before) - D("1.25")
    again(closed)
    assert (closed.funding, kinds(closed).count("notice")) == (D("-1.25"), 1)


def test_a_process_that_dies_after_booking_has_taken_it_in(
    closed: Trade, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_funding(venue, closed, "-1.25")

    def dies(*_: Any) -> None:
        raise SystemExit

    monkeypatch.setattr("buddy.trading.ledger.Outcomes.note", dies)
    with pytest.raises(SystemExit):
        look(closed.account_id, seconds=0)
    monkeypatch.undo()
    closed.refresh_from_db()
    assert closed.funding == D("-1.25")


def test_a_symbol_that_is_listed_no_more_keeps_nobody_waiting(
    account: Account, closed: Trade, venue: VenueLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the funding nor the trades that work."""
    Trade.objects.filter(pk=closed.pk).update(symbol="OLD/USDT:USDT")
    gross = closed.gross
    working = open_trade(account, long_plan(entries=[{"price": "98000"}], stop={"price": "97000"}))
    moment = int((closed.opened_at.timestamp() + 0.5) * 1000)
    row = Income("late", IncomeKind.FUNDING, "OLD/USDT:USDT", D(-2), moment)
    venue.altered = lambda reading: replace(reading, income=[row])
    known = venue.instrument

    def listed(symbol: str) -> Any:
        if symbol == SYMBOL:
            return known(symbol)
        raise CouldNotRead(f"{symbol} is not listed.")

    monkeypatch.setattr(venue, "instrument", listed)
    venue.go(98_000)
    again(working)
    closed.refresh_from_db()
    assert (working.status, working.protected_since is not None) == ("open", True)
    assert (closed.funding, closed.gross, closed.net) == (D(-2), gross, gross - closed.fees - 2)

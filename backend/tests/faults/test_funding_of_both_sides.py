"""In hedge mode a long and a short of one symbol lie side by side: each gets the funding that was its own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from buddy.core import exchange as port
from buddy.core.exchange import IncomeKind
from buddy.core.market import Side
from buddy.exchanges.ccxt_words import income_of
from buddy.exchanges.models import Account
from buddy.exchanges.venue_rows import RECIPES
from buddy.trading.income import book_income
from buddy.trading.models import Fill, ForeignPosition, Income, Trade
from buddy.trading.moments import at
from tests.apps.records import account_of, still_open

pytestmark = pytest.mark.django_db
D = Decimal
SYMBOL, NOON = "BTC/USDT:USDT", 1_750_000_000_000
LONG, SHORT = D("-0.30"), D("0.12")
"""What a long of 0.05 pays and a short of 0.02 gets."""


@pytest.fixture
def account(alice: Any) -> Account:
    return account_of(alice)


@pytest.fixture
def trades(account: Account) -> tuple[Trade, Trade]:
    return holding(account, "long", "0.05"), holding(account, "short", "0.02")


def holding(account: Account, side: str, quantity: str) -> Trade:
    trade = still_open(account, symbol=SYMBOL, side=side)
    Fill.objects.create(
        account=account, trade=trade, fill_id=f"{side}-{quantity}", symbol=SYMBOL, price=100_000, fee=0,
        order_side="buy" if side == "long" else "sell", quantity=D(quantity), liquidity="taker", time=at(NOON - 1000),
    )  # fmt: skip
    return trade


def paid(amount: Decimal, name: str, side: Side | None = None, kind: IncomeKind = IncomeKind.FUNDING) -> port.Income:
    return port.Income(name, kind, SYMBOL, amount, NOON, side=side)


def got(*trades: Trade | None) -> list[Decimal]:
    return [sum((row.amount for row in Income.objects.filter(trade=trade)), D(0)) for trade in trades]


def test_the_side_that_the_venue_tells(account: Account, trades: tuple[Trade, Trade]) -> None:
    book_income(account, [paid(LONG, "a", Side.LONG), paid(SHORT, "b", Side.SHORT)])
    assert got(*trades) == [LONG, SHORT]


@pytest.mark.parametrize(("size", "side"), [("0.5", Side.LONG), ("-0.5", Side.SHORT), ("0", None), ("", None)])
def test_bybit_tells_it_by_the_sign_of_the_size(size: str, side: Side | None) -> None:
    ledger = RECIPES["bybit"].income
    assert ledger is not None
    raw = {"id": "1", "type": "SETTLEMENT", "size": size, "side": "Sell"}
    assert income_of(raw, ledger, SYMBOL, LONG, NOON).side is side


@pytest.mark.parametrize("amounts", [[LONG, SHORT], [SHORT, LONG], [LONG + SHORT]])
def test_without_a_side_what_each_held_tells(
    account: Account, trades: tuple[Trade, Trade], amounts: list[Decimal]
) -> None:
    """Whether the venue pays both sides apart or together."""
    book_income(account, [paid(amount, str(number)) for number, amount in enumerate(amounts)])
    assert got(*trades) == pytest.approx([LONG, SHORT], abs=D("1e-8"))
    assert sum(got(*trades)) == LONG + SHORT


def test_what_is_nobodys_has_its_side_too(account: Account, trades: tuple[Trade, Trade]) -> None:
    ForeignPosition.objects.create(
        account=account, symbol=SYMBOL, side="short", quantity=D("0.02"), average_entry=100_000, confirmed=True,
        first_seen=timezone.now(),
    )  # fmt: skip
    book_income(account, [paid(LONG + 2 * SHORT, "a")])
    assert got(*trades, None) == pytest.approx([LONG, SHORT, SHORT], abs=D("1e-8"))


def test_other_money_is_shared_by_what_was_held(account: Account, trades: tuple[Trade, Trade]) -> None:
    book_income(account, [paid(D(7), "a", kind=IncomeKind.OTHER)])
    assert got(*trades) == pytest.approx([D(5), D(2)], abs=D("1e-8"))


def test_what_executes_at_the_moment_of_funding_comes_after_it(account: Account, trades: tuple[Trade, Trade]) -> None:
    """A candle of the simulated market has one time for all that executes within it."""
    Fill.objects.create(
        account=account, trade=trades[0], fill_id="half", symbol=SYMBOL, price=100_000, fee=0,
        order_side="sell", quantity=D("0.03"), liquidity="maker", time=at(NOON),
    )  # fmt: skip
    book_income(account, [paid(LONG, "a"), paid(SHORT, "b")])
    assert got(*trades) == pytest.approx([LONG, SHORT], abs=D("1e-8"))


def test_equally_large_sides_lose_nothing(account: Account) -> None:
    both = holding(account, "long", "0.05"), holding(account, "short", "0.05")
    book_income(account, [paid(D("-0.3"), "a"), paid(D("0.31"), "b")])
    assert sum(got(*both)) == D("0.01")

"""One execution that happened to several trades: its parts add up to it, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.core import exchange as port
from buddy.core.exchange import Liquidity
from buddy.core.market import OrderSide
from buddy.trading import booking
from buddy.trading.models import Fill
from tests.apps.records import account_of, still_open

D = Decimal
SYMBOL = "BTC/USDT:USDT"
THIRD = D("0.001")
FEE = D("0.0001")


def fill(name: str, side: OrderSide, quantity: Decimal) -> port.Fill:
    return port.Fill(name, f"x{name}", "", SYMBOL, side, D(100_000), quantity, FEE, Liquidity.TAKER, 1_750_000_000_000)


@pytest.mark.django_db
def test_what_a_hand_closes_of_three_trades_costs_them_together_what_it_cost(alice: Any) -> None:
    account = account_of(alice)
    trades = [still_open(account) for _ in range(3)]
    for number, trade in enumerate(trades):
        entry = booking._row(account, fill(f"in{number}", OrderSide.BUY, THIRD), trade.pk, None, 0)
        entry.save()
    booking.book_fills(account, [fill("out", OrderSide.SELL, 3 * THIRD)], trades)
    parts = Fill.objects.filter(fill_id__startswith="out")
    assert sum(part.fee for part in parts) == FEE
    assert [part.quantity for part in parts] == [THIRD] * 3


@given(
    whole=st.decimals("0", "1000", places=8),
    quantities=st.lists(st.decimals("0.001", "1000", places=3), min_size=1, max_size=6),
)
def test_parts_add_up_to_the_whole_in_digits_that_are_kept(whole: Decimal, quantities: list[Decimal]) -> None:
    parts = booking.shared_out(whole, quantities)
    assert sum(parts) == whole
    assert all(part == round(part, 18) for part in parts)

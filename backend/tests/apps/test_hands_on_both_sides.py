"""Where longs and shorts lie side by side, a hand's executions are told apart by what the venue holds afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from buddy.core import exchange as port
from buddy.core.market import OrderSide, Side
from buddy.exchanges.models import Account
from buddy.trading import booking
from buddy.trading.client_ids import new_client_id
from buddy.trading.lease import leased
from buddy.trading.ledger import Ledger
from buddy.trading.models import Fill, Order, Trade
from tests.exchanges.venue_like import VenueLike

D = Decimal
SYMBOL = "BTC/USDT:USDT"
FIRST = 1_750_000_000_000


@pytest.fixture
def account(alice: Any) -> Account:
    return Account.objects.create(owner=alice, name="Desk", position_mode="hedge")


def trade(account: Account, side: Side) -> Trade:
    return Trade.objects.create(
        owner=account.owner,
        account=account,
        symbol=SYMBOL,
        side=side,
        status=Trade.Status.OPEN,
        first_plan={},
        plan={},
        quantities=["1"],
        asked_risk=1,
        first_stop=1,
    )


def fill(number: int, side: OrderSide, quantity: str) -> port.Fill:
    return port.Fill(
        fill_id=f"hand-{number}",
        client_id="",
        exchange_id=f"{number}",
        symbol=SYMBOL,
        order_side=side,
        price=D(100),
        quantity=D(quantity),
        fee=D(0),
        liquidity="taker",
        time=FIRST + number,
    )


def booked(
    account: Account, trades: list[Trade], fills: list[port.Fill], there: Mapping[Side, Decimal]
) -> dict[str, Decimal]:
    """By side what our trades hold after `fills`, of which the venue says that it left `there`."""
    before = booking.held_by(trades)
    missing = {(SYMBOL, Side(each.side)): before[each.pk] - there.get(Side(each.side), D(0)) for each in trades}
    booking.book_fills(account, fills, trades, missing)
    held = booking.held_by(trades)
    return {each.side: held[each.pk] for each in trades}


def entered(account: Account, each: Trade, quantity: str) -> Trade:
    own = fill(0, Side(each.side).entry_order_side, quantity)
    Fill.objects.bulk_create([booking._row(account, own, each.pk, None, 0)])
    return each


@pytest.mark.django_db
def test_a_short_that_a_hand_reduced_and_then_enlarged_is_as_large_as_the_venue_says(account: Account) -> None:
    short = entered(account, trade(account, Side.SHORT), "0.015")
    fills = [fill(1, OrderSide.BUY, "0.006"), fill(2, OrderSide.SELL, "0.010")]
    assert booked(account, [short], fills, {Side.SHORT: D("0.019")}) == {"short": D("0.019")}


@pytest.mark.django_db
def test_a_hand_that_only_buys_beside_a_short_opens_a_long_of_its_own(account: Account) -> None:
    short = entered(account, trade(account, Side.SHORT), "0.015")
    fills = [fill(1, OrderSide.BUY, "0.006")]
    assert booked(account, [short], fills, {Side.SHORT: D("0.015"), Side.LONG: D("0.006")}) == {"short": D("0.015")}


@pytest.mark.django_db
def test_what_a_hand_closed_before_our_entry_was_told_leaves_the_trade(account: Account) -> None:
    """Nobody could read while the entry filled and a hand closed it: both come in one reading, and nothing is held."""
    short = trade(account, Side.SHORT)
    entry = Order.objects.create(
        account=account,
        trade=short,
        client_id=new_client_id(),
        symbol=SYMBOL,
        role="entry",
        order_side=OrderSide.SELL,
        kind="limit",
        quantity=D("0.020"),
        price=D(100),
    )
    ours = replace(fill(1, OrderSide.SELL, "0.020"), client_id=entry.client_id)
    assert booked(account, [short], [ours, fill(2, OrderSide.BUY, "0.020")], {}) == {"short": D(0)}


@pytest.mark.django_db(transaction=True)
def test_what_a_hand_took_from_an_entry_that_is_not_all_told_is_no_entry_of_the_other_side(account: Account) -> None:
    """The order says that 0.003 have executed, of which 0.001 are told, and 0.002 are held."""
    entered(account, trade(account, Side.LONG), "0.022")
    Fill.objects.update(fill_id="long")
    short = entered(account, trade(account, Side.SHORT), "0.001")
    order = Order.objects.create(
        account=account, trade=short, client_id=new_client_id(), exchange_id="7", symbol=SYMBOL, role="entry",
        order_side="sell", kind="limit", quantity=D("0.003"), filled=D("0.003"), status="filled", reason="entry",
    )  # fmt: skip
    Fill.objects.filter(trade=short).update(order=order)
    venue = VenueLike(mode=port.PositionMode.HEDGE)
    positions = [
        port.PositionState(SYMBOL, Side.LONG, D("0.022"), D(100)),
        port.PositionState(SYMBOL, Side.SHORT, D("0.002"), D(100)),
    ]
    told = [fill(1, OrderSide.BUY, "0.001")]
    venue.altered = lambda reading: replace(reading, positions=positions, fills=told, cursor="1")
    with leased(account.pk, 1.0) as lease:
        Ledger(account, venue, lease).read()
    assert Fill.objects.get(fill_id="hand-1").trade == short

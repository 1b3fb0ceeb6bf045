"""Coins: what is believed of a wallet as it is told, and which were bought before a sale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from buddy.core.exchange import Reading
from buddy.core.market import ZERO, OrderSide

from .models import Fill

ENOUGH = Decimal("Infinity")
"""Coins, of which none is missing."""


def in_wallet(reading: Reading) -> defaultdict[str, Decimal]:
    """By symbol, coins in the wallet, whoever bought them.

    That there are fewer than stops rest for is not believed: then none is missing, for now.
    """
    told, locked = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    for position in reading.positions:
        told[position.symbol] = position.quantity
    for order in reading.orders:
        if order.trigger is not None and not order.order_side.is_buy:
            locked[order.symbol] += order.quantity - order.filled
    for symbol, quantity in locked.items():
        if quantity > told[symbol]:
            told[symbol] = ENOUGH
    return told


def held_since(fills: Iterable[Fill], moment: datetime) -> Decimal:
    """Of a trade's executions: what it had bought by then and has not sold.

    A sale from before took none of the others, whatever a wallet is told to hold.
    """
    held = ZERO
    for fill in fills:
        if fill.order_side == OrderSide.SELL:
            held -= fill.quantity
        elif fill.time <= moment:
            held += fill.quantity - fill.withheld
    return max(held, ZERO)

"""Coins by when they were bought: a sale from before took none of them, whatever a wallet is told to hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from buddy.core.market import ZERO, OrderSide

from .models import Fill


def held_since(fills: Iterable[Fill], moment: datetime) -> Decimal:
    """Of a trade's executions: what it had bought by then and has not sold."""
    held = ZERO
    for fill in fills:
        if fill.order_side == OrderSide.SELL:
            held -= fill.quantity
        elif fill.time <= moment:
            held += fill.quantity - fill.withheld
    return max(held, ZERO)

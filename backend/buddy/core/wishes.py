"""The orders that should be resting for a trade, as the step compares them with those that do."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from .exchange import OrderKind, Role, TriggerBy
from .holding import Cause, Position
from .market import ZERO, OrderSide


class Wish(NamedTuple):
    """An order that should be resting. `leg` counts entries or targets from 0, `quantity` is still to execute.

    `beside`: the price of the limit order that is the other half of a stop (`Exits.PAIRED`). Where the instrument has
    become coarser since, `planned` are price and trigger before they were rounded, and `spare` is what that took from
    the quantity (or, negative, added to it): an order that rests from before, with the one or the other, is as good.
    """

    role: Role
    leg: int
    order_side: OrderSide
    kind: OrderKind
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    trigger_by: TriggerBy = TriggerBy.LAST
    reduce_only: bool = False
    reason: Cause = Cause.ENTRY
    beside: Decimal | None = None
    planned: tuple[Decimal | None, Decimal | None] | None = None
    spare: Decimal = ZERO


def close_wish(position: Position, quantity: Decimal, cause: Cause) -> Wish:
    """Leave with `quantity` contracts at market."""
    side, reduces = position.side.exit_order_side, not position.instrument.spot
    return Wish(Role.CLOSE, 0, side, OrderKind.MARKET, quantity, reduce_only=reduces, reason=cause)

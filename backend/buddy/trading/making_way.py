"""Before a stop goes because another has taken its place: that other one is seen resting, not only listed.

A list may show for a while what a hand has taken away; asked for by its name, an order tells what it is now.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import TYPE_CHECKING

from buddy.core.errors import Temporary
from buddy.core.exchange import Role
from buddy.core.market import ZERO

from .models import Order
from .states import RESTING

if TYPE_CHECKING:
    from .case import Case, Desk


def see_what_stays(going: Order, desk: Desk) -> None:
    """Raises Temporary where something has just executed that it may have to protect, or where less of what is held
    would stay under stops than the last list said. Coins are left to the swap of one stop for another.
    """
    if desk.executed:
        raise Temporary("Something has executed: what is held is read before a stop goes.")
    case, outcomes = desk.case, desk.ledger.outcomes
    if case.exits.is_spot or not case.held or not desk.ledger.exchange.profile.settle_ms:
        return
    others = [order for order in _resting_stops(case) if order.pk != going.pk]
    before = _left(others)
    for order in others:
        if order.pk not in desk.placed:  # the answer has just said that it rests
            outcomes.look_up(order)
    after = _left([order for order in others if order.status in RESTING and order.pk not in outcomes.unseen])
    if after < min(before, case.protectable):
        raise Temporary("A stop that should stay is not there: what is held is read before another goes.")


def _resting_stops(case: Case) -> list[Order]:
    return [order for order in case.orders if order.role == Role.STOP and order.status in RESTING]


def _left(orders: Collection[Order]) -> Decimal:
    return sum((order.quantity - order.filled for order in orders), ZERO)

"""Before a stop goes because another has taken its place: that other one is seen resting, not only listed.

A list may show for a while what a hand has taken away, and a stop may execute as soon as it rests: asked for by its
name, an order tells what it is now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from decimal import Decimal

from buddy.core.errors import CouldNotRead, Temporary
from buddy.core.exchange import Role
from buddy.core.market import ZERO

from . import books
from .models import Order
from .outcomes import Outcomes
from .states import RESTING


def see_what_stays(
    going: Order, orders: Iterable[Order], protectable: Decimal, placed: Collection[int], outcomes: Outcomes
) -> None:
    """Raises Temporary where less of what is held would stay under stops than the last list said.

    `orders`: of its trade. `protectable`: contracts of it that a stop can cover. `placed`: orders whose answer has just
    said that they rest, so that it says nothing of them where they are not found yet.
    """
    if not protectable or not outcomes.exchange.profile.settle_ms:
        return
    others = [each for each in orders if each.role == Role.STOP and each.status in RESTING and each.pk != going.pk]
    before = _left(others)
    for order in others:
        if order.pk in placed:
            _see_again(order, outcomes)
        else:
            outcomes.look_up(order)
    after = _left([order for order in others if order.status in RESTING and order.pk not in outcomes.unseen])
    if after < min(before, protectable):
        raise Temporary("A stop that should stay is not there: what is held is read before another goes.")


def _see_again(order: Order, outcomes: Outcomes) -> None:
    with suppress(CouldNotRead):
        state = outcomes.exchange.find(books.ref_of(order)) if order.exchange_id else None
        if state is not None:
            outcomes.adopt(order, state)


def _left(orders: Collection[Order]) -> Decimal:
    return sum((order.quantity - order.filled for order in orders), ZERO)

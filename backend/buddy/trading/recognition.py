"""Which order the venue speaks of: ours by our name, by the venue's own, or, where it keeps none, by its figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from buddy.core.exchange import OrderKind, OrderState, OrderStatus, Role, TriggerBy
from buddy.core.manage import AS_TRIGGERED
from buddy.core.market import OrderSide

from .client_ids import is_ours
from .models import Order
from .moments import OUR_CLOCKS, to_ms
from .states import DOUBTFUL

ARRIVED = "arrived"
"""On a row: the venue has refused its name as used, or has told of the other half of its pair. So it was taken."""
EARLY = "given_up_early"
"""On a row: it was taken for absent by a list alone, which may lie, or although it could still arrive."""
COMES_BACK = {TriggerBy.LAST: Decimal("0.001"), TriggerBy.MARK: Decimal("0.005")}
"""Of its price: so far a market may have turned, or lie beside the mark price, when a triggered order executes."""


@dataclass(slots=True)
class Listing:
    """Orders as the venue lists them, by their names; `attached` are those that it made by itself."""

    by_client_id: dict[str, OrderState] = field(default_factory=dict)
    by_exchange_id: dict[tuple[str, str], OrderState] = field(default_factory=dict)
    attached: list[OrderState] = field(default_factory=list)

    @classmethod
    def of(cls, states: Iterable[OrderState]) -> Listing:
        listing = cls()
        for state in states:
            if state.is_attached:
                listing.attached.append(state)
            if is_ours(state.client_id):
                listing.by_client_id[state.client_id] = state
            if state.exchange_id:
                listing.by_exchange_id[state.symbol, state.exchange_id] = state
        return listing

    def named(self, order: Order) -> OrderState | None:
        """The state of `order`, by any name it has."""
        if order.client_id in self.by_client_id:
            return self.by_client_id[order.client_id]
        ids = (order.exchange_id, order.child_id)
        found = (self.by_exchange_id.get((order.symbol, each)) for each in ids if each)
        return next((state for state in found if state is not None), None)

    def nameless(self, claimed: Sequence[Order]) -> list[OrderState]:
        """Conditional orders without a name of ours that belong to none of `claimed`, oldest first."""
        return [state for state in self._unclaimed(claimed) if state.trigger is not None]

    def triggered(self, claimed: Sequence[Order]) -> list[OrderState]:
        """Orders without a name of ours and without a trigger that belong to none of `claimed`, oldest first."""
        return [state for state in self._unclaimed(claimed) if state.trigger is None]

    def _unclaimed(self, claimed: Sequence[Order]) -> list[OrderState]:
        taken = {(order.symbol, each) for order in claimed for each in (order.exchange_id, order.child_id)}
        free = (state for key, state in self.by_exchange_id.items() if key not in taken)
        waiting = [state for state in free if not state.is_attached and not is_ours(state.client_id)]
        return sorted(waiting, key=lambda state: (state.time, state.exchange_id))


def same_figures(order: Order, state: OrderState) -> bool:
    """Whether `state` can be `order`, going by what was asked for."""
    asked = (order.symbol, order.order_side, order.kind, order.quantity, order.trigger)
    return asked == (state.symbol, state.order_side, state.kind, state.quantity, state.trigger)


def became(order: Order, state: OrderState) -> bool:
    """Whether `state` can be what `order` became when it was triggered: it has another number then, and no trigger.

    Nothing that was there before it was sent for the first time, or that executed where its trigger cannot have been.
    """
    if order.trigger is None or state.trigger is not None or state.kind is not AS_TRIGGERED.get(OrderKind(order.kind)):
        return False
    asked = (order.symbol, order.order_side, order.quantity, order.price)
    first = None if may_have_arrived(order) else order.raw.get("sent_at")
    sent = int(first or to_ms(order.created_at))
    same = asked == (state.symbol, state.order_side, state.quantity, state.price)
    return same and state.time >= sent - OUR_CLOCKS and _led_to(order, state)


def _led_to(order: Order, state: OrderState) -> bool:
    """Whether a market order executed at a price to which the trigger of `order` can have led."""
    if state.average is None or state.kind is not OrderKind.MARKET:
        return True
    assert order.trigger is not None
    back = order.trigger - state.average if order.order_side == OrderSide.BUY else state.average - order.trigger
    return bool(back <= order.trigger * COMES_BACK[TriggerBy(order.raw.get("trigger_by", TriggerBy.MARK))])


def can_be(order: Order, state: OrderState) -> bool:
    """By its figures, as it was sent or as what it became."""
    return same_figures(order, state) or became(order, state)


def is_known_as(order: Order, state: OrderState) -> bool:
    """By its number: its executions are told under another one, that of what it became."""
    return bool(state.exchange_id) and (order.symbol, order.exchange_id) == (state.symbol, state.exchange_id)


def is_missed(order: Order) -> bool:
    """A stop, or what was sent with one, of which nobody knows whether it arrived."""
    return (order.role == Role.STOP or order.paired_with_id is not None) and order.status in DOUBTFUL


def may_have_executed(order: Order) -> bool:
    """Under a name that we do not know yet."""
    return order.trigger is not None or is_unnamed(order)


def is_unnamed(order: Order) -> bool:
    return not (order.exchange_id or order.child_id)


def as_child(state: OrderState) -> OrderState:
    """Of an order whose own number was never told."""
    return replace(state, exchange_id="", child_id=state.exchange_id)


def may_have_arrived(order: Order) -> bool:
    """Though its row is over: one of it was given up before it could arrive no more, or was there and never seen."""
    return EARLY in order.raw or order.raw.get("sends", 1) > 1 or (ARRIVED in order.raw and is_unnamed(order))


def is_nameless(order: Order) -> bool:
    """Sent, conditional, and not known by any id of the venue. One that was refused for sure is not there."""
    if order.status == OrderStatus.REJECTED and not may_have_arrived(order):
        return False
    sent = order.status == OrderStatus.UNKNOWN or "sent_at" in order.raw or EARLY in order.raw
    return sent and order.trigger is not None and is_unnamed(order)

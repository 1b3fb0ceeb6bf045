"""Rows as the core sees them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from decimal import Decimal
from typing import Any

from buddy.core import exchange as port
from buddy.core.costs import Costs
from buddy.core.exchange import (
    Beside,
    Liquidity,
    OrderIntent,
    OrderKind,
    OrderRef,
    OrderState,
    OrderStatus,
    Refusal,
    Role,
)
from buddy.core.holding import Booked, Directives, Memory, Position
from buddy.core.market import ZERO, Instrument, OrderSide
from buddy.core.plan import Plan
from buddy.core.plan_document import read_plan
from buddy.exchanges.models import Account
from buddy.exchanges.venues import VENUES

from .models import Fill, Order, Trade
from .moments import to_ms
from .rows import Rows
from .states import DECLINED, REFUSED_AS

PLANS_KEPT = 5000
PAIRS_REFUSED_AT_MOST = 2
_PLANS: dict[int, tuple[dict[str, Any], Plan]] = {}
"""By trade: the document as it was read, and the plan it says."""


def intent_of(order: Order, half: Order | None = None) -> OrderIntent:
    """The order as the venue is asked for it, with the limit `half` of a pair. The same rows ask for the same."""
    return OrderIntent(
        client_id=order.client_id,
        symbol=order.symbol,
        order_side=OrderSide(order.order_side),
        kind=OrderKind(order.kind),
        quantity=order.quantity,
        price=order.price,
        trigger=order.trigger,
        trigger_by=port.TriggerBy(order.raw.get("trigger_by", port.TriggerBy.LAST)),
        reduce_only=order.reduce_only,
        attached_stop=_decimal(order.raw.get("attached_stop")),
        attached_target=_decimal(order.raw.get("attached_target")),
        beside=Beside(half.client_id, half.price) if half is not None and half.price is not None else None,
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def ref_of(order: Order) -> OrderRef:
    """The order's names at the venue; once it has triggered, those of what it became."""
    if order.is_attached or order.child_id:
        return OrderRef(order.symbol, "", order.child_id or order.exchange_id, is_conditional=not order.child_id)
    return OrderRef(order.symbol, order.client_id, order.exchange_id, is_conditional=order.trigger is not None)


def state_of(order: Order) -> OrderState:
    """What we know of an order without asking."""
    return OrderState(
        client_id=order.client_id,
        exchange_id=order.exchange_id,
        symbol=order.symbol,
        order_side=OrderSide(order.order_side),
        kind=OrderKind(order.kind),
        quantity=order.quantity,
        status=OrderStatus(order.status),
        filled=order.filled,
        price=order.price,
        trigger=order.trigger,
        reduce_only=order.reduce_only,
        time=to_ms(order.placed_at or order.created_at),
    )


def booked(fill: Fill, order: Order | None, trade: Trade) -> Booked:
    """A fill with its order's role; one that is not ours enters or leaves by its side."""
    core = port.Fill(
        fill_id=fill.fill_id,
        exchange_id=order.exchange_id if order else "",
        client_id=order.client_id if order else "",
        symbol=fill.symbol,
        order_side=OrderSide(fill.order_side),
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        liquidity=Liquidity(fill.liquidity),
        time=to_ms(fill.time),
        liquidation=fill.liquidation,
        withheld=fill.withheld,
    )
    if order is not None:
        return Booked(core, Role(order.role), order.leg, order.reason)
    return Booked(core, *_foreign_role(fill, trade))


def _foreign_role(fill: Fill, trade: Trade) -> tuple[Role, int]:
    leaves = (fill.order_side == OrderSide.SELL) == (trade.side == "long")
    return (Role.CLOSE, 0) if leaves else (Role.ENTRY, len(trade.quantities))


def declined(orders: Iterable[Order], instrument: Instrument) -> frozenset[tuple[Role, int]]:
    """Entry and target legs that a hand at the venue cancelled, or that the venue refused for good.

    A target that was refused for what its market was at that moment is asked for again when that has changed.

    Halves of pairs do not count: the venue ends one with the other, and a stop that a hand took away comes back.
    """
    return frozenset((Role(o.role), o.leg) for o in orders if was_declined(o) and not _fits_again(o, instrument))


def _fits_again(order: Order, instrument: Instrument) -> bool:
    """Of a target: refused while nothing was traded, or for figures that another tick or lot made wrong."""
    if order.role != Role.TAKE_PROFIT or order.status != OrderStatus.REJECTED:
        return False
    if order.raw.get(REFUSED_AS) == Refusal.INACTIVE:
        return instrument.active
    in_lots = instrument.round_quantity(order.quantity) == order.quantity
    return not (in_lots and (order.price is None or instrument.on_tick(order.price)))


def was_declined(order: Order) -> bool:
    """Whether it is such an order."""
    by_us = order.cancel_reason or order.is_attached or order.paired_with_id
    return order.role in (Role.ENTRY, Role.TAKE_PROFIT) and order.status in DECLINED and not by_us


def unpaired(orders: Iterable[Order]) -> frozenset[int]:
    """Target legs that the venue has refused beside a stop so often that asking again would only cost protection."""
    refused = [o for o in orders if o.paired_with_id and o.status == OrderStatus.REJECTED and not o.cancel_reason]
    times = Counter(order.leg for order in refused)
    return frozenset(leg for leg, count in times.items() if count >= PAIRS_REFUSED_AT_MOST)


def forgive_declined(trade: Trade) -> None:
    """A new plan asks for its legs anew, also those that a hand or the venue had taken back."""
    legs = Order.objects.filter(trade=trade, role__in=(Role.ENTRY, Role.TAKE_PROFIT), status__in=DECLINED)
    legs.filter(cancel_reason="").update(cancel_reason="the plan was amended")


def plan_of(trade: Trade) -> Plan:
    """The frozen plan of a trade: checked when it was written, read once.

    What is kept holds for its document alone: after a restored dump the same number may be another trade.
    """
    document, plan = _PLANS.get(trade.pk, (None, None))
    if plan is None or document != trade.plan:
        plan = read_plan(trade.plan, unbounded(trade.symbol), entered=True)
        if len(_PLANS) >= PLANS_KEPT:
            _PLANS.clear()
        _PLANS[trade.pk] = (deepcopy(trade.plan), plan)
    return plan


def unbounded(symbol: str) -> Instrument:
    """An instrument of which only the name is known; it rounds nothing."""
    return Instrument(symbol, base="", quote="", settle="", tick_size=ZERO, lot_size=ZERO)


def costs_of(account: Account) -> Costs:
    venue = VENUES.get(account.venue)
    withholds = venue is not None and venue.fee_in_coins
    return Costs(maker=account.maker_fee, taker=account.taker_fee, slippage=account.slippage, withholds=withholds)


def position_of(trade: Trade, instrument: Instrument, rows: Rows) -> Position:
    """The trade as facts, from its rows."""
    orders, fills, funding = rows.orders[trade.pk], rows.fills[trade.pk], rows.funding[trade.pk]
    by_id = {order.pk: order for order in orders}
    return Position(
        plan=plan_of(trade),
        instrument=instrument,
        quantities=tuple(Decimal(quantity) for quantity in trade.quantities),
        fills=tuple(booked(fill, by_id.get(fill.order_id or 0) or fill.order, trade) for fill in fills),
        costs=costs_of(trade.account),
        funding=funding,
        opened_time=to_ms(trade.asked_at or trade.created_at),
        memory=Memory.read(trade.memory),
        directives=Directives.read(trade.directives),
        declined=declined(orders, instrument),
        unpaired=unpaired(orders),
        first_stop=trade.first_stop,
    )

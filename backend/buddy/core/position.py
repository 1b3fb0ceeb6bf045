"""A position is derived from a plan and its fills; so are the orders that should be resting for it right now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import takewhile

from .costs import loss_at_stop
from .exchange import Exits, OrderKind, Role
from .holding import Booked, Cause, Directives, Market, Memory, Position, Withdrawal, exit_cause
from .market import ZERO
from .plan import Entry, EntryKind
from .spot import exit_wishes
from .stops import (
    StopLevel,
    even_price,
    level_of,
    observed,
    stop_level,
    target_done,
    target_split,
    time_is_up,
    unfilled,
    with_its_stop,
)
from .wishes import Wish, close_wish

__all__ = [
    "Booked",
    "Cause",
    "Directives",
    "Market",
    "Memory",
    "Position",
    "StopLevel",
    "Wish",
    "Withdrawal",
    "allocate",
    "close_wish",
    "desired_orders",
    "even_price",
    "exit_cause",
    "initial_risk",
    "level_of",
    "observed",
    "stop_level",
    "target_done",
    "target_split",
    "with_its_stop",
]

KINDS = {
    EntryKind.MARKET: OrderKind.MARKET,
    EntryKind.LIMIT: OrderKind.LIMIT,
    EntryKind.TRIGGER: OrderKind.STOP_MARKET,
    EntryKind.TRIGGER_LIMIT: OrderKind.STOP_LIMIT,
}


def desired_orders(position: Position, market: Market, held: Decimal, exits: Exits = Exits.REDUCE_ONLY) -> list[Wish]:
    """What should rest now, protection first. `held`: contracts the venue says are held for this trade.

    The same facts always give the same orders. While something is to be closed at market no targets are wished for, and
    the stop stays until nothing is held.
    """
    return wishes_of(observed(position, market), market, held, exits)


def wishes_of(position: Position, market: Market, held: Decimal, exits: Exits = Exits.REDUCE_ONLY) -> list[Wish]:
    """`desired_orders` of a position that has observed `market` already."""
    if exits.is_spot:
        return [*exit_wishes(position, market, held, exits), *entry_wishes(position)]
    wishes = list(_stop(position, market, held))
    closing = list(_close(position, market, held))
    return [*wishes, *(closing or _targets(position, held)), *entry_wishes(position)]


def allocate(total: Decimal, owned: Sequence[Decimal], sure: Sequence[Decimal] = ()) -> list[Decimal]:
    """Which part of the venue's position `total` belongs to each of several trades that believe they hold `owned`.

    What each is `sure` of comes first, then what may be theirs. What a hand has taken away is missed by the youngest
    (last) trades. What a hand has added belongs to the only trade there is, and to none of several.
    """
    if len(owned) == 1:
        return [total if owned[0] else ZERO]
    parts = [ZERO] * len(owned)
    for wanted in (sure, owned):
        for number, quantity in enumerate(wanted):
            part = max(min(quantity - parts[number], total), ZERO)
            parts[number] += part
            total -= part
    return parts


def initial_risk(position: Position) -> Decimal | None:
    """STATISTICS: the loss at the first stop, costs included, of what entered before the first exit; None without one.

    The entry fee is the one paid, the exit's a taker's, and slippage is allowed for at the stop.
    """
    exit_side = position.side.exit_order_side
    before = tuple(takewhile(lambda booked: booked.fill.order_side is not exit_side, position.fills))
    entered = replace(position, fills=before)
    average = entered.average_entry
    if average is None:
        return None
    stop, quantity = position.risk_stop, entered.entered
    loss = loss_at_stop(position.side, position.instrument, average, stop, quantity, position.costs, ZERO)
    return abs(loss.price_loss) + loss.exit_fee + loss.slippage + entered.fees


def _stop(position: Position, market: Market, held: Decimal) -> Iterator[Wish]:
    if held <= 0:
        return
    level, whole = level_of(position, market), position.to_leave_with(held)
    yield Wish(
        Role.STOP,
        0,
        position.side.exit_order_side,
        OrderKind.STOP_MARKET,
        whole,
        trigger=level.price,
        trigger_by=position.plan.trigger_by,
        reduce_only=True,
        reason=level.cause,
        spare=held - whole,
    )


def _close(position: Position, market: Market, held: Decimal) -> Iterator[Wish]:
    """What must leave at market: what the trader asked to close, or all of it when the time is up."""
    directives, whole = position.directives, position.to_leave_with(held)
    if held > 0 and time_is_up(position, market):
        yield close_wish(position, whole, Cause.TIME)
    elif directives.reduce_to is not None and held > directives.reduce_to:
        surplus = held - directives.reduce_to
        quantity = whole if directives.reduce_to <= 0 else position.instrument.round_quantity(surplus)
        if quantity:
            yield close_wish(position, quantity, directives.close_cause)


def _targets(position: Position, held: Decimal) -> Iterator[Wish]:
    """Each target with what is left of its part, never more together than is held."""
    room = held
    for leg, part in enumerate(target_split(position)):
        quantity = position.in_lots(min(part - position.filled(Role.TAKE_PROFIT, leg), room))
        if quantity <= 0 or (Role.TAKE_PROFIT, leg) in position.declined:
            continue
        room -= quantity
        wish = Wish(
            Role.TAKE_PROFIT,
            leg,
            position.side.exit_order_side,
            OrderKind.LIMIT,
            quantity,
            price=position.plan.take_profits[leg].price,
            reduce_only=True,
            reason=Cause.TAKE_PROFIT,
        )
        yield _on_tick(position, wish)


def entry_wishes(position: Position) -> Iterator[Wish]:
    """The legs that are not filled yet, unless the entry was withdrawn."""
    if position.memory.withdrawn is not None:
        return
    for leg, entry in enumerate(position.plan.entries):
        quantity = unfilled(position, leg)
        if quantity and (Role.ENTRY, leg) not in position.declined:
            yield _entry(position, leg, entry, quantity)


def _entry(position: Position, leg: int, entry: Entry, quantity: Decimal) -> Wish:
    whole = position.in_lots(quantity)
    wish = Wish(
        Role.ENTRY,
        leg,
        position.side.entry_order_side,
        KINDS[entry.kind],
        whole,
        price=entry.price,
        trigger=entry.trigger,
        reason=Cause.ENTRY,
        spare=quantity - whole,
    )
    return _on_tick(position, wish)


def _on_tick(position: Position, wish: Wish) -> Wish:
    """Where the tick has become coarser since the plan was made, the nearest prices that are no worse."""
    planned = (wish.price, wish.trigger)
    price, trigger = (None if each is None else position.on_tick(each) for each in planned)
    return wish if (price, trigger) == planned else wish._replace(price=price, trigger=trigger, planned=planned)

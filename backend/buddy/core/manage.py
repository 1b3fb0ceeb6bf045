"""One step of management: the orders that should rest, minus those that do, gives what to place and what to cancel.

The same step runs live, on paper and in a backtest. It is pure; `carry_out` is the only part that touches a desk.

Order of actions, protection first: a moved stop is placed before the old one is cancelled, and the old one goes only
when the new one is seen resting; targets are cancelled before smaller ones are placed and before anything leaves at
market; entries come after the exits; when nothing is held the stop goes last. Where a resting sale locks what it sells
that cannot be: see `swapping`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from .actions import Action, Cancel, Desk, Failure, Place, Swap, Working, carry_out
from .exchange import Exits, OrderKind, Role, TriggerBy
from .market import ZERO, OrderSide
from .position import Market, Position, Wish, close_wish, entry_wishes, level_of, observed, wishes_of
from .swapping import is_passed, sales

__all__ = [
    "Action",
    "Cancel",
    "Desk",
    "Failure",
    "Place",
    "Swap",
    "Working",
    "actions_of",
    "carry_out",
    "step",
]

AS_TRIGGERED = {OrderKind.STOP_MARKET: OrderKind.MARKET, OrderKind.STOP_LIMIT: OrderKind.LIMIT}
"""What a triggered order becomes once its trigger has traded."""

ROLES = tuple(Role)
Order = TypeVar("Order", Wish, Working)
Wished = Mapping[Role, Sequence[Wish]]
Ours = Mapping[Role, Sequence[Working]]


def step(
    position: Position,
    working: Sequence[Working],
    market: Market,
    held: Decimal,
    exits: Exits = Exits.REDUCE_ONLY,
) -> list[Action]:
    """What to do now; nothing when all is as it should be. `held`: contracts the venue says are held for this trade.

    `exits` is the venue's (`Profile.exits`).
    """
    return actions_of(observed(position, market), working, market, held, exits)


def actions_of(
    position: Position,
    working: Sequence[Working],
    market: Market,
    held: Decimal,
    exits: Exits = Exits.REDUCE_ONLY,
) -> list[Action]:
    """`step` for a position that has observed `market` already."""
    if exits.is_spot:
        return _with_coins(position, working, market, held, exits)
    wished, ours = _by_role(wishes_of(position, market, held)), _by_role(working)
    if held > 0 and _stop_is_passed(position, ours[Role.STOP], market):
        close = close_wish(position, position.to_leave_with(held), level_of(position, market).cause)
        wished = _by_role([close, *wished[Role.ENTRY]])
        return [*_entries(wished, ours, market, placing=False), *_exits(wished, ours, held)]
    return [
        *_stop(wished[Role.STOP], ours[Role.STOP]),
        *_exits(wished, ours, held),
        *_entries(wished, ours, market),
        *_last_stop(ours[Role.STOP], held),
    ]


def _with_coins(
    position: Position, working: Sequence[Working], market: Market, held: Decimal, exits: Exits
) -> list[Action]:
    """The same where a resting sale locks what it sells."""
    wished, ours = _by_role(entry_wishes(position)), _by_role(working)
    leaving, passed = sales(position, working, market, held, exits), is_passed(position, market, held)
    return [*leaving, *_entries(wished, ours, market, placing=not passed)]


def _by_role(items: Iterable[Order]) -> dict[Role, list[Order]]:
    by_role: dict[Role, list[Order]] = {role: [] for role in ROLES}
    for each in items:
        by_role[each.role].append(each)
    return by_role


def _stop_is_passed(position: Position, stops: Sequence[Working], market: Market) -> bool:
    """Whether the price is already beyond a stop that does not rest yet: then that is the stop."""
    price = market.mark if position.plan.trigger_by is TriggerBy.MARK else market.last
    level = level_of(position, market).price
    resting = any(w.trigger == level for w in stops)
    return not resting and not position.side.better(price, level)


def _stop(wished: Sequence[Wish], stops: Sequence[Working]) -> Iterator[Action]:
    """The new stop first; the old one only when the new one is seen resting."""
    for wish in wished:
        right = [w for w in stops if w.satisfies(wish)]
        kept = next((w for w in right if w.status.is_resting), None)
        if not right:
            yield Place(wish)
        elif kept is not None:
            yield from (Cancel(w, "replaced") for w in stops if w is not kept)


def _last_stop(stops: Sequence[Working], held: Decimal) -> Iterator[Action]:
    if held <= 0:
        yield from (Cancel(w, "nothing held") for w in stops)


def _exits(wishes: Wished, ours: Ours, held: Decimal) -> Iterator[Action]:
    """Closing at market, or the targets; what is no longer wished for is cancelled first."""
    targets, wished = ours[Role.TAKE_PROFIT], wishes[Role.TAKE_PROFIT]
    yield from (Cancel(w, "no longer wanted") for w in _unwanted(targets, wished))
    in_flight = sum([w.remaining for w in ours[Role.CLOSE]], ZERO)
    for close in wishes[Role.CLOSE]:
        if close.quantity > in_flight:
            yield Place(close._replace(quantity=close.quantity - in_flight))
    room = held - in_flight - sum([w.remaining for w in targets], ZERO)
    for wish in wished:
        if any(w.satisfies(wish) for w in targets):
            continue
        if wish.quantity > room:
            return  # a nearer target is never overtaken by a further one
        room -= wish.quantity
        yield Place(wish)


def _entries(wishes: Wished, ours: Ours, market: Market, *, placing: bool = True) -> Iterator[Action]:
    """A leg is placed again only when nothing of it may rest any more."""
    entries, wished = ours[Role.ENTRY], wishes[Role.ENTRY]
    yield from (Cancel(w, "entry withdrawn" if not wished else "entry changed") for w in _unwanted(entries, wished))
    for wish in wished:
        if placing and not any(w.leg == wish.leg for w in entries):
            yield Place(_as_triggered(wish, market.last))


def _unwanted(working: Sequence[Working], wished: Sequence[Wish]) -> list[Working]:
    """Orders that no wish asks for, and all but the first of those that the same wish asks for."""
    spare, unwanted = list(wished), []
    for order in working:
        match = next((w for w in spare if order.satisfies(w)), None)
        if match is None:
            unwanted.append(order)
        else:
            spare.remove(match)
    return unwanted


def _as_triggered(wish: Wish, last: Decimal) -> Wish:
    """An entry whose trigger the price has already passed goes in as what it becomes then."""
    if wish.trigger is None:
        return wish
    passed = last >= wish.trigger if wish.order_side is OrderSide.BUY else last <= wish.trigger
    if not passed:
        return wish
    planned = None if wish.planned is None else (wish.planned[0], None)
    return wish._replace(kind=AS_TRIGGERED[wish.kind], trigger=None, planned=planned)

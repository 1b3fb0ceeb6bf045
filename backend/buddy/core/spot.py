"""What should rest for coins that are owned: sales lock them, so they are cut into slices that never overlap.

`Exits.PAIRED`: each part that a target takes is a stop with the target's limit beside it, of which one executes.
`Exits.SINGLE`: one stop for all. At both a target that the price has reached is sold by a limit at its price alone.
Coins too few to be sold are dust: nothing is wished for them, and a trade ends with them left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from .exchange import Exits, OrderKind, Role
from .holding import Cause, Market, Position
from .market import ZERO, Instrument, sellable
from .stops import StopLevel, entry_is_open, level_of, target_parts, time_is_up
from .wishes import Wish, close_wish

__all__ = ["exit_wishes", "left_to_sell", "sellable"]

NO_TARGET = -1
"""The leg of what no target takes; the stop of target n has leg n + 1, so that this one's has leg 0."""
Resting = Mapping[tuple[Role, int], Decimal]
"""By role and leg: what our sales that rest have still to sell."""


class Slice(NamedTuple):
    """Coins that are sold together: at the target of `leg`, or by the stop before that."""

    leg: int
    quantity: Decimal
    price: Decimal
    """At which it is sold in the worse case: the stop, or of a target that is reached its limit."""
    limit: Decimal | None = None
    is_reached: bool = False

    @property
    def key(self) -> tuple[Role, int]:
        """Role and leg of its order."""
        return (Role.TAKE_PROFIT, self.leg) if self.is_reached else (Role.STOP, self.leg + 1)


def left_to_sell(instrument: Instrument, held: Decimal, resting: Decimal, price: Decimal) -> Decimal:
    """Of the coins `held` for a trade those that are not dust at `price` (the last).

    However few they are, those that our `resting` sales have still to sell are not.
    """
    return sellable(instrument, held, price) or max(min(instrument.round_quantity(held), resting), ZERO)


def exit_wishes(
    position: Position, market: Market, held: Decimal, exits: Exits, resting: Resting | None = None
) -> list[Wish]:
    """How the coins `held` for a trade should leave, protection first. `position` has observed `market`.

    What of them is `resting` is not too small to rest.
    """
    whole = position.instrument.round_quantity(held)
    if whole <= 0:
        return []
    level = level_of(position, market)
    closing = _closing(position, market, whole, level)
    quantity = ZERO if closing is None else closing.quantity
    slices = _slices(position, market, whole - quantity, quantity, level, exits)
    wishes = [_wish(position, each, level) for each in _whole(position.instrument, slices, resting or {})]
    if closing is None and not wishes:
        closing = _unprotectable(position, market, whole)
    return wishes if closing is None else [*wishes, closing]


def _closing(position: Position, market: Market, whole: Decimal, level: StopLevel) -> Wish | None:
    """What must leave at market: what the trader asked to close, or all of it when the time is up.

    All of it, too, where what would stay could not be protected.
    """
    instrument, directives = position.instrument, position.directives
    if time_is_up(position, market):
        quantity, cause = whole, Cause.TIME
    elif directives.reduce_to is not None and whole > directives.reduce_to:
        quantity, cause = _surplus(position, whole, max(directives.reduce_to, ZERO)), directives.close_cause
        if not sellable(instrument, whole - quantity, level.price):
            quantity = whole
    else:
        return None
    return close_wish(position, quantity, cause) if sellable(instrument, quantity, market.last) else None


def _surplus(position: Position, whole: Decimal, kept: Decimal) -> Decimal:
    """What has to leave for `kept` to stay: parts of a lot stay with it."""
    held, instrument = position.held, position.instrument
    return instrument.round_quantity((held if instrument.round_quantity(held) == whole else whole) - kept)


def _unprotectable(position: Position, market: Market, whole: Decimal) -> Wish | None:
    """Coins that can be sold now but not at the stop any more leave now, unless more of them may come."""
    if entry_is_open(position) or not sellable(position.instrument, whole, market.last):
        return None
    return close_wish(position, whole, Cause.UNPROTECTED)


def _slices(
    position: Position, market: Market, held: Decimal, leaving: Decimal, level: StopLevel, exits: Exits
) -> Iterator[Slice]:
    """In the order of the targets; what no target takes is the last."""
    room = held
    for leg, part in enumerate(target_parts(position, leaving)):
        quantity = min(part - position.filled(Role.TAKE_PROFIT, leg), room)
        limit = position.on_tick(position.plan.take_profits[leg].price)
        is_reached = market.last >= limit
        if quantity <= 0 or (Role.TAKE_PROFIT, leg) in position.declined:
            continue
        if is_reached or (exits is Exits.PAIRED and leg not in position.unpaired):
            room -= quantity
            yield Slice(leg, quantity, limit if is_reached else level.price, limit, is_reached)
    if room > 0:
        yield Slice(NO_TARGET, room, level.price)


def _whole(instrument: Instrument, slices: Iterable[Slice], resting: Resting) -> list[Slice]:
    """Slices too small to be sold joined with the next, or at the end with the last; none when all are dust."""
    found: list[Slice] = []
    carried = ZERO
    for each in slices:
        whole = each._replace(quantity=each.quantity + carried)
        if sellable(instrument, whole.quantity, whole.price) or whole.quantity <= resting.get(whole.key, ZERO):
            found.append(whole)
            carried = ZERO
        else:
            carried = whole.quantity
    if carried and found:
        found[-1] = found[-1]._replace(quantity=found[-1].quantity + carried)
    return sorted(found, key=lambda each: each.is_reached)


def _wish(position: Position, each: Slice, level: StopLevel) -> Wish:
    role, leg = each.key
    side = position.side.exit_order_side
    if each.is_reached:
        return Wish(role, leg, side, OrderKind.LIMIT, each.quantity, price=each.limit, reason=Cause.TAKE_PROFIT)
    return plain_stop(position, each.quantity, level)._replace(leg=leg, beside=each.limit)


def plain_stop(position: Position, quantity: Decimal, level: StopLevel) -> Wish:
    """A stop of coins that no target takes."""
    side, kind = position.side.exit_order_side, OrderKind.STOP_MARKET
    return Wish(Role.STOP, 0, side, kind, quantity, trigger=level.price, reason=level.cause)

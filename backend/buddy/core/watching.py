"""At which prices and times management must react, so that a market that is played back stops there.

Orders need no watching: the exchange itself stops at each execution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from .exchange import Exits, Role
from .holding import Market, Position
from .market import TIMEFRAMES, ZERO, Side
from .plan import After
from .stops import cancel_levels, entry_is_open, expiry, favourable_level, minutes, reached, target_split, waiting_for

BASE = TIMEFRAMES["1m"]


class Watch(NamedTuple):
    """Stand still at these prices (traded) and times (milliseconds).

    `follow` holds sides and their best price so far: stand still, too, where the price turns after a better one. At the
    `deadlines` among the times something is withdrawn or closed, whatever the price does then.
    """

    levels: frozenset[Decimal] = frozenset()
    times: frozenset[int] = frozenset()
    follow: frozenset[tuple[Side, Decimal]] = frozenset()
    deadlines: frozenset[int] = frozenset()

    def merged(self, other: Watch) -> Watch:
        levels, times = self.levels | other.levels, self.times | other.times
        return Watch(levels, times, self.follow | other.follow, self.deadlines | other.deadlines)

    def with_time(self, time: int) -> Watch:
        return self._replace(times=self.times | {time})

    def without_times(self, times: set[int]) -> Watch:
        return self._replace(times=self.times - times, deadlines=self.deadlines - times) if times else self


def interest(position: Position, market: Market, *, base: int = BASE, exits: Exits = Exits.REDUCE_ONLY) -> Watch:
    """What the rules of this trade wait for. `position` has observed `market`.

    `base`: length of the base candle; 0 when whoever plays the market looks by itself whenever a candle has closed.
    `exits`: how what is held leaves at the venue.
    """
    waiting = _waiting(position, market) if position.held else []
    levels = [*_entry_levels(position), *_rule_levels(position, waiting)]
    if exits.is_spot:
        levels += _target_levels(position, exits)
    deadlines = frozenset(time for time in _deadlines(position) if time > market.time)
    times = deadlines.union(time for time in _times(position, market, waiting, base) if time > market.time)
    return Watch(frozenset(levels), times, frozenset(_followed(position, market)), deadlines)


def merge(watches: Iterable[Watch]) -> Watch:
    """What several trades on one symbol wait for together."""
    whole = Watch()
    for watch in watches:
        whole = whole.merged(watch)
    return whole


def _entry_levels(position: Position) -> Iterator[Decimal]:
    if entry_is_open(position):
        for levels in cancel_levels(position):
            yield from levels


def _waiting(position: Position, market: Market) -> list[After]:
    """Conditions of the stop rules that have not come yet."""
    even, trail = position.plan.rules.break_even, position.plan.rules.trail
    conditions = [even.after if even else None, trail.after if trail else None]
    return [after for after in conditions if after is not None and not reached(after, position, market)]


def _rule_levels(position: Position, waiting: Iterable[After]) -> Iterator[Decimal]:
    """The first price on the tick at which a condition is met."""
    for after in waiting:
        level = favourable_level(after, position)
        if level is not None and level > 0:
            yield position.instrument.round_stop(position.side, level)


def _target_levels(position: Position, exits: Exits) -> Iterator[Decimal]:
    """Where a target is sold by hand of management, and where what was left of it is protected again."""
    for leg, part in enumerate(target_split(position) if position.held else ()):
        filled, price = position.filled(Role.TAKE_PROFIT, leg), position.plan.take_profits[leg].price
        if filled < part and exits is Exits.SINGLE:
            yield price
        if ZERO < filled < part:
            yield price - position.instrument.tick_size


def _deadlines(position: Position) -> Iterator[int]:
    start, close = position.first_fill_time, position.plan.rules.close_after_minutes
    expires = position.plan.cancel.after_minutes
    if expires is not None and entry_is_open(position):
        yield expiry(position, expires)
    if start is not None and close is not None and position.held:
        yield start + minutes(close)


def _times(position: Position, market: Market, waiting: Iterable[After], base: int) -> Iterator[int]:
    start = position.first_fill_time
    if start is None or not position.held:
        return
    for after in waiting:
        if after.minutes is not None:
            yield start + minutes(after.minutes)
    trail = position.plan.rules.trail
    length = TIMEFRAMES[trail.timeframe] if base and trail is not None and trail.timeframe else base
    if trail is not None and trail.percent is None and length:
        yield market.time - market.time % length + length


def _followed(position: Position, market: Market) -> Iterator[tuple[Side, Decimal]]:
    """The side whose stop follows each new best price with the best so far, or waits for a better one than its own."""
    trail, best = position.plan.rules.trail, position.memory.best
    if not position.held:
        return
    yield from ((position.side, price) for price in waiting_for(position, market))
    if trail is None or trail.candles is not None or best is None:
        return
    if trail.after is None or reached(trail.after, position, market):
        yield position.side, best

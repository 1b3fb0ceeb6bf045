"""Where the stop belongs now, and when the entry is to be taken back: the rules of a plan applied to its facts.

Level-triggered: nothing here knows what was done before, except that a stop once tight is never loosened again and that
a withdrawn entry stays withdrawn (`Memory`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from .costs import break_even_price, target_quantities
from .exchange import Role, TriggerBy
from .holding import Cause, Market, Memory, Position, Withdrawal
from .indicators import atr
from .market import ZERO, Candle, Side, least_sellable, sellable
from .plan import After, BreakEven, Cover, Trail

MINUTE = 60_000
HUNDRED = Decimal(100)


class StopLevel(NamedTuple):
    """A price in quote currency and the rule that put it there."""

    price: Decimal
    cause: Cause


def observed(position: Position, market: Market) -> Position:
    """The same trade, having seen `market`; seeing it twice changes nothing.

    On the first look, and at the first fill, what traded before does not count.
    """
    memory = position.memory
    if not memory.since:
        market = market._replace(low=None, high=None)
        memory = memory._replace(since=market.time)
    if position.entered:
        memory = _extremes(position, memory, market)
    position = position.with_memory(memory)
    if memory.withdrawn is None and (withdrawn := _withdrawal(position, market)):
        memory = memory._replace(withdrawn=withdrawn)
    position = position.with_memory(memory)
    return with_its_stop(position, market) if position.held else position


def with_its_stop(position: Position, market: Market) -> Position:
    """The same trade, held if only by the venue's word: it remembers where its stop belongs, which is never loosened.

    Without executions its price is known, but the tick it was put on may be another by the time they are told.
    """
    memory, level = position.memory, stop_level(position, market)
    if level == (memory.tightest_stop, memory.stop_cause):
        return position
    return position.with_memory(memory._replace(tightest_stop=level.price, stop_cause=level.cause))


def stop_level(position: Position, market: Market) -> StopLevel:
    """The tightest stop that any rule asks for, on the tick of now, rounded towards profit."""
    side, memory = position.side, position.memory
    level = StopLevel(position.plan.stop_price, Cause.STOP_LOSS)
    if memory.tightest_stop is not None and not side.better(level.price, memory.tightest_stop):
        level = StopLevel(memory.tightest_stop, memory.stop_cause)
    if not position.instrument.on_tick(level.price):  # the tick has become coarser since
        level = level._replace(price=position.instrument.round_stop(side, level.price))
    for price, cause, after in _asked(position, market):
        rounded = position.instrument.round_stop(side, price)
        if rounded > ZERO and side.better(rounded, level.price) and not _must_wait(position, market, after, rounded):
            level = StopLevel(rounded, cause)
    return level


def level_of(position: Position, market: Market) -> StopLevel:
    """Where the stop of a position belongs that has observed `market` already."""
    memory = position.memory
    if position.held and memory.tightest_stop is not None:
        return StopLevel(memory.tightest_stop, memory.stop_cause)
    return stop_level(position, market)


def waiting_for(position: Position, market: Market) -> list[Decimal]:
    """Stops whose time has come while the price is on their wrong side: they wait for a better price than these."""
    rounded = [
        (position.instrument.round_stop(position.side, price), after) for price, _, after in _asked(position, market)
    ]
    return [price for price, after in rounded if price > ZERO and _must_wait(position, market, after, price)]


def _must_wait(position: Position, market: Market, after: After | None, price: Decimal) -> bool:
    """A rule of time alone closes nothing: its stop waits until the price is on its right side.

    All other rules begin at a good price, so that for them a price beyond the stop means the stop was passed.
    """
    if after is None or after.minutes is None:
        return False
    here = market.mark if position.plan.trigger_by is TriggerBy.MARK else market.last
    return not position.side.better(here, price)


def target_split(position: Position) -> tuple[Decimal, ...]:
    """Contracts per target of what has entered and left no other way; a part under the minimum joins the next."""
    tally, plan, instrument = position.tally, position.plan, position.instrument
    if tally.split is None or tally.split[0] is not plan or tally.split[1] is not instrument:
        tally.split = (plan, instrument, _split(position))
    return tally.split[2]


def target_parts(position: Position, leaving: Decimal) -> tuple[Decimal, ...]:
    """`target_split` once `leaving` will have left another way."""
    return _split(position, leaving) if leaving else target_split(position)


def _split(position: Position, leaving: Decimal = ZERO) -> tuple[Decimal, ...]:
    instrument = position.instrument
    by_other_ways = position.exited - position.filled_at_targets + leaving
    total = max(position.entered - by_other_ways, ZERO)
    total = position.in_lots(total)
    shares = [target.share for target in position.plan.take_profits]
    if not shares or not total:
        return (ZERO,) * len(shares)
    minimum = _least_part(position) if instrument.spot else instrument.min_quantity
    return _joined(target_quantities(instrument, total, shares), minimum)


def _least_part(position: Position) -> Decimal:
    """The fewest coins that can be an order of their own where the stop has to sell them, at its lowest."""
    return least_sellable(position.instrument, min(position.risk_stop, position.plan.stop_price))


def target_done(position: Position, number: int) -> bool:
    """Whether target `number` (from 1) is filled, whole; one that joined the next is done with that."""
    split = target_split(position)
    for leg in range(number - 1, len(split)):
        if split[leg]:
            filled = position.filled(Role.TAKE_PROFIT, leg)
            return filled >= split[leg] or _is_all_but_dust(position, leg, split[leg])
    return any(role is Role.TAKE_PROFIT and leg >= number - 1 for role, leg in position.tally.filled)


def _is_all_but_dust(position: Position, leg: int, part: Decimal) -> bool:
    """Whether what a target has left to sell cannot be sold by itself: that does not keep it from being done."""
    filled = position.filled(Role.TAKE_PROFIT, leg)
    if not position.instrument.spot:
        return filled > 0 and not position.instrument.round_quantity(part - filled)
    return filled > 0 and not sellable(position.instrument, part - filled, position.plan.take_profits[leg].price)


def reached(after: After, position: Position, market: Market) -> bool:
    """Whether the moment `after` speaks of has come."""
    if after.take_profit is not None:
        return target_done(position, after.take_profit)
    if after.minutes is not None:
        start = position.first_fill_time
        return start is not None and market.time >= start + minutes(after.minutes)
    level, reach = favourable_level(after, position), position.memory.reach
    return level is not None and reach is not None and not position.side.better(level, reach)


def favourable_level(after: After, position: Position) -> Decimal | None:
    """The price at which `after` (R or percent) is reached; None for other kinds or before the first fill."""
    average = position.average_entry
    if average is None:
        return None
    if after.r is not None:
        return average + position.side.sign * after.r * abs(average - position.risk_stop)
    if after.percent is not None:
        return average * (1 + position.side.sign * after.percent / HUNDRED)
    return None


def time_is_up(position: Position, market: Market) -> bool:
    """Whether `close_after_minutes` have passed since the first fill."""
    limit, start = position.plan.rules.close_after_minutes, position.first_fill_time
    return limit is not None and start is not None and market.time >= start + minutes(limit)


def minutes(count: Decimal) -> int:
    """Milliseconds in `count` minutes."""
    return int(count * MINUTE)


def _asked(position: Position, market: Market) -> Iterator[tuple[Decimal, Cause, After | None]]:
    """What each rule that is in force asks for, before rounding, and when the rule begins."""
    directives, rules = position.directives, position.plan.rules
    even, trail = rules.break_even, rules.trail
    if directives.stop_at is not None:
        yield directives.stop_at, directives.stop_cause, None
    if even is not None and reached(even.after, position, market):
        yield even_price(position, even), Cause.BREAK_EVEN, even.after
    if rules.step:
        yield from ((price, Cause.STEP, None) for price in _steps(position))
    if trail is not None and (trailed := _trailed(trail, position, market)) is not None:
        yield trailed, Cause.TRAILING_STOP, trail.after


def even_price(position: Position, rule: BreakEven | None = None) -> Decimal:
    """Where closing all that is held earns back its own entry fee, the exit fee and all funding paid so far.

    Before slippage and gaps. The bare average entry when the rule covers only the entry.
    """
    average = position.average_entry or ZERO
    if rule is not None and rule.cover is Cover.ENTRY:
        return average
    held, entered = position.held, position.entered
    return break_even_price(
        position.side,
        position.instrument,
        average_entry=average,
        fees_paid=position.entries.fees * held / entered,
        funding_paid=max(-position.funding, ZERO),
        quantity=held,
        taker=position.costs.taker,
    )


def _steps(position: Position) -> Iterator[Decimal]:
    """The price of the target before the furthest that is done."""
    targets = position.plan.take_profits
    for number in range(len(targets), 1, -1):
        if target_done(position, number):
            yield targets[number - 2].price
            return


def _trailed(trail: Trail, position: Position, market: Market) -> Decimal | None:
    """The trailing stop, once it is in force and known."""
    if trail.after is not None and not reached(trail.after, position, market):
        return None
    average = market.atr if market.atr is not None or trail.atr is None else atr(market.candles)
    return trailed(trail, position, market.candles, average)


def trailed(trail: Trail, position: Position, candles: Sequence[Candle], average: Decimal | None) -> Decimal | None:
    """Where a trail that is in force puts the stop; None while it cannot know."""
    best, sign = position.memory.best, position.side.sign
    if best is None:
        return None
    if trail.percent is not None:
        return best * (1 - sign * trail.percent / HUNDRED)
    if trail.atr is not None:
        return None if average is None else best - sign * trail.atr * average
    count = trail.candles or 1
    if len(candles) < count:
        return None
    last = candles[-count:]
    return min(c.low for c in last) if position.side is Side.LONG else max(c.high for c in last)


def _extremes(position: Position, memory: Memory, market: Market) -> Memory:
    """Best and worst price since the first fill, each with its time, and the best since the last entry."""
    side, entered = position.side, position.entered
    long = side is Side.LONG
    last, time = market.last, market.time
    if memory.best is None or memory.worst is None:
        return memory._replace(best=last, best_time=time, worst=last, worst_time=time, entered=entered, reach=last)
    best, worst = (market.highest, market.lowest) if long else (market.lowest, market.highest)
    if side.better(best, memory.best):
        memory = memory._replace(best=best, best_time=market.time)
    if side.better(memory.worst or worst, worst):
        memory = memory._replace(worst=worst, worst_time=market.time)
    if memory.entered != entered or memory.reach is None:
        return memory._replace(entered=entered, reach=market.last)
    return memory._replace(reach=best) if side.better(best, memory.reach) else memory


def _withdrawal(position: Position, market: Market) -> Withdrawal | None:
    """Why what is unfilled of the entry must be taken back, if it must."""
    if all(position.filled(Role.ENTRY, leg) >= quantity for leg, quantity in enumerate(position.quantities)):
        return None
    return _asked_back(position) or _left_already(position) or _out_of_date(position, market) or _ran(position, market)


def _asked_back(position: Position) -> Withdrawal | None:
    directives = position.directives
    return Withdrawal.MANUAL if directives.reduce_to is not None else directives.withdraw_entry


def _left_already(position: Position) -> Withdrawal | None:
    """Nothing enters any more once something has left: at a target the idea is done, at the stop it is broken."""
    exits = [b for b in position.fills if b.fill.order_side is position.side.exit_order_side]
    if not exits:
        return None
    at_target = any(b.role is Role.TAKE_PROFIT for b in exits)
    return Withdrawal.MISSED if at_target else Withdrawal.INVALIDATED


def _out_of_date(position: Position, market: Market) -> Withdrawal | None:
    limit = position.plan.cancel.after_minutes
    if time_is_up(position, market):
        return Withdrawal.EXPIRED
    return Withdrawal.EXPIRED if limit is not None and market.time >= expiry(position, limit) else None


def _ran(position: Position, market: Market) -> Withdrawal | None:
    """A price of the cancel rules has traded: with us is missed, against us invalidated."""
    with_us, against_us = cancel_levels(position)
    long = position.side is Side.LONG
    best, worst = (market.highest, market.lowest) if long else (market.lowest, market.highest)
    if any(not position.side.better(level, best) for level in with_us):
        return Withdrawal.MISSED
    if any(not position.side.better(worst, level) for level in against_us):
        return Withdrawal.INVALIDATED
    return None


def entry_is_open(position: Position) -> bool:
    """Whether anything of the entry may still fill."""
    if position.memory.withdrawn is not None:
        return False
    return any(
        (Role.ENTRY, leg) not in position.declined and unfilled(position, leg)
        for leg in range(len(position.quantities))
    )


def unfilled(position: Position, leg: int) -> Decimal:
    """Contracts of an entry that may still fill: a rest that is less than a lot of now cannot."""
    left = position.quantities[leg] - position.filled(Role.ENTRY, leg)
    return left if left > 0 and position.instrument.round_quantity(left) else ZERO


def cancel_levels(position: Position) -> tuple[list[Decimal], list[Decimal]]:
    """The prices that withdraw the entry: those in the direction of the trade, and those against it."""
    cancel, long = position.plan.cancel, position.side is Side.LONG
    above = [cancel.above] if cancel.above is not None else []
    below = [cancel.below] if cancel.below is not None else []
    with_us, against_us = (above, below) if long else (below, above)
    if cancel.at_take_profit is not None:
        with_us = [*with_us, position.plan.take_profits[cancel.at_take_profit - 1].price]
    return with_us, against_us


def expiry(position: Position, limit: Decimal) -> int:
    """When the entry is withdrawn after `limit` minutes."""
    return (position.opened_time or position.memory.since) + minutes(limit)


def _joined(quantities: tuple[Decimal, ...], minimum: Decimal) -> tuple[Decimal, ...]:
    """Parts under `minimum` carried to the next; what is left under it at the end joins the last part there is."""
    parts: list[Decimal] = []
    carried = ZERO
    for quantity in quantities:
        whole = quantity + carried
        small = whole < minimum
        parts.append(ZERO if small else whole)
        carried = whole if small else ZERO
    if carried:
        last = max((i for i, part in enumerate(parts) if part), default=len(parts) - 1)
        parts[last] += carried
    return tuple(parts)

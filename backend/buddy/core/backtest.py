"""A plan over recorded candles, with the same management as live and paper: what would this have done?

In which order a candle visited its extremes is decided after the manager's reactions: both orders are played on twins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from functools import cached_property
from itertools import pairwise

from .closed_candles import ClosedCandles
from .costs import PRECISE, Costs
from .errors import InvalidPlan
from .exchange import Exits
from .holding import Market, Position
from .intrabar import Intrabar
from .market import Candle, Instrument, Side
from .plan import MarginMode, Plan
from .series import Series
from .simulated_market import Opening, extremes
from .simulated_trade import SimulatedTrade
from .simulator import SimulatedExchange
from .sizing import Fit, fit
from .stops import reached, trailed
from .ticket import Ticket, legs_of

UNLIMITED = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class Played:
    """A finished rehearsal. `ambiguous`: candles in which the order of the extremes changed what executed.

    `ended`: the number of the candle after which there was nothing left to do.
    """

    position: Position
    ambiguous: int
    ended: int


@dataclass(frozen=True)
class Terms:
    """`venue` is whether the instrument's own rules of leverage and liquidation are known and hold.

    `exits` is the venue's (`Profile.exits`); None: what any venue can do with such an instrument.
    """

    instrument: Instrument
    costs: Costs
    equity: Decimal
    intrabar: Intrabar = Intrabar.PESSIMISTIC
    venue: bool = True
    exits: Exits | None = None

    @cached_property
    def traded(self) -> Instrument:
        """The instrument with the rules that hold."""
        return self.instrument if self.venue else replace(self.instrument, max_leverage=UNLIMITED)

    @property
    def way_out(self) -> Exits:
        if self.exits is not None:
            return self.exits
        return Exits.SINGLE if self.instrument.spot else Exits.REDUCE_ONLY


def rehearse(
    plan: Plan,
    candles: Sequence[Candle] | Series,
    terms: Terms,
    *,
    finer: Sequence[Candle] = (),
    begin: int = 0,
) -> Played:
    """Play `plan` from the open of candle `begin` on; `finer` candles are walked instead of those they cover.

    Raises InvalidPlan when the plan cannot be sized.
    """
    series = candles if isinstance(candles, Series) else Series(candles)
    with localcontext(PRECISE):
        rehearsal = Rehearsal(opened(plan, series.candles[begin], terms), terms.intrabar)
        ended = rehearsal.walk_all(series, finer) if finer else rehearsal.leap_through(series, begin)
        return Played(rehearsal.trade.position, rehearsal.ambiguous, ended)


def fitted(plan: Plan, price: Decimal, terms: Terms) -> Fit:
    """The trade sized when a market entry fills at `price`; InvalidPlan with all that forbids it."""
    legs = legs_of(plan, terms.costs, price)
    found = fit(Ticket(plan, terms.traded, terms.costs, legs, terms.equity, terms.equity, None))
    if found.faults:
        raise InvalidPlan(found.faults)
    return found


def opened(plan: Plan, first: Candle, terms: Terms) -> SimulatedTrade:
    """The trade, wished for at the open of the first candle."""
    instrument = terms.traded
    if not terms.venue:
        plan = replace(plan, leverage=None, margin_mode=MarginMode.CROSS)
    found = fitted(plan, first.open, terms)
    exchange = SimulatedExchange(
        {plan.symbol: instrument},
        wallet=terms.equity,
        costs=terms.costs,
        checks_margin=False,
        liquidates=terms.venue,
        exits=terms.way_out,
        withholds=terms.costs.withholds,
    )
    exchange.set_up(plan.symbol, found.leverage, plan.margin_mode.value)
    position = Position(plan, instrument, found.quantities, costs=terms.costs, opened_time=first.time)
    return SimulatedTrade(exchange, position)


class Rehearsal:
    """One trade walking through candles."""

    def __init__(self, trade: SimulatedTrade, intrabar: Intrabar = Intrabar.PESSIMISTIC) -> None:
        self.trade = trade
        self.intrabar = intrabar
        self.ambiguous = 0
        self._closed = ClosedCandles(trade.position.plan.rules.trail)
        self._begun = False
        self._shown = 0

    def walk_all(self, series: Series, finer: Sequence[Candle] = (), begin: int = 0) -> int:
        """Every candle, one by one; the number of the last."""
        for number, (candle, parts) in enumerate(_parted(series.candles[begin:], finer), begin):
            for part in parts:
                self.walk(part)
            self.close(candle)
            if self.trade.is_over:
                return number
        return len(series) - 1

    def leap_through(self, series: Series, begin: int = 0) -> int:
        """The same, passing over candles in which nothing waits."""
        number = begin
        while number < len(series):
            candle = series.candles[number]
            self.walk(candle)
            self.close(candle)
            if self.trade.is_over:
                return number
            number = self._leap(series, number + 1)
        return len(series) - 1

    def _leap(self, series: Series, start: int) -> int:
        """Pass over the candles from `start` in which nothing can happen; the first in which something may."""
        end = self._next(series, start)
        if self._closed.is_needed:
            end = self._close_quietly(series, start, end)
        if end > start:
            low, high = series.extremes(start, end)
            last = series.candles[end - 1]
            self.trade.skip(last.time, low, high, last.close)
        return end

    def _close_quietly(self, series: Series, start: int, end: int) -> int:
        """Close candles up to the first at whose open a trail by candles would move the stop."""
        position = self.trade.position
        trail, tightest = position.plan.rules.trail, position.memory.tightest_stop
        market = self.trade.exchange.markets[self.trade.symbol]
        here = Market(market.last, market.mark_price, market.time)
        begun = trail is not None and position.held and (trail.after is None or reached(trail.after, position, here))
        for number in range(start, end):
            candle = series.candles[number]
            if begun and trail is not None and tightest is not None:
                candles, average = self._closed.seen_at(candle.time)
                level = trailed(trail, position, candles, average)
                if level is not None and position.side.better(level, tightest):
                    return number
            self.close(candle)
        return end

    def _next(self, series: Series, start: int) -> int:
        trade = self.trade
        time = trade.exchange.next_time(trade.symbol)
        end = len(series) if time is None else series.first_from(time)
        if end > start:
            end = series.first_touching(start, end, *trade.exchange.edges(trade.symbol))
        for side, best in trade.followed:
            end = self._next_followed(series, start, end, side, best)
        return max(end, start)

    def _next_followed(self, series: Series, start: int, end: int, side: Side, best: Decimal) -> int:
        """The first candle before `end` in which a stop that follows could be reached, or one that waits be set."""
        position = self.trade.position
        trail = position.plan.rules.trail
        if trail is None or trail.percent is None or best != position.memory.best:
            return series.first_touching(start, end, *((None, best) if side is Side.LONG else (best, None)))
        return series.first_caught(start, end, side, best, trail.percent / 100, position.instrument.tick_size)

    def walk(self, candle: Candle) -> None:
        """Its open, then its extremes in the order the policy decides, then its close."""
        trade = self.trade
        self._show(candle.time)
        trade.play(Opening(candle.time, candle.open))
        if not self._begun:
            trade.look()
            trade.play()
            self._begun = True
        self.trade = self._through(candle)

    def _through(self, candle: Candle) -> SimulatedTrade:
        """The trade after the extremes and the close; both orders are played only where they might differ."""
        trade = self.trade
        down, up = trade.waits_within(candle.low, candle.high)
        if not down and not up:
            trade.skip(candle.time, candle.low, candle.high, candle.close)
            return trade
        if down is not up:
            first = trade.twin(extremes(candle, up))
            if not first.waits_within(candle.low, candle.high)[0 if up else 1]:
                return first
        return self._chosen(candle)

    def _chosen(self, candle: Candle) -> SimulatedTrade:
        low_first, high_first = (self.trade.twin(extremes(candle, order)) for order in (True, False))
        self.ambiguous += _executed(low_first) != _executed(high_first)
        return low_first if self._low_comes_first(low_first, high_first, candle) else high_first

    def _show(self, time: int) -> None:
        """Tell the trade of candles that have closed since it was told last."""
        candles, average = self._closed.seen_at(time)
        if self._closed.count != self._shown:
            self._shown = self._closed.count
            self.trade.see(candles, average, time)

    def close(self, candle: Candle) -> None:
        """The candle is closed: rules that look at candles see it from now on."""
        self._closed.add(candle)

    def _low_comes_first(self, low_first: SimulatedTrade, high_first: SimulatedTrade, candle: Candle) -> bool:
        if self.intrabar is Intrabar.COLOUR:
            return candle.close >= candle.open
        worse = self.intrabar is Intrabar.PESSIMISTIC
        low, high = low_first.exchange.equity, high_first.exchange.equity
        if low != high:
            return (low < high) is worse
        low_is_adverse = self.trade.position.side is Side.LONG
        return (low_is_adverse is bool(self.trade.held)) is worse


def _executed(trade: SimulatedTrade) -> list[tuple[str, int, Decimal, Decimal]]:
    return sorted((b.role.value, b.leg, b.fill.price, b.fill.quantity) for b in trade.position.fills)


def _parted(candles: Sequence[Candle], finer: Sequence[Candle]) -> Iterable[tuple[Candle, Sequence[Candle]]]:
    """Each candle with what is to be walked for it: the finer candles where they cover it whole, else itself."""
    step, length = _length(finer), _length(candles)
    at = 0
    for number, candle in enumerate(candles):
        until = candles[number + 1].time if number + 1 < len(candles) else candle.time + length
        while at < len(finer) and finer[at].time < candle.time:
            at += 1
        end = at
        while end < len(finer) and finer[end].time < until:
            end += 1
        parts = finer[at:end]
        covered = parts and parts[0].time == candle.time and parts[-1].time + step >= min(until, candle.time + length)
        yield candle, parts if covered else (candle,)
        at = end


def _length(candles: Sequence[Candle]) -> int:
    """Milliseconds of one candle: the shortest distance there is."""
    return min((later.time - candle.time for candle, later in pairwise(candles)), default=0)

"""The simulated market as a price source. Its clock is the wall's; all money in it is make-believe, and it says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np

from buddy.core.exchange import Quote
from buddy.core.market import TIMEFRAMES, Candle, Instrument
from buddy.core.simulated_market import FundingRate, Tick

from ..wall import wall
from . import simulated_market as market
from .perpetuals import PERPETUALS
from .source import DAY, Candles, Quiet, Quietness, Step, UnknownSymbol, Walked, changed, funding_times

LEAST, MOST = Decimal(0), Decimal(2**62)


class SimulatedPrices:
    label = "simulated prices"
    leaps = False

    def __init__(self, seed: int, clock: Callable[[], int] = wall) -> None:
        self.seed = seed
        self.clock = clock

    def now(self) -> int:
        """The newest tick's: what is asked for now is dated no later than what then executes at it."""
        now = self.clock()
        return now - now % market.TICK

    def horizon(self, *, at_work: bool) -> int:
        return self.now()

    def ends(self) -> int | None:
        return None

    def instruments(self) -> Sequence[Instrument]:
        return [each.instrument for each in PERPETUALS.values()]

    def instrument(self, symbol: str) -> Instrument:
        if symbol not in PERPETUALS:
            raise UnknownSymbol(symbol, self.label)
        return PERPETUALS[symbol].instrument

    def quote(self, symbol: str, at: int | None = None) -> Quote:
        instrument = self.instrument(symbol)
        when = self.now() if at is None else at
        when -= when % market.TICK
        price = market.price_at(self.seed, symbol, when) * instrument.tick_size
        return Quote(symbol, last=price, mark=price, time=when)

    def timeframes(self, symbol: str) -> Sequence[str]:
        self.instrument(symbol)
        return list(TIMEFRAMES)

    def change(self, symbol: str) -> Decimal | None:
        now = self.now()
        return changed(self.quote(symbol, now).last, self.quote(symbol, now - DAY).last)

    def so_far(self, symbol: str) -> Candle | None:
        return None

    def funding(self, symbol: str, after: int, until: int) -> Sequence[FundingRate]:
        return [
            FundingRate(when, Decimal(market.funding_at(self.seed, symbol, when)).scaleb(-6))
            for when in funding_times(after, until)
        ]

    def path(
        self, symbols: Sequence[str], after: int, until: int, *, walked: Walked = None, quiet: Quietness = None
    ) -> Iterator[Step]:
        first = after - after % market.TICK + market.TICK
        if len(symbols) == 1 and quiet is not None:
            yield from self._leap(self.instrument(symbols[0]), first, until, quiet)
            return
        steps = [(symbol, self.instrument(symbol).tick_size) for symbol in symbols]
        for when in range(first, until + 1, market.TICK):
            for symbol, tick_size in steps:
                yield Step(symbol, Tick(when, market.price_at(self.seed, symbol, when) * tick_size), when)

    def _leap(self, instrument: Instrument, first: int, until: int, quiet: Callable[[], Quiet]) -> Iterator[Step]:
        """Ticks that matter one by one, the others of a day joined."""
        symbol, when = instrument.symbol, first
        while when <= until:
            day, within = divmod(when, market.DAY)
            end = min(until, (day + 1) * market.DAY - market.TICK)
            ticks = market.day_of(self.seed, symbol, day).price[
                within // market.TICK : (end - day * market.DAY) // market.TICK + 1
            ]
            count = _quiet_ticks(ticks, when, instrument.tick_size, quiet())
            last = when + max(count - 1, 0) * market.TICK
            prices = ticks[: max(count, 1)]
            if count > 1:
                whole = (int(prices[0]), int(prices.max()), int(prices.min()), int(prices[-1]), 0)
                yield Step(symbol, _candle(last, whole, instrument), last)
            else:
                yield Step(symbol, Tick(last, int(prices[0]) * instrument.tick_size), last)
            when = last + market.TICK

    def candles(self, symbol: str, timeframe: str, start: int | None, end: int | None, limit: int) -> Candles:
        """The running candle is made of the ticks so far."""
        length, now, instrument = TIMEFRAMES[timeframe], self.now(), self.instrument(symbol)
        last = min(now, end - 1 if end is not None else now)
        newest = last - last % length
        oldest = newest - (limit - 1) * length
        if start is not None:
            oldest = max(oldest, -(-start // length) * length)
        asked, oldest = oldest, max(oldest, (now - market.HISTORY) // length * length)
        rows: list[Candle] = []
        for day in range(oldest // market.DAY, newest // market.DAY + 1):
            rows += self._rows(instrument, day, length, now)
        return Candles(
            symbol, timeframe, [row for row in rows if oldest <= row.time <= newest], complete=asked == oldest
        )

    def _rows(self, instrument: Instrument, day: int, length: int, now: int) -> Iterator[Candle]:
        begin = day * market.DAY
        bars = market.bars_of(self.seed, instrument.symbol, day, length)
        for index, whole in enumerate(zip(*(column.tolist() for column in bars), strict=True)):
            opened = begin + index * length
            if opened + length - market.TICK <= now:
                yield _candle(opened, whole, instrument)
            elif opened <= now:
                yield self._running(instrument, opened, now)

    def _running(self, instrument: Instrument, opened: int, now: int) -> Candle:
        day, within = divmod(opened, market.DAY)
        first, last = within // market.TICK, (now - day * market.DAY) // market.TICK
        ticks = market.day_of(self.seed, instrument.symbol, day)
        prices = ticks.price[first : last + 1]
        whole = (prices[0], prices.max(), prices.min(), prices[-1], ticks.volume[first : last + 1].sum())
        return _candle(opened, tuple(int(number) for number in whole), instrument)


def _candle(opened: int, whole: tuple[int, ...], instrument: Instrument) -> Candle:
    first, high, low, last, volume = (Decimal(number) for number in whole)
    tick = instrument.tick_size
    return Candle(opened, first * tick, high * tick, low * tick, last * tick, volume * instrument.lot_size)


def _quiet_ticks(ticks: market.Whole, first: int, tick_size: Decimal, quiet: Quiet) -> int:
    """How many ticks from `first` (ms) on touch nothing."""
    in_time = max(0, -(-(quiet.until - first) // market.TICK))
    low, high = (min(max(price / tick_size, LEAST), MOST) for price in (quiet.low, quiet.high))
    inside = (ticks[:in_time] > int(low.to_integral_value(ROUND_FLOOR))) & (
        ticks[:in_time] < int(high.to_integral_value(ROUND_CEILING))
    )
    return len(inside) if inside.all() else int(np.argmin(inside))

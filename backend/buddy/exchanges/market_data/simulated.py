"""The simulated market as a price source. Its clock is the wall's; all money in it is make-believe, and it says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

from buddy.core.exchange import Quote
from buddy.core.market import TIMEFRAMES, Candle, Instrument
from buddy.core.simulated_market import Tick

from ..wall import wall
from . import simulated_market as market
from .perpetuals import PERPETUALS
from .source import DAY, Candles, Step, UnknownSymbol, changed


class SimulatedPrices:
    label = "simulated prices"
    leaps = False

    def __init__(self, seed: int, clock: Callable[[], int] = wall) -> None:
        self.seed = seed
        self.clock = clock

    def now(self) -> int:
        return self.clock()

    def horizon(self, *, at_work: bool) -> int:
        now = self.now()
        return now - now % market.TICK

    def ends(self) -> int | None:
        return None

    def instruments(self) -> Sequence[Instrument]:
        return [each.instrument for each in PERPETUALS.values()]

    def instrument(self, symbol: str) -> Instrument:
        if symbol not in PERPETUALS:
            raise UnknownSymbol(symbol, self.label)
        return PERPETUALS[symbol].instrument

    def quote(self, symbol: str, at: int | None = None) -> Quote:
        when = self.now() if at is None else at
        when -= when % market.TICK
        price = market.price_at(self.seed, symbol, when) * self.instrument(symbol).tick_size
        return Quote(symbol, last=price, mark=price, time=when)

    def timeframes(self, symbol: str) -> Sequence[str]:
        self.instrument(symbol)
        return list(TIMEFRAMES)

    def change(self, symbol: str) -> Decimal | None:
        now = self.now()
        return changed(self.quote(symbol, now).last, self.quote(symbol, now - DAY).last)

    def path(
        self, symbols: Sequence[str], after: int, until: int, walked: Mapping[str, Candle] | None = None
    ) -> Iterator[Step]:
        steps = [(symbol, self.instrument(symbol).tick_size) for symbol in symbols]
        for when in range(after - after % market.TICK + market.TICK, until + 1, market.TICK):
            for symbol, tick_size in steps:
                yield Step(symbol, Tick(when, market.price_at(self.seed, symbol, when) * tick_size), when)

    def candles(self, symbol: str, timeframe: str, start: int | None, end: int | None, limit: int) -> Candles:
        """The running candle is made of the ticks so far."""
        length, now, instrument = TIMEFRAMES[timeframe], self.now(), self.instrument(symbol)
        last = min(now, end - 1 if end is not None else now)
        newest = last - last % length
        oldest = newest - (limit - 1) * length
        if start is not None:
            oldest = max(oldest, -(-start // length) * length)
        rows: list[Candle] = []
        for day in range(oldest // market.DAY, newest // market.DAY + 1):
            rows += self._rows(instrument, day, length, now)
        return Candles(symbol, timeframe, [row for row in rows if oldest <= row.time <= newest], complete=True)

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
    prices = [Decimal(number) * instrument.tick_size for number in whole[:4]]
    return Candle(opened, *prices, Decimal(whole[4]) * instrument.lot_size)

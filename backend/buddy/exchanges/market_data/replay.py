"""Recorded candles as a price source, with a clock of its own. Nothing of a candle is told before its time.

Of the running candle only the open is known; the rest appears when the candle is over. The paper exchange walks whole
candles, so between two of them the price is the running candle's open.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import numpy as np

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Quote
from buddy.core.market import TIMEFRAMES, Candle, Instrument
from buddy.core.simulated_market import FundingRate, Opening

from .recordings import Recording, exact
from .source import DAY, Candles, Quiet, Quietness, Step, UnknownSymbol, Walked, changed, funding_times

AT_ONCE = 20_000
"""Most candles joined into one."""


class ReplayedPrices:
    label = "recorded prices"

    def __init__(self, recordings: Sequence[Recording], clock: Callable[[], int], *, leaps: bool = False) -> None:
        self.recordings = {recording.instrument.symbol: recording for recording in recordings}
        self.clock = clock
        self.leaps = leaps

    def now(self) -> int:
        return min(self.clock(), self.ends())

    def ends(self) -> int:
        return max(recording.end for recording in self.recordings.values())

    def horizon(self, *, at_work: bool) -> int:
        """With work a clock that leaps goes on to the end; any other up to the newest candle's open."""
        if self.leaps:
            return self.ends() if at_work else self.now()
        now = self.now()
        return max((_edge(recording, now) for recording in self.recordings.values()), default=now)

    def instruments(self) -> Sequence[Instrument]:
        return [recording.instrument for recording in self.recordings.values()]

    def instrument(self, symbol: str) -> Instrument:
        return self._of(symbol).instrument

    def quote(self, symbol: str, at: int | None = None) -> Quote:
        recording, when = self._of(symbol), self.now() if at is None else min(at, self.now())
        index = recording.running(when)
        if index < 0:
            raise CouldNotRead(f"The recording of {symbol} has not begun yet.")
        opened = int(recording.times[index])
        closed = opened + recording.length
        if when > closed:
            raise CouldNotRead(f"The recording of {symbol} has a hole here: nothing traded that we know of.")
        price = exact(float(recording.prices[index, 3 if when == closed else 0]))
        return Quote(symbol, last=price, mark=price, time=closed if when == closed else opened)

    def timeframes(self, symbol: str) -> Sequence[str]:
        base = self._of(symbol).length
        return [name for name, length in TIMEFRAMES.items() if length % base == 0]

    def change(self, symbol: str) -> Decimal | None:
        """None in the first day of the recording."""
        before = self.now() - DAY
        if self._of(symbol).running(before) < 0:
            return None
        return changed(self.quote(symbol).last, self.quote(symbol, before).last)

    def so_far(self, symbol: str) -> Candle | None:
        return None

    def funding(self, symbol: str, after: int, until: int) -> Sequence[FundingRate]:
        """What the recording says; the common base rate where it says nothing of funding at all."""
        recording = self._of(symbol)
        rates = [(when, recording.funding(when)) for when in funding_times(after, until)]
        return [FundingRate(when, rate) for when, rate in rates if rate is not None]

    def path(
        self, symbols: Sequence[str], after: int, until: int, *, walked: Walked = None, quiet: Quietness = None
    ) -> Iterator[Step]:
        known = [self.recordings[symbol] for symbol in dict.fromkeys(symbols) if symbol in self.recordings]
        if len(known) == 1:
            return _walk(known[0], after, until, quiet)
        return heapq.merge(*(_walk(each, after, until, None) for each in known), key=lambda step: step.end)

    def candles(self, symbol: str, timeframe: str, start: int | None, end: int | None, limit: int) -> Candles:
        recording, length = self._of(symbol), TIMEFRAMES[timeframe]
        if length % recording.length:
            raise CouldNotRead(
                f"The recording is in candles of {recording.timeframe}; {timeframe} cannot be made of them."
            )
        last = min(self.now(), (end if end is not None else self.now() + 1) - 1)
        newest = last - last % length
        oldest = newest - (limit - 1) * length
        if start is not None:
            oldest = max(oldest, -(-start // length) * length)
        base = list(self._known(recording, oldest, newest + length))
        rows = grouped(base, length)
        held = any(begin < newest + length and finish > oldest for begin, finish in recording.holes())
        return Candles(symbol, timeframe, rows, complete=oldest >= recording.begin and not held)

    def _known(self, recording: Recording, begin: int, end: int) -> Iterator[Candle]:
        now = self.now()
        over = recording.closed(now)
        for index in range(recording.running(begin - 1) + 1, recording.running(min(end - 1, now)) + 1):
            candle = recording.candle(index)
            yield candle if index < over else Candle(candle.time, *[candle.open] * 4)

    def _of(self, symbol: str) -> Recording:
        if symbol not in self.recordings:
            raise UnknownSymbol(symbol, self.label)
        return self.recordings[symbol]


def _walk(recording: Recording, after: int, until: int, quiet: Quietness | None) -> Iterator[Step]:
    """Candles that end in (after, until], quiet ones joined, then the open of the one that runs."""
    symbol, index, over = recording.instrument.symbol, recording.closed(after), recording.closed(until)
    while index < over:
        count = max(1, _quiet_candles(recording, index, over, quiet()) if quiet else 1)
        last = int(recording.times[index + count - 1])
        yield Step(symbol, recording.joined(index, index + count), last + recording.length)
        index += count
    if over < len(recording.times) and after < (opened := int(recording.times[over])) <= until:
        yield Step(symbol, Opening(opened, exact(float(recording.prices[over, 0]))), opened)


def _quiet_candles(recording: Recording, index: int, over: int, quiet: Quiet) -> int:
    """How many candles from `index` on stay inside. Floats compare right: each is the nearest one to its exact text."""
    end = min(over, index + AT_ONCE, int(np.searchsorted(recording.times, quiet.until, side="left")))
    inside = (recording.prices[index:end, 1] < float(quiet.high)) & (recording.prices[index:end, 2] > float(quiet.low))
    return len(inside) if inside.all() else int(np.argmin(inside))


def _edge(recording: Recording, now: int) -> int:
    """Where the newest candle begins, or the one before a hole ends."""
    index = recording.running(now)
    if index < 0:
        return recording.begin
    opened = int(recording.times[index])
    return opened + recording.length if now >= opened + recording.length else opened


def grouped(candles: Sequence[Candle], length: int) -> list[Candle]:
    """Candles made into longer ones, exactly."""
    groups: dict[int, list[Candle]] = {}
    for candle in candles:
        groups.setdefault(candle.time - candle.time % length, []).append(candle)
    return [joined(opened, group) for opened, group in groups.items()]


def joined(opened: int, group: Sequence[Candle]) -> Candle:
    return Candle(
        opened,
        group[0].open,
        max(candle.high for candle in group),
        min(candle.low for candle in group),
        group[-1].close,
        sum((candle.volume for candle in group), Decimal(0)),
    )

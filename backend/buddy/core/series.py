"""Candles with their extremes as float arrays, to find in one pass the next candle that could matter.

A float here never decides: it only says which candles certainly do not matter. Decimal to float rounds monotonously, so
a price at or beyond a level is so as a float, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np

from .market import Candle, Side

FIRST_CHUNK = 256
LARGEST_CHUNK = 65_536


class Series:
    """Candles, oldest first."""

    def __init__(self, candles: Sequence[Candle]) -> None:
        self.candles = candles
        count = len(candles)
        self.times = np.fromiter((candle.time for candle in candles), np.int64, count)
        self.highs = np.fromiter((candle.high for candle in candles), np.float64, count)
        self.lows = np.fromiter((candle.low for candle in candles), np.float64, count)

    def __len__(self) -> int:
        return len(self.candles)

    def first_from(self, time: int) -> int:
        """The number of the first candle at or after `time`."""
        return int(np.searchsorted(self.times, time))

    def first_touching(self, start: int, end: int, low: Decimal | None, high: Decimal | None) -> int:
        """The first candle from `start` that reaches down to `low` or up to `high`; `end` when none before it does."""
        floor, ceiling = (-np.inf if low is None else float(low)), (np.inf if high is None else float(high))
        for a, b in _chunks(start, end):
            touching = (self.lows[a:b] <= floor) | (self.highs[a:b] >= ceiling)
            at = int(touching.argmax())
            if touching[at]:
                return a + at
        return end

    def first_caught(self, start: int, end: int, side: Side, best: Decimal, part: Decimal, tick: Decimal) -> int:
        """The first candle from `start` that could reach a stop trailing `part` (a fraction) behind the best price."""
        long, running = side is Side.LONG, float(best)
        margin = float(tick) + 1e-9 * float(best)
        for a, b in _chunks(start, end):
            if long:
                bests = np.maximum(np.maximum.accumulate(self.highs[a:b]), running)
                caught = self.lows[a:b] <= bests * (1 - float(part)) + margin
            else:
                bests = np.minimum(np.minimum.accumulate(self.lows[a:b]), running)
                caught = self.highs[a:b] >= bests * (1 + float(part)) - margin
            at = int(caught.argmax())
            if caught[at]:
                return a + at
            running = float(bests[-1])
        return end

    def extremes(self, start: int, end: int) -> tuple[Decimal, Decimal]:
        """The lowest low and the highest high of candles `start` to `end`, exactly."""
        lows, highs = self.lows[start:end], self.highs[start:end]
        lowest, highest = (lows == lows.min()).nonzero()[0], (highs == highs.max()).nonzero()[0]
        low = min(self.candles[start + n].low for n in lowest.tolist())
        return low, max(self.candles[start + n].high for n in highest.tolist())


def _chunks(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Ranges that grow, since most searches end soon."""
    size = FIRST_CHUNK
    while start < end:
        yield start, min(start + size, end)
        start += size
        size = min(size * 4, LARGEST_CHUNK)

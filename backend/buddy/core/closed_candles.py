"""The closed candles that a trailing stop looks at, gathered into its timeframe while base candles close."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import Decimal

from .indicators import AverageTrueRange
from .market import TIMEFRAMES, Candle
from .plan import Trail


class ClosedCandles:
    """`seen_at` gives what is closed by a time; nothing is kept for plans that do not trail by candles or ATR."""

    def __init__(self, trail: Trail | None) -> None:
        self.is_needed = trail is not None and trail.percent is None
        self._length = TIMEFRAMES[trail.timeframe] if trail is not None and trail.timeframe else 0
        self._closed: deque[Candle] = deque(maxlen=(trail.candles if trail is not None else None) or 1)
        self._average = AverageTrueRange()
        self._growing: Candle | None = None
        self.count = 0
        """How many have closed."""

    def add(self, candle: Candle) -> None:
        """A base candle has closed."""
        if not self.is_needed:
            return
        if not self._length:
            self._keep(candle)
        elif self._growing is not None and self._bucket(self._growing.time) == self._bucket(candle.time):
            self._growing = joined(self._growing, candle)
        else:
            self._close_growing()
            self._growing = candle

    def seen_at(self, time: int) -> tuple[Sequence[Candle], Decimal | None]:
        """The last closed candles, oldest first, and the average true range."""
        if self._growing is not None and self._bucket(time) > self._bucket(self._growing.time):
            self._close_growing()
        return tuple(self._closed), self._average.value

    def _bucket(self, time: int) -> int:
        return time // self._length

    def _close_growing(self) -> None:
        if self._growing is not None:
            self._keep(self._growing)
        self._growing = None

    def _keep(self, candle: Candle) -> None:
        self.count += 1
        self._closed.append(candle)
        self._average.update(candle)


def joined(first: Candle, second: Candle) -> Candle:
    """One candle that tells both."""
    return Candle(
        first.time,
        first.open,
        max(first.high, second.high),
        min(first.low, second.low),
        second.close,
        first.volume + second.volume,
    )

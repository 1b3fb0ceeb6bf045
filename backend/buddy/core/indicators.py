"""Indicators over exact candles. Nothing here looks ahead: a value belongs to the close of the last candle given."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from .market import ZERO, Candle

ATR_PERIOD = 14


class AverageTrueRange:
    """Wilder's average true range, candle by candle: the mean of the first `period` ranges, then smoothed by 1/period.

    The first candle's range is high − low, since it has no close before it. `value` is None until `period` are known.
    """

    __slots__ = ("_close", "_count", "_period", "_sum", "value")

    def __init__(self, period: int = ATR_PERIOD) -> None:
        self._period, self._count, self._sum = period, 0, ZERO
        self._close: Decimal | None = None
        self.value: Decimal | None = None

    def update(self, candle: Candle) -> Decimal | None:
        """The value after one more closed candle."""
        reach = true_range(candle, self._close)
        self._close = candle.close
        self._count += 1
        if self.value is not None:
            self.value += (reach - self.value) / self._period
            return self.value
        self._sum += reach
        if self._count == self._period:
            self.value = self._sum / self._period
        return self.value


def true_range(candle: Candle, previous_close: Decimal | None) -> Decimal:
    """The largest of high − low and the distances of both from the close before."""
    if previous_close is None:
        return candle.high - candle.low
    return max(candle.high, previous_close) - min(candle.low, previous_close)


def atr(candles: Iterable[Candle], period: int = ATR_PERIOD) -> Decimal | None:
    """Average true range of closed candles, oldest first; None when there are fewer than `period`."""
    average = AverageTrueRange(period)
    for candle in candles:
        average.update(candle)
    return average.value

"""Indicators against figures worked by hand."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from hypothesis import given

from buddy.core.closed_candles import ClosedCandles
from buddy.core.indicators import AverageTrueRange, atr, true_range
from buddy.core.market import Candle
from buddy.core.plan import Trail

from .lives import candle, candles

D = Decimal


def test_the_first_range_is_high_minus_low() -> None:
    assert true_range(candle(0, 10, 12, 9, 11), None) == 3


def test_a_gap_counts_in_the_range() -> None:
    assert true_range(candle(1, 15, 16, 14, 15), D(11)) == 5
    assert true_range(candle(1, 8, 9, 7, 8), D(11)) == 4


def test_wilder_averages_first_and_smooths_then() -> None:
    """Ranges 2, 4, 6 with a period of 2: (2 + 4) / 2 = 3, then 3 + (6 − 3) / 2 = 4.5."""
    path = [candle(0, 10, 11, 9, 10), candle(1, 10, 12, 8, 10), candle(2, 10, 13, 7, 10)]
    average = AverageTrueRange(2)
    assert [average.update(each) for each in path] == [None, D(3), D("4.5")]


def test_too_few_candles_have_no_average() -> None:
    assert atr([candle(0, 10, 11, 9, 10)]) is None


@given(candles())
def test_the_average_lies_between_the_smallest_and_the_largest_range(path: list[Candle]) -> None:
    ranges = [true_range(path[0], None)]
    ranges += [true_range(each, before.close) for before, each in pairwise(path)]
    value = atr(path, 2)
    assert value is not None
    assert min(ranges) <= value <= max(ranges)


def test_candles_gather_into_the_timeframe_of_the_trail() -> None:
    closed = ClosedCandles(Trail(candles=2, timeframe="3m"))
    for minute in range(7):
        closed.add(candle(minute, 10 + minute, 12 + minute, 9, 11 + minute))
    seen, _ = closed.seen_at(candle(7, 1, 1, 1, 1).time)
    assert [(c.open, c.high, c.close) for c in seen] == [(D(10), D(14), D(13)), (D(13), D(17), D(16))]


def test_a_candle_that_still_grows_is_not_seen() -> None:
    closed = ClosedCandles(Trail(candles=1, timeframe="3m"))
    closed.add(candle(0, 10, 12, 9, 11))
    assert closed.seen_at(candle(1, 1, 1, 1, 1).time)[0] == ()

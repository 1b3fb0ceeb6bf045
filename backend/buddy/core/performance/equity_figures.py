"""What the equity curve tells: drawdowns, and returns against their risk, day by day."""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby

from ..market import ZERO
from .arithmetic import deviation, mean, ratio, root, root_mean_square
from .equity import Drawdown, EquityPoint
from .registry import Unit, figure
from .sample import Sample
from .trades import HOUR_MS

DAYS_A_YEAR = 365
LEAST_DAYS = 30
"""A yearly return from fewer days than this says nothing."""


@figure(Unit.MONEY, "max(peak − equity), the peak starting at the opening balance")
def max_drawdown(sample: Sample) -> Decimal:
    return max(point.drawdown for point in sample.curve)


@figure(Unit.PERCENT, "max((peak − equity) / peak)")
def max_drawdown_percent(sample: Sample) -> Decimal | None:
    """None where a peak is not above zero. The deepest of each peak is enough to look at."""
    if sample.curve[0].peak <= 0:  # it never falls
        return None
    return max(max(point.drawdown for point in under) / peak * 100 for peak, under in groupby(sample.curve, _peak_of))


@figure(Unit.R, "max(peak − cumulative R), the peak starting at 0", over="rs")
def max_drawdown_r(sample: Sample) -> Decimal:
    return max(point.drawdown_r for point in sample.curve)


@figure(Unit.MONEY, "peak − equity now")
def current_drawdown(sample: Sample) -> Decimal:
    return sample.curve[-1].drawdown


@figure(Unit.PERCENT, "(peak − equity) / peak now")
def current_drawdown_percent(sample: Sample) -> Decimal | None:
    return sample.curve[-1].drawdown_percent


@figure(Unit.HOURS, "from the peak to the bottom of the deepest drawdown")
def max_drawdown_length(sample: Sample) -> Decimal | None:
    deepest = _deepest(sample)
    return _hours(deepest.bottom_ms - deepest.peak_ms) if deepest else None


@figure(Unit.HOURS, "from the bottom of the deepest drawdown until its peak was reached again")
def max_drawdown_recovery(sample: Sample) -> Decimal | None:
    deepest = _deepest(sample)
    return _hours(deepest.recovered_ms - deepest.bottom_ms) if deepest and deepest.recovered_ms else None


@figure(Unit.HOURS, "longest time below a peak, up to the last trade while it lasts")
def longest_drawdown(sample: Sample) -> Decimal | None:
    last = sample.trades[-1].closed_ms
    spans = [(stretch.recovered_ms or last) - stretch.peak_ms for stretch in sample.drawdowns]
    return _hours(max(spans)) if spans else None


@figure(Unit.RATIO, "net / max drawdown")
def recovery(sample: Sample) -> Decimal | None:
    return ratio(sample.net, max(point.drawdown for point in sample.curve))


@figure(Unit.PERCENT, "√mean(drawdown %²) over all days", over="returns")
def ulcer(sample: Sample) -> Decimal | None:
    return root_mean_square(_daily_depths(sample))


@figure(Unit.RATIO, "mean(r_d) / sd(r_d) × √365, r_d = net of the day / equity at day start", over="returns", least=2)
def sharpe(sample: Sample) -> Decimal | None:
    average, spread = mean(sample.returns), deviation(sample.returns)
    return None if average is None or spread is None else ratio(average * root(DAYS_A_YEAR), spread)


@figure(Unit.RATIO, "mean(r_d) / √mean(min(r_d, 0)²) × √365, over all days", over="returns", least=2)
def sortino(sample: Sample) -> Decimal | None:
    average, below = mean(sample.returns), root_mean_square([min(r, ZERO) for r in sample.returns])
    return None if average is None or below is None else ratio(average * root(DAYS_A_YEAR), below)


@figure(
    Unit.PERCENT,
    "(equity at the end / at the start)^(365 / days) − 1",
    over="returns",
    least=LEAST_DAYS,
)
def annual_return(sample: Sample) -> Decimal | None:
    """Compounded; None once equity is gone."""
    growth = sample.curve[-1].equity / sample.opening
    return None if growth <= 0 else (growth ** (Decimal(DAYS_A_YEAR) / len(sample.returns)) - 1) * 100


@figure(Unit.RATIO, "annual return / max drawdown %", over="returns", least=LEAST_DAYS)
def calmar(sample: Sample) -> Decimal | None:
    yearly, depth = annual_return(sample), max_drawdown_percent(sample)
    return None if yearly is None or depth is None else ratio(Decimal(yearly), depth)


def _peak_of(point: EquityPoint) -> Decimal:
    return point.peak


def _deepest(sample: Sample) -> Drawdown | None:
    return max(sample.drawdowns, key=lambda stretch: stretch.depth, default=None)


def _daily_depths(sample: Sample) -> list[Decimal]:
    """Percent below the peak at the end of each day."""
    peak, depths = sample.opening, []
    for start, net in sample.equity_by_day:
        peak = max(peak, start + net)
        depths.append((peak - start - net) / peak * 100)
    return depths


def _hours(milliseconds: int) -> Decimal:
    return Decimal(milliseconds) / HOUR_MS

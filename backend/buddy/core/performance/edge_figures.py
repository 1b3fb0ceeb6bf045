"""Whether there is an edge: expectancy, its certainty, and how much of it may be staked."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from .arithmetic import deviation, mean, ratio, root, total
from .registry import Unit, figure
from .resampling import equity_paths
from .sample import Sample

RUIN_DEPTH = Decimal("0.2")


@figure(Unit.MONEY, "mean(net)")
def expectancy(sample: Sample) -> Decimal | None:
    return ratio(sample.net, len(sample.trades))


@figure(Unit.R, "mean(R)", over="rs")
def expectancy_r(sample: Sample) -> Decimal | None:
    return ratio(sample.total_r, len(sample.rs))


@figure(Unit.R, "mean(R) without the best trade", over="rs", least=2)
def expectancy_r_without_best(sample: Sample) -> Decimal | None:
    return ratio(sample.total_r - max(sample.rs), len(sample.rs) - 1)


@figure(Unit.R, "lower end of the bootstrap 90 % interval of mean(R)", over="rs", least=2)
def expectancy_low(sample: Sample) -> Decimal | None:
    return sample.resampled.low


@figure(Unit.R, "upper end of the bootstrap 90 % interval of mean(R)", over="rs", least=2)
def expectancy_high(sample: Sample) -> Decimal | None:
    return sample.resampled.high


@figure(Unit.PERCENT, "one-sided bootstrap test of mean(R) > 0", over="rs", least=2)
def luck(sample: Sample) -> Decimal | None:
    chance = sample.resampled.luck
    return None if chance is None else chance * 100


@figure(Unit.RATIO, "√min(N, 100) × mean(R) / sd(R)", over="rs", least=30)
def sqn(sample: Sample) -> Decimal | None:
    average, spread = expectancy_r(sample), deviation(sample.rs)
    if average is None or spread is None:
        return None
    return ratio(root(min(len(sample.rs), 100)) * Decimal(average), spread)


@figure(Unit.RATIO, "slope of cumulative R on trade number / standard error of that slope", over="rs", least=3)
def k_ratio(sample: Sample) -> Decimal | None:
    """Ordinary least squares with an intercept; undefined where the points lie exactly on a line."""
    heights = _running(sample.rs)
    n = len(heights)
    middle, average = Decimal(n + 1) / 2, total(heights) / n
    across = [number - middle for number in range(1, n + 1)]
    spread = Decimal(n * (n * n - 1)) / 12  # Σ x²
    slope = total([x * y for x, y in zip(across, heights, strict=True)]) / spread
    misses = [y - average - slope * x for x, y in zip(across, heights, strict=True)]
    error = root(total([miss * miss for miss in misses]) / (n - 2) / spread)
    return ratio(slope, error) if error > NOTHING else None


NOTHING = Decimal("1e-30")
"""What rounding at 60 digits leaves of an error that is zero."""


def _running(values: Sequence[Decimal]) -> list[Decimal]:
    sums, so_far = [], Decimal(0)
    for value in values:
        so_far += value
        sums.append(so_far)
    return sums


def kelly_part(sample: Sample, parts: int) -> Decimal | None:
    """(p − q / b) / `parts` in percent, over decided trades; never above the user's own cap."""
    won, lost = len(sample.wins), len(sample.losses)
    if not won or not lost:
        return None
    b = (sample.won / won) / (abs(sample.lost) / lost)
    part = (won - lost / b) / (won + lost) / parts * 100
    return part if sample.kelly_cap is None else min(part, sample.kelly_cap)


@figure(Unit.PERCENT, "p − q / b, p = W / (W + L), q = 1 − p, b = payoff; at most your limit", over="decided", least=50)
def kelly(sample: Sample) -> Decimal | None:
    return kelly_part(sample, 1)


@figure(Unit.PERCENT, "Kelly / 2, at most your limit", over="decided", least=50)
def kelly_half(sample: Sample) -> Decimal | None:
    return kelly_part(sample, 2)


@figure(Unit.PERCENT, "Kelly / 4, at most your limit", over="decided", least=50)
def kelly_quarter(sample: Sample) -> Decimal | None:
    return kelly_part(sample, 4)


def usual_risk(sample: Sample) -> Decimal | None:
    """Mean of initial risk / equity before the trade, over the trades whose risk is known."""
    equity, shares = sample.opening, []
    for trade in sample.trades:
        if trade.initial_risk and equity > 0:
            shares.append(trade.initial_risk / equity)
        equity += trade.net
    return mean(shares)


@figure(Unit.PERCENT, "bootstrap of own R at the usual risk: P(drawdown > 20 % within 100 trades)", over="rs", least=2)
def risk_of_ruin(sample: Sample) -> Decimal | None:
    risk = usual_risk(sample)
    return None if risk is None else equity_paths(sample.scatter, risk=risk, depth=RUIN_DEPTH).ruin * 100

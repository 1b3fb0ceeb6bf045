"""What can only be had by drawing again from one's own trades. Floats, seeded: the same trades give the same answer.

Estimates carry three or four true digits and are rounded to six places, so that nothing pretends to more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SEED = 20_250_601
DRAWS = 2_000
LARGE = 2_000
"""From here on the mean of a resample is normal to the digits that drawing has: the limit is used instead."""
CONFIDENCE = 0.90
_CHUNK = 1_000_000


@dataclass(frozen=True, slots=True)
class Resampled:
    """The bootstrap of mean(R): a 90 % percentile interval, and the chance that a mean like this is luck."""

    low: Decimal | None
    high: Decimal | None
    luck: Decimal | None
    """One-sided p-value, a fraction: how often a record without any edge, but the same scatter, does this well."""

    @classmethod
    def of(cls, values: Floats) -> Resampled:
        """`values` sorted, as `scatter` gives them."""
        if len(values) < 2 or values[0] == values[-1]:
            return cls(None, None, None)
        return cls._by_limit(values) if len(values) >= LARGE else cls._by_drawing(values)

    @classmethod
    def _by_drawing(cls, values: Floats) -> Resampled:
        means, mean = resampled_means(values), float(values.mean())
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(means, [tail, 1 - tail])
        as_good = int(np.count_nonzero(means - mean >= mean))
        return cls(estimate(low), estimate(high), estimate((1 + as_good) / (1 + DRAWS)))

    @classmethod
    def _by_limit(cls, values: Floats) -> Resampled:
        mean, error = float(values.mean()), float(values.std()) / math.sqrt(len(values))
        around, none = NormalDist(mean, error), NormalDist(0, error)
        tail = (1 - CONFIDENCE) / 2
        return cls(estimate(around.inv_cdf(tail)), estimate(around.inv_cdf(1 - tail)), estimate(1 - none.cdf(mean)))


@dataclass(frozen=True, slots=True)
class Paths:
    """Where `trades` more trades drawn from one's own R may lead, equity starting at 1."""

    ruin: Decimal
    """The share of paths whose drawdown passed the given depth, a fraction."""
    low: tuple[Decimal, ...]
    middle: tuple[Decimal, ...]
    high: tuple[Decimal, ...]
    """The 5 %, 50 % and 95 % of equity after each trade."""


def scatter(rs: Sequence[Decimal]) -> Floats:
    """Sorted, so that the order of the trades changes nothing."""
    return np.sort(np.array([float(r) for r in rs], dtype=np.float64))


def equity_paths(values: Floats, *, risk: Decimal, depth: Decimal, trades: int = 100, paths: int = DRAWS) -> Paths:
    """Bootstrap of own R, each trade risking the fraction `risk` of equity; ruin is a drawdown beyond `depth`.

    `values` sorted, as `scatter` gives them.
    """
    drawn = np.random.default_rng(SEED).choice(values, size=(paths, trades))
    equity = np.cumprod(np.maximum(1 + float(risk) * drawn, 0.0), axis=1)
    peak = np.maximum(np.maximum.accumulate(equity, axis=1), 1.0)
    ruined = ((peak - equity) / peak > float(depth)).any(axis=1)
    low, middle, high = (tuple(estimate(x) for x in row) for row in np.quantile(equity, [0.05, 0.5, 0.95], axis=0))
    return Paths(estimate(ruined.mean()), low, middle, high)


def resampled_means(values: Floats) -> Floats:
    """Means of `DRAWS` resamples with replacement, drawn in pieces so that memory stays small."""
    generator, size = np.random.default_rng(SEED), len(values)
    rows = max(1, _CHUNK // size)
    pieces = [
        values[generator.integers(0, size, (min(rows, DRAWS - done), size))].mean(axis=1)
        for done in range(0, DRAWS, rows)
    ]
    return np.concatenate(pieces)


def estimate(value: float | np.float64) -> Decimal:
    return Decimal(f"{float(value):.6f}")

"""Equity trade by trade, and how deep and how long it lay below its peak."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from ..market import ZERO
from .arithmetic import exact
from .trades import ClosedTrade, in_order


class EquityPoint(NamedTuple):
    """The account after one trade. `drawdown` is money below the peak, `drawdown_r` the same on cumulative R."""

    time_ms: int
    key: int
    net: Decimal
    r: Decimal | None
    equity: Decimal
    cumulative_r: Decimal
    peak: Decimal
    drawdown: Decimal
    drawdown_r: Decimal

    @property
    def drawdown_percent(self) -> Decimal | None:
        """Of the peak; None where the peak itself is not above zero."""
        return self.drawdown / self.peak * 100 if self.peak > 0 else None


@dataclass(frozen=True, slots=True)
class Drawdown:
    """One stretch below a peak: when the peak was left, the bottom, and when it was reached again (None: not yet)."""

    depth: Decimal
    peak_ms: int
    bottom_ms: int
    recovered_ms: int | None = None


@exact
def equity_curve(trades: Iterable[ClosedTrade], opening: Decimal) -> tuple[EquityPoint, ...]:
    """One point per trade in order of last exit; the first peak is the opening balance."""
    points: list[EquityPoint] = []
    equity, peak, cumulative, peak_r = opening, opening, ZERO, ZERO
    for trade in in_order(trades):
        r = trade.r
        equity, cumulative = equity + trade.net, cumulative + (r or ZERO)
        peak = equity if equity > peak else peak
        peak_r = cumulative if cumulative > peak_r else peak_r
        points.append(
            EquityPoint(
                trade.closed_ms,
                trade.key,
                trade.net,
                r,
                equity,
                cumulative,
                peak,
                peak - equity,
                peak_r - cumulative,
            )
        )
    return tuple(points)


def drawdowns(curve: Sequence[EquityPoint], start_ms: int) -> tuple[Drawdown, ...]:
    """Every stretch below a peak, in order; `start_ms` is when the opening balance stood."""
    found: list[Drawdown] = []
    current: Drawdown | None = None
    peak_ms = start_ms
    for point in curve:
        if point.drawdown > 0:
            if current is None or point.drawdown > current.depth:
                current = Drawdown(point.drawdown, peak_ms, point.time_ms)
            continue
        if current:
            found.append(replace(current, recovered_ms=point.time_ms))
        current, peak_ms = None, point.time_ms
    return tuple(found) + ((current,) if current else ())

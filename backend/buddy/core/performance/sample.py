"""Closed trades as the figures see them: in order, told apart by outcome, with the series made from them once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta, tzinfo
from decimal import Decimal
from functools import cached_property

from ..market import ZERO
from .arithmetic import total
from .equity import Drawdown, EquityPoint, drawdowns, equity_curve
from .resampling import Floats, Resampled, scatter
from .trades import BREAK_EVEN_BAND, ClosedTrade, Day, Outcome, outcome_of, trading_days


@dataclass(frozen=True)
class Sample:
    """What every figure is computed from: trades by last exit, and the balance they started on.

    `kelly_cap` is the most, in percent, that the user's own limits let one trade risk.
    """

    trades: tuple[ClosedTrade, ...]
    opening: Decimal
    zone: tzinfo = UTC
    band: Decimal = BREAK_EVEN_BAND
    kelly_cap: Decimal | None = None

    @cached_property
    def rs(self) -> tuple[Decimal, ...]:
        """R of the trades whose risk is known."""
        return tuple(r for trade in self.trades if (r := trade.r) is not None)

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(outcome_of(trade.net, trade.r, self.band) for trade in self.trades)

    @cached_property
    def _by_outcome(self) -> dict[Outcome, tuple[ClosedTrade, ...]]:
        groups: dict[Outcome, list[ClosedTrade]] = {outcome: [] for outcome in Outcome}
        for trade, outcome in zip(self.trades, self.outcomes, strict=True):
            groups[outcome].append(trade)
        return {outcome: tuple(group) for outcome, group in groups.items()}

    @property
    def wins(self) -> tuple[ClosedTrade, ...]:
        return self._by_outcome[Outcome.WIN]

    @property
    def losses(self) -> tuple[ClosedTrade, ...]:
        return self._by_outcome[Outcome.LOSS]

    @property
    def scratches(self) -> tuple[ClosedTrade, ...]:
        return self._by_outcome[Outcome.SCRATCH]

    @cached_property
    def decided(self) -> tuple[ClosedTrade, ...]:
        """Wins and losses, without scratches."""
        return self.wins + self.losses

    # Sums that several figures stand on

    @cached_property
    def net(self) -> Decimal:
        return total([trade.net for trade in self.trades])

    @cached_property
    def won(self) -> Decimal:
        """Net of the wins."""
        return total([trade.net for trade in self.wins])

    @cached_property
    def lost(self) -> Decimal:
        """Net of the losses, not above zero."""
        return total([trade.net for trade in self.losses])

    @cached_property
    def total_r(self) -> Decimal:
        return total(self.rs)

    # Series

    @cached_property
    def days(self) -> tuple[Day, ...]:
        return trading_days(self.trades, self.zone, self.band)

    @cached_property
    def curve(self) -> tuple[EquityPoint, ...]:
        return equity_curve(self.trades, self.opening)

    @cached_property
    def drawdowns(self) -> tuple[Drawdown, ...]:
        start_ms = min((trade.opened_ms for trade in self.trades), default=0)
        return drawdowns(self.curve, start_ms)

    @cached_property
    def equity_by_day(self) -> tuple[tuple[Decimal, Decimal], ...]:
        """(Equity at the start, net) of every calendar day from the first close to the last, quiet days too."""
        equity, rows, net_on = self.opening, [], {day.date: day.net for day in self.days}
        for when in _every_day(self.days):
            net = net_on.get(when, ZERO)
            rows.append((equity, net))
            equity += net
        return tuple(rows)

    @cached_property
    def returns(self) -> tuple[Decimal, ...]:
        """Daily returns; empty once equity was zero or less at the start of a day, as none is defined then."""
        if any(equity <= 0 for equity, _ in self.equity_by_day):
            return ()
        return tuple(net / equity for equity, net in self.equity_by_day)

    @cached_property
    def scatter(self) -> Floats:
        return scatter(self.rs)

    @cached_property
    def resampled(self) -> Resampled:
        return Resampled.of(self.scatter)


def _every_day(days: Sequence[Day]) -> Iterable[date]:
    if days:
        for offset in range((days[-1].date - days[0].date).days + 1):
            yield days[0].date + timedelta(days=offset)

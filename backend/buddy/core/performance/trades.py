"""Closed trades: what is known of each, its outcome, and the day it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

from ..market import ZERO
from .arithmetic import exact, ratio

BREAK_EVEN_BAND = Decimal("0.1")
"""|R| up to here is a scratch: neither win nor loss."""


class Outcome(StrEnum):
    WIN = "win"
    LOSS = "loss"
    SCRATCH = "scratch"


HOUR_MS = 3_600_000


@dataclass(frozen=True)
class ClosedTrade:
    """One finished trade. Money in the account's currency, times in milliseconds UTC.

    `net` = `gross` − `fees` + `funding`; funding is signed from our side (paid is negative).
    `initial_risk` is None (or zero) where it was never known: such a trade counts in money but not in R.
    """

    key: int
    symbol: str
    side: str
    opened_ms: int
    closed_ms: int
    net: Decimal
    gross: Decimal
    fees: Decimal
    funding: Decimal = ZERO
    initial_risk: Decimal | None = None
    exit_reason: str = ""

    @cached_property
    def r(self) -> Decimal | None:
        return ratio(self.net, self.initial_risk or ZERO)

    @property
    def gross_r(self) -> Decimal | None:
        return ratio(self.gross, self.initial_risk or ZERO)

    @property
    def held_ms(self) -> int:
        return self.closed_ms - self.opened_ms


@dataclass(frozen=True, slots=True)
class Day:
    """One day on which trades were closed. `r` is None where no trade of the day has a known risk."""

    date: date
    net: Decimal
    r: Decimal | None
    trades: int
    wins: int
    losses: int


def outcome_of(net: Decimal, r: Decimal | None, band: Decimal = BREAK_EVEN_BAND) -> Outcome:
    """A scratch within ± `band` R; where the risk is not known, only a net of exactly zero is one."""
    if net == 0 or (r is not None and abs(r) <= band):
        return Outcome.SCRATCH
    return Outcome.WIN if net > 0 else Outcome.LOSS


def day_of(time_ms: int, zone: tzinfo) -> date:
    """The day a moment belongs to; a trade belongs to the day of its last exit in the user's time zone."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(zone).date()


def in_order(trades: Iterable[ClosedTrade]) -> tuple[ClosedTrade, ...]:
    return tuple(sorted(trades, key=attrgetter("closed_ms", "key")))


@exact
def trading_days(trades: Iterable[ClosedTrade], zone: tzinfo, band: Decimal = BREAK_EVEN_BAND) -> tuple[Day, ...]:
    """The days with closed trades, oldest first."""
    by_date: dict[date, list[ClosedTrade]] = {}
    for trade in in_order(trades):
        by_date.setdefault(day_of(trade.closed_ms, zone), []).append(trade)
    return tuple(_day(when, group, band) for when, group in sorted(by_date.items()))


def _day(when: date, trades: Sequence[ClosedTrade], band: Decimal) -> Day:
    known = [r for trade in trades if (r := trade.r) is not None]
    outcomes = [outcome_of(trade.net, trade.r, band) for trade in trades]
    return Day(
        date=when,
        net=sum((trade.net for trade in trades), ZERO),
        r=sum(known, ZERO) if known else None,
        trades=len(trades),
        wins=outcomes.count(Outcome.WIN),
        losses=outcomes.count(Outcome.LOSS),
    )

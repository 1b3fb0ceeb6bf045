"""What was won and lost, how often, how much, in which order and for how long."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby

from .arithmetic import percent, ratio, total
from .registry import Unit, figure
from .sample import Sample
from .trades import HOUR_MS, ClosedTrade, Day, Outcome

MOVED_STOPS = ("break_even", "trailing_stop")
SOON_MS = 30 * 60_000


@figure(Unit.MONEY, "Σ (gross − fees + funding)", least=0)
def net_pnl(sample: Sample) -> Decimal:
    return sample.net


@figure(Unit.MONEY, "Σ profit before fees and funding", least=0)
def gross_pnl(sample: Sample) -> Decimal:
    return total([trade.gross for trade in sample.trades])


@figure(Unit.MONEY, "Σ fees paid", least=0)
def fees(sample: Sample) -> Decimal:
    return total([trade.fees for trade in sample.trades])


@figure(Unit.MONEY, "Σ funding, received − paid", least=0)
def funding(sample: Sample) -> Decimal:
    return total([trade.funding for trade in sample.trades])


@figure(Unit.PERCENT, "fees / Σ gross of the trades with gross > 0")
def fee_share(sample: Sample) -> Decimal | None:
    return percent(fees(sample), total([trade.gross for trade in sample.trades if trade.gross > 0]))


@figure(Unit.R, "Σ R, R = net / initial risk", over="rs", least=0)
def total_r(sample: Sample) -> Decimal:
    return sample.total_r


@figure(Unit.R, "Σ gross / initial risk", over="rs", least=0)
def total_gross_r(sample: Sample) -> Decimal:
    return total([gross for trade in sample.trades if (gross := trade.gross_r) is not None])


@figure(Unit.PERCENT, "W / N")
def win_rate(sample: Sample) -> Decimal | None:
    return percent(len(sample.wins), len(sample.trades))


@figure(Unit.PERCENT, "W / (W + L), scratches left out", over="decided")
def win_rate_decided(sample: Sample) -> Decimal | None:
    return percent(len(sample.wins), len(sample.decided))


@figure(Unit.COUNT, "trades with net > 0 beyond the break-even band", least=0)
def wins(sample: Sample) -> int:
    return len(sample.wins)


@figure(Unit.COUNT, "trades with net < 0 beyond the break-even band", least=0)
def losses(sample: Sample) -> int:
    return len(sample.losses)


@figure(Unit.COUNT, "trades within the break-even band, |R| ≤ 0.1", least=0)
def scratches(sample: Sample) -> int:
    return len(sample.scratches)


@figure(Unit.MONEY, "mean net of the wins", over="wins")
def average_win(sample: Sample) -> Decimal | None:
    return ratio(sample.won, len(sample.wins))


@figure(Unit.MONEY, "mean net of the losses", over="losses")
def average_loss(sample: Sample) -> Decimal | None:
    return ratio(sample.lost, len(sample.losses))


@figure(Unit.RATIO, "average win / |average loss|", over="decided")
def payoff(sample: Sample) -> Decimal | None:
    win, loss = average_win(sample), average_loss(sample)
    return None if win is None or loss is None else ratio(win, abs(loss))


@figure(Unit.RATIO, "Σ net of the wins / |Σ net of the losses|", over="decided")
def profit_factor(sample: Sample) -> Decimal | None:
    return ratio(sample.won, abs(sample.lost))


@figure(Unit.MONEY, "highest net of a trade")
def best_trade(sample: Sample) -> Decimal:
    return max(trade.net for trade in sample.trades)


@figure(Unit.MONEY, "lowest net of a trade")
def worst_trade(sample: Sample) -> Decimal:
    return min(trade.net for trade in sample.trades)


@figure(Unit.COUNT, "longest run of wins by last exit; a scratch ends a run", least=0)
def longest_win_streak(sample: Sample) -> int:
    return _longest(sample.outcomes, Outcome.WIN)


@figure(Unit.COUNT, "longest run of losses by last exit; a scratch ends a run", least=0)
def longest_loss_streak(sample: Sample) -> int:
    return _longest(sample.outcomes, Outcome.LOSS)


@figure(Unit.COUNT, "wins (+) or losses (−) in a row up to the last trade; 0 after a scratch")
def current_streak(sample: Sample) -> int:
    return _current(sample.outcomes)


@figure(Unit.COUNT, "longest run of green trading days (net > 0)", over="days", least=0)
def longest_green_streak(sample: Sample) -> int:
    return _longest(_colours(sample.days), Outcome.WIN)


@figure(Unit.COUNT, "longest run of red trading days (net < 0)", over="days", least=0)
def longest_red_streak(sample: Sample) -> int:
    return _longest(_colours(sample.days), Outcome.LOSS)


@figure(Unit.COUNT, "green (+) or red (−) trading days in a row up to the last", over="days")
def current_day_streak(sample: Sample) -> int:
    return _current(_colours(sample.days))


@figure(Unit.PERCENT, "days with net > 0 / days with trades", over="days")
def green_days(sample: Sample) -> Decimal | None:
    return percent(_colours(sample.days).count(Outcome.WIN), len(sample.days))


@figure(Unit.HOURS, "median time from first fill to last exit of the wins", over="wins")
def median_hold_win(sample: Sample) -> Decimal | None:
    return _median_hours(sample.wins)


@figure(Unit.HOURS, "median time from first fill to last exit of the losses", over="losses")
def median_hold_loss(sample: Sample) -> Decimal | None:
    return _median_hours(sample.losses)


@figure(Unit.HOURS, "median time from first fill to last exit of the scratches", over="scratches")
def median_hold_scratch(sample: Sample) -> Decimal | None:
    return _median_hours(sample.scratches)


@figure(Unit.HOURS, "mean time from first fill to last exit of the wins", over="wins")
def mean_hold_win(sample: Sample) -> Decimal | None:
    return _mean_hours(sample.wins)


@figure(Unit.HOURS, "mean time from first fill to last exit of the losses", over="losses")
def mean_hold_loss(sample: Sample) -> Decimal | None:
    return _mean_hours(sample.losses)


@figure(Unit.HOURS, "mean time from first fill to last exit of the scratches", over="scratches")
def mean_hold_scratch(sample: Sample) -> Decimal | None:
    return _mean_hours(sample.scratches)


@figure(Unit.COUNT, "trades ended by a stop that had been moved (break-even, step or trailing)", least=0)
def stop_moved(sample: Sample) -> int:
    return sum(trade.exit_reason in MOVED_STOPS for trade in sample.trades)


@figure(Unit.COUNT, "trades entered within 30 minutes after a loss was closed", least=0)
def soon_after_loss(sample: Sample) -> int:
    closes = [trade.closed_ms for trade in sample.losses]
    return sum(_soon_after(closes, trade.opened_ms) for trade in sample.trades)


def _soon_after(closes: Sequence[int], opened_ms: int) -> bool:
    before = bisect_right(closes, opened_ms)
    return before > 0 and opened_ms - closes[before - 1] <= SOON_MS


def _median_hours(trades: Sequence[ClosedTrade]) -> Decimal:
    held, count = sorted(trade.held_ms for trade in trades), len(trades)
    return Decimal(held[(count - 1) // 2] + held[count // 2]) / 2 / HOUR_MS


def _mean_hours(trades: Sequence[ClosedTrade]) -> Decimal:
    return Decimal(sum(trade.held_ms for trade in trades)) / len(trades) / HOUR_MS


def _colours(days: Sequence[Day]) -> list[Outcome]:
    return [Outcome.WIN if day.net > 0 else Outcome.LOSS if day.net < 0 else Outcome.SCRATCH for day in days]


def _longest(outcomes: Sequence[Outcome], wanted: Outcome) -> int:
    return max((len(list(run)) for outcome, run in groupby(outcomes) if outcome is wanted), default=0)


def _current(outcomes: Sequence[Outcome]) -> int:
    """The last run, counted up for wins and down for losses."""
    sign = {Outcome.WIN: 1, Outcome.LOSS: -1, Outcome.SCRATCH: 0}[outcomes[-1]]
    return sign * len(list(next(groupby(reversed(outcomes)))[1]))

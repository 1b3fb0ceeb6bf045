"""What must hold of any record, and of whatever is drawn again from one."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from statistics import NormalDist, fmean, pstdev
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from buddy.core.performance import ClosedTrade, Resampled, equity_curve, equity_paths, scatter, summarise, trading_days

D = Decimal
money = st.decimals(-10_000, 10_000, places=8)
costs = st.decimals(0, 100, places=8)


@st.composite
def records(draw: st.DrawFn, least: int = 0) -> list[ClosedTrade]:
    rows = draw(st.lists(st.tuples(money, costs, costs, st.integers(0, 90 * 86_400_000)), min_size=least, max_size=40))
    risk = draw(st.sampled_from([None, D(0), D(50), D("33.3")]))
    return [
        ClosedTrade(i, "X", "long", when, when + 60_000, gross - fees - paid, gross, fees, -paid, risk)
        for i, (gross, fees, paid, when) in enumerate(rows)
    ]


@given(records())
def test_net_is_gross_minus_fees_plus_funding_to_the_last_digit(record: list[ClosedTrade]) -> None:
    figures = summarise(record, D(10_000))
    value = {name: figures[name].value for name in ("net_pnl", "gross_pnl", "fees", "funding")}
    assert value["net_pnl"] == value["gross_pnl"] - value["fees"] + value["funding"]  # type: ignore[operator]


@given(records(least=1), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(record: list[ClosedTrade], random: object) -> None:
    shuffled = list(record)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert summarise(shuffled, D(10_000)) == summarise(record, D(10_000))


@given(records())
def test_equity_ends_at_the_opening_plus_all_nets(record: list[ClosedTrade]) -> None:
    curve = equity_curve(record, D(10_000))
    assert (curve[-1].equity if curve else D(10_000)) == D(10_000) + sum((t.net for t in record), D(0))


@given(records(least=1))
def test_drawdowns_are_never_negative_and_the_deepest_is_the_deepest(record: list[ClosedTrade]) -> None:
    curve = equity_curve(record, D(10_000))
    assert all(point.drawdown >= 0 and point.drawdown_r >= 0 for point in curve)
    figures = summarise(record, D(10_000))
    assert figures["max_drawdown"].value == max(point.drawdown for point in curve)
    assert figures["current_drawdown"].value <= figures["max_drawdown"].value  # type: ignore[operator]


@given(records())
def test_every_trade_is_a_win_a_loss_or_a_scratch_and_on_one_day(record: list[ClosedTrade]) -> None:
    figures = summarise(record, D(10_000))
    assert sum(figures[name].value for name in ("wins", "losses", "scratches")) == len(record)  # type: ignore[misc]
    for zone in (UTC, ZoneInfo("Pacific/Auckland")):
        days = trading_days(record, zone)
        assert sum(day.trades for day in days) == len(record)
        assert sum((day.net for day in days), D(0)) == figures["net_pnl"].value


@given(records(least=1))
def test_percentages_stay_within_a_hundred(record: list[ClosedTrade]) -> None:
    figures = summarise(record, D(10_000))
    for name in ("win_rate", "win_rate_decided", "green_days", "luck", "risk_of_ruin"):
        assert figures[name].value is None or 0 <= figures[name].value <= 100  # type: ignore[operator]


RS = [D(n % 7 - 2) / 2 for n in range(200)]


def resampled(rs: list[D]) -> Resampled:
    return Resampled.of(scatter(rs))


def test_the_bootstrap_gives_the_same_answer_every_time_and_in_any_order() -> None:
    assert resampled(RS) == resampled(list(reversed(RS)))


def test_the_interval_is_where_the_theory_of_large_samples_puts_it() -> None:
    values = [float(r) for r in RS]
    theory = NormalDist(fmean(values), pstdev(values) / len(values) ** 0.5)
    found = resampled(RS)
    assert abs(float(found.low or 0) - theory.inv_cdf(0.05)) < 0.01
    assert abs(float(found.high or 0) - theory.inv_cdf(0.95)) < 0.01


def test_drawing_and_its_limit_agree_where_they_meet() -> None:
    few, many = (RS * 10)[:1_999], RS * 10
    drawn, limit = resampled(few), resampled(many)
    assert abs((drawn.low or D(0)) - (limit.low or D(0))) < D("0.003")
    assert abs((drawn.high or D(0)) - (limit.high or D(0))) < D("0.003")


def test_a_record_without_an_edge_is_likely_luck_and_a_good_one_is_not() -> None:
    even = [D(1), D(-1)] * 50
    good = [D(1), D(1), D(1), D(-1)] * 25
    assert abs((resampled(even).luck or D(0)) - D("0.5")) < D("0.1")
    assert (resampled(good).luck or D(1)) < D("0.001")
    assert (resampled([-r for r in good]).luck or D(0)) > D("0.999")


def test_staking_more_ruins_more_often() -> None:
    rs = [D(1), D(-1), D("0.5"), D("-0.8")] * 10
    ruin = [equity_paths(scatter(rs), risk=D(f), depth=D("0.2")).ruin for f in ("0.005", "0.02", "0.1")]
    assert ruin == sorted(ruin)
    assert ruin[0] < D("0.05") < D("0.9") < ruin[2]


def test_certain_trades_lead_along_one_path() -> None:
    paths = equity_paths(scatter([D(1)]), risk=D("0.1"), depth=D("0.2"), trades=3)
    assert paths.low == paths.middle == paths.high == (D("1.1"), D("1.21"), D("1.331"))
    assert paths.ruin == 0

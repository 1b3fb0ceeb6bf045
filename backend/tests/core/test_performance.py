"""Every figure on examples small enough to be worked out by hand, as the comments do."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from buddy.core.performance import (
    FORMULAS,
    ClosedTrade,
    Outcome,
    Unit,
    break_down,
    day_of,
    equity_curve,
    outcome_of,
    summarise,
    trading_days,
)

D = Decimal
HOUR = 3_600_000
DAY = 24 * HOUR
NOON = int(datetime(2025, 6, 1, 12, tzinfo=UTC).timestamp() * 1000)


def trade(
    key: int,
    gross: str | int,
    fees: str | int = 0,
    funding: str | int = 0,
    *,
    risk: str | None = "100",
    day: int = 0,
    hours: int = 1,
    **more: str,
) -> ClosedTrade:
    """Closed at noon (and `key` minutes) of the given day after 1 June 2025."""
    closed = NOON + day * DAY + key * 60_000
    return ClosedTrade(
        key=key,
        symbol=more.get("symbol", "BTC/USDT:USDT"),
        side=more.get("side", "long"),
        opened_ms=closed - hours * HOUR,
        closed_ms=closed,
        gross=D(gross),
        fees=D(fees),
        funding=D(funding),
        net=D(gross) - D(fees) + D(funding),
        initial_risk=None if risk is None else D(risk),
        exit_reason=more.get("exit_reason", "take_profit"),
    )


RECORD = (
    trade(1, 210, 10, 0, day=0, hours=1),  # net  200   R  2
    trade(2, -92, 10, 2, day=0, hours=2, exit_reason="stop_loss"),  # net −100   R −1
    trade(3, 10, 5, 0, day=1, hours=3, exit_reason="break_even"),  # net    5   R  0.05: a scratch
    trade(4, -90, 10, 0, day=3, hours=4),  # net −100   R −1
    trade(5, -55, 5, 0, day=3, hours=6, risk=None),  # net  −60   R unknown
    trade(6, 160, 8, -2, day=4, hours=8),  # net  150   R  1.5
)
"""Opening 1,000; equity 1200, 1100, 1105, 1005, 945, 1095."""

FIGURES = summarise(RECORD, D(1000))


def close(value: D | None, expected: str | D) -> bool:
    return value is not None and abs(value - D(expected)) < D("1e-9")


@pytest.mark.parametrize(
    ("name", "expected", "n"),
    [
        ("net_pnl", "95", 6),  # 200 − 100 + 5 − 100 − 60 + 150
        ("gross_pnl", "143", 6),  # 210 − 92 + 10 − 90 − 55 + 160
        ("fees", "48", 6),  # 10 + 10 + 5 + 10 + 5 + 8
        ("funding", "0", 6),  # 2 − 2; and 143 − 48 + 0 = 95
        ("fee_share", D(4800) / 380, 6),  # 48 / (210 + 10 + 160)
        ("total_r", "1.55", 5),  # 2 − 1 + 0.05 − 1 + 1.5
        ("total_gross_r", "1.98", 5),  # 2.1 − 0.92 + 0.1 − 0.9 + 1.6
        ("wins", "2", 6),
        ("losses", "3", 6),  # the one without a known risk by its sign
        ("scratches", "1", 6),
        ("win_rate", D(200) / 6, 6),  # 2 / 6
        ("win_rate_decided", "40", 5),  # 2 / (2 + 3)
        ("average_win", "175", 2),  # (200 + 150) / 2
        ("average_loss", D(-260) / 3, 3),  # (−100 − 100 − 60) / 3
        ("payoff", D(525) / 260, 5),  # 175 / (260 / 3)
        ("profit_factor", D(350) / 260, 5),
        ("expectancy", D(95) / 6, 6),
        ("expectancy_r", "0.31", 5),  # 1.55 / 5
        ("expectancy_r_without_best", "-0.1125", 5),  # (1.55 − 2) / 4
        ("best_trade", "200", 6),
        ("worst_trade", "-100", 6),
        ("longest_win_streak", "1", 6),  # W L S L L W
        ("longest_loss_streak", "2", 6),
        ("current_streak", "1", 6),
        ("longest_green_streak", "2", 4),  # days: +100, +5, −160, +150
        ("longest_red_streak", "1", 4),
        ("current_day_streak", "1", 4),
        ("green_days", "75", 4),
        ("median_hold_win", "4.5", 2),  # 1 and 8 hours
        ("mean_hold_win", "4.5", 2),
        ("median_hold_loss", "4", 3),  # 2, 4 and 6
        ("mean_hold_loss", "4", 3),
        ("median_hold_scratch", "3", 1),
        ("mean_hold_scratch", "3", 1),
        ("stop_moved", "1", 6),
        ("max_drawdown", "255", 6),  # 1200 − 945
        ("max_drawdown_percent", "21.25", 6),  # 255 / 1200
        ("max_drawdown_r", "1.95", 5),  # cumulative R 2, 1, 1.05, 0.05, 1.55
        ("current_drawdown", "105", 6),  # 1200 − 1095
        ("current_drawdown_percent", "8.75", 6),
        ("max_drawdown_length", D(72) + D(4) / 60, 6),  # three days and four minutes
        ("longest_drawdown", D(96) + D(5) / 60, 6),  # still below the peak at the last trade
        ("recovery", D(95) / 255, 6),
    ],
)
def test_figures_are_what_a_hand_computes(name: str, expected: str | D, n: int) -> None:
    figure = FIGURES[name]
    assert close(figure.value, expected), figure
    assert figure.n == n


def test_sharpe_sortino_and_ulcer_count_the_quiet_day_too() -> None:
    # 1 to 5 June: 100/1000, 5/1100, nothing, −160/1105, 150/945
    returns = [D(100) / 1000, D(5) / 1100, D(0), D(-160) / 1105, D(150) / 945]
    mean = sum(returns, D(0)) / 5
    sd = (sum(((r - mean) ** 2 for r in returns), D(0)) / 4).sqrt()
    assert close(FIGURES["sharpe"].value, mean / sd * D(365).sqrt())
    below = ((D(160) / 1105) ** 2 / 5).sqrt()
    assert close(FIGURES["sortino"].value, mean / below * D(365).sqrt())
    # evenings at 1100, 1105, 1105, 945, 1095 under peaks 1100, 1105, 1105, 1105, 1105
    depths = [D(16000) / 1105, D(1000) / 1105]
    assert close(FIGURES["ulcer"].value, (sum((d * d for d in depths), D(0)) / 5).sqrt())
    assert FIGURES["sharpe"].n == FIGURES["ulcer"].n == 5


def test_sqn_needs_thirty_trades() -> None:
    # 18 × +1 R and 12 × −1 R: mean 0.2, squares 30 − 30 × 0.04 = 28.8
    record = [trade(i, 100 if i < 18 else -100, day=i) for i in range(30)]
    expected = D(30).sqrt() * D("0.2") / (D("28.8") / 29).sqrt()
    assert close(summarise(record, D(1000))["sqn"].value, expected)
    assert summarise(record[:29], D(1000))["sqn"].value is None


def test_sqn_counts_at_most_a_hundred_trades() -> None:
    # 120 × +1 R and 80 × −1 R: mean 0.2, squares 200 − 200 × 0.04 = 192
    record = [trade(i, 100 if i < 120 else -100, day=i) for i in range(200)]
    expected = D(10) * D("0.2") / (D(192) / 199).sqrt()
    assert close(summarise(record, D(100_000))["sqn"].value, expected)


def test_the_k_ratio_is_the_slope_over_its_standard_error() -> None:
    # cumulative R 1, 3, 2 on 1, 2, 3: slope 1/2, residuals −½, 1, −½, error √(1.5 / 1 / 2) → ½ / √¾ = 1 / √3
    record = [trade(1, 100), trade(2, 200), trade(3, -100)]
    assert close(summarise(record, D(1000))["k_ratio"].value, 1 / D(3).sqrt())


def test_a_perfectly_straight_curve_has_no_k_ratio() -> None:
    assert summarise([trade(i, 100) for i in range(5)], D(1000))["k_ratio"].value is None


def test_kelly_needs_fifty_decided_trades_and_keeps_to_the_users_cap() -> None:
    # p = 0.6, b = 150 / 100: 0.6 − 0.4 / 1.5 = 1/3
    record = [trade(i, 150 if i < 30 else -100, day=i) for i in range(50)]
    figures = summarise(record, D(10_000))
    assert close(figures["kelly"].value, D(100) / 3)
    assert close(figures["kelly_half"].value, D(50) / 3)
    assert close(figures["kelly_quarter"].value, D(25) / 3)
    capped = summarise(record, D(10_000), kelly_cap=D(10))
    assert [close(capped[name].value, v) for name, v in (("kelly", "10"), ("kelly_quarter", D(25) / 3))] == [True, True]
    assert summarise(record[1:], D(10_000))["kelly"].value is None


def test_calmar_is_the_annual_return_over_the_deepest_drawdown() -> None:
    # 1000 → 1100 on the first day, 1045 on the 31st: 4.5 % in 31 days, 55 / 1100 = 5 % down
    record = [trade(1, 100, day=0), trade(2, -55, day=30)]
    figures = summarise(record, D(1000))
    yearly = (D("1.045") ** (D(365) / 31) - 1) * 100
    assert close(figures["annual_return"].value, yearly)
    assert close(figures["calmar"].value, yearly / 5)


def test_no_yearly_return_is_made_of_a_few_days() -> None:
    assert FIGURES["annual_return"].value is None
    assert FIGURES["calmar"].value is None


def test_a_drawdown_from_the_opening_balance_counts() -> None:
    # 1000 → 900 → 950 → 1050: the first trade is already 100 under the opening balance
    record = [trade(1, -100, day=0, hours=2), trade(2, 50, day=1), trade(3, 100, day=2)]
    figures = summarise(record, D(1000))
    assert figures["max_drawdown"].value == 100
    assert figures["max_drawdown_percent"].value == 10
    assert close(figures["max_drawdown_length"].value, "2")  # from the first entry, when the opening balance stood
    assert close(figures["max_drawdown_recovery"].value, D(48) + D(2) / 60)
    assert figures["current_drawdown"].value == 0


def test_trades_soon_after_a_loss_are_counted() -> None:
    loss = trade(1, -100)
    soon = ClosedTrade(2, "X", "long", loss.closed_ms + 30 * 60_000, loss.closed_ms + HOUR, D(1), D(1), D(0))
    later = ClosedTrade(3, "X", "long", loss.closed_ms + 31 * 60_000, loss.closed_ms + HOUR, D(1), D(1), D(0))
    assert summarise([loss, soon, later], D(1000))["soon_after_loss"].value == 1


def test_what_is_not_defined_is_none_and_never_zero() -> None:
    nothing = summarise([], D(1000))
    sums = {name for name, figure in nothing.items() if figure.value is not None}
    assert {nothing[name].value for name in sums} == {D(0)}
    assert {"win_rate", "profit_factor", "expectancy", "sharpe", "max_drawdown"} & sums == set()
    only_wins = summarise([trade(1, 100), trade(2, 100)], D(1000))
    undefined = ("profit_factor", "payoff", "average_loss", "recovery", "sortino", "luck", "expectancy_low")
    assert [only_wins[name].value for name in undefined] == [None] * len(undefined)


def test_daily_returns_are_not_defined_once_the_account_is_empty() -> None:
    ruined = summarise([trade(1, -1000, day=0), trade(2, 100, day=1)], D(1000))
    assert ruined["sharpe"].value is None
    assert ruined["max_drawdown"].value == 1000


def test_the_break_even_band_is_a_tenth_of_r_and_includes_its_edge() -> None:
    assert outcome_of(D(10), D("0.1")) is Outcome.SCRATCH
    assert outcome_of(D("10.01"), D("0.1001")) is Outcome.WIN
    assert outcome_of(D("-10.01"), D("-0.1001")) is Outcome.LOSS
    assert outcome_of(D(10), D("0.1"), band=D("0.05")) is Outcome.WIN


def test_without_a_known_risk_the_sign_of_the_net_decides() -> None:
    assert [outcome_of(D(net), None) for net in ("0.01", "-0.01", "0")] == [*Outcome]


def test_a_trade_belongs_to_the_day_of_its_last_exit_where_the_user_lives() -> None:
    late = int(datetime(2025, 6, 30, 23, 30, tzinfo=UTC).timestamp() * 1000)
    assert day_of(late, UTC) == date(2025, 6, 30)
    assert day_of(late, ZoneInfo("Europe/Berlin")) == date(2025, 7, 1)
    assert day_of(late, ZoneInfo("America/New_York")) == date(2025, 6, 30)


def test_days_add_up_their_trades() -> None:
    days = trading_days(RECORD, UTC)
    assert [(day.date.day, day.net, day.r, day.trades, day.wins, day.losses) for day in days] == [
        (1, D(100), D(1), 2, 1, 1),
        (2, D(5), D("0.05"), 1, 0, 0),
        (4, D(-160), D(-1), 2, 0, 2),
        (5, D(150), D("1.5"), 1, 1, 0),
    ]


def test_the_equity_curve_starts_at_the_opening_balance() -> None:
    curve = equity_curve(RECORD, D(1000))
    assert [point.equity for point in curve] == [1200, 1100, 1105, 1005, 945, 1095]
    assert [point.drawdown for point in curve] == [0, 100, 95, 195, 255, 105]
    assert [point.cumulative_r for point in curve] == [D(x) for x in ("2", "1", "1.05", "0.05", "0.05", "1.55")]


def test_a_breakdown_has_the_same_figures_per_cell() -> None:
    record = [trade(1, 100, symbol="A"), trade(2, -50, symbol="A"), trade(3, 30, symbol="B")]
    cells = {cell.key: cell for cell in break_down(record, lambda t: [t.symbol])}
    assert (cells["A"].n, cells["A"].figures["net"].value) == (2, D(50))
    assert cells["A"].figures["profit_factor"].value == 2  # 100 / 50
    assert cells["A"].figures["mean_r"].value == D("0.25")
    assert cells["B"].figures["profit_factor"].value is None


def test_a_trade_with_two_tags_counts_in_both_and_one_without_in_none() -> None:
    tags = {1: ["fomo", "news"], 2: ["news"], 3: []}
    cells = break_down([trade(1, 1), trade(2, 1), trade(3, 1)], lambda t: tags[t.key])
    assert [(cell.key, cell.n) for cell in cells] == [("news", 2), ("fomo", 1)]


def test_every_figure_says_its_formula_and_its_unit() -> None:
    assert set(FORMULAS) == set(FIGURES)
    assert all(figure.formula and figure.unit in Unit for figure in FIGURES.values())

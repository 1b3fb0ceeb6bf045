"""The statistics over HTTP: the right trades, the right opening balance, the right day."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as StoreDown

from buddy.journal.models import Entry, Setup, Tag
from buddy.journal.stats_serializers import written

from .records import START, account_of, cancelled, closed, faults, still_open

STATS = "/api/v1/stats"


@pytest.fixture
def account(alice: Any) -> Any:
    return account_of(alice)


def ask(api: Any, what: str, **query: Any) -> Any:
    answer = api.get(f"{STATS}/{what}", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def figures(api: Any, **query: Any) -> dict[str, Any]:
    return {name: figure["value"] for name, figure in ask(api, "summary", **query)["figures"].items()}


def test_the_summary_counts_closed_trades_only(api: Any, account: Any) -> None:
    closed(account, "100.000000000000000001"), closed(account, "-40", day=1), cancelled(account)
    still_open(account)
    summary = ask(api, "summary", account=account.pk)
    assert (summary["currency"], summary["trades"]) == ("USDT", 2)
    assert summary["figures"]["net_pnl"] == {
        "value": "60.000000000000000001",
        "n": 2,
        "unit": "money",
        "formula": "Σ (gross − fees + funding)",
    }
    assert summary["figures"]["profit_factor"]["value"] == "2.5"
    assert summary["figures"]["sqn"]["value"] is None
    assert summary["figures"]["win_rate"]["value"] == "50"


def test_without_trades_there_are_dashes_not_errors(api: Any) -> None:
    assert figures(api)["win_rate"] is None
    assert ask(api, "equity") == {"opening": "0", "points": []}
    assert ask(api, "breakdown", by="tag")["rows"] == []
    assert ask(api, "calendar", year=2025, month=6)["days"] == []


def test_quotients_end_somewhere(api: Any, account: Any) -> None:
    closed(account, "10"), closed(account, "10", day=1), closed(account, "-11", day=2)
    assert figures(api)["expectancy"] == "3"
    assert figures(api, account=account.pk)["win_rate_decided"] == "0"  # R of 0.1: scratches
    assert figures(api)["sharpe"].partition(".")[2] == figures(api)["sharpe"].partition(".")[2][:18]


def test_the_equity_curve_of_a_period_starts_where_the_account_stood(api: Any, account: Any) -> None:
    closed(account, "100"), closed(account, "-50", day=2), closed(account, "20", day=3, symbol="ETH/USDT:USDT")
    whole = ask(api, "equity", account=account.pk)
    assert whole["opening"] == "10000"
    assert [point["equity"] for point in whole["points"]] == ["10100", "10050", "10070"]
    assert [point["drawdown"] for point in whole["points"]] == ["0", "50", "30"]
    assert whole["points"][0]["time"] == "2025-06-01T12:00:00Z"
    later = ask(api, "equity", account=account.pk, symbol="ETH/USDT:USDT", **{"from": "2025-06-03"})
    assert (later["opening"], [point["equity"] for point in later["points"]]) == ("10100", ["10120"])


def test_a_filter_changes_the_sample(api: Any, alice: Any, account: Any) -> None:
    other = account_of(alice, "Other")
    closed(account, "100"), closed(account, "-50", side="short", day=1), closed(other, "7", day=2)
    assert figures(api)["net_pnl"] == "57"
    assert figures(api, account=account.pk)["net_pnl"] == "50"
    assert figures(api, side="short")["net_pnl"] == "-50"
    assert figures(api, **{"from": "2025-06-02", "to": "2025-06-02"})["net_pnl"] == "-50"


def test_setup_and_tag_filter_and_break_down(api: Any, alice: Any, account: Any) -> None:
    setup, tag = Setup.objects.create(owner=alice, name="Breakout"), Tag.objects.create(owner=alice, name="News")
    with_words, _ = closed(account, "100"), closed(account, "-50", day=1)
    assert figures(api, setup=setup.pk)["net_pnl"] == "0"
    entry = Entry.objects.create(trade=with_words, setup=setup)
    entry.tags.add(tag)
    assert figures(api, setup=setup.pk)["net_pnl"] == figures(api, tag=tag.pk)["net_pnl"] == "100"
    for axis, name, nothing in (("setup", "Breakout", "No setup"), ("tag", "News", "No tag")):
        rows = ask(api, "breakdown", by=axis)["rows"]
        assert {row["label"]: row["net"]["value"] for row in rows} == {name: "100", nothing: "-50"}
    setup.name = "Range"
    setup.save()
    assert ask(api, "breakdown", by="setup")["rows"][1]["label"] == "Range"


def test_breakdowns_by_symbol_side_reason_and_account(api: Any, account: Any) -> None:
    closed(account, "100"), closed(account, "-50", day=1, symbol="ETH/USDT:USDT", side="short", exit_reason="stop_loss")
    by = {axis: ask(api, "breakdown", by=axis)["rows"] for axis in ("symbol", "side", "exit_reason", "account")}
    assert [(row["key"], row["n"]) for row in by["symbol"]] == [("BTC/USDT:USDT", 1), ("ETH/USDT:USDT", 1)]
    assert [row["label"] for row in by["side"]] == ["Long", "Short"]
    assert [row["label"] for row in by["exit_reason"]] == ["Stop Loss", "Take Profit"]
    assert [(row["label"], row["n"], row["mean_r"]["value"]) for row in by["account"]] == [("Practice", 2, "0.25")]


def test_the_calendar_puts_a_trade_on_the_users_day(api: Any, alice: Any, account: Any) -> None:
    closed(account, "120", day=29.45)  # 30 June, 22:48 UTC
    closed(account, "-20", day=29.5, risk=None)  # 1 July, 00:00 UTC
    june, july = (ask(api, "calendar", year=2025, month=month, account=account.pk) for month in (6, 7))
    assert june["days"] == [{"date": "2025-06-30", "net": "120", "r": "1.2", "trades": 1, "wins": 1, "losses": 0}]
    assert (july["days"][0]["date"], july["net"], july["r"], july["trades"]) == ("2025-07-01", "-20", None, 1)
    alice.time_zone = "Asia/Tokyo"
    alice.save()
    july = ask(api, "calendar", year=2025, month=7, account=account.pk)
    assert (july["time_zone"], july["net"], july["trades"]) == ("Asia/Tokyo", "100", 2)
    assert ask(api, "calendar", year=2025, month=6)["days"] == []


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "America/New_York"])
def test_no_day_is_lost_at_the_edges_of_a_month(api: Any, alice: Any, account: Any, zone: str) -> None:
    alice.time_zone = zone
    alice.save()
    for half_hours in range(-96, 97, 16):
        closed(account, "1", day=29.5 + half_hours / 48)
    months = [ask(api, "calendar", year=2025, month=month)["trades"] for month in (6, 7)]
    assert sum(months) == 13


def test_the_next_closed_trade_makes_a_remembered_answer_stale(api: Any, account: Any) -> None:
    closed(account, "100", day=5)
    assert figures(api)["net_pnl"] == "100"
    closed(account, "-30", day=1)  # closed earlier by the account's own clock
    assert figures(api)["net_pnl"] == "70"


def test_moments_and_money_come_out_of_the_database_to_the_last_digit(api: Any, account: Any) -> None:
    for part in (0, 500_000, 120_000, 1_000, 123_999):
        closed(account, "0.000000000000000001", closed_at=START + timedelta(microseconds=part))
    points = ask(api, "equity")["points"]
    times = [datetime.fromisoformat(point["time"]) - START for point in points]
    assert [time / timedelta(milliseconds=1) for time in times] == [0, 1, 120, 123, 500]
    assert points[-1]["equity"] == "10000.000000000000000005"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("98765432109876543212.123456789012345678", "98765432109876543212.123456789012345678"),
        ("32921810703292181070.7078189296707818926666", "32921810703292181070.707818929670781893"),
        ("1.50", "1.5"),
        ("1E+3", "1000"),
        ("100", "100"),
        ("-0.00", "0"),
        ("-4E-19", "0"),
        ("-0.25", "-0.25"),
    ],
)
def test_a_decimal_is_written_with_all_the_places_that_are_kept_and_no_more(value: str, text: str) -> None:
    assert written(Decimal(value)) == text


def test_a_row_that_takes_anothers_number_and_times_is_not_mistaken_for_it(api: Any, account: Any) -> None:
    first = closed(account, "100")
    assert figures(api)["net_pnl"] == "100"
    number = first.pk
    first.delete()
    closed(account, "-30", pk=number)  # after a restored dump, on a replay's clock
    assert figures(api)["net_pnl"] == "-30"


def test_a_remembered_answer_reads_no_rows(api: Any, account: Any, django_assert_max_num_queries: Any) -> None:
    closed(account, "100")
    asked = ask(api, "summary")
    with django_assert_max_num_queries(4):  # session, user, the state of the trades, the accounts
        assert ask(api, "summary") == asked


def test_without_the_store_the_answer_is_computed(api: Any, account: Any, monkeypatch: Any) -> None:
    closed(account, "100")

    def down(*_: Any, **__: Any) -> Any:
        raise StoreDown("gone")

    monkeypatch.setattr("buddy.journal.stats.cache", type("Down", (), {"get": down, "set": down})())
    assert figures(api)["net_pnl"] == "100"


def test_an_answer_belongs_to_one_user(api: Any, bobs_api: Any, account: Any) -> None:
    closed(account, "100")
    assert figures(api)["net_pnl"] == "100"
    assert figures(bobs_api)["net_pnl"] == "0"
    for what in ("summary", "equity", "breakdown?by=symbol", "calendar?year=2025&month=6"):
        joint = "&" if "?" in what else "?"
        assert bobs_api.get(f"{STATS}/{what}{joint}account={account.pk}").status_code == 404


def test_kelly_never_passes_the_accounts_own_limit(api: Any, account: Any) -> None:
    for i in range(60):
        closed(account, "150" if i % 2 else "-100", day=i / 10)
    assert figures(api, account=account.pk)["kelly"] == "5"
    account.max_risk_percent = Decimal(2)
    account.save()
    assert figures(api, account=account.pk)["kelly"] == "2"


def test_money_of_different_currencies_is_never_added(api: Any, alice: Any, account: Any) -> None:
    account_of(alice, "Coin", currency="BTC")
    answer = api.get(f"{STATS}/summary")
    assert (answer.status_code, faults(answer)) == (422, {"account": ["mixed_currencies"]})
    assert ask(api, "summary", account=account.pk)["currency"] == "USDT"


@pytest.mark.parametrize(
    ("what", "query", "field"),
    [
        ("calendar", {}, "year"),
        ("calendar", {"year": 2025, "month": 13}, "month"),
        ("calendar", {"year": 10**9, "month": 1}, "year"),
        ("breakdown", {}, "by"),
        ("breakdown", {"by": "mood"}, "by"),
        ("summary", {"from": "x"}, "from"),
        ("equity", {"account": "1 OR 1=1"}, "account"),
    ],
)
def test_a_wrong_question_is_named(api: Any, what: str, query: dict[str, Any], field: str) -> None:
    answer = api.get(f"{STATS}/{what}", query)
    assert answer.status_code == 400
    assert field in faults(answer)


@pytest.mark.parametrize(("year", "month"), [(1970, 1), (9998, 12)])
def test_the_first_and_the_last_month_there_is(api: Any, alice: Any, year: int, month: int) -> None:
    alice.time_zone = "Pacific/Auckland"
    alice.save()
    cache.clear()
    assert ask(api, "calendar", year=year, month=month)["days"] == []

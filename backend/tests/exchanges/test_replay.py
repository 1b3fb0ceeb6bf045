"""Recordings: read exactly, told only in their time, with their holes known."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy.core.errors import CouldNotRead
from buddy.core.market import TIMEFRAMES, Candle
from buddy.exchanges.market_data.recordings import listed, load, read
from buddy.exchanges.market_data.replay import ReplayedPrices, grouped
from buddy.exchanges.market_data.source import Quiet, UnknownSymbol

BTC = "BTC/USDT:USDT"
MONTH = "binance_BTCUSDT_1m_202506_202507.parquet"
GAPPY = "bybit_LINKUSDT_1m_gappy_202409_202509.parquet"
MINUTE = 60_000
HOUR = 60 * MINUTE
BEGIN = 1_748_736_000_000

ROWS = "time,open,high,low,close,volume\n" + "".join(
    f"{BEGIN + n * MINUTE},{100 + n}.10,{101 + n}.25,{99 + n}.5,{100 + n}.7,{n}\n" for n in range(10)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ADAUSDT_1m.csv").write_text(ROWS)
    return tmp_path


def replay(folder: Path, name: str, at: int, *, leaps: bool = False) -> ReplayedPrices:
    return ReplayedPrices(load(folder, name), lambda: at, leaps=leaps)


def month(shared_dir: Path, at: int) -> ReplayedPrices:
    return replay(shared_dir / "market-data", MONTH, at)


def test_every_price_of_a_real_file_is_exactly_the_files(shared_dir):
    path = shared_dir / "market-data" / MONTH
    table, recording = polars.read_parquet(path), read(path)
    for index in (0, 1, 777, 43_198):
        row = table.row(index, named=True)
        assert recording.candle(index) == Candle(
            int(row["ts"].replace(tzinfo=UTC).timestamp() * 1000),
            *(Decimal(repr(row[name])) for name in ("open", "high", "low", "close", "volume")),
        )
    tick = recording.instrument.tick_size
    assert all(recording.instrument.on_tick(price) for price in recording.candle(777)[1:5])
    assert (recording.instrument.symbol, recording.timeframe, len(recording.times), tick) == (
        BTC, "1m", 43_199, Decimal("0.01"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe", "holes"),
    [
        ("binance_BTCUSDT_5m_202403_202507.parquet", BTC, "5m", 0),
        ("binance_ETHUSDT_5m_202201_202208.parquet", "ETH/USDT:USDT", "5m", 0),
        (GAPPY, "LINK/USDT:USDT", "1m", 524),
        ("ftx_BTCPERP_1m_202112_202201.parquet", "BTC/USD:USD", "1m", 0),
    ],
)
def test_symbol_timeframe_and_holes_are_found_in_real_files(shared_dir, name, symbol, timeframe, holes):
    recording = read(shared_dir / "market-data" / name)
    assert (recording.instrument.symbol, recording.timeframe, len(recording.holes())) == (symbol, timeframe, holes)


def test_minutes_made_into_five_equal_the_separately_recorded_five(shared_dir):
    folder = shared_dir / "market-data"
    minutes, fives = read(folder / MONTH), read(folder / "binance_BTCUSDT_5m_202403_202507.parquet")
    first = minutes.running(minutes.begin + 600_000 - minutes.begin % 300_000)
    made = grouped([minutes.candle(index) for index in range(first, first + 500)], 300_000)
    for candle in made:
        assert candle[:5] == fives.candle(fives.running(candle.time))[:5]


@given(st.integers(0, 43_000 * MINUTE))
@settings(max_examples=40, deadline=None)
def test_nothing_of_a_candle_is_told_before_its_time(shared_dir, passed):
    recording = read(shared_dir / "market-data" / MONTH)
    now = recording.begin + passed
    source = month(shared_dir, now)
    over = recording.closed(now)
    *closed, running = source.candles(BTC, "1m", None, None, 5).rows
    assert all(candle == recording.candle(recording.running(candle.time)) for candle in closed)
    assert all(candle.time + MINUTE <= now for candle in closed)
    assert running == Candle(running.time, *[recording.candle(over).open] * 4)
    assert source.quote(BTC).last == recording.candle(over).open
    assert source.quote(BTC, now + 3_600_000) == source.quote(BTC)


@given(st.integers(0, 2_000 * MINUTE), st.sampled_from(["5m", "15m", "1h", "4h", "1d"]))
@settings(max_examples=40, deadline=None)
def test_longer_candles_hold_only_minutes_that_are_over(shared_dir, passed, timeframe):
    recording = read(shared_dir / "market-data" / MONTH)
    now = recording.begin + passed
    rows = month(shared_dir, now).candles(BTC, timeframe, None, None, 50).rows
    known = [recording.candle(index) for index in range(recording.closed(now))]
    known.append(Candle(int(recording.times[len(known)]), *[recording.candle(len(known)).open] * 4))
    assert list(rows) == grouped(known, TIMEFRAMES[timeframe])[-50:]


@given(st.lists(st.integers(1, 400_000), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_looking_often_or_seldom_walks_the_same_path(shared_dir, pauses):
    recording = read(shared_dir / "market-data" / MONTH)
    source, at, walked = month(shared_dir, recording.begin + sum(pauses)), recording.begin, []
    for pause in pauses:
        walked += source.path([BTC], at, at + pause)
        at += pause
    candles = [step.played for step in walked if isinstance(step.played, Candle)]
    assert candles == [s.played for s in source.path([BTC], recording.begin, at) if isinstance(s.played, Candle)]
    assert [c.time for c in candles] == [recording.begin + n * MINUTE for n in range(len(candles))]


def test_quiet_candles_come_as_one_and_the_touching_one_alone(folder):
    source = replay(folder, "ADAUSDT_1m.csv", BEGIN + 10 * MINUTE)
    quiet = Quiet(Decimal(0), Decimal("105.25"), 2**62)
    first, second, *_ = source.path(["ADA/USDT:USDT"], BEGIN, BEGIN + 10 * MINUTE, quiet=lambda: quiet)
    assert (first.end, first.played.open, first.played.high) == (
        BEGIN + 4 * MINUTE,
        Decimal("100.1"),
        Decimal("104.25"),
    )
    assert (second.end, second.played.high) == (BEGIN + 5 * MINUTE, Decimal("105.25"))


def test_a_watched_time_is_never_inside_a_joined_candle(folder):
    source = replay(folder, "ADAUSDT_1m.csv", BEGIN + 10 * MINUTE)
    quiet = Quiet(Decimal(0), Decimal(10_000), BEGIN + 3 * MINUTE)
    steps = list(source.path(["ADA/USDT:USDT"], BEGIN, BEGIN + 10 * MINUTE, quiet=lambda: quiet))
    assert [step.played.time for step in steps[:2]] == [BEGIN + 2 * MINUTE, BEGIN + 3 * MINUTE]


def test_in_a_hole_there_is_no_price(shared_dir):
    folder = shared_dir / "market-data"
    begin, end = read(folder / GAPPY).holes()[0]
    assert replay(folder, GAPPY, begin).quote("LINK/USDT:USDT").time == begin
    with pytest.raises(CouldNotRead, match="hole"):
        replay(folder, GAPPY, begin + 1).quote("LINK/USDT:USDT")
    assert replay(folder, GAPPY, end).quote("LINK/USDT:USDT").time == end
    assert not replay(folder, GAPPY, end).candles("LINK/USDT:USDT", "1m", None, None, 1000).complete
    assert list(replay(folder, GAPPY, end - 1).path(["LINK/USDT:USDT"], begin, end - 1)) == []


def test_after_the_last_candle_the_clock_stands_still(folder):
    source = replay(folder, "ADAUSDT_1m.csv", BEGIN + 10**9)
    assert source.now() == source.ends() == BEGIN + 10 * MINUTE
    assert source.quote("ADA/USDT:USDT").last == Decimal("109.7")


def test_a_clock_that_leaps_goes_to_the_end_only_with_work(folder):
    source = replay(folder, "ADAUSDT_1m.csv", BEGIN + MINUTE, leaps=True)
    assert source.horizon(at_work=False) == BEGIN + MINUTE
    assert source.horizon(at_work=True) == source.ends()


def test_a_folder_is_several_symbols_on_one_clock(folder):
    (folder / "two").mkdir()
    (folder / "two" / "SOLUSDT.csv").write_text(ROWS)
    (folder / "two" / "XRP-USDT_1m.csv").write_text(ROWS)
    assert listed(folder) == ["two", "ADAUSDT_1m.csv", "two/SOLUSDT.csv", "two/XRP-USDT_1m.csv"]
    source = replay(folder, "two", BEGIN + 10 * MINUTE)
    steps = list(source.path(["SOL/USDT:USDT", "XRP/USDT:USDT"], BEGIN, BEGIN + 3 * MINUTE))
    assert [step.end for step in steps] == sorted(step.end for step in steps)
    assert [step.symbol[:3] for step in steps[:4]] == ["SOL", "XRP"] * 2


@pytest.mark.parametrize(
    "times",
    [
        [f"{BEGIN // 1000 + n * 60}" for n in range(10)],
        [datetime.fromtimestamp(BEGIN / 1000 + n * 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for n in range(10)],
        [datetime.fromtimestamp(BEGIN / 1000 + n * 60, UTC).strftime("%Y-%m-%d %H:%M") for n in range(10)],
        [datetime.fromtimestamp(BEGIN / 1000 + n * 60, UTC).isoformat() for n in range(10)],
    ],
    ids=["seconds", "zulu", "minutes", "offset"],
)
def test_times_may_be_written_in_many_ways(tmp_path, times):
    rows = [f"{time},1.5,2,1,1.25" for time in times]
    (tmp_path / "a_DOTUSDT.csv").write_text("Date,Open,High,Low,Close\n" + "\n".join(rows))
    recording = read(tmp_path / "a_DOTUSDT.csv")
    assert recording.begin == BEGIN
    assert recording.timeframe == "1m"
    assert recording.candle(3) == Candle(BEGIN + 3 * MINUTE, Decimal("1.5"), Decimal(2), Decimal(1), Decimal("1.25"))


def test_a_csv_needs_no_header(tmp_path):
    (tmp_path / "ADAUSDT.csv").write_text(ROWS.split("\n", 1)[1])
    assert read(tmp_path / "ADAUSDT.csv").candle(0).open == Decimal("100.1")


BAD = {
    "the time does not rise": "time,open,high,low,close\n60,1,1,1,1\n60,1,1,1,1\n",
    "in row 2 the high is below": "time,open,high,low,close\n60,1,1,1,1\n120,2,1,1,1\n",
    "in row 1 the low is above": "time,open,high,low,close\n60,1,3,2,3\n120,2,3,1,1\n",
    "not a number above zero": "time,open,high,low,close\n60,1,1,0,1\n120,1,1,1,1\n",
    "fewer than two": "time,open,high,low,close\n60,1,1,1,1\n",
    "no column low": "time,open,high,close\n60,1,1,1\n",
    "no column of times": "when,open,high,low,close\n60,1,1,1,1\n",
    "not all numbers": "time,open,high,low,close\n60,1,1,1,1\n120,1,x,1,1\n",
    "times cannot be read": "time,open,high,low,close\nyesterday,1,1,1,1\ntoday,1,1,1,1\n",
    "7 s apart": "time,open,high,low,close\n60,1,1,1,1\n67,1,1,1,1\n",
    "no readable table": "",
}


@pytest.mark.parametrize("words", BAD)
def test_what_is_wrong_with_a_file_is_said(tmp_path, words):
    (tmp_path / "ADAUSDT.csv").write_text(BAD[words])
    with pytest.raises(CouldNotRead, match=words):
        read(tmp_path / "ADAUSDT.csv")


def test_a_broken_parquet_file_is_said_to_be_one(tmp_path):
    (tmp_path / "ADAUSDT.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(CouldNotRead, match=r"ADAUSDT\.parquet is no readable table"):
        read(tmp_path / "ADAUSDT.parquet")


def test_a_file_without_a_symbol_in_its_name_is_refused(tmp_path):
    (tmp_path / "prices.csv").write_text(ROWS)
    with pytest.raises(CouldNotRead, match="does not name its symbol"):
        read(tmp_path / "prices.csv")


@pytest.mark.parametrize("name", ["../secret.csv", "/etc/passwd", "nothing.csv", "", ".", "a/../../b"])
def test_a_name_never_leads_out_of_the_replay_folder(folder, name):
    (folder.parent / "secret.csv").write_text(ROWS)
    (folder / "ADAUSDT_1m.csv").unlink()
    with pytest.raises(CouldNotRead):
        load(folder, name)


def test_a_changed_file_is_read_again(folder):
    path = folder / "ADAUSDT_1m.csv"
    assert len(read(path).times) == 10
    path.write_text(ROWS + f"{BEGIN + 10 * MINUTE},1,1,1,1,0\n")
    assert len(read(path).times) == 11


def test_other_symbols_and_finer_candles_are_refused(folder):
    source = replay(folder, "ADAUSDT_1m.csv", BEGIN + 5 * MINUTE)
    with pytest.raises(UnknownSymbol):
        source.quote(BTC)
    assert list(source.timeframes("ADA/USDT:USDT")) == list(TIMEFRAMES)


def rates(folder: Path, column: list[str], name: str = "funding_rate") -> ReplayedPrices:
    """Hourly candles from midnight, with a column of funding."""
    lines = [f"time,open,high,low,close,volume,{name}"]
    lines += [f"{BEGIN + n * HOUR},1,1,1,1,0,{rate}" for n, rate in enumerate(column)]
    (folder / "ADAUSDT_1h.csv").write_text("\n".join(lines) + "\n")
    return replay(folder, "ADAUSDT_1h.csv", BEGIN)


def test_funding_is_the_common_base_rate_where_a_recording_says_nothing_of_it(folder):
    source = replay(folder, "ADAUSDT_1m.csv", BEGIN)
    told = source.funding("ADA/USDT:USDT", BEGIN, BEGIN + 24 * HOUR)
    assert [((rate.time - BEGIN) // HOUR, rate.rate) for rate in told] == [(n, Decimal("0.0001")) for n in (8, 16, 24)]


def test_a_recording_brings_its_own_funding(folder):
    column = [""] * 20
    column[8], column[9] = "-0.00012", "0.0005"
    source = rates(folder, column)
    told = source.funding("ADA/USDT:USDT", BEGIN - 1, BEGIN + 24 * HOUR)
    assert [((rate.time - BEGIN) // HOUR, rate.rate) for rate in told] == [(8, Decimal("-0.00012"))]


@pytest.mark.parametrize(("rate", "words"), [("0.5", "more than 10 %"), ("much", "not all numbers")])
def test_a_senseless_funding_rate_is_refused(folder, rate, words):
    with pytest.raises(CouldNotRead, match=words):
        rates(folder, [rate] * 3, "funding")

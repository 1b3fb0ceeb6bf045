"""`manage.py rehearse` as it is called: files and batches in, JSON out, and every wrong thing named."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy.trading.management.commands.rehearse import answer, encoded

D = Decimal
BACKEND = Path(__file__).resolve().parents[2]
KEYS = ["entries", "exits", "fees", "funding", "gross", "net", "initial_risk", "r"]
KEYS += ["ambiguous_candles", "open_quantity"]
HEADER = "time,open,high,low,close,volume"
ROWS = [
    "2025-06-01T00:00:00Z,101,102,99,101,1",
    "2025-06-01T00:01:00Z,101,103.5,100.5,103,1",
    "2025-06-01T00:02:00Z,103,104,99,100,1",
]
PLAN: dict[str, Any] = {
    "symbol": "COIN/USDT:USDT",
    "entries": [{"kind": "limit", "price": "100"}],
    "stop": {"price": "98"},
    "take_profits": [{"price": "103", "share": "0.5"}, {"price": "106", "share": "0.5"}],
    "risk": {"percent": "1"},
    "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "entry"}},
}


def write(folder: Path, *, plan: Any = PLAN, rows: list[str] | None = None, header: str = HEADER) -> list[str]:
    """The two files of a rehearsal; their names."""
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "candles.csv").write_text("\n".join([*([header] if header else []), *(ROWS if rows is None else rows)]))
    return [str(folder / "plan.json"), str(folder / "candles.csv")]


def run(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("rehearse", *arguments, "--json", stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def refused(*arguments: str) -> list[dict[str, str]]:
    """The faults of a rehearsal that is refused, with nothing printed."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("rehearse", *arguments, "--json", stdout=out, stderr=err)
    assert end.value.code == 1
    assert out.getvalue() == ""
    faults: list[dict[str, str]] = json.loads(err.getvalue())["error"]["faults"]
    return faults


def test_the_result_has_every_key_and_decimals_as_strings(tmp_path: Path) -> None:
    result = run(*write(tmp_path))
    assert list(result) == KEYS
    # risk 100 over 2 a coin: 50 in at 100, 25 out at 103, 25 out at break-even
    assert result["entries"] == [
        {"time": "2025-06-01T00:00:00Z", "price": "100", "quantity": "50", "reason": "limit", "order": 1}
    ]
    assert [(row["price"], row["quantity"], row["reason"], row["order"]) for row in result["exits"]] == [
        ("103", "25", "take_profit", 1),
        ("100", "25", "break_even", None),
    ]
    assert [result[key] for key in KEYS[2:]] == ["0", "0", "75", "75", "100", "0.75", 0, "0"]


@pytest.mark.parametrize(
    "times", [["1748736000", "1748736060", "1748736120"], ["1748736000000", "1748736060000", "1748736120000"]]
)
def test_times_are_given_back_as_they_came(tmp_path: Path, times: list[str]) -> None:
    rows = [f"{time},{row.partition(',')[2]}" for time, row in zip(times, ROWS, strict=True)]
    result = run(*write(tmp_path, rows=rows))
    assert [row["time"] for row in result["exits"]] == [int(times[1]), int(times[2])]


def test_a_header_may_be_missing_or_in_another_order(tmp_path: Path) -> None:
    usual = run(*write(tmp_path))
    assert run(*write(tmp_path, header="")) == usual
    turned = [",".join(reversed(row.split(","))) for row in ROWS]
    assert run(*write(tmp_path, rows=turned, header="volume,close,low,high,open,timestamp")) == usual


def test_fees_slippage_and_equity_are_options(tmp_path: Path) -> None:
    files = write(tmp_path)
    result = run(*files, "--fee-maker", "0.001", "--fee-taker", "0.002", "--slippage", "0.01", "--equity", "1000")
    # a coin risks 2 + 0.1 in + 98·0.002 out + 98·0.01 = 3.276, and 1 % of 1000 is 10
    quantity = D(result["entries"][0]["quantity"])
    assert abs(quantity - 10 / D("3.276")) < D("1E-11")
    assert D(result["exits"][1]["price"]) == 99
    half = quantity / 2
    fees = quantity * D("0.1") + half * D("0.103") + half * D("0.198")
    assert abs(D(result["fees"]) - fees) < D("1E-10")
    assert abs(D(result["net"]) - (half * 3 - half - fees)) < D("1E-10")


def test_an_instrument_rounds_to_its_tick_and_lot(tmp_path: Path) -> None:
    instrument = {"symbol": "COIN/USDT:USDT", "tick_size": "0.5", "lot_size": "7", "taker_fee": "0.001"}
    (tmp_path / "coin.json").write_text(json.dumps(instrument))
    result = run(*write(tmp_path), "--instrument", str(tmp_path / "coin.json"))
    # risk per coin 2 + 98·0.001 = 2.098, so 47.66…; whole lots of 7: 42, targets 21 and 21
    assert [row["quantity"] for row in result["entries"] + result["exits"]] == ["42", "21", "21"]
    assert result["exits"][1]["price"] == "100"


def test_finer_candles_settle_what_was_ambiguous(tmp_path: Path) -> None:
    rows = [ROWS[0], "2025-06-01T00:05:00Z,101,107,97,101,1"]
    files = write(tmp_path, rows=rows)
    assert run(*files)["ambiguous_candles"] == 1
    fine = [
        f"2025-06-01T00:0{5 + n}:00Z,{prices},1"
        for n, prices in enumerate(["101,107,101,107"] + ["107,107,107,107"] * 4)
    ]
    (tmp_path / "fine.csv").write_text("\n".join(fine))
    result = run(*files, "--fine", str(tmp_path / "fine.csv"))
    assert result["ambiguous_candles"] == 0
    assert [row["order"] for row in result["exits"]] == [1, 2]


def test_a_trade_that_never_entered_has_no_r(tmp_path: Path) -> None:
    result = run(*write(tmp_path, rows=["1748736000,105,106,104,105,1"]))
    assert (result["entries"], result["r"], result["open_quantity"]) == ([], None, "0")


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("2025-06-01T00:01:00Z,101,100,99,101,1", "high"),
        ("2025-06-01T00:01:00Z,101,103,102,101,1", "low"),
        ("2025-06-01T00:01:00Z,101,103,nan,101,1", "low"),
        ("2025-06-01T00:01:00Z,-101,103,100,101,1", "open"),
        ("2025-06-01T00:01:00Z,101,103,100,101,-1", "volume"),
        ("2025-05-31T00:01:00Z,101,103,100,101,1", "time"),
        ("yesterday,101,103,100,101,1", "time"),
        ("2025-06-01T00:01:00Z,101,103", "values"),
        ('"2025-06-01T00:01:00Z', "values"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, row: str, word: str) -> None:
    (fault,) = refused(*write(tmp_path, rows=[ROWS[0], row]))
    assert fault["field"] == "line 3"
    assert word in fault["message"]


def test_all_bad_rows_are_named(tmp_path: Path) -> None:
    faults = refused(*write(tmp_path, rows=["x,1,1,1,1,1", ROWS[0], "2025-06-01T00:01:00Z,1,2,3,4,5"]))
    assert [fault["field"] for fault in faults] == ["line 2", "line 4"]


def test_a_wrong_plan_is_refused_with_all_its_faults(tmp_path: Path) -> None:
    wrong = PLAN | {"stop": {"price": "104"}, "side": "long", "colour": "green"}
    assert {fault["field"] for fault in refused(*write(tmp_path, plan=wrong))} >= {"stop.price", "colour"}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--equity", "0"], "options.equity"),
        (["--fee-taker", "5"], "options.fee_taker"),
        (["--slippage", "-0.1"], "options.slippage"),
        (["--intrabar", "hopeful"], "options.intrabar"),
        (["--instrument", "/nowhere.json"], "instrument"),
        (["--fine", "/nowhere.csv"], "fine"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, arguments: list[str], field: str) -> None:
    assert [fault["field"] for fault in refused(*write(tmp_path), *arguments)] == [field]


def test_files_that_are_not_there_or_not_text_are_named(tmp_path: Path) -> None:
    files = write(tmp_path)
    assert refused("/nowhere.json", files[1])[0]["field"] == "plan"
    (tmp_path / "candles.csv").write_bytes(b"\xff\xfe\x00")
    assert refused(*files)[0]["code"] == "unreadable"
    (tmp_path / "plan.json").write_text("{")
    assert refused(*files)[0]["code"] == "not_json"
    assert refused()[0]["code"] == "missing"


def line(**changes: Any) -> dict[str, Any]:
    rows = [[row.split(",")[0], *map(float, row.split(",")[1:])] for row in ROWS]
    return {"id": 7, "plan": PLAN, "candles": rows} | changes


def test_a_line_of_a_batch_gives_what_the_files_give(tmp_path: Path) -> None:
    assert answer(json.dumps(line()), {}, None) == {"id": 7} | run(*write(tmp_path))


def test_options_of_a_line_are_taken_with_either_kind_of_dash() -> None:
    one = answer(json.dumps(line(options={"fee_taker": 0.001})), {}, None)
    other = answer(json.dumps(line(options={"fee-taker": "0.001"})), {}, None)
    assert one == other
    assert D(one["fees"]) > 0


def test_a_wrong_line_tells_its_id_and_every_fault_and_stops_no_other() -> None:
    told = answer(json.dumps(line(plan=PLAN | {"risk": {"percent": "-1"}})), {}, None)
    assert told["id"] == 7
    assert told["error"]["faults"][0]["field"] == "risk.percent"
    assert "error" not in answer(json.dumps(line()), {}, None)


def test_an_instrument_may_tell_only_its_steps() -> None:
    told = answer(json.dumps(line(instrument={"tick_size": "0.5", "lot_size": "0.01"})), {}, None)
    assert D(told["entries"][0]["quantity"]) % D("0.01") == 0
    wrong = answer(json.dumps(line(instrument={"tick_size": "0.5", "colour": "red"})), {}, None)
    assert wrong["error"]["faults"][0]["field"] == "instrument.colour"


def test_a_gap_far_beyond_the_stop_liquidates_nothing_where_no_margin_rules_are_told() -> None:
    rows = [[1, "101", "101", "100", "100", "1"], [2, "1", "1", "1", "1", "1"]]
    told = answer(json.dumps(line(candles=rows, instrument={"tick_size": "0.01"})), {}, None)
    assert [(row["price"], row["reason"]) for row in told["exits"]] == [("1", "stop_loss")]


@pytest.mark.parametrize("wrong", [0, False, [], "x"])
def test_options_and_instruments_that_are_no_objects_are_refused(wrong: Any) -> None:
    for key in ("options", "instrument"):
        assert answer(json.dumps(line(**{key: wrong})), {}, None)["error"]["faults"][0]["field"] == key


def test_an_id_beyond_every_number_does_not_spoil_the_answer() -> None:
    """`Infinity` is no JSON."""
    text = encoded(answer('{"id": 1e400}', {}, None))
    assert json.loads(text, parse_constant=pytest.fail)["id"] == "1E+400"


@pytest.mark.parametrize(
    ("text", "line_number"),
    [
        ("1,100,101,99,100\n1,100,101,99,100", 2),
        ("2,100,101,99,100\r\n1,100,101,99,100", 2),
        ("1,100,NaN,99,100", 1),
        ("1,100,101,-99,100", 1),
        ("1,1e400,1e400,1e400,1e400", 1),
        ("1e300,100,101,99,100", 1),
        ("time,open,high,low,close\n\n1,100,101\n", 3),
        ("\ufeff1,100,101,99,100\n2,100,99,101,100", 2),
        ('1,"100,101,99,100', 1),
    ],
)
def test_hostile_text_is_answered_with_its_line(tmp_path: Path, text: str, line_number: int) -> None:
    names = write(tmp_path)
    Path(names[1]).write_text(text, encoding="utf-8", newline="")
    assert refused(*names)[0]["field"] == f"line {line_number}"


junk = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.sampled_from(["100", "NaN", "1e999"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*list(PLAN), "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.sampled_from(["id", "plan", "candles", "options", "instrument", "what"]), junk)
def test_whatever_a_line_holds_it_is_answered(key: str, value: Any) -> None:
    told = answer(json.dumps(line(**{key: value})), {}, None)
    assert ("error" in told) != ("net" in told)
    assert json.loads(encoded(told))["id"] in (None, value if key == "id" else 7), "a line that is no JSON has no id"


@settings(deadline=None)
@given(st.text(max_size=40))
def test_whatever_text_a_line_is_it_is_answered(text: str) -> None:
    assert "error" in answer(text, {}, None)


def test_a_whole_process_reads_a_batch_from_standard_input() -> None:
    lines = [json.dumps(line()), "", json.dumps(line(id="b", candles=[]))]
    command = [sys.executable, "manage.py", "rehearse", "--batch", "-"]
    done = subprocess.run(command, cwd=BACKEND, input="\n".join(lines), capture_output=True, text=True, check=True)
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["id"], first["net"]) == (7, "75")
    assert (second["id"], second["error"]["faults"][0]["code"]) == ("b", "no_candles")

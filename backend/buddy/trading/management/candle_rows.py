"""Candles from text and JSON rows, exactly, with every wrong row named."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from buddy.core.errors import Fault, InvalidPlan
from buddy.core.market import Candle

COLUMNS = ("time", "open", "high", "low", "close", "volume")
TIME_NAMES = ("time", "timestamp", "ts", "date", "datetime", "open_time")
MILLISECONDS_FROM = Decimal(10) ** 11
"""Numbers from here on are milliseconds since 1970, smaller ones seconds."""
LATEST = 253_402_300_799_000
MOST_FAULTS = 20
LARGEST = Decimal(10) ** 15
SMALLEST = Decimal("1E-18")
NUMBERS = frozenset([str, int, Decimal])
LONGEST = 60


class BadRow(Exception):
    """What is wrong with one row."""


class Candles(list[Candle]):
    """Candles with the times as they came, by the time in milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: dict[int, Any] = {}


def read_csv(lines: Iterable[str], name: str) -> Candles:
    """From a CSV with or without a header. Raises InvalidPlan with the line numbers of what is wrong."""
    reader = csv.reader(lines)
    faults: list[Fault] = []
    candles, columns, first = Candles(), list(range(len(COLUMNS))), True
    try:
        for row in reader:
            if not row or not any(cell.strip() for cell in row):
                continue
            if first and _is_header(row):
                columns = _columns(row, name)
            else:
                _take(candles, _cells(row, columns), f"line {reader.line_num}", faults)
            first = False
            if len(faults) >= MOST_FAULTS:
                break
    except csv.Error as error:
        faults.append(_fault(f"line {reader.line_num}", str(error)))
    return _whole(candles, faults, name)


def read_rows(rows: object, field: str) -> Candles:
    """From JSON rows [time, open, high, low, close, volume]. Raises InvalidPlan with what is wrong."""
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise InvalidPlan(
            [Fault(field, "This must be a list of rows.", f"Give rows of {', '.join(COLUMNS)}.", "not_a_list")]
        )
    faults: list[Fault] = []
    candles = Candles()
    for number, row in enumerate(rows):
        _take(candles, row, f"{field}.{number}", faults)
        if len(faults) >= MOST_FAULTS:
            break
    return _whole(candles, faults, field)


def _take(candles: Candles, row: object, where: str, faults: list[Fault]) -> None:
    """Add one row, or name what is wrong with it."""
    try:
        candle, label = _candle(row)
        if candles and candle.time <= candles[-1].time:
            raise BadRow("The time is not later than the row before.")
        candles.append(candle)
        candles.labels[candle.time] = label
    except BadRow as bad:
        faults.append(_fault(where, str(bad)))


def _whole(candles: Candles, faults: list[Fault], name: str) -> Candles:
    if faults:
        raise InvalidPlan(faults)
    if not candles:
        raise InvalidPlan([Fault(name, "There are no candles.", f"Give rows of {', '.join(COLUMNS)}.", "no_candles")])
    return candles


def _fault(where: str, message: str) -> Fault:
    return Fault(where, message, f"A row is {', '.join(COLUMNS)}.", "bad_row")


def _is_header(row: Sequence[str]) -> bool:
    """A first row without a single number in it."""
    return all(_number(cell) is None for cell in row) and not any(_iso(cell) is not None for cell in row)


def _columns(header: Sequence[str], name: str) -> list[int]:
    """Where each of `COLUMNS` stands; volume may be absent (-1)."""
    names = [cell.strip().lower().lstrip("\ufeff") for cell in header]
    found = [next((n for n, cell in enumerate(names) if cell in TIME_NAMES), -1)]
    found += [names.index(column) if column in names else -1 for column in COLUMNS[1:]]
    missing = [column for column, at in zip(COLUMNS, found, strict=True) if at < 0 and column != "volume"]
    if missing:
        raise InvalidPlan(
            [Fault(name, f"line 1: no column {', '.join(missing)}.", f"Name {', '.join(COLUMNS)}.", "bad_header")]
        )
    return found


def _cells(row: Sequence[str], columns: Iterable[int]) -> list[str]:
    return [row[at] for at in columns if 0 <= at < len(row)]


def _candle(row: object) -> tuple[Candle, Any]:
    if not isinstance(row, Sequence) or isinstance(row, str) or not 5 <= len(row) <= 6:
        raise BadRow("A row has five or six values.")
    time, label = read_time(row[0])
    usual = _usual(time, row)
    if usual is not None:
        return usual, label
    open_, high, low, close, *volume = (
        _price(value, column) for value, column in zip(row[1:], COLUMNS[1:], strict=False)
    )
    if high < max(open_, close, low):
        raise BadRow(f"The high {high} is below the open, the low or the close.")
    if low > min(open_, close):
        raise BadRow(f"The low {low} is above the open or the close.")
    return Candle(time, open_, high, low, close, *volume), label


def _usual(time: int, row: Sequence[Any]) -> Candle | None:
    """The candle of a row with nothing to object to; None for all others, which are then looked at closely."""
    if any(type(value) not in NUMBERS or (type(value) is str and len(value) > LONGEST) for value in row[1:]):
        return None
    try:
        open_, high, low, close, *volume = map(Decimal, row[1:])
        fits = SMALLEST <= low <= open_ <= high <= LARGEST and low <= close <= high
        return (
            Candle(time, open_, high, low, close, *volume) if fits and all(0 <= v <= LARGEST for v in volume) else None
        )
    except InvalidOperation:
        return None


def _price(value: object, column: str) -> Decimal:
    number = _number(value)
    if number is None:
        raise BadRow(f"The {column} is not a number: {_shown(value)}.")
    if not (number >= SMALLEST or (column == "volume" and number >= 0)) or number > LARGEST:
        raise BadRow(f"The {column} is out of range: {_shown(value)}.")
    return number


def _number(value: object) -> Decimal | None:
    """An exact number; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > LONGEST:
        return None
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def read_time(value: object) -> tuple[int, Any]:
    """Milliseconds since 1970 and the time as it came; raises BadRow."""
    number = _number(value)
    if number is not None:
        time = int(number if number >= MILLISECONDS_FROM else number * 1000)
        if not 0 <= time <= LATEST:
            raise BadRow(f"The time is out of range: {_shown(value)}.")
        return time, _plain(number)
    moment = _iso(value)
    if moment is None:
        raise BadRow(f"The time is neither ISO 8601 nor a number: {_shown(value)}.")
    return int(moment.timestamp() * 1000), value


def _iso(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _plain(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _shown(value: object) -> str:
    return repr(value)[:LONGEST]

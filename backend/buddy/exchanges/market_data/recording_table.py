"""The columns of a recorded file, Parquet or CSV, as arrays. A module of its own, since its library loads slowly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars
from numpy.typing import NDArray

from buddy.core.errors import CouldNotRead

TIME_NAMES = ("ts", "time", "timestamp", "date", "datetime", "open_time")
PRICE_NAMES = ("open", "high", "low", "close")
FUNDING_NAMES = ("funding_rate", "funding")
MOST_FUNDING = 0.1
SECONDS_BELOW = 100_000_000_000
"""A number below this is seconds, from here on milliseconds."""

Columns = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64] | None]


def columns(path: Path) -> Columns:
    """Open times in milliseconds; open, high, low, close and volume; funding rates, where there are some."""
    try:
        table = polars.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (polars.exceptions.PolarsError, ValueError) as error:
        raise CouldNotRead(f"{path.name} is no readable table: {str(error).splitlines()[0]}") from None
    table = table.rename({column: column.strip().lower() for column in table.columns})
    return _times(path, table), _prices(path, table), _funding(path, table)


def _read_csv(path: Path) -> polars.DataFrame:
    with path.open() as file:
        first = file.readline().split(",")[0].strip().strip('"')
    if first and (first[0].isdigit() or first[0] == "-"):
        names = [TIME_NAMES[1], *PRICE_NAMES, "volume"]
        table = polars.read_csv(path, has_header=False, infer_schema_length=None)
        return table.rename(dict(zip(table.columns, names, strict=False)))
    return polars.read_csv(path, infer_schema_length=None)


def _times(path: Path, table: polars.DataFrame) -> NDArray[np.int64]:
    name = next((name for name in TIME_NAMES if name in table.columns), None)
    if name is None:
        raise CouldNotRead(f"{path.name} has no column of times. Name one of its columns `time`.")
    column = table[name]
    if column.dtype == polars.String:
        column = _parsed(path, column)
    if column.dtype in (polars.Date, polars.Datetime):
        return column.cast(polars.Datetime("ms")).cast(polars.Int64).to_numpy().astype(np.int64)
    if not column.dtype.is_numeric() or column.null_count():
        raise CouldNotRead(f"{path.name}: the column {name} is not made of times.")
    numbers = column.cast(polars.Float64).to_numpy()
    factor = 1000 if len(numbers) and numbers[0] < SECONDS_BELOW else 1
    return np.asarray(np.rint(numbers * factor), dtype=np.int64)


def _parsed(path: Path, column: polars.Series) -> polars.Series:
    text = column.str.strip_chars().str.replace(r"(Z|\+00:00)$", "").str.replace(" ", "T", literal=True)
    parsed = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="ms", strict=False)
    if parsed.null_count() == len(parsed):
        parsed = text.str.to_datetime("%Y-%m-%dT%H:%M", time_unit="ms", strict=False)
    if bad := parsed.null_count():
        row = int(parsed.is_null().arg_true()[0])
        raise CouldNotRead(f"{path.name}: {bad} times cannot be read, the first is {column[row]!r} in row {row + 1}.")
    return parsed


def _prices(path: Path, table: polars.DataFrame) -> NDArray[np.float64]:
    if missing := [name for name in PRICE_NAMES if name not in table.columns]:
        raise CouldNotRead(f"{path.name} has no column {', '.join(missing)}.")
    columns = [table[name] for name in PRICE_NAMES]
    columns.append(table["volume"] if "volume" in table.columns else polars.Series([0.0] * table.height))
    try:
        return np.column_stack([column.cast(polars.Float64).to_numpy() for column in columns]).astype(np.float64)
    except polars.exceptions.PolarsError:
        raise CouldNotRead(f"{path.name}: the prices are not all numbers.") from None


def _funding(path: Path, table: polars.DataFrame) -> NDArray[np.float64] | None:
    name = next((name for name in FUNDING_NAMES if name in table.columns), None)
    if name is None:
        return None
    try:
        rates = table[name].cast(polars.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
    except polars.exceptions.PolarsError:
        raise CouldNotRead(f"{path.name}: the funding rates are not all numbers.") from None
    if (np.abs(rates) > MOST_FUNDING).any():
        raise CouldNotRead(f"{path.name}: {name} holds more than 10 % in eight hours. Write 0.01 % as 0.0001.")
    return rates

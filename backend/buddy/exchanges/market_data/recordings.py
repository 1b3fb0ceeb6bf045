"""Recorded candles: Parquet or CSV files in the replay folder, read once per process and file version.

The columns are `ts` (or time, timestamp, date, …), open, high, low, close and, when there is one, volume. Times are
open times: dates, ISO 8601 text, or numbers in seconds or milliseconds. The symbol is read from the file's name
(`binance_BTCUSDT_1m_….parquet`), the timeframe from the times. A column `funding_rate` (a fraction, empty where there
is none) says what longs pay shorts at 00:00, 08:00 and 16:00 UTC; without it the common base rate, 0.01 %, is assumed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars
from numpy.typing import NDArray

from buddy.core.errors import CouldNotRead
from buddy.core.market import TIMEFRAMES, Candle, Instrument

from .perpetuals import PERPETUALS, SMALLER_TIERS

ENDINGS = (".parquet", ".csv")
TIME_NAMES = ("ts", "time", "timestamp", "date", "datetime", "open_time")
PRICE_NAMES = ("open", "high", "low", "close")
FUNDING_NAMES = ("funding_rate", "funding")
BASE_FUNDING = Decimal("0.0001")
MOST_FUNDING = 0.1
SECONDS_BELOW = 100_000_000_000
"""A number below this is seconds, from here on milliseconds."""
MOST_DECIMALS = 12
NAMED = re.compile(r"(?<![A-Z0-9])([A-Z0-9]{2,10}?)[-_]?(USDT|USDC|USD|EUR|PERP)(?![A-Z0-9])")


@dataclass(frozen=True, slots=True)
class Recording:
    """One symbol's candles, as the file has them: `times` are open times in milliseconds, rising."""

    file: str
    instrument: Instrument
    timeframe: str
    times: NDArray[np.int64]
    prices: NDArray[np.float64]
    """Open, high, low, close and volume; a row per candle. A float's shortest text is the file's exact number."""
    rates: NDArray[np.float64] | None = None
    """Funding of eight hours as a fraction, NaN where the file has none; None when it has no such column."""

    @property
    def length(self) -> int:
        return TIMEFRAMES[self.timeframe]

    @property
    def begin(self) -> int:
        return int(self.times[0])

    @property
    def end(self) -> int:
        return int(self.times[-1]) + self.length

    def candle(self, index: int) -> Candle:
        numbers = (exact(number) for number in self.prices[index].tolist())
        return Candle(int(self.times[index]), *numbers)

    def funding(self, at: int) -> Decimal | None:
        """The rate due at `at`, as the candle has it that runs then; None where the file knows of none."""
        if self.rates is None:
            return BASE_FUNDING
        index = self.running(at)
        if index < 0 or at >= int(self.times[index]) + self.length or np.isnan(self.rates[index]):
            return None
        return exact(float(self.rates[index]))

    def joined(self, first: int, end: int) -> Candle:
        """Candles `first` … `end` - 1 as one, at the time of the last."""
        rows = self.prices[first:end]
        numbers = (rows[0, 0], rows[:, 1].max(), rows[:, 2].min(), rows[-1, 3], rows[:, 4].sum())
        return Candle(int(self.times[end - 1]), *(exact(float(number)) for number in numbers))

    def running(self, at: int) -> int:
        """Index of the newest candle that has begun at `at`; -1 before the first."""
        return int(np.searchsorted(self.times, at, side="right")) - 1

    def closed(self, at: int) -> int:
        """How many candles are over at `at`."""
        return int(np.searchsorted(self.times, at - self.length, side="right"))

    def holes(self) -> list[tuple[int, int]]:
        """Where candles are missing, as (from, to) in milliseconds."""
        gaps = np.nonzero(np.diff(self.times) > self.length)[0]
        return [(int(self.times[gap]) + self.length, int(self.times[gap + 1])) for gap in gaps]


def exact(number: float) -> Decimal:
    return Decimal(repr(number))


def listed(folder: Path) -> list[str]:
    """Names of the recordings in the replay folder and of its sub-folders that hold some."""
    if not folder.is_dir():
        return []
    files = sorted(path for path in folder.glob("**/*") if path.suffix in ENDINGS and path.is_file())
    names = [path.relative_to(folder).as_posix() for path in files]
    return sorted({name.rsplit("/", 1)[0] for name in names if "/" in name}) + names


def load(folder: Path, name: str) -> Sequence[Recording]:
    """The recordings under a name inside the replay folder: one of a file, several of a folder. Raises CouldNotRead."""
    found = inside(folder, name)
    paths = [found] if found.is_file() else sorted(path for path in found.glob("*") if path.suffix in ENDINGS)
    recordings = [read(path) for path in paths]
    if not recordings:
        raise CouldNotRead(f"There is no recording named {name or '(nothing)'} in the replay folder.")
    symbols = [recording.instrument.symbol for recording in recordings]
    if twice := {symbol for symbol in symbols if symbols.count(symbol) > 1}:
        raise CouldNotRead(f"{name} holds several recordings of {', '.join(sorted(twice))}; choose one file.")
    return recordings


def inside(folder: Path, name: str) -> Path:
    """The path of a name, which may not lead out of the replay folder."""
    path = (folder / name).resolve()
    if not name or not path.is_relative_to(folder.resolve()) or not path.exists():
        raise CouldNotRead(f"There is no recording named {name or '(nothing)'} in the replay folder.")
    return path


def read(path: Path) -> Recording:
    try:
        state = path.stat()
        return _read(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise CouldNotRead(f"{path.name} cannot be read: {error.strerror}.") from None


@lru_cache(maxsize=16)
def _read(path: Path, changed: int, size: int) -> Recording:
    try:
        table = polars.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (polars.exceptions.PolarsError, ValueError) as error:
        raise CouldNotRead(f"{path.name} is no readable table: {str(error).splitlines()[0]}") from None
    table = table.rename({column: column.strip().lower() for column in table.columns})
    times, prices = _times(path, table), _prices(path, table)
    _refuse_nonsense(path, times, prices)
    rates = _funding(path, table)
    return Recording(path.name, _instrument(path, prices), _timeframe(path, times), times, prices, rates)


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


def _refuse_nonsense(path: Path, times: NDArray[np.int64], prices: NDArray[np.float64]) -> None:
    """A wrong candle is named, never repaired."""
    if len(times) < 2:
        raise CouldNotRead(f"{path.name} holds fewer than two candles.")
    opened, high, low, closed = prices[:, 0], prices[:, 1], prices[:, 2], prices[:, 3]
    faults = {
        "the time does not rise": np.concatenate(([False], np.diff(times) <= 0)),
        "a price is not a number above zero": ~(
            np.isfinite(prices[:, :4]).all(axis=1) & (prices[:, :4] > 0).all(axis=1)
        ),
        "the high is below the open or close": high < np.maximum(opened, closed),
        "the low is above the open or close": low > np.minimum(opened, closed),
    }
    for words, wrong in faults.items():
        if wrong.any():
            raise CouldNotRead(f"{path.name}: in row {int(np.argmax(wrong)) + 1} {words}.")


def _timeframe(path: Path, times: NDArray[np.int64]) -> str:
    """The usual distance of two candles."""
    distances, counts = np.unique(np.diff(times), return_counts=True)
    usual = int(distances[np.argmax(counts)])
    for name, length in TIMEFRAMES.items():
        if length == usual:
            return name
    raise CouldNotRead(f"{path.name}: its candles are {usual // 1000} s apart. Known are {', '.join(TIMEFRAMES)}.")


def _instrument(path: Path, prices: NDArray[np.float64]) -> Instrument:
    """Steps: the tick is the finest the file shows; the rest as at a large venue, or what fits the price."""
    base, quote = _names(path)
    like = PERPETUALS.get(f"{base}/USDT:USDT")
    lot = like.instrument.lot_size if like else Decimal(1).scaleb(-int(np.floor(np.log10(prices[0, 0]))))
    tiers = like.instrument.tiers if like else SMALLER_TIERS
    return Instrument(
        symbol=f"{base}/{quote}:{quote}",
        base=base,
        quote=quote,
        settle=quote,
        tick_size=Decimal(1).scaleb(-_decimals(prices[:, :4])),
        lot_size=lot,
        min_quantity=lot,
        min_notional=like.instrument.min_notional if like else Decimal(5),
        max_leverage=tiers[0].max_leverage,
        tiers=tiers,
    )


def _names(path: Path) -> tuple[str, str]:
    found = NAMED.search(path.stem.upper())
    if not found:
        raise CouldNotRead(f"{path.name} does not name its symbol. Name the file like BTCUSDT_1m{path.suffix}.")
    base, quote = found.groups()
    return base, "USD" if quote == "PERP" else quote


def _decimals(prices: NDArray[np.float64]) -> int:
    """The most digits behind the point in any price."""
    for digits in range(MOST_DECIMALS):
        if (np.round(prices, digits) == prices).all():
            return digits
    return MOST_DECIMALS

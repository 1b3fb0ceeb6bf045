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
from numpy.typing import NDArray

from buddy.core.errors import CouldNotRead
from buddy.core.market import TIMEFRAMES, Candle, Instrument

from .perpetuals import PERPETUALS, SMALLER_TIERS

ENDINGS = (".parquet", ".csv")
BASE_FUNDING = Decimal("0.0001")
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
    from .recording_table import columns  # half a second: only where a recording is read

    times, prices, rates = columns(path)
    _refuse_nonsense(path, times, prices)
    return Recording(path.name, _instrument(path, prices), _timeframe(path, times), times, prices, rates)


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

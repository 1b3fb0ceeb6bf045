"""What an account needs of a price source, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from buddy.core.exchange import Quote
from buddy.core.market import Candle, Instrument
from buddy.core.simulated_market import FundingRate, Opening, Tick


class Step(NamedTuple):
    """A piece of a symbol's way through time, as the simulated exchange plays it; it has all happened at `end` (ms)."""

    symbol: str
    played: Candle | Tick | Opening
    end: int
    whole: Candle | None = None
    """Of a candle that still runs: all of it so far, to be handed back as `walked` next time."""


class Quiet(NamedTuple):
    """Nothing happens to anybody while the price stays strictly between `low` and `high`, before `until` (ms)."""

    low: Decimal
    high: Decimal
    until: int


Quietness = Callable[[], Quiet] | None
"""Asked again after each step, since any step may change it."""
Walked = Mapping[str, Candle] | None
"""Of each running candle, by symbol, what was walked of it before."""


@dataclass(frozen=True, slots=True)
class Candles:
    """`complete`: the source has no hole in this window and the window is answered in full."""

    symbol: str
    timeframe: str
    rows: Sequence[Candle]
    complete: bool


class PriceSource(Protocol):
    """One account's prices and its clock. Raises `core.errors.CouldNotRead` in plain words, never invents a price."""

    @property
    def label(self) -> str:
        """How the screen names it, for example "simulated prices"."""
        ...

    @property
    def leaps(self) -> bool:
        """Whether its clock stands still but for what the paper exchange plays."""
        ...

    def now(self) -> int:
        """The account's clock, in milliseconds."""
        ...

    def horizon(self, *, at_work: bool) -> int:
        """How far the market may be played now; `at_work`: there is an order or a position to follow."""
        ...

    def ends(self) -> int | None:
        """When the prices run out; None when they never do."""
        ...

    def instruments(self) -> Sequence[Instrument]: ...

    def instrument(self, symbol: str) -> Instrument:
        """Raises `UnknownSymbol`."""
        ...

    def timeframes(self, symbol: str) -> Sequence[str]:
        """Which candles it has."""
        ...

    def change(self, symbol: str) -> Decimal | None:
        """How far the price came in a day, in percent; None when that is not known."""
        ...

    def quote(self, symbol: str, at: int | None = None) -> Quote:
        """The price known at `at` (the clock's now when left out), never one of later. Raises CouldNotRead for none."""
        ...

    def so_far(self, symbol: str) -> Candle | None:
        """The candle that runs, of a source whose path comes in parts: what is in it already is not played again."""
        ...

    def candles(self, symbol: str, timeframe: str, start: int | None, end: int | None, limit: int) -> Candles:
        """The newest `limit` candles that open in [start, end), none of which knows more than the clock."""
        ...

    def path(
        self, symbols: Sequence[str], after: int, until: int, *, walked: Walked = None, quiet: Quietness = None
    ) -> Iterator[Step]:
        """Everything that traded in (after, until], in order of time.

        `walked`: the newest `Step.whole` by symbol. `quiet`, for one symbol alone: what is quiet may come as one long
        candle, since its way makes no difference.
        """
        ...

    def funding(self, symbol: str, after: int, until: int) -> Sequence[FundingRate]:
        """Every rate that falls due in (after, until], oldest first, and of later ones what is told ahead."""
        ...


DAY = 86_400_000
FUNDING_INTERVAL = 28_800_000
"""Milliseconds: funding is due at 00:00, 08:00 and 16:00 UTC."""


def funding_times(after: int, until: int) -> range:
    """In (after, until]."""
    return range(after - after % FUNDING_INTERVAL + FUNDING_INTERVAL, until + 1, FUNDING_INTERVAL)


def changed(now: Decimal, before: Decimal) -> Decimal:
    """Percent."""
    return (now / before - 1) * 100


class UnknownSymbol(LookupError):
    """The source does not trade it."""

    def __init__(self, symbol: str, label: str) -> None:
        self.symbol = symbol
        super().__init__(f"{symbol} is not traded here ({label}).")

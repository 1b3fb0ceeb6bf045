"""What an account needs of a price source, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from buddy.core.exchange import Quote
from buddy.core.market import Candle, Instrument


class Step(NamedTuple):
    """A piece of a symbol's way through time: a tick (`length` 0, all four prices equal) or a candle of `length` ms."""

    symbol: str
    candle: Candle
    length: int

    @property
    def end(self) -> int:
        """From this instant on all of it has happened, in milliseconds."""
        return self.candle.time + self.length


def tick(symbol: str, time: int, price: Decimal) -> Step:
    return Step(symbol, Candle(time, price, price, price, price), 0)


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

    def now(self) -> int:
        """The account's clock, in milliseconds."""
        ...

    def ends(self) -> int | None:
        """When the prices run out; None when they never do."""
        ...

    def instruments(self) -> Sequence[Instrument]: ...

    def instrument(self, symbol: str) -> Instrument:
        """Raises `UnknownSymbol`."""
        ...

    def quote(self, symbol: str, at: int | None = None) -> Quote:
        """The price known at `at` (the account's clock when left out); never one of later."""
        ...

    def candles(self, symbol: str, timeframe: str, start: int | None, end: int | None, limit: int) -> Candles:
        """The newest `limit` candles that open in [start, end), none of which knows more than the clock."""
        ...

    def path(self, symbols: Sequence[str], after: int, until: int) -> Iterator[Step]:
        """Everything that traded in (after, until], in order of time."""
        ...


class UnknownSymbol(LookupError):
    """The source does not trade it."""

    def __init__(self, symbol: str, label: str) -> None:
        super().__init__(f"{symbol} is not traded here ({label}).")

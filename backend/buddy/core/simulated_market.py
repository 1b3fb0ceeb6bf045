"""The market of one symbol inside the simulated exchange: where it stands, and the path it is played along."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from .market import Candle
from .simulated_books import copied
from .watching import Watch


class Tick(NamedTuple):
    """A trade at `price`; `mark` None: the mark price is the last price."""

    time: int
    price: Decimal
    mark: Decimal | None = None


class Rest(NamedTuple):
    """What is left of a candle after its open: the extremes, in an order still to be decided, and the close."""

    candle: Candle


class Opening(NamedTuple):
    """A candle's open: the price jumps here."""

    time: int
    price: Decimal


class FundingRate(NamedTuple):
    """At `time` longs pay shorts `rate` (a fraction) of the position's value at the mark price."""

    time: int
    rate: Decimal


Step = Tick | Opening | Rest | Candle


def first_price(step: Step) -> Decimal:
    """Where a path begins."""
    if isinstance(step, Candle):
        return step.open
    return step.candle.open if isinstance(step, Rest) else step.price


def first_time(step: Step) -> int:
    return step.candle.time if isinstance(step, Rest) else step.time


@dataclass
class SymbolMarket:
    """The market of one symbol: where it stands, where it goes next, who waits for what."""

    last: Decimal
    time: int
    mark: Decimal | None = None
    jumped: bool = True
    leg: int = 0
    path: deque[Step] = field(default_factory=deque)
    watch: Watch = field(default_factory=Watch)
    crossed: bool = False
    low: Decimal | None = None
    high: Decimal | None = None
    """Extremes since the last reading; None when the price has not moved."""

    @property
    def mark_price(self) -> Decimal:
        return self.last if self.mark is None else self.mark

    def standing(self) -> SymbolMarket:
        """The same market with nothing ahead."""
        other = copied(self)
        other.path = deque()
        return other

    def go(self, price: Decimal) -> None:
        """Trade at `price`."""
        self.low = min(price, self.last if self.low is None else self.low)
        self.high = max(price, self.last if self.high is None else self.high)
        self.last = price

    def passes(self, before: Decimal) -> bool:
        """Whether the way from `before` to here met a watched price."""
        low, high = min(before, self.last), max(before, self.last)
        return any(low <= level <= high and level != before for level in self.watch.levels)

    def makes_new_best(self) -> bool:
        """Whether a stop that follows the price has to move."""
        return any(side.better(self.last, best) for side, best in self.watch.follow)


def extremes(candle: Candle, low_first: bool) -> Iterable[Tick]:
    """The path of a candle after its open; all of it happens at the candle's time."""
    first, second = (candle.low, candle.high) if low_first else (candle.high, candle.low)
    return Tick(candle.time, first), Tick(candle.time, second), Tick(candle.time, candle.close)

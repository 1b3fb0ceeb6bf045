"""The prices of a venue: where each symbol stands, its book ticker, its mark, its candles."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from buddy.core.market import ZERO, Candle

MINUTE = 60_000
DAY = 86_400_000
FUNDING_EVERY = 28_800_000
INTERVALS = {
    "1m": 60_000, "3m": 180_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000, "1h": 3_600_000, "2h": 7_200_000,
    "4h": 14_400_000, "6h": 21_600_000, "8h": 28_800_000, "12h": 43_200_000, "1d": 86_400_000, "3d": 259_200_000,
    "1w": 604_800_000,
}  # fmt: skip
"""Candle lengths in ms by the names most venues give them."""


@dataclass(slots=True)
class SymbolPrices:
    """`minutes` are candles of one minute, oldest first, the last one running; `mark` None: it is the last price."""

    last: Decimal
    time: int
    tick_size: Decimal
    mark: Decimal | None = None
    funding_rate: Decimal = Decimal("0.0001")
    minutes: list[Candle] = field(default_factory=list)
    settled: dict[int, Decimal] = field(default_factory=dict)
    """Funding rates that were paid, by their time."""

    @property
    def mark_price(self) -> Decimal:
        return self.last if self.mark is None else self.mark

    @property
    def bid(self) -> Decimal:
        return self.last - self.tick_size

    @property
    def ask(self) -> Decimal:
        return self.last + self.tick_size

    @property
    def next_funding(self) -> int:
        return funding_after(self.time)

    def trade(self, prices: Iterable[Decimal], time: int, volume: Decimal = ZERO) -> None:
        """It traded at these prices, one after the other."""
        for price in prices:
            self._into_candle(price, time, volume)
            self.last, self.time, volume = price, max(time, self.time), ZERO

    def _into_candle(self, price: Decimal, time: int, volume: Decimal) -> None:
        opened = time - time % MINUTE
        running = self.minutes[-1] if self.minutes else None
        if running is None or running.time < opened:
            self.minutes.append(Candle(opened, self.last, max(self.last, price), min(self.last, price), price, volume))
        else:
            high, low = max(running.high, price), min(running.low, price)
            self.minutes[-1] = Candle(running.time, running.open, high, low, price, running.volume + volume)

    def candles(self, length: int, start: int | None, end: int, limit: int) -> list[Candle]:
        """Candles of `length` ms that open in [start, end]: the oldest `limit`, or without a start the newest."""
        first = 0 if start is None else bisect_left(self.minutes, start - start % length, key=lambda each: each.time)
        rows = [row for row in joined(self.minutes[first:], length) if (start or 0) <= row.time <= end]
        return rows[-limit:] if start is None else rows[:limit]

    def running(self, length: int, now: int) -> Candle:
        """The candle of `length` ms that runs now."""
        opened = now - now % length
        row = joined([each for each in self.minutes[-length // MINUTE - 1 :] if each.time >= opened], length)
        return row[-1] if row else Candle(opened, *[self.last] * 4)

    def day(self) -> Candle:
        """The last 24 hours as one candle."""
        (whole,) = joined([each for each in self.minutes if each.time > self.time - DAY], 0) or [self._still()]
        return whole

    def _still(self) -> Candle:
        return Candle(self.time, *[self.last] * 4)


def funding_after(time: int) -> int:
    """The next time at which funding is due."""
    return time - time % FUNDING_EVERY + FUNDING_EVERY


def joined(minutes: Sequence[Candle], length: int) -> list[Candle]:
    """Candles made into longer ones; `length` 0 makes one of all."""
    groups: dict[int, list[Candle]] = {}
    for candle in minutes:
        groups.setdefault(candle.time - candle.time % length if length else 0, []).append(candle)
    return [
        Candle(
            opened or group[0].time,
            group[0].open,
            max(candle.high for candle in group),
            min(candle.low for candle in group),
            group[-1].close,
            sum((candle.volume for candle in group), ZERO),
        )
        for opened, group in groups.items()
    ]

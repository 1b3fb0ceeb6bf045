"""A price source made of given steps, for tests that need to know every price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Quote
from buddy.core.market import Instrument
from buddy.core.simulated_market import FundingRate, Tick
from buddy.exchanges.market_data.source import Candles, Step, UnknownSymbol

COIN, OTHER = "COIN/USDT:USDT", "OTHER/USDT:USDT"
OWNED = "COIN/USDT"


def instrument(symbol: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        base=symbol.split("/")[0],
        quote="USDT",
        settle="USDT",
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.01"),
        min_quantity=Decimal("0.01"),
        min_notional=Decimal(5),
        max_leverage=Decimal(50 if ":" in symbol else 1),
        spot=":" not in symbol,
    )


class GivenPrices:
    """One price a second from `start` on for each symbol; the test moves the clock."""

    label = "given prices"
    leaps = False
    start = 1_700_000_000_000
    settled = ":USDT"

    def __init__(self, **prices: Sequence[Any]) -> None:
        self.prices = {
            f"{base}/USDT{self.settled}": [Decimal(str(p)) for p in series] for base, series in prices.items()
        }
        self.clock = self.start
        self.reachable = True
        self.rates: dict[int, str] = {}
        """Second → funding rate of every symbol."""

    def now(self) -> int:
        return self.clock

    def horizon(self, *, at_work: bool) -> int:
        return self.clock

    def ends(self) -> None:
        return None

    def instruments(self) -> list[Instrument]:
        return [instrument(symbol) for symbol in self.prices]

    def instrument(self, symbol: str) -> Instrument:
        if symbol not in self.prices:
            raise UnknownSymbol(symbol, self.label)
        return instrument(symbol)

    def timeframes(self, symbol: str) -> list[str]:
        return ["1m"]

    def change(self, symbol: str) -> None:
        return None

    def quote(self, symbol: str, at: int | None = None) -> Quote:
        self._reach()
        index = ((self.clock if at is None else at) - self.start) // 1000
        price = self.prices[symbol][min(index, len(self.prices[symbol]) - 1)]
        return Quote(symbol, price, price, self.start + index * 1000)

    def so_far(self, symbol: str) -> None:
        return None

    def candles(self, *asked: Any) -> Candles:
        raise NotImplementedError

    def path(self, symbols: Sequence[str], after: int, until: int, **_: Any) -> Iterator[Step]:
        self._reach()
        for second in range((after - self.start) // 1000 + 1, (until - self.start) // 1000 + 1):
            time = self.start + second * 1000
            for symbol in symbols:
                if second < len(self.prices[symbol]):
                    yield Step(symbol, Tick(time, self.prices[symbol][second]), time)

    def funding(self, symbol: str, after: int, until: int) -> list[FundingRate]:
        told = [FundingRate(self.start + 1000 * second, Decimal(rate)) for second, rate in self.rates.items()]
        return [rate for rate in told if after < rate.time <= until]

    def forward(self, seconds: int) -> None:
        self.clock += seconds * 1000

    def _reach(self) -> None:
        if not self.reachable:
            raise CouldNotRead("The given prices cannot be reached.")


class GivenCoinPrices(GivenPrices):
    """Of coins, which are owned outright."""

    settled = ""

"""What is traded in a simulated life, and the way its prices have gone so far."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from buddy.core.costs import Costs
from buddy.core.errors import CouldNotRead
from buddy.core.market import TIMEFRAMES, Instrument

D = Decimal
BTC = Instrument(
    "BTC/USDT:USDT", "BTC", "USDT", "USDT", tick_size=D("0.1"), lot_size=D("0.001"), min_quantity=D("0.001")
)
ETH = Instrument(
    "ETH/USDT:USDT", "ETH", "USDT", "USDT", tick_size=D("0.01"), lot_size=D("0.01"), min_quantity=D("0.01")
)
SOL = Instrument(
    "SOL/USDT:USDT",
    "SOL",
    "USDT",
    "USDT",
    tick_size=D("0.01"),
    lot_size=D(1),
    min_quantity=D(2),
    contract_size=D("0.5"),
)
"""In few and coarse lots, of which one is not half a coin: parts of a position often come to nothing."""
MARKETS = {each.symbol: each for each in (BTC, ETH, SOL)}
FIRST = {BTC.symbol: D(100_000), ETH.symbol: D(4_000), SOL.symbol: D(150)}
COSTS = Costs(maker=D("0.0002"), taker=D("0.0005"), slippage=D("0.0002"))


class Way:
    """The prices of one market by time."""

    def __init__(self, symbol: str, began: int) -> None:
        self.times, self.prices = [began], [FIRST[symbol]]

    @property
    def last(self) -> Decimal:
        return self.prices[-1]

    def go(self, time: int, price: Decimal) -> None:
        self.times.append(time)
        self.prices.append(price)

    def candles(self, begin: int, count: int, length: int, now: int) -> list[list[Any]]:
        """Rows of a venue's candles, as text; what has not traded lies flat."""
        rows = []
        for time in range(begin, min(begin + count * length, now + 1), length):
            first = bisect_right(self.times, time)
            after = bisect_right(self.times, time + length - 1)
            here = self.prices[max(first - 1, 0)]
            traded = [here, *self.prices[first:after]]
            rows.append([time, *(str(each) for each in (here, max(traded), min(traded), traded[-1])), "1"])
        return rows


def public(listed: Iterable[Instrument], ways: dict[str, Way], now: int, what: str, *arguments: Any) -> Any:
    """What a venue tells everybody: instruments, tickers and candles, as the product's adapter hands them on.

    Raises CouldNotRead for a symbol that is not `listed`.
    """
    found = {each.symbol: each for each in listed if each.active}
    if what == "instruments":
        return [_listed(each) for each in found.values()]
    if arguments[0] not in found:
        raise CouldNotRead(f"{arguments[0]} is not traded here.")
    if what == "ticker":
        last = str(ways[arguments[0]].last)
        return {"last": last, "bid": last, "ask": last, "change": None}
    symbol, timeframe, begin, count = arguments
    return ways[symbol].candles(begin, count, TIMEFRAMES[timeframe], now)


def _listed(market: Instrument) -> dict[str, Any]:
    names = ("symbol", "base", "quote", "settle")
    numbers = ("tick_size", "lot_size", "min_quantity", "min_notional", "contract_size", "max_leverage")
    row = {name: getattr(market, name) for name in names} | {name: str(getattr(market, name)) for name in numbers}
    return row | {"max_quantity": None}

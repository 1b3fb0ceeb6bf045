"""What is traded in a simulated life, and the way its prices have gone so far."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from buddy.core.costs import Costs
from buddy.core.errors import CouldNotRead
from buddy.core.market import TIMEFRAMES, Instrument
from buddy.exchanges.venues import VENUES

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


def _coins(money: str) -> Iterable[Instrument]:
    """The same on spot; the last in lots so coarse that what a venue keeps as its fee leaves the rest of one."""
    for like, lot, least in ((BTC, "0.00001", 10), (ETH, "0.0001", 10), (SOL, "0.5", 0)):
        symbol, size = f"{like.base}/{money}", D(lot)
        yield replace(
            like,
            symbol=symbol,
            quote=money,
            settle=money,
            lot_size=size,
            min_quantity=size,
            min_notional=D(least),
            contract_size=D(1),
            spot=True,
        )


MARKETS = {each.symbol: each for each in (BTC, ETH, SOL)}
COINS = {
    venue: {each.symbol: each for each in _coins(VENUES[venue].settle)} for venue in ("binance-spot", "kraken-spot")
}
"""By venue on spot."""
EVERY = MARKETS | {symbol: market for markets in COINS.values() for symbol, market in markets.items()}
FIRST = {BTC.symbol: D(100_000), ETH.symbol: D(4_000), SOL.symbol: D(150)}
FIRST |= {
    coin.symbol: FIRST[each.symbol] for each in (BTC, ETH, SOL) for coin in EVERY.values() if coin.base == each.base
}
COSTS = Costs(maker=D("0.0002"), taker=D("0.0005"), slippage=D("0.0002"))


def markets_at(venue: str) -> dict[str, Instrument]:
    """What is traded there."""
    return COINS.get(venue, MARKETS)


def beside(symbol: str, markets: Iterable[str]) -> list[str]:
    """The perpetual and the coins behind it, as far as they are among `markets`."""
    return [each for each in markets if EVERY[each].base == EVERY[symbol].base]


def costs_at(venue: str) -> Costs:
    fees = VENUES[venue].fees
    return COSTS if fees is None else Costs(*fees, slippage=COSTS.slippage)


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

    def lowest(self, begin: int, end: int) -> Decimal:
        """From the price at `begin` on."""
        first, after = bisect_right(self.times, begin), bisect_right(self.times, end)
        return min(self.prices[max(first - 1, 0) : max(after, 1)])

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

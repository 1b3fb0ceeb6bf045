"""A venue's public prices. When they cannot be read, nothing is made up: the account waits and says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Quote
from buddy.core.market import ONE, TIMEFRAMES, Candle, Instrument
from buddy.core.simulated_market import FundingRate

from ..venues import VENUES, market_name
from ..wall import wall
from . import fetching
from .perpetuals import PERPETUALS, SMALLER_TIERS
from .source import Candles, Quietness, Step, UnknownSymbol, Walked

MINUTE = TIMEFRAMES["1m"]
HOUR = TIMEFRAMES["1h"]
NEW_ENOUGH = 1_500
"""Milliseconds: how old a price may be."""
PAGE = 1000
AHEAD = 2 * MINUTE
"""How long before a funding time its rate is asked for: it hardly moves any more."""


class LivePrices:
    leaps = False

    def __init__(self, venue: str, *, testnet: bool = False) -> None:
        self.venue = venue
        self.market = market_name(venue, testnet=testnet)
        self._instruments: dict[str, Instrument] | None = None

    @property
    def label(self) -> str:
        return f"live prices of {VENUES[self.venue].name}"

    def now(self) -> int:
        return wall()

    def horizon(self, *, at_work: bool) -> int:
        return wall()

    def ends(self) -> int | None:
        return None

    def instruments(self) -> Sequence[Instrument]:
        return list(self._known().values())

    def instrument(self, symbol: str) -> Instrument:
        return self._listed(symbol)

    def timeframes(self, symbol: str) -> Sequence[str]:
        self._listed(symbol)
        return [name for name in TIMEFRAMES if name not in VENUES[self.venue].lacks]

    def quote(self, symbol: str, at: int | None = None) -> Quote:
        ticker = self._ticker(symbol)
        price = Decimal(ticker["last"])
        bid, ask = (Decimal(ticker[side]) if ticker[side] else None for side in ("bid", "ask"))
        return Quote(symbol, last=price, mark=price, time=wall() if at is None else at, bid=bid, ask=ask)

    def change(self, symbol: str) -> Decimal | None:
        told = self._ticker(symbol)["change"]
        return None if told is None else Decimal(told)

    def candles(self, symbol: str, timeframe: str, start: int | None, end: int | None, limit: int) -> Candles:
        length, now = TIMEFRAMES[timeframe], wall()
        self._listed(symbol)
        newest = (min(end - 1, now) if end is not None else now) // length * length
        oldest = newest - (limit - 1) * length
        if start is not None:
            oldest = max(oldest, -(-start // length) * length)
        rows = [row for row in self._fetched(symbol, timeframe, oldest, newest) if oldest <= row.time <= newest]
        return Candles(symbol, timeframe, rows, complete=len(rows) == (newest - oldest) // length + 1)

    def funding(self, symbol: str, after: int, until: int) -> Sequence[FundingRate]:
        """The venue's rates at its own times, which are whole hours: what was settled, and shortly before what will be.

        A rate is settled seconds before the history tells it; whoever was told it ahead remembers it. Coins pay none.
        """
        if VENUES[self.venue].exits.is_spot:
            return []
        rows: list[list[Any]] = []
        if after // HOUR != until // HOUR:
            rows += fetching.ask(self.market, "funding", symbol, after, max_age=MINUTE)
        if until // HOUR != (until + AHEAD) // HOUR:
            rows += fetching.ask(self.market, "funding", symbol, max_age=MINUTE)
        return [FundingRate(time, Decimal(rate)) for time, rate in rows if time > after]

    def path(
        self, symbols: Sequence[str], after: int, until: int, *, walked: Walked = None, quiet: Quietness = None
    ) -> Iterator[Step]:
        """Minute candles; of one already walked in part only what it has done since."""
        steps = [step for symbol in symbols for step in self._walk(symbol, after, until, (walked or {}).get(symbol))]
        return iter(sorted(steps, key=lambda step: step.end))

    def so_far(self, symbol: str) -> Candle | None:
        minute = wall() // MINUTE * MINUTE
        return next(self._fetched(symbol, "1m", minute, minute), None)

    def _walk(self, symbol: str, after: int, until: int, walked: Candle | None) -> Iterator[Step]:
        """From the minute last walked on: its end may not have been told when it was walked."""
        oldest = after if walked is None else min(after, walked.time)
        for candle in self._fetched(symbol, "1m", oldest - oldest % MINUTE, until - until % MINUTE):
            begin = max(candle.time, after)
            end = max(begin, min(candle.time + MINUTE, until))
            if walked is None or walked.time != candle.time:
                yield Step(symbol, candle._replace(time=begin), end, candle)
            elif walked != candle:
                yield Step(symbol, rest_of(candle, walked)._replace(time=begin), end, candle)

    def _fetched(self, symbol: str, timeframe: str, oldest: int, newest: int) -> Iterator[Candle]:
        length = TIMEFRAMES[timeframe]
        for begin in range(oldest, newest + 1, PAGE * length):
            last = min(begin + (PAGE - 1) * length, newest)
            over = last + length <= wall() - MINUTE
            count = (last - begin) // length + 1
            rows = fetching.ask(
                self.market, "candles", symbol, timeframe, begin, count, max_age=HOUR if over else NEW_ENOUGH
            )
            yield from (Candle(row[0], *(Decimal(number) for number in row[1:])) for row in rows)

    def _ticker(self, symbol: str) -> dict[str, Any]:
        self._listed(symbol)
        try:
            ticker: dict[str, Any] = fetching.ask(self.market, "ticker", symbol, max_age=NEW_ENOUGH)
        except CouldNotRead:
            self._still_listed(symbol)
            raise
        return ticker

    def _still_listed(self, symbol: str) -> None:
        """Where nothing can be read of a symbol its markets are read anew. Raises UnknownSymbol."""
        self._instruments = self._read_instruments(MINUTE)
        self._listed(symbol)

    def _listed(self, symbol: str) -> Instrument:
        if symbol not in self._known():
            raise UnknownSymbol(symbol, self.label)
        return self._known()[symbol]

    def _known(self) -> dict[str, Instrument]:
        if self._instruments is None:
            self._instruments = self._read_instruments(HOUR)
        return self._instruments

    def _read_instruments(self, max_age: int) -> dict[str, Instrument]:
        rows = fetching.ask(self.market, "instruments", max_age=max_age)
        spot = VENUES[self.venue].exits.is_spot
        if not rows:
            raise CouldNotRead(f"{VENUES[self.venue].name} lists no markets.")
        return {row["symbol"]: _instrument(row, spot=spot) for row in rows}


class AccountPrices(LivePrices):
    """The same for an account at the venue. `own` tells the account's own instruments: its tiers are not public."""

    def __init__(self, venue: str, own: Callable[[str], Instrument], *, testnet: bool) -> None:
        super().__init__(venue, testnet=testnet)
        self._own = own

    def instrument(self, symbol: str) -> Instrument:
        self._listed(symbol)
        return self._own(symbol)


def rest_of(candle: Candle, walked: Candle) -> Candle:
    """What a candle did after the part that was `walked`: only a new extreme is a new price."""
    high = candle.high if candle.high > walked.high else max(walked.close, candle.close)
    low = candle.low if candle.low < walked.low else min(walked.close, candle.close)
    return Candle(candle.time, walked.close, high, low, candle.close, candle.volume - walked.volume)


def _instrument(row: Mapping[str, Any], *, spot: bool) -> Instrument:
    """Margin tiers are not public: those of a large venue for the majors, careful ones for the rest; of coins, none."""
    like = PERPETUALS.get(f"{row['base']}/USDT:USDT")
    tiers = () if spot else like.instrument.tiers if like else SMALLER_TIERS
    highest = tiers[0].max_leverage if tiers else ONE
    return Instrument(
        symbol=row["symbol"],
        base=row["base"],
        quote=row["quote"],
        settle=row["settle"],
        tick_size=Decimal(row["tick_size"]),
        lot_size=Decimal(row["lot_size"]),
        min_quantity=Decimal(row["min_quantity"]),
        min_notional=Decimal(row["min_notional"]),
        max_quantity=Decimal(row["max_quantity"]) if row["max_quantity"] else None,
        contract_size=Decimal(row["contract_size"]),
        max_leverage=min(Decimal(row["max_leverage"] or highest), highest),
        tiers=tiers,
        spot=spot,
    )

"""Instruments and prices of a real venue, as an account sees them: with its own margin tiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.cache import cache

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Quote
from buddy.core.market import TIMEFRAMES, Instrument, MarginTier

from .ccxt_calls import Calls
from .ccxt_errors import Absent
from .ccxt_words import Row, instrument, is_ours, margin_tiers, positive, quote_of
from .market_data.perpetuals import PERPETUALS, SMALLER_TIERS
from .market_data.source import UnknownSymbol
from .venues import VENUES

TIERS_KEPT = 24 * 3600
MINUTE = TIMEFRAMES["1m"]
CANDLES_AT_MOST = 1000
Range = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last reading saw of a symbol: the price, and the candle that was running."""

    last: Decimal
    candle: tuple[int, Decimal, Decimal]
    """Its time, highest and lowest price so far."""


class Markets:
    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.client = calls.client
        self._instruments: dict[str, tuple[Row, Instrument]] = {}
        self._seen: dict[str, Seen] = {}

    def all(self) -> list[Instrument]:
        settle = VENUES[self.client.venue].settle
        found = [market for market in self.client.api.markets.values() if is_ours(market)]
        mine = sorted((market for market in found if market["settle"] == settle), key=lambda market: market["symbol"])
        return [instrument(market, _careful(market)) for market in mine]

    def instrument(self, symbol: str) -> Instrument:
        """Raises UnknownSymbol, or CouldNotRead."""
        self.calls.ready()
        market = self.client.api.markets.get(symbol)
        if market is None or not market.get("swap") or not market.get("linear"):
            raise UnknownSymbol(symbol, f"perpetuals of {self.client.name}")
        known = self._instruments.get(symbol)
        if known is None or known[0] is not market:
            known = self._instruments[symbol] = (market, instrument(market, self._tiers(market)))
        return known[1]

    def _tiers(self, market: Row) -> tuple[MarginTier, ...]:
        """The venue's ladder; where it does not tell it, a careful one."""
        key = f"tiers:{self.client.place}:{market['symbol']}".replace(" ", "")
        kept = cache.get(key)
        if kept is None:
            kept = self._ask_tiers(market["symbol"])
            cache.set(key, kept, TIERS_KEPT)
        return margin_tiers(kept) if kept else _careful(market)

    def _ask_tiers(self, symbol: str) -> list[Row]:
        try:
            if self.client.recipe.tiers == "one":
                found = self.calls.read("fetch_market_leverage_tiers", symbol)
            else:
                found = self.calls.read("fetch_leverage_tiers", [symbol]).get(symbol)
        except (Absent, CouldNotRead):
            return []
        return [dict(row, info=None) for row in found or []]

    # --- prices ---

    def quotes(self, symbols: Sequence[str]) -> tuple[dict[str, Quote], dict[str, Range]]:
        """Prices of now, and what traded since the last time they were asked for."""
        quotes = {symbol: self._quote(symbol) for symbol in symbols}
        return quotes, {symbol: self._range(symbol, quote.last) for symbol, quote in quotes.items()}

    def _quote(self, symbol: str) -> Quote:
        ticker = self.calls.read("fetch_ticker", symbol)
        mark = positive((ticker.get("info") or {}).get(self.client.recipe.mark)) or positive(ticker.get("markPrice"))
        if mark is None and self.client.api.has.get("fetchMarkPrice"):
            mark = positive(self.calls.read("fetch_mark_price", symbol).get("markPrice"))
        return quote_of({**ticker, "symbol": symbol}, mark, self.client.now())

    def _range(self, symbol: str, last: Decimal) -> Range:
        """Lowest and highest since the reading before, never including a price of before it.

        Whole minutes since then count in full; of the minute it fell into only what it has newly reached.
        """
        before = self._seen.get(symbol)
        since = before.candle[0] if before else None
        minutes = 1 if since is None else min(CANDLES_AT_MOST, (self.client.now() - since) // MINUTE + 2)
        rows = self.calls.read("fetch_ohlcv", symbol, "1m", since, minutes)
        candles = [(int(row[0]), Decimal(str(row[2])), Decimal(str(row[3]))) for row in rows]
        if not candles:
            raise CouldNotRead(f"{self.client.name} tells no candles of {symbol}.")
        self._seen[symbol] = Seen(last, candles[-1])
        if before is None:
            return last, last
        touched = [last, before.last]
        for time, high, low in candles:
            if time > before.candle[0]:
                touched += [high, low]
            elif time == before.candle[0]:
                touched += [high] if high > before.candle[1] else []
                touched += [low] if low < before.candle[2] else []
        return min(touched), max(touched)


def _careful(market: Row) -> tuple[MarginTier, ...]:
    """The ladder of a large venue for the majors, a careful one for the rest."""
    like = PERPETUALS.get(f"{market['base']}/USDT:USDT")
    return like.instrument.tiers if like else SMALLER_TIERS

"""Instruments and prices of a real venue, as an account sees them: with its own margin tiers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from django.core.cache import cache

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Quote
from buddy.core.market import ONE, TIMEFRAMES, ZERO, Candle, Instrument, MarginTier

from .ccxt_calls import Calls
from .ccxt_delisted import Gone, about
from .ccxt_errors import Absent
from .ccxt_words import (
    Row,
    instrument,
    is_active,
    is_our_kind,
    is_ours,
    margin_tiers,
    needed,
    number,
    positive,
    quote_of,
    settle_of,
)
from .market_data.perpetuals import PERPETUALS, SMALLER_TIERS
from .market_data.source import UnknownSymbol
from .venues import VENUES

TIERS_KEPT, ASKED_AGAIN = 24 * 3600, 300
MINUTE = TIMEFRAMES["1m"]
CANDLES_AT_MOST = 1000
SHUT_KEPT = 10.0
"""Seconds for which a market that is asked for is believed not to be traded."""
Range = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last reading saw of a symbol: the price, and the candle that was running."""

    last: Decimal
    candle: Candle


class Markets:
    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.client = calls.client
        self.venue = VENUES[self.client.venue]
        self._instruments: dict[str, tuple[Row, Instrument]] = {}
        self._seen: dict[str, Seen] = {}

    def all(self) -> list[Instrument]:
        found = [market for market in self.client.api.markets.values() if is_ours(market, self.venue)]
        mine = [market for market in found if settle_of(market) == self.venue.settle]
        return [
            instrument(market, self.venue, () if self.venue.exits.is_spot else _careful(market))
            for market in sorted(mine, key=lambda market: market["symbol"])
        ]

    def instrument(self, symbol: str) -> Instrument:
        """Raises UnknownSymbol, or CouldNotRead."""
        self.calls.ready()
        market = self.client.api.markets.get(symbol)
        if market is not None and not is_active(market, self.venue):
            with suppress(CouldNotRead):
                self.calls.read_markets_anew(SHUT_KEPT)
            market = self.client.api.markets.get(symbol)
        if market is None or not is_our_kind(market, self.venue):
            raise UnknownSymbol(symbol, f"markets of {self.client.name}")
        known = self._instruments.get(symbol)
        if known is None or known[0] is not market:
            known = self._instruments[symbol] = (market, instrument(market, self.venue, self._tiers(market)))
        return known[1]

    def _tiers(self, market: Row) -> tuple[MarginTier, ...]:
        """The venue's ladder; where it does not tell it, a careful one. Coins have none."""
        if self.venue.exits.is_spot:
            return ()
        key = f"tiers:{self.client.place}:{self.calls.account.name}:{market['symbol']}".replace(" ", "")
        kept = cache.get(key)
        if kept is None:
            kept, told = self._ask_tiers(market)
            cache.set(key, kept, TIERS_KEPT if told else ASKED_AGAIN)
        return margin_tiers(kept) if kept else _careful(market)

    def _ask_tiers(self, market: Row) -> tuple[list[Row], bool]:
        """The ladder, and whether the venue answered: an account may have one of its own."""
        symbol = market["symbol"]
        try:
            if self.client.recipe.tiers == "one":
                found = self.calls.read("fetch_market_leverage_tiers", symbol)
            else:
                found = self.calls.read("fetch_leverage_tiers", [symbol]).get(symbol)
            rows: list[Row] = [dict(row, info=None) for row in found or []]
            return self._in_money(rows, market) if self.client.recipe.tiers_in_contracts else rows, True
        except (Absent, CouldNotRead):
            return [], False

    def _in_money(self, rows: Sequence[Row], market: Row) -> list[Row]:
        """Where the steps of the ladder are numbers of contracts, what these are worth now."""
        last = needed(self.calls.read("fetch_ticker", market["symbol"]).get("last"), "price")
        worth = last * (number(market.get("contractSize")) or ONE)
        steps = ("minNotional", "maxNotional")
        return [{**row, **{name: str((number(row[name]) or ZERO) * worth) for name in steps}} for row in rows]

    # --- prices ---

    def quotes(self, symbols: Sequence[str]) -> tuple[dict[str, Quote], dict[str, Range]]:
        """Prices of now, and what traded since the last time they were asked for."""
        found = {symbol: self._candles(symbol) for symbol in symbols}
        quotes = {symbol: self._quote(symbol, candles[-1].close) for symbol, candles in found.items()}
        return quotes, {symbol: self._range(symbol, found[symbol], quotes[symbol].last) for symbol in symbols}

    def _quote(self, symbol: str, close: Decimal) -> Quote:
        """Where the ticker tells the mark, from it; else the mark is asked for, and the last price is the candle's.

        Coins have no mark but that price.
        """
        if self.venue.exits.is_spot:
            return Quote(symbol, close, close, self.client.now())
        field = self.client.recipe.mark
        with about(self.calls, symbol):
            ticker = self.calls.read("fetch_ticker" if field else "fetch_mark_price", symbol)
        if not field:
            return Quote(symbol, close, positive(ticker.get("markPrice")) or close, self.client.now())
        return quote_of(
            {**ticker, "symbol": symbol}, positive((ticker.get("info") or {}).get(field)), self.client.now()
        )

    def _candles(self, symbol: str) -> list[Candle]:
        """Minutes since the one that ran at the reading before; the last one is running."""
        before = self._seen.get(symbol)
        since = before.candle.time if before else None
        minutes = 1 if since is None else min(CANDLES_AT_MOST, (self.client.now() - since) // MINUTE + 2)
        with about(self.calls, symbol):
            rows = self.calls.read("fetch_ohlcv", symbol, "1m", since, minutes)
        if not rows:
            raise Gone(symbol, f"{self.client.name} tells no candles of {symbol}.")
        return [Candle(int(row[0]), *(Decimal(str(number)) for number in row[1:5])) for row in rows]

    def _range(self, symbol: str, candles: Sequence[Candle], last: Decimal) -> Range:
        """Lowest and highest since the reading before, never including a price of before it.

        Whole minutes since then count in full; of the minute it fell into only what it has newly reached.
        """
        before = self._seen.get(symbol)
        self._seen[symbol] = Seen(last, candles[-1])
        if before is None:
            return last, last
        touched = [last, before.last]
        for candle in candles:
            if candle.time > before.candle.time:
                touched += [candle.high, candle.low]
            elif candle.time == before.candle.time:
                touched += [candle.high] if candle.high > before.candle.high else []
                touched += [candle.low] if candle.low < before.candle.low else []
        return min(touched), max(touched)


def _careful(market: Row) -> tuple[MarginTier, ...]:
    """The ladder of a large venue for the majors, a careful one for the rest."""
    like = PERPETUALS.get(f"{market['base']}/USDT:USDT")
    return like.instrument.tiers if like else SMALLER_TIERS

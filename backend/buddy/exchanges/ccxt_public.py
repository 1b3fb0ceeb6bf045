"""A venue's public data through ccxt: instruments, prices, candles. No keys, no orders.

Only worker processes import this module: ccxt costs 70 MB and a second of start-up, which the web process must not pay.
Prices come as text (`number: str`) and become exact Decimals. Every failure is a CouldNotRead in plain words.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from threading import Lock
from typing import Any

import ccxt
import requests

from buddy.core.errors import CouldNotRead

from .ccxt_client import Redirect, practise
from .ccxt_words import is_ours, settle_of, tick_of
from .venue_rows import RECIPES
from .venues import VENUES, Venue, venue_of

TIMEOUT = 8_000
"""Milliseconds."""
PAGE = 1000
FUNDING_ROWS = 100


class PublicMarket:
    """One venue, asked one question at a time: the client and its rate limiter are not made for several threads."""

    def __init__(self, market: str, redirect: str = "") -> None:
        venue = venue_of(market)
        self.name = VENUES[venue].name
        self.lock = Lock()
        session = requests.Session()
        if redirect:
            session.trust_env = False
            session.mount("https://", Redirect(redirect))
        self.venue = VENUES[venue]
        traded = "spot" if self.venue.exits.is_spot else "swap"
        options: dict[str, Any] = {"defaultType": traded, "fetchCurrencies": False, "fetchMargins": False}
        if self.venue.kinds:
            options["fetchMarkets"] = {"types": list(self.venue.kinds)}
        settings = {"session": session, "number": str, "timeout": TIMEOUT, "enableRateLimit": True, "options": options}
        self.client: Any = getattr(ccxt, self.venue.client)(settings)
        if market != venue:
            practise(self.client, RECIPES[venue].demo)

    def instruments(self) -> list[dict[str, Any]]:
        """What is traded there as plain values, decimals as text."""
        with self._plain_words():
            markets = self.client.load_markets(True).values()
        return [_instrument(market, self.venue) for market in markets if is_ours(market, self.venue)]

    def ticker(self, symbol: str) -> dict[str, Any]:
        with self._plain_words():
            ticker = self.client.fetch_ticker(symbol)
        if ticker.get("last") is None:
            raise CouldNotRead(f"{self.name} tells no price of {symbol}.")
        return {
            "last": ticker["last"],
            "bid": ticker.get("bid"),
            "ask": ticker.get("ask"),
            "change": ticker.get("percentage"),
        }

    def candles(self, symbol: str, timeframe: str, since: int | None, limit: int) -> list[list[Any]]:
        """Rows of [time in ms, open, high, low, close, volume], prices as text; the last one may still be running."""
        with self._plain_words():
            rows = self.client.fetch_ohlcv(symbol, timeframe, since, min(limit, PAGE))
        return [[int(row[0]), *(str(number) for number in row[1:6])] for row in rows]

    def funding(self, symbol: str, since: int | None = None) -> list[list[Any]]:
        """Rows of [time in ms, rate as text]: those settled from `since` on, or without it the one to come."""
        with self._plain_words():
            if since is not None:
                rows = self.client.fetch_funding_rate_history(symbol, since, FUNDING_ROWS)
                told = [(row["timestamp"], row["fundingRate"]) for row in rows]
            else:
                row = self.client.fetch_funding_rate(symbol)
                told = [(row["fundingTimestamp"] or row["nextFundingTimestamp"], row["fundingRate"])]
            return [[_minute(time), _text(rate)] for time, rate in told if time and rate is not None]

    @contextmanager
    def _plain_words(self) -> Iterator[None]:
        try:
            with self.lock:
                yield
        except (ccxt.RateLimitExceeded, ccxt.DDoSProtection):
            raise CouldNotRead(f"{self.name} asks us to slow down.") from None
        except ccxt.NetworkError:
            raise CouldNotRead(f"{self.name} cannot be reached.") from None
        except (ccxt.BaseError, KeyError, TypeError, ValueError) as error:
            raise CouldNotRead(f"{self.name} gave an answer we cannot read ({type(error).__name__}).") from None


@lru_cache(maxsize=16)
def public_market(market: str, redirect: str) -> PublicMarket:
    """One client per process and market: it keeps its connection and its instruments."""
    return PublicMarket(market, redirect)


def _instrument(market: dict[str, Any], venue: Venue) -> dict[str, Any]:
    limits = market["limits"]
    return {
        "symbol": market["symbol"],
        "base": market["base"],
        "quote": market["quote"],
        "settle": settle_of(market),
        "tick_size": _text(tick_of(market, venue)),
        "lot_size": _text(market["precision"]["amount"]),
        "min_quantity": _text(limits["amount"].get("min")) or "0",
        "min_notional": _text(limits["cost"].get("min")) or "0",
        "max_quantity": _text(limits["amount"].get("max")),
        "contract_size": _text(market.get("contractSize")) or "1",
        "max_leverage": _text((limits.get("leverage") or {}).get("max")),
    }


def _minute(time: Any) -> int:
    """Venues tell a settlement some milliseconds late."""
    return int(time) // 60_000 * 60_000


def _text(number: Any) -> str | None:
    return None if number is None else f"{Decimal(str(number)):f}"

"""In which order a candle visited its two extremes, which a candle does not tell: a policy decides.

The functions here let the exchange's own orders answer, without a manager that would react; `core.backtest` decides
with the manager's reactions.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from .market import ZERO, Candle, Side
from .matching import Matching
from .simulated_market import extremes


class Intrabar(StrEnum):
    PESSIMISTIC = "pessimistic"
    """The order that leaves the equity lower at the candle's close."""
    COLOUR = "colour"
    """A rising candle went to its low first, a falling one to its high."""
    OPTIMISTIC = "optimistic"
    """The order that leaves the equity higher at the candle's close."""


def by_colour(_exchange: Matching, _symbol: str, candle: Candle) -> bool:
    return candle.close >= candle.open


def pessimistic(exchange: Matching, symbol: str, candle: Candle) -> bool:
    """Whether the low comes first in the worse of both orders; when they are equal, what is against us comes first."""
    low_first, high_first = _equities(exchange, symbol, candle)
    if low_first != high_first:
        return low_first < high_first
    held = exchange.books.holdings.get(symbol)
    return held is None or held.side is Side.LONG


def optimistic(exchange: Matching, symbol: str, candle: Candle) -> bool:
    """Whether the low comes first in the better of both orders; when they are equal, what is for us comes first."""
    low_first, high_first = _equities(exchange, symbol, candle)
    if low_first != high_first:
        return low_first > high_first
    held = exchange.books.holdings.get(symbol)
    return held is not None and held.side is Side.SHORT


def _equities(exchange: Matching, symbol: str, candle: Candle) -> tuple[Decimal, Decimal]:
    """Equity at the candle's close with the low first and with the high first."""
    below, above = exchange.edges(symbol)
    if (below is None or below < candle.low) and (above is None or above > candle.high):
        return ZERO, ZERO  # nothing waits within the candle, so the order means nothing
    return _equity(exchange, symbol, candle, low_first=True), _equity(exchange, symbol, candle, low_first=False)


def _equity(exchange: Matching, symbol: str, candle: Candle, *, low_first: bool) -> Decimal:
    """Equity at the candle's close if nobody reacts to what happens in it."""
    trial = exchange.trial(symbol, extremes(candle, low_first))
    while not trial.run():
        trial.watch({})
    return trial.equity

"""Prices and candles of an account's market, as the chart and the ticket ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .accounts import refuse, to_ms
from .connect import source_for
from .market_data.source import PriceSource, UnknownSymbol
from .models import Account
from .story import at, text


def price_now(account: Account, symbol: str) -> dict[str, Any]:
    try:
        quote = source_for(account).quote(symbol)
    except UnknownSymbol as error:
        raise unknown(error) from None
    return {"symbol": symbol, "last": text(quote.last), "mark": text(quote.mark), "time": at(quote.time)}


def candle_rows(account: Account, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`asked` as in CandleQuerySerializer."""
    source, symbol, timeframe = source_for(account), asked["symbol"], asked["timeframe"]
    _check_timeframe(source, symbol, timeframe)
    start, end = (to_ms(asked[name]) if name in asked else None for name in ("from", "to"))
    found = source.candles(symbol, timeframe, start, end, asked["limit"])
    return {
        "symbol": symbol,
        "timeframe": timeframe,
        "candles": [[row.time, *(text(number) for number in row[1:])] for row in found.rows],
        "source": account.price_source,
        "complete": found.complete,
    }


def _check_timeframe(source: PriceSource, symbol: str, timeframe: str) -> None:
    try:
        offered = source.timeframes(symbol)
    except UnknownSymbol as error:
        raise unknown(error) from None
    if timeframe not in offered:
        cure = f"Choose one of: {', '.join(offered)}."
        raise refuse("timeframe", f"There are no candles of {timeframe} here.", cure, "unknown_timeframe")


def unknown(error: UnknownSymbol) -> Exception:
    return refuse("symbol", str(error), "Choose one of the instruments offered.", "unknown_symbol")

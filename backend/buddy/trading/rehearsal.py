"""What would this plan have done over the last hours? The same core that trades plays it over the account's candles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from buddy.core.backtest import Terms
from buddy.core.backtest import rehearse as play
from buddy.core.errors import CouldNotRead, Fault, InvalidPlan
from buddy.core.market import TIMEFRAMES, Candle, Instrument
from buddy.core.plan_document import read_plan
from buddy.core.rehearsal_report import report
from buddy.exchanges.connect import balance_of, source_for
from buddy.exchanges.market_data.source import PriceSource, UnknownSymbol
from buddy.exchanges.models import Account
from buddy.exchanges.venues import exits_of

from .books import costs_of, unbounded
from .examination import with_margin
from .moments import at
from .story import moment

MOST_CANDLES = 5_000


def rehearse(account: Account, document: object, timeframe: str, minutes: int) -> dict[str, Any]:
    """The report of `manage.py rehearse`, times in ISO 8601. Raises InvalidPlan, or CouldNotRead without candles."""
    source = source_for(account)
    instrument = _instrument(source, document)
    candles = _candles(source, instrument.symbol, timeframe, minutes)
    meant = with_margin(document, account.margin_mode)
    plan = read_plan(meant, instrument, reference_price=candles[0].open)
    terms = Terms(instrument, costs_of(account), balance_of(account).equity, exits=exits_of(account.venue))
    return report(play(plan, candles, terms), lambda time: moment(at(time)))


def _instrument(source: PriceSource, document: object) -> Instrument:
    """The plan's instrument; with an unknown symbol, all that is wrong with the plan."""
    symbol = document.get("symbol") if isinstance(document, Mapping) else None
    symbol = symbol if isinstance(symbol, str) else ""
    try:
        return source.instrument(symbol)
    except UnknownSymbol:
        read_plan(document, unbounded(symbol))
        cure = "Choose one from the list of instruments."
        raise InvalidPlan([Fault("symbol", "It is not traded here.", cure, "unknown_symbol")]) from None


def _candles(source: PriceSource, symbol: str, timeframe: str, minutes: int) -> list[Candle]:
    if timeframe not in source.timeframes(symbol):
        offered = ", ".join(source.timeframes(symbol))
        fault = Fault(
            "timeframe", f"There are no candles of {timeframe} here.", f"Choose one of: {offered}.", "unknown"
        )
        raise InvalidPlan([fault])
    now = source.now()
    limit = min(max(minutes * TIMEFRAMES["1m"] // TIMEFRAMES[timeframe], 1), MOST_CANDLES)
    rows = source.candles(symbol, timeframe, now - minutes * TIMEFRAMES["1m"], now, limit).rows
    if not rows:
        raise CouldNotRead("There are no candles for this stretch yet.")
    return list(rows)

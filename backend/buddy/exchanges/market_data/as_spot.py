"""The coins behind recorded or simulated perpetuals: the same prices under the names of spot, owned outright."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from buddy.core.exchange import Quote
from buddy.core.market import ONE, Candle, Instrument
from buddy.core.simulated_market import FundingRate

from .source import Candles, PriceSource, Quietness, Step, UnknownSymbol, Walked

FINER = 2
"""Decimal places: coins are traded in smaller lots than contracts."""
LEAST = Decimal(5)
"""Smallest order, in quote currency, as at a large venue."""


class CoinPrices:
    """Implements `PriceSource` on one of linear perpetuals."""

    def __init__(self, perpetuals: PriceSource) -> None:
        self.perpetuals = perpetuals
        self.label = perpetuals.label
        self.leaps = perpetuals.leaps

    def now(self) -> int:
        return self.perpetuals.now()

    def horizon(self, *, at_work: bool) -> int:
        return self.perpetuals.horizon(at_work=at_work)

    def ends(self) -> int | None:
        return self.perpetuals.ends()

    def instruments(self) -> Sequence[Instrument]:
        return [coins(each) for each in self.perpetuals.instruments()]

    def instrument(self, symbol: str) -> Instrument:
        return coins(self.perpetuals.instrument(self._behind(symbol)))

    def timeframes(self, symbol: str) -> Sequence[str]:
        return self.perpetuals.timeframes(self._behind(symbol))

    def change(self, symbol: str) -> Decimal | None:
        return self.perpetuals.change(self._behind(symbol))

    def quote(self, symbol: str, at: int | None = None) -> Quote:
        found = self.perpetuals.quote(self._behind(symbol), at)
        return replace(found, symbol=symbol, mark=found.last)

    def so_far(self, symbol: str) -> Candle | None:
        return self.perpetuals.so_far(self._behind(symbol))

    def candles(self, symbol: str, timeframe: str, start: int | None, end: int | None, limit: int) -> Candles:
        found = self.perpetuals.candles(self._behind(symbol), timeframe, start, end, limit)
        return replace(found, symbol=symbol)

    def path(
        self, symbols: Sequence[str], after: int, until: int, *, walked: Walked = None, quiet: Quietness = None
    ) -> Iterator[Step]:
        names = {self._behind(symbol): symbol for symbol in symbols}
        known = {self._behind(symbol): candle for symbol, candle in walked.items()} if walked else None
        for step in self.perpetuals.path(list(names), after, until, walked=known, quiet=quiet):
            yield step._replace(symbol=names[step.symbol])

    def funding(self, symbol: str, after: int, until: int) -> Sequence[FundingRate]:
        """Nobody pays for owning coins."""
        return []

    def _behind(self, symbol: str) -> str:
        _base, _, quote = symbol.partition("/")
        if ":" in symbol or not quote:
            raise UnknownSymbol(symbol, self.label)
        return f"{symbol}:{quote}"


def coins(perpetual: Instrument) -> Instrument:
    lot = perpetual.lot_size.scaleb(-FINER)
    return replace(
        perpetual,
        symbol=f"{perpetual.base}/{perpetual.quote}",
        lot_size=lot,
        min_quantity=lot,
        min_notional=LEAST,
        max_leverage=ONE,
        tiers=(),
        spot=True,
    )

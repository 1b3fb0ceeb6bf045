"""The port where coins are owned."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from buddy.core.exchange import PositionState

from .venue import Connection


class CoinConnection(Connection):
    """Coins are told of the symbols that are asked about, and there is nothing to set up."""

    def set_up(self, symbol: str, leverage: Decimal, margin_mode: str) -> None:
        return

    def _positions(self, symbols: Sequence[str]) -> list[PositionState]:
        return [each for each in super()._positions(symbols) if each.symbol in symbols]

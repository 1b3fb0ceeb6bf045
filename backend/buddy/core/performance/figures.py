"""All named figures of a record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, tzinfo
from decimal import Decimal

from . import edge_figures, equity_figures, outcome_figures  # each registers its figures
from .arithmetic import exact
from .registry import DEFINITIONS, Figure, Unit
from .sample import Sample
from .trades import BREAK_EVEN_BAND, ClosedTrade, in_order

__all__ = ["FORMULAS", "Figure", "Unit", "edge_figures", "equity_figures", "outcome_figures", "summarise"]

FORMULAS: dict[str, str] = {name: definition.formula for name, definition in DEFINITIONS.items()}


@exact
def summarise(
    trades: Iterable[ClosedTrade],
    opening: Decimal,
    zone: tzinfo = UTC,
    *,
    band: Decimal = BREAK_EVEN_BAND,
    kelly_cap: Decimal | None = None,
) -> dict[str, Figure]:
    """Every figure by name. `opening` is the equity before the first trade; the order of `trades` does not matter."""
    sample = Sample(in_order(trades), opening, zone, band, kelly_cap)
    return {name: definition.of(sample) for name, definition in DEFINITIONS.items()}

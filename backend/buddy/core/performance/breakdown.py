"""The same few figures for every cell of an axis: by symbol, by side, by setup."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..market import ZERO
from .arithmetic import exact
from .registry import DEFINITIONS, Figure
from .sample import Sample
from .trades import ClosedTrade, in_order

CELL_FIGURES = {
    "win_rate": "win_rate",
    "mean_r": "expectancy_r",
    "mean_r_low": "expectancy_low",
    "mean_r_high": "expectancy_high",
    "profit_factor": "profit_factor",
    "total_r": "total_r",
    "net": "net_pnl",
}
"""Name in a cell → the figure it is."""


@dataclass(frozen=True, slots=True)
class Cell:
    key: str
    n: int
    figures: dict[str, Figure]


@exact
def break_down(trades: Iterable[ClosedTrade], keys: Callable[[ClosedTrade], Iterable[str]]) -> tuple[Cell, ...]:
    """A cell for each key, most trades first. A trade with several keys (tags) counts in each of them."""
    groups: dict[str, list[ClosedTrade]] = {}
    for trade in in_order(trades):
        for key in dict.fromkeys(keys(trade)):
            groups.setdefault(key, []).append(trade)
    cells = [_cell(key, tuple(group)) for key, group in groups.items()]
    return tuple(sorted(cells, key=lambda cell: (-cell.n, cell.key)))


def _cell(key: str, trades: tuple[ClosedTrade, ...]) -> Cell:
    sample = Sample(trades, opening=ZERO)
    return Cell(key, len(trades), {name: DEFINITIONS[figure].of(sample) for name, figure in CELL_FIGURES.items()})

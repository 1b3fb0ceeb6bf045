"""In hedge mode a long and a short of one symbol lie side by side: to the simulated exchange they are two symbols.

Everywhere else orders, executions and positions have the symbol that the venue lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from buddy.core.market import Instrument

SHORT = "|SHORT"


def slot_of(symbol: str, position_side: str) -> str:
    return symbol + SHORT if position_side == "SHORT" else symbol


def symbol_of(slot: str) -> str:
    return slot.removesuffix(SHORT)


def slots(symbol: str) -> tuple[str, str]:
    return symbol, symbol + SHORT


def with_shorts(instruments: Mapping[str, Instrument]) -> dict[str, Instrument]:
    """Both slots of each; coins have one."""
    shorts = {symbol + SHORT: each for symbol, each in instruments.items() if not each.spot}
    return {**instruments, **{slot: replace(each, symbol=slot) for slot, each in shorts.items()}}

"""What a run has met: every kind of fault, and every pair of it with a state of a trade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from .names import KINDS, STATES

Met = Counter[tuple[str, str]]
EACH_KIND, EACH_PAIR = 1_000, 30
"""How often a long run is to meet them."""
LISTED = 60


def told(met: Met) -> str:
    rows = [_row(kind, met) for kind in KINDS]
    count = len(KINDS) * len(STATES)
    never = [f"{kind} while {state}" for kind, state in _pairs_below(met, 1)]
    few = list(_kinds_below(met, EACH_KIND))
    seldom = list(_pairs_below(met, EACH_PAIR))
    return "\n".join(
        [
            *rows,
            f"kinds met {EACH_KIND} times: {len(KINDS) - len(few)} of {len(KINDS)}",
            f"pairs met {EACH_PAIR} times: {count - len(seldom)} of {count}",
            f"pairs met: {count - len(never)} of {count}; never: {_few(never)}",
        ]
    )


def as_json(met: Met) -> dict[str, Any]:
    return {kind: {state: met[kind, state] for state in STATES} for kind in KINDS}


def _few(names: list[str]) -> str:
    return ", ".join([*names[:LISTED], *(["…"] if len(names) > LISTED else [])]) or "-"


def _row(kind: str, met: Met) -> str:
    states = {state: met[kind, state] for state in STATES}
    counts = "  ".join(f"{state} {count}" for state, count in states.items())
    return f"{kind:<22}{sum(states.values()):>8}   {counts}"


def _kinds_below(met: Met, wanted: int) -> Iterator[str]:
    return (kind for kind in KINDS if sum(met[kind, state] for state in STATES) < wanted)


def _pairs_below(met: Met, wanted: int) -> Iterator[tuple[str, str]]:
    return ((kind, state) for kind in KINDS for state in STATES if met[kind, state] < wanted)

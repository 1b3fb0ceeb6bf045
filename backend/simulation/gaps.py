"""The distribution of stop gaps: how long what was held lay without a stop (`uncovered` measures them)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KINDS = (
    "attached",
    "unattached",
    "coins",
    "attached, with faults",
    "unattached, with faults",
    "coins, with faults",
)
EDGES = (0, 100, 250, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 30_000)
"""Of the histogram, in milliseconds: a gap counts at the first edge that it does not exceed."""


def distribution(counted: Mapping[int, int]) -> dict[str, Any]:
    """How many, the 50th and 99th percentile (nearest rank), the greatest, and a histogram; all in milliseconds."""
    count = sum(counted.values())
    if not count:
        return {"count": 0}
    return {
        "count": count,
        "p50_ms": _rank(counted, count, 50),
        "p99_ms": _rank(counted, count, 99),
        "max_ms": max(counted),
        "at_most_ms": _histogram(counted),
    }


def told(gaps: Mapping[str, Mapping[int, int]], longest: Mapping[str, tuple[int, int]]) -> str:
    """From a fill that can be read to stops for all that is held. `longest`: how long, and of which seed."""
    rows = []
    for kind, counted in gaps.items():
        found = distribution(counted)
        if not found["count"]:
            rows.append(f"  {kind}: none")
            continue
        parts = "  ".join(f"<={edge} {count}" for edge, count in found["at_most_ms"].items())
        rows.append(
            f"  {kind}: {found['count']} fills, p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms, "
            f"max {found['max_ms']} ms of seed {longest[kind][1]}   ({parts})"
        )
    return "\n".join(["from a fill that can be read to its stop:", *rows])


def _histogram(counted: Mapping[int, int]) -> dict[str, int]:
    edges = [*EDGES, max(counted)]
    found: dict[str, int] = {}
    for before, edge in zip((-1, *edges), edges, strict=False):
        count = sum(times for each, times in counted.items() if before < each <= edge)
        if count:
            found[str(edge)] = count
    return found


def _rank(counted: Mapping[int, int], count: int, percent: int) -> int:
    left = -(-count * percent // 100)
    for each in sorted(counted):
        left -= counted[each]
        if left <= 0:
            return each
    return max(counted)

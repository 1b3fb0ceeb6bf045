"""A figure, how it is measured against its limit or peer, and how it is told."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is `value` over what `against` gave in the same call; for a rate the other way round: smaller is better.

    `goal` is told in words; `met` is None where no goal applies.
    """

    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""
    goal: str = ""
    met: bool | None = None

    def line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def cpu_of(work: Callable[[], object]) -> float:
    """CPU seconds of this process for one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turn(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = 5) -> tuple[float, float]:
    """Median CPU seconds of both, run A B A B, so that a machine that slows down slows both."""
    pairs = [(cpu_of(ours), cpu_of(theirs)) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which `share` (0 … 1) of the sorted values lie; nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(figures: Iterable[Figure]) -> str:
    """Markdown, as docs/performance.md keeps it."""
    rows = ["| figure | measured | ratio | against | goal | met |", "|---|---|---|---|---|---|"]
    for each in figures:
        ratio = "" if each.ratio is None else f"{each.ratio:.3g} ×"
        met = {True: "yes", False: "**no**", None: ""}[each.met]
        measured = f"{_short(each.value)} {each.unit}"
        rows.append(f"| {each.name} | {measured} | {ratio} | {each.against} | {each.goal} | {met} |")
    return "\n".join(rows)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"

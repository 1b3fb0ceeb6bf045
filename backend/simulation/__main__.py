"""`python -m simulation 1000..1300`: plays the stories of these seeds on all cores and says what was broken.

SEEDS is one number, several with commas, or `first..last`. `--plant NAME` switches a planted bug on, which must be
found; `--plants` plants each in turn. `--coverage` lists every kind of fault with the states that it met, and how long
what was held lay without a stop; `--report` keeps both as JSON. A life is that of a trade; a story has several. A fault
is one call, answer, round or process that went wrong; a trouble is what it came from.
Exits 1 when anything was broken, with the smallest story that still breaks it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

from . import coverage, gaps
from .names import PLANTS

EACH_SECONDS = 10.0
ENOUGH = 500
"""Seeds within which a planted bug is to be found."""


@dataclass
class Tally:
    stories: int = 0
    lives: int = 0
    hours: float = 0.0
    looks: int = 0
    troubles: int = 0
    violations: int = 0
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    gaps: dict[str, Counter[int]] = field(default_factory=lambda: {kind: Counter() for kind in gaps.KINDS})
    longest: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The longest of them (ms), and its seed."""
    failed: list[dict[str, Any]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    """The first, and the last of them."""

    def add(self, told: dict[str, Any]) -> None:
        self.seeds = sorted({*self.seeds[:1], *self.seeds[-1:], told["seed"]})
        self.stories += 1
        self.lives += told["trades"]
        self.hours += told["hours"]
        self.looks += told["looks"]
        self.troubles += told["troubles"]
        for kind, milliseconds in told["gaps"]:
            self.gaps[kind][milliseconds] += 1
            self.longest[kind] = max(self.longest.get(kind, (-1, 0)), (milliseconds, told["seed"]))
        self.violations += len(told["broken"])
        for kind, state, count in told["met"]:
            self.met[kind, state] += count
        if told["broken"]:
            self.failed.append(told)

    def line(self) -> str:
        return (
            f"lives={self.lives} faults={sum(self.met.values())} violations={self.violations} "
            f"stories={self.stories} troubles={self.troubles} hours={self.hours:.0f} looks={self.looks}"
        )


def main() -> int:
    asked = _asked()
    if asked.plants:
        return _all_plants(asked)
    tally = _run(asked.seeds, asked.plant, asked.workers, until_broken=asked.plant != "-", minutes=asked.minutes)
    if asked.coverage:
        print(coverage.told(tally.met))
        print(gaps.told(tally.gaps, tally.longest))
    if asked.report:
        Path(asked.report).write_text(json.dumps(_as_json(tally), indent=1) + "\n")
    print(tally.line())
    return 1 if tally.violations else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("seeds", type=_seeds)
    parser.add_argument("--plant", choices=("-", *PLANTS), default="-")
    parser.add_argument("--plants", action="store_true")
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--report", default="")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so long, whatever is left")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def _seeds(text: str) -> list[int]:
    first, dots, last = text.partition("..")
    return list(range(int(first), int(last) + 1)) if dots else [int(each) for each in text.split(",")]


def _all_plants(asked: argparse.Namespace) -> int:
    missed = []
    for name in PLANTS:
        tally = _run(asked.seeds[:ENOUGH], name, asked.workers, until_broken=True, quiet=True)
        found = tally.failed[0] if tally.failed else None
        how = f"{found['broken'][0][0]} in story {tally.stories} (seed {found['seed']})" if found else "NOT FOUND"
        print(f"{name}: {how}", flush=True)
        missed += [] if found else [name]
    print(f"planted={len(PLANTS)} found={len(PLANTS) - len(missed)} missed={','.join(missed) or '-'}")
    return 1 if missed else 0


def _run(
    seeds: Sequence[int],
    plant: str,
    workers: int,
    *,
    until_broken: bool,
    quiet: bool = False,
    minutes: float = float("inf"),
) -> Tally:
    tally, told_at = Tally(), time.monotonic()
    until = told_at + 60 * minutes
    playing = [_worker(plant, seeds[number::workers]) for number in range(min(workers, len(seeds)))]
    try:
        for told in _merged(playing):
            tally.add(told)
            if told["broken"] and not quiet:
                print(_report(told), flush=True)
            if (until_broken and tally.violations) or time.monotonic() > until:
                break
            if not quiet and time.monotonic() - told_at > EACH_SECONDS:
                told_at = time.monotonic()
                print(f"… {tally.line()}", flush=True)
    finally:
        for each in playing:
            each.kill()
            each.wait()
    return tally


def _worker(plant: str, seeds: Sequence[int]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "simulation.worker", plant, *map(str, seeds)]
    fixed = {"PYTHONHASHSEED": "0"}  # the order of sets is a source of chance, too
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | fixed)  # noqa: S603  ourselves


def _merged(playing: Sequence[subprocess.Popen[str]]) -> Iterator[dict[str, Any]]:
    """What all of them say, as it comes. Raises RuntimeError when one of them breaks down."""
    lines: Queue[str | None] = Queue()

    def listen(worker: subprocess.Popen[str]) -> None:
        for line in worker.stdout or ():
            lines.put(line)
        lines.put(None)

    for worker in playing:
        Thread(target=listen, args=(worker,), daemon=True).start()
    left = len(playing)
    while left:
        line = lines.get()
        if line is not None:
            yield json.loads(line)
            continue
        left -= 1
        if any(worker.poll() for worker in playing):
            raise RuntimeError("A worker broke down.")


def _report(told: dict[str, Any]) -> str:
    head = [f"\nseed {told['seed']}:", *(f"  {name}: {sentence}" for name, sentence in told["broken"])]
    if "story" not in told:
        return "\n".join(head)
    log = [f"  {line}" for line in told["log"]]
    return "\n".join([*head, "the smallest story that still does it:", told["story"], "what happened:", *log])


def _as_json(tally: Tally) -> dict[str, Any]:
    return {
        "seeds": [tally.seeds[0], tally.seeds[-1]],
        "lives": tally.lives,
        "faults": sum(tally.met.values()),
        "violations": tally.violations,
        "stories": tally.stories,
        "troubles": tally.troubles,
        "hours": round(tally.hours),
        "looks": tally.looks,
        "failed": [{"seed": each["seed"], "broken": each["broken"]} for each in tally.failed],
        "coverage": coverage.as_json(tally.met),
        "gaps": {kind: gaps.distribution(counted) for kind, counted in tally.gaps.items()},
        "longest": {kind: {"ms": longest, "seed": seed} for kind, (longest, seed) in tally.longest.items()},
    }


if __name__ == "__main__":
    sys.exit(main())

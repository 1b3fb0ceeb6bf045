"""Runs the figures in turn: `python -m bench [NAME …]`; without names all of them, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

from .figures import Figure, table

PARTS = (
    "candles",
    "looks",
    "rounds",
    "venue_looks",
    "api",
    "feed",
    "adapter",
    "streams",
    "protected",
    "pages",
    "startup",
)
ALONE = "--alone"


def main() -> int:
    if sys.argv[1:2] == [ALONE]:
        for figure in import_module(f"bench.{sys.argv[2]}").measure():
            print(figure.line(), flush=True)
        return 0
    wanted = sys.argv[1:] or PARTS
    if unknown := set(wanted) - set(PARTS):
        print(f"There is no {', '.join(sorted(unknown))}. There are: {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    told = [figure for name in wanted for figure in part(name)]
    print("\n" + table(told))
    return 0


def part(name: str) -> list[Figure]:
    """The figures of one part, told as they come."""
    command = [sys.executable, "-m", "bench", ALONE, name]
    told = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603  ourselves
        for line in running.stdout or ():
            print(line, end="", flush=True)
            told.append(Figure(**json.loads(line)))
    if running.returncode:
        raise SystemExit(f"{name} could not be measured.")
    return told


if __name__ == "__main__":
    sys.exit(main())

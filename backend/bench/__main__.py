"""Runs the figures in turn: `python -m bench [NAME …]`; without names all of them."""

from __future__ import annotations

import sys
from importlib import import_module

from .figures import Figure, table

PARTS = ("candles", "looks", "api", "feed", "pages", "startup")


def main() -> int:
    wanted = sys.argv[1:] or PARTS
    if unknown := set(wanted) - set(PARTS):
        print(f"There is no {', '.join(sorted(unknown))}. There are: {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    told: list[Figure] = []
    for name in wanted:
        for figure in import_module(f"bench.{name}").measure():
            told.append(figure)
            print(figure.line(), flush=True)
    print("\n" + table(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())

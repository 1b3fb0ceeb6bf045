"""JavaScript that a route needs before it shows anything, gzip -9, against the predecessor's for the same route."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

from scripts.bootstrap import FRONTEND, environment

from .figures import Figure

PREDECESSOR = {"/signin": 87.0, "/trade": 104.0, "/positions": 104.0, "/journal": 96.0, "/stats": 161.0}
"""kB of the app that this one succeeds, measured on its production build."""
GOALS = {"/signin": 24.0, "/trade": 40.0, "/journal": 50.0, "/stats": 50.0}


def measure() -> Iterator[Figure]:
    command = ["npm", "run", "--silent", "size"]
    told = subprocess.run(  # noqa: S603  our own command
        command, cwd=FRONTEND, env=environment(), capture_output=True, text=True, check=True
    )
    sizes: dict[str, dict[str, float]] = json.loads(told.stdout)
    for route, size in ((route, each["first"]) for route, each in sizes.items()):
        before = PREDECESSOR.get(route)
        ratio = size / before if before else None
        goal = GOALS.get(route)
        words = " and ".join(
            w for w in ("≤ 0.5 × the predecessor" if before else "", f"≤ {goal:.0f} kB" if goal else "") if w
        )
        met = None if before is None else size <= before / 2 and (goal is None or size <= goal)
        yield Figure(f"first-load JS {route}", size, "kB", ratio, "the predecessor" if before else "", words, met)

"""Plays the lives it is given, one line of JSON for each: a process of `__main__`'s."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any

import django

SHRINKS = 1
"""Failing stories that one worker makes small, each in at most `TRIES` plays."""
TRIES = 120


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "simulation.settings")
    django.setup()
    from . import database, plants

    wanted, seeds = sys.argv[1], [int(seed) for seed in sys.argv[2:]]
    database.make()
    gc.freeze()
    gc.set_threshold(200_000, 50, 50)  # a life makes many objects and few circles
    with plants.planted(wanted) if wanted != "-" else nullcontext():
        for told in _lives(seeds, shrinks=0 if wanted != "-" else SHRINKS):
            print(json.dumps(told), flush=True)


def _lives(seeds: list[int], shrinks: int) -> Iterator[dict[str, Any]]:
    from . import database
    from .life import Outcome, play
    from .shrink import smallest
    from .story import Story, written

    def played(story: Story) -> Outcome:
        database.empty()
        return play(story)

    for seed in seeds:
        story, began = written(seed), time.perf_counter()
        outcome = played(story)
        told: dict[str, Any] = {
            "seed": seed,
            "broken": [[each.name, each.sentence] for each in outcome.broken],
            "met": [[kind, state, count] for (kind, state), count in sorted(outcome.met.items())],
            "digest": outcome.digest,
            "hours": outcome.hours,
            "looks": outcome.looks,
            "trades": outcome.trades,
            "troubles": outcome.troubles,
            "gaps": outcome.gaps,
            "seconds": time.perf_counter() - began,
        }
        if outcome.broken and shrinks:
            shrinks -= 1
            name = outcome.broken[0].name
            small = smallest(story, partial(_fails_so, played, name), TRIES)
            told["story"] = small.told()
            told["log"] = played(small).log[-80:]
        yield told


def _fails_so(played: Callable[[Any], Any], name: str, story: Any) -> bool:
    return any(each.name == name for each in played(story).broken)


if __name__ == "__main__":
    main()

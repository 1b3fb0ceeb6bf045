"""`python -m simulation.teeth FILE` plays the stories that are kept in FILE, each with its planted bug.

One line of JSON for each: the bug, and what was broken. Stories are kept whole, so that none of them changes with what
a seed means.
"""

from __future__ import annotations

import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import django

from .story import Deed, Move, Seat, Story, Trouble


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "simulation.settings")
    django.setup()
    from . import database, plants
    from .life import play

    database.make()
    for plant, kept in json.loads(Path(sys.argv[1]).read_text()).items():
        database.empty()
        with plants.planted(plant):
            outcome = play(story_of(kept))
        print(json.dumps([plant, [[each.name, each.sentence] for each in outcome.broken]]), flush=True)


def story_of(kept: dict[str, Any]) -> Story:
    return Story(
        seed=kept["seed"],
        seats=tuple(Seat(*row) for row in kept["seats"]),
        moves=tuple(Move(at, symbol, Decimal(factor), jump) for at, symbol, factor, jump in kept["moves"]),
        deeds=tuple(Deed(*row) for row in kept["deeds"]),
        troubles=tuple(Trouble(*row) for row in kept["troubles"]),
        ends=kept["ends"],
        streamed=kept["streamed"],
    )


if __name__ == "__main__":
    main()

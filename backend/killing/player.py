"""Plays runs at one stage, in a process of its own: one line of JSON in, one out."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import django


def told(result: Any) -> dict[str, Any]:
    return {
        "points": [[step, role, names] for (step, role), names in result.points.items()],
        "struck": [[kill.step, kill.role, kill.at, name] for kill, name in result.struck],
        "missed": [[kill.step, kill.role, kill.at] for kill in result.missed],
        "violations": result.violations,
        "evidence": result.evidence,
        "naked": result.naked,
        "seconds": result.seconds,
    }


def main() -> None:
    django.setup()
    from .pace import quicken
    from .run import Kill, Run
    from .stage import standing
    from .stories import STORIES

    quicken()
    stories = {story.name: story for story in STORIES}
    folder, port = Path(os.environ["DATA_DIR"]), int(os.environ["EXCHANGE_TRANSPORT_BASE"].rpartition(":")[2])
    with standing(folder, {}, port) as stage:
        print("ready", flush=True)
        while line := sys.stdin.readline():
            order = json.loads(line)
            kills = [Kill(*kill) for kill in order["kills"]]
            print(json.dumps(told(Run(stage, stories[order["story"]], kills).play())), flush=True)


if __name__ == "__main__":
    main()

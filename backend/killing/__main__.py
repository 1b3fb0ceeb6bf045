"""Kill real processes at every point of every story.

    python -m killing                                  every distinct point of every story
    python -m killing --seconds 60 --seed 4711         a slice of them, chosen by the seed
    python -m killing --story 3 --kills 1:worker:12    one run of one story
    python -m killing --story 15 --kills '0:worker:POST /fapi/v1/algoOrder>'    at the first point of that name
    python -m killing --resume FILE                    what is not in the file yet; each run is added to it

It says what it saw and exits with 1 when anything did not hold.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from random import Random
from threading import Lock, Thread
from typing import Any

from .programme import Points, Spot, Tally, runs_of
from .stories import STORIES, Story
from .theatre import Player, theatre

OF_ONE_STORY = 4
"""Runs of a story in a slice."""
Job = tuple[Story, list[Spot], bool]
"""A story, the kills of a run of it, and whether it is played to find its points."""


class Director:
    """Hands out runs; a story's first is played without a kill and tells its points.

    `diary`: a file that keeps what was played, one run a line; what stands there already counts as played.
    """

    def __init__(
        self, stories: Sequence[Story], dice: Random, seconds: float | None, diary: Path | None = None, kind: str = ""
    ) -> None:
        self.dice, self.seconds, self.diary, self.kind = dice, seconds, diary, kind
        self.tally = Tally()
        self.stories, self.jobs = deque(stories), deque[deque[Job]]()
        self.until = None if seconds is None else time.monotonic() + seconds
        self._lock = Lock()

    def next(self) -> Job | None:
        """In a slice each story is killed at once; else all are known first, and each has a run in its turn."""
        with self._lock:
            if self.until is not None and time.monotonic() > self.until and self.tally.struck:
                return None
            if self.stories and not (self.jobs and self.until):
                return self.stories.popleft(), [], True
            return self._of_next_story() if self.jobs else None

    def _of_next_story(self) -> Job:
        jobs = self.jobs.popleft()
        if len(jobs) > 1:
            self.jobs.append(jobs)
        return jobs.popleft()

    def saw(self, job: Job, told: dict[str, Any]) -> None:
        story, kills, is_first = job
        with self._lock:
            self._note(story, kills, told, is_first=is_first)
            before = len(self.tally.violations)
            self.tally.add(story.name, kills, told)
            for violation in self.tally.violations[before:]:
                print(f"VIOLATION {violation}", *told["evidence"], sep="\n    ", flush=True)
            if not self.tally.runs % 20:
                print(f"   so far {self.tally.line()}", flush=True)
            if is_first:
                self._plan(story, Points.of(told["points"]), told["seconds"])

    def remember(self) -> None:
        """What the diary tells of runs before this one: what was played, and the points of each story."""
        if self.diary is None or not self.diary.exists():
            return
        lines = [json.loads(line) for line in self.diary.read_text().splitlines()]
        for told in lines:
            self.tally.add(told["story"], told["kills"], told)
        known = {told["story"]: told for told in lines if "points" in told}
        for story in [story for story in self.stories if story.name in known]:
            self.stories.remove(story)
            self._plan(story, Points.of(known[story.name]["points"]), known[story.name]["seconds"])

    def _note(self, story: Story, kills: list[Spot], told: dict[str, Any], *, is_first: bool) -> None:
        if self.diary is not None:
            kept = {key: value for key, value in told.items() if key != "points" or is_first}
            with self.diary.open("a") as file:
                file.write(json.dumps({"story": story.name, "kills": kills, **kept}) + "\n")

    def _plan(self, story: Story, points: Points, seconds: float) -> None:
        distinct = sum(len(points.distinct(step)) for step in range(points.steps))
        runs = runs_of(points, self.dice, self.tally.seen.get(story.name, ()), self.kind)
        self.tally.points += points.count
        self.tally.distinct += distinct
        if self.seconds is not None and self.diary is None:
            runs = runs[:OF_ONE_STORY]
        if runs:
            self.jobs.append(deque((story, kills, False) for kills in runs))
        number = STORIES.index(story) + 1
        print(f"{number:2} {story.venue}: {story.name}", flush=True)
        print(f"   {points.count} points, {distinct} distinct, {seconds:.1f} s without a kill", flush=True)


def direct(director: Director, players: Sequence[Player]) -> None:
    troubles: list[BaseException] = []

    def follow(player: Player) -> None:
        try:
            while (job := director.next()) is not None:
                director.saw(job, player.play(job[0].name, job[1]))
        except BaseException as trouble:  # noqa: BLE001  told below
            troubles.append(trouble)

    threads = [Thread(target=follow, args=[player]) for player in players]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if troubles:
        raise troubles[0]


def only(director: Director, story: Story, runs: Sequence[str]) -> None:
    director.stories.clear()
    director.jobs.append(deque((story, _spots(kills), False) for kills in runs))


def _spots(kills: str) -> list[Spot]:
    parts = [each.split(":") for each in kills.split(",") if each]
    return [(int(step), role, int(at) if at.isdigit() else at) for step, role, at in parts]


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--story", type=int, action="append", help="a number; several times for several")
    words.add_argument("--kills", action="append", help="STEP:ROLE:POINT, commas between: one run of one story")
    words.add_argument("--seconds", type=float, help="a slice that takes about so long, once all is set up")
    words.add_argument("--seed", default=time.strftime("%Y-%m-%d", time.gmtime()))
    words.add_argument("--resume", type=Path, metavar="FILE", help="play what is not in it yet")
    words.add_argument("--tell", action="store_true", help="only what is in it")
    words.add_argument("--kind", default="", help="only moments of such kinds: 'write', 'web before', …")
    words.add_argument("--players", type=int, default=2, help="how many runs are played at a time")
    asked = words.parse_args()
    dice = Random(str(asked.seed))  # noqa: S311  it chooses what is tested
    stories = [STORIES[number - 1] for number in asked.story or range(1, len(STORIES) + 1)]
    dice.shuffle(stories)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing that was started stays behind
    begun = time.monotonic()
    print(f"seed {asked.seed}", flush=True)
    director = Director(stories, dice, asked.seconds, asked.resume, asked.kind)
    director.remember()
    if asked.kills is not None:
        only(director, stories[0], asked.kills)
    if not asked.tell:
        with theatre(asked.players) as players:
            direct(director, players)
    tally = director.tally
    print(*tally.lines(), sep="\n")
    print(f"{tally.line()} seconds={time.monotonic() - begun:.0f}", flush=True)
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())

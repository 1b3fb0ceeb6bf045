"""Which moments are killed, in what order, and what a diary keeps of it."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from killing.__main__ import Director
from killing.programme import Points, runs_of
from killing.stories import STORIES

READS = ["GET /a<", "GET /a>"] * 10
TOLD = [
    [0, "worker", [*READS, "POST /order<", "POST /order>"]],
    [1, "worker", READS],
    [1, "web", ["COMMIT<", "COMMIT>"]],
]
WRITTEN = (0, "worker", 22)
"""After the one write. The moment before it is that after the read."""


def points() -> Points:
    return Points.of(TOLD)


def told(kills: list[Any], **more: Any) -> dict[str, Any]:
    struck = [[*kill, "GET /a<"] for kill in kills]
    return {"struck": struck, "violations": [], "evidence": [], "naked": 1.5, "seconds": 1.0, **more}


def test_every_distinct_moment_is_killed_once_and_none_twice_in_a_step() -> None:
    runs = runs_of(points(), Random(1))
    played = [spot for run in runs for spot in run]
    assert sorted(played) == sorted([*points().distinct(0), *points().distinct(1)])
    assert len(played) == len(set(played))
    assert all(len({step for step, _, _ in run}) == len(run) for run in runs)


def test_what_is_rare_is_not_left_to_the_end() -> None:
    kinds = set(points().distinct(0).values())
    assert any(WRITTEN in run for run in runs_of(points(), Random(1))[: len(kinds)])


def test_only_the_kinds_that_are_asked_for_are_killed() -> None:
    runs = runs_of(points(), Random(1), kind="write")
    assert runs == [[WRITTEN]]


def test_a_run_that_is_resumed_plays_what_is_left_and_no_story_for_its_points(tmp_path: Path) -> None:
    story, diary = STORIES[0], tmp_path / "diary"
    begun = Director([story], Random(1), None, diary)
    first = begun.next()
    assert first == (story, [], True)
    begun.saw(first, told([], points=TOLD))
    job = begun.next()
    assert job is not None
    begun.saw(job, told(job[1]))

    resumed = Director([story], Random(2), None, diary)
    resumed.remember()
    left = []
    while (more := resumed.next()) is not None:
        assert not more[2]
        left += more[1]
    assert not set(left) & set(job[1])
    assert sorted([*left, *job[1]]) == sorted([*points().distinct(0), *points().distinct(1)])
    assert (resumed.tally.struck, resumed.tally.naked) == (len(job[1]), 1.5)
    assert [json.loads(line)["story"] for line in diary.read_text().splitlines()] == [story.name] * 2

"""Every planted bug is found, by the invariant that names its harm, in a story that is known to show it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from simulation import __main__ as simulation
from simulation import plants
from simulation.names import PLANTS

from .test_lives import BACKEND, KEPT, run

STORIES = Path(__file__).with_name("planted.json")
FOUND_BY: dict[str, str] = {plant: kept["found_by"] for plant, kept in json.loads(STORIES.read_text()).items()}
SHOWN = ("target_not_reduce_only", "0..60")
MISSED = ("one_trouble_stops_all", "1736")
"""A bug and lives that show it; one that takes several accounts, and a life that has but one."""
Broken = dict[str, list[tuple[str, str]]]


@pytest.fixture(scope="module")
def broken() -> Broken:
    told = run("simulation.teeth", str(STORIES))
    assert told.returncode == 0, told.stderr[-2000:]
    return dict(json.loads(line) for line in told.stdout.splitlines())


def test_every_bug_has_its_story() -> None:
    assert set(FOUND_BY) == set(PLANTS) == set(plants.GARDEN)


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_bug_is_found(plant: str, broken: Broken) -> None:
    assert FOUND_BY[plant] in {name for name, _ in broken[plant]}, broken[plant]


def simulated(monkeypatch: pytest.MonkeyPatch, plant: str, *arguments: str) -> int:
    """The exit code of `make simulate` where there is but one bug to plant."""
    for name in set(os.environ) - set(KEPT):
        monkeypatch.delenv(name)
    monkeypatch.chdir(BACKEND)
    monkeypatch.setattr(simulation, "PLANTS", (plant,))
    monkeypatch.setattr(sys, "argv", ["simulation", *arguments, "--workers", "1"])
    return simulation.main()


def test_a_run_with_a_bug_fails_where_the_bug_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plant, seeds = SHOWN
    assert simulated(monkeypatch, plant, seeds, "--plant", plant) == 1


@pytest.mark.parametrize(("case", "code"), [(SHOWN, 0), (MISSED, 1)])
def test_a_run_of_all_bugs_fails_where_one_is_missed(
    monkeypatch: pytest.MonkeyPatch, case: tuple[str, str], code: int
) -> None:
    plant, seeds = case
    assert simulated(monkeypatch, plant, seeds, "--plants") == code

"""The commands of the Makefile that hand another program over to one that starts stores for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("asked", [["simulate", "SEEDS=1", "POSTGRES=1"], ["attack", "CASES=1"]])
def test_what_is_handed_to_the_stores_is_a_program_and_no_setting_of_one(asked: list[str]) -> None:
    env = os.environ | {"MAKEFLAGS": ""}  # what the make that runs these tests was asked for is not asked again
    told = subprocess.run(["make", "-n", *asked], cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    (line,) = (line for line in told.splitlines() if "scripts.with_stores" in line)
    program = line.partition(" -- ")[2].split()[0]
    assert Path(program).name in {"python", "pytest"}

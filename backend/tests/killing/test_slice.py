"""A slice of `make kill`, always the same one: real processes die in the middle of trades.

KILL_SEED chooses another, and another cut. Nights play everything.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from buddy.settings import BACKEND

pytestmark = [pytest.mark.processes, pytest.mark.slow]

SEED = os.environ.get("KILL_SEED", "5")


def play(*words: str) -> str:
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, cwd=BACKEND, capture_output=True, text=True, check=False)
    print(" ".join(command[1:]), done.stdout, sep="\n")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


def test_no_kill_changes_how_a_trade_ends() -> None:
    told = play("killing", "--seconds", "15", "--seed", SEED)
    assert "violations=0" in told
    assert " kills=0 " not in told


def test_an_order_that_proves_placing_is_neither_left_nor_sent_twice() -> None:
    """The worker dies when the venue has carried it out, and before a word of that is written."""
    there = [f"0:worker:{method} /fapi/v1/algoOrder>" for method in ("POST", "DELETE")]
    told = play("killing", "--story", "15", *(word for each in there for word in ("--kills", each)))
    assert " kills=2 seen=2 missed=0 " in told


CUTS = ("flushed", "store-stopped", "database-restarted", "network-cut", "network-deaf", "frozen-before-entry")
"""Each plays in some ten seconds on a machine that does nothing else; all of them and more in the night."""


def test_nothing_that_is_taken_away_and_put_back_changes_how_a_trade_ends() -> None:
    name = CUTS[sum(SEED.encode()) % len(CUTS)]
    assert f"{name} naked_most=" in play("killing.cuts", name)

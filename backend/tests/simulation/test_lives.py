"""A slice of what `make simulate` does at length: lives in which everything may go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from simulation.story import CAPPED, OF_A_MARKET, OF_AN_ACCOUNT, written

BACKEND = Path(__file__).parents[2]
LIVES = "0..11"
MARKETS_CHANGE = ("23", "33", "39", "1078")
"""Stories in which everything happens to a market that may, and to the settings of an account."""
COINS = ("18", "21", "24", "30", "36")
"""Stories of accounts on spot, at both venues."""
KEPT = ("PATH", "PYTHONPATH", "HOME", "TMPDIR")
"""Of the environment."""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: a simulation takes over every clock there is."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    kept["PYTHONHASHSEED"] = "0"
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=BACKEND, env=kept, capture_output=True, text=True, check=False)


def test_nothing_is_broken_in_these_lives() -> None:
    told = run("simulation", LIVES, "--workers", "2")
    assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-2000:]
    assert told.stdout.splitlines()[-1].startswith("lives=")
    assert " stories=12 " in told.stdout.splitlines()[-1]


def test_a_trade_closed_while_positions_are_listed_late_leaves_nothing_of_nobodys() -> None:
    told = run("tests.simulation.told", "closed while the list of positions lags")
    life = json.loads(told.stdout)
    assert (life["broken"], len(life["executed"]), life["felt"]) == ([], 2, ["positions_lag"]), told.stderr


def test_a_stop_the_venue_attached_that_nobody_saw_goes_with_its_trade() -> None:
    told = run("tests.simulation.told", "filled and reversed by hand while no order is told")
    life = json.loads(told.stdout)
    assert (life["broken"], life["felt"]) == ([], ["no_orders_told"]), told.stderr
    assert any("hand-1 buy" in each for each in life["executed"])


def test_a_cancellation_that_failed_is_made_up_for_at_once_on_an_account_that_is_heard() -> None:
    told = run("tests.simulation.told", "reduced by hand, and the cancelling of a target that is too large is lost")
    life = json.loads(told.stdout)
    assert (life["broken"], life["felt"]) == ([], ["cancel_request_lost", "unreadable"]), told.stderr


def test_a_stop_that_the_trader_loosens_may_be_refused_at_first() -> None:
    told = run("tests.simulation.told", "the trader loosens a stop, and the venue refuses the new one at first")
    life = json.loads(told.stdout)
    assert (life["broken"], life["felt"]) == ([], ["refused_reduce_only"]), told.stderr


def test_a_process_that_dies_between_moving_a_stop_and_writing_it_down_does_not_loosen_it() -> None:
    told = run("tests.simulation.told", "killed between moving a stop and writing it down")
    life = json.loads(told.stdout)
    assert (life["broken"], life["felt"]) == ([], ["killed_at_commit"]), told.stderr


def test_an_entry_that_executes_under_another_number_while_it_is_still_listed_is_booked_once() -> None:
    told = run("tests.simulation.told", "a triggered entry fills while the list of orders lags")
    life = json.loads(told.stdout)
    assert (life["broken"], life["felt"]) == ([], ["orders_lag"]), told.stderr


def test_one_seed_is_one_life() -> None:
    told = run("simulation.worker", "-", "5", "9", "5", "9")
    lives = [json.loads(line) for line in told.stdout.splitlines()]
    assert [life["digest"] for life in lives[:2]] == [life["digest"] for life in lives[2:]], told.stderr
    assert len({life["digest"] for life in lives}) == 2
    again = run("simulation.worker", "-", "5")
    assert json.loads(again.stdout)["digest"] == lives[0]["digest"], again.stderr


def test_markets_change_and_go_and_come_back_the_same_way_each_time() -> None:
    told = run("simulation.worker", "-", *MARKETS_CHANGE, *MARKETS_CHANGE)
    lives = [json.loads(line) for line in told.stdout.splitlines()]
    once, again = lives[: len(MARKETS_CHANGE)], lives[len(MARKETS_CHANGE) :]
    assert [life["broken"] for life in lives] == [[]] * len(lives), told.stderr
    assert [life["digest"] for life in once] == [life["digest"] for life in again], told.stderr
    assert {kind for life in once for kind, _, _ in life["met"]} >= {*OF_A_MARKET, *CAPPED, *OF_AN_ACCOUNT}


def test_coins_are_bought_and_sold_the_same_way_each_time() -> None:
    assert {seat.venue for seed in COINS for seat in written(int(seed)).seats} == {"binance-spot", "kraken-spot"}
    told = run("simulation.worker", "-", *COINS, *COINS)
    lives = [json.loads(line) for line in told.stdout.splitlines()]
    once, again = lives[: len(COINS)], lives[len(COINS) :]
    assert [life["broken"] for life in lives] == [[]] * len(lives), told.stderr
    assert [life["digest"] for life in once] == [life["digest"] for life in again], told.stderr
    assert sum(life["trades"] for life in once) > 10
    assert {kind.split(",")[0] for life in once for kind, _ in life["gaps"]} == {"coins"}


def test_what_happens_to_a_market_is_told_with_its_symbol() -> None:
    troubles = [trouble for trouble in written(int(MARKETS_CHANGE[0])).troubles if trouble.kind in OF_A_MARKET]
    lines = written(int(MARKETS_CHANGE[0])).told().splitlines()
    for each in troubles:
        words = f"TROUBLE {each.kind} on account {each.account} of {each.role} for {each.lasts / 1000:g}s"
        assert any(line.endswith(words) for line in lines)

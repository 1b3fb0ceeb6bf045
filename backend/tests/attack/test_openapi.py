"""A slice of `make attack`: every operation under whatever its description allows and forbids.

ATTACK_CASES, ATTACK_SEED and ATTACK_WAYS in the environment ask for more, for other cases, and for `coverage` too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.apps.bobs_desk import Desk, furnish
from tests.exchanges.scripted_venue import at_hand

from .openapi import Tally, attack, attack_in_rows

pytestmark = pytest.mark.django_db(transaction=True)

CASES = int(os.environ.get("ATTACK_CASES", "5"))
SEED = int(os.environ.get("ATTACK_SEED", "1"))
WAYS = os.environ.get("ATTACK_WAYS", "fuzzing").split(",")

SOON_ASKED = {"DELETE /api/v1/setups/{id}", "DELETE /api/v1/tags/{id}"}
"""A number is all that can be said there, and the engine soon has no new one."""


@pytest.fixture
def desk(alice: Any, tmp_path: Path, settings: Any, monkeypatch: Any) -> Iterator[Desk]:
    settings.MEDIA_ROOT = tmp_path
    with at_hand(monkeypatch):
        yield furnish(alice, "alices")


def assert_nothing_found(tally: Tally, capsys: Any) -> None:
    with capsys.disabled():
        print(f"\nattack: seed={SEED} {tally.line()}")
        if len(WAYS) > 1:
            print(tally.table())
    for name, told in tally.findings.items():
        print(f"--- {name}\n{told}")
    assert not tally.findings, f"ATTACK_SEED={SEED} finds {list(tally.findings)}"


def test_every_operation_answers_as_described(desk: Desk, capsys: Any) -> None:
    tally = attack(desk, WAYS, cases=CASES, seed=SEED)
    assert_nothing_found(tally, capsys)
    asked = tally.of_each()
    assert min(asked.values()) >= min(CASES, 30)
    assert {operation for operation, count in asked.items() if count < CASES} <= SOON_ASKED


def test_operations_in_a_row_answer_as_described(desk: Desk, capsys: Any) -> None:
    tally = attack_in_rows(desk, cases=CASES, seed=SEED)
    assert_nothing_found(tally, capsys)
    assert sum(tally.cases.values()) > 2 * CASES, "rows of one operation are none"
    assert tally.statuses[200] + tally.statuses[201] > CASES

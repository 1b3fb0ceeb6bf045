"""One server for each module of tests; every test has an account of its own, and the price stands at 64 000."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from emulator.handle import StandIn, running

BTC = "BTC/USDT:USDT"
numbers = count(1)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with running() as venues:
        yield venues


@pytest.fixture
def key() -> str:
    return f"key{next(numbers)}"

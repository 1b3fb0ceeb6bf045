"""One server of stand-in venues for each module that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.handle import StandIn

from .venues_over_http import stand_ins


@pytest.fixture(scope="module")
def venues() -> Iterator[StandIn]:
    with stand_ins() as found:
        yield found

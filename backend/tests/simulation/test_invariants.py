"""What must hold, over facts made up for it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from buddy.core.exchange import Role
from buddy.core.market import Side
from simulation.invariants import PATIENCE, Facts, Held, Rests, covered

D = Decimal
COINS = "BTC/USDT"


@pytest.mark.parametrize(("stopped", "patience"), [("0.00999", "I11"), ("0.00995", "I11"), ("0.00994", "I1")])
def test_coins_too_few_for_a_stop_of_their_own_may_wait_for_another_stop(stopped: str, patience: str) -> None:
    held = Held(COINS, Side.LONG, D("0.01"), D("0.01"), smallest=D("0.00006"))
    stop = Rests("tb1", COINS, Side.LONG, Role.STOP, D(stopped), D(90_000), reduce_only=True, has_owner=True)
    (broken,) = covered(Facts(0, (held,), (stop,), (), 0, told=False))
    assert (broken.name, broken.may_last) == ("I1", PATIENCE[patience])

"""What once went wrong in sizing must not come back; each test bears the defect's name."""

from __future__ import annotations

import time
from dataclasses import replace

from buddy.core.market import Side
from buddy.core.sizing import Costs, loss_at_stop, target_quantities

from .plans import BTC, D, plan
from .test_sizing import COSTS, sized


def test_leverage_defaulting_to_maximum() -> None:
    sizing = sized(plan())
    assert sizing.max_leverage > 20
    assert sizing.leverage == sizing.lowest_leverage == 1


def test_shares_through_float() -> None:
    """In floats 0.1 + 0.2 + 0.7 misses 1, and 0.29 × 100 lots floors to 28."""
    lots = replace(BTC, lot_size=D(1))
    read = plan(take_profits=[{"price": str(65_000 + n), "share": s} for n, s in enumerate(["0.1", "0.2", "0.7"])])
    assert sum(target.share for target in read.take_profits) == 1
    assert target_quantities(lots, D(100), [D("0.29"), D("0.71")]) == (D(29), D(71))


def test_sizing_without_costs() -> None:
    """The bare distance would buy 0.078, which loses 104.26 with fees and slippage where 100 was asked."""
    assert sized(plan(), costs=Costs()).quantity == D("0.078")
    sizing = sized(plan(), costs=COSTS)
    assert sizing.loss_at_stop <= 100 < loss_of(D("0.075"))
    assert loss_of(D("0.078")) > 104


def loss_of(quantity: D) -> D:
    return loss_at_stop(Side.LONG, BTC, D(64_000), D(62_720), quantity, COSTS, COSTS.maker).total


def test_size_not_recomputed_after_an_edit() -> None:
    """The size follows from the plan alone: half the stop's distance doubles it."""
    assert sized(plan()).quantity == D("0.078")
    assert sized(plan(stop={"price": "63360"})).quantity == D("0.156")


def test_profit_by_absolute_value() -> None:
    """A loss is a loss on both sides, and a stop in profit is a gain."""
    assert BTC.gross(Side.LONG, D(100), D(90), D(1)) == -10
    assert BTC.gross(Side.SHORT, D(100), D(110), D(1)) == -10
    assert loss_at_stop(Side.SHORT, BTC, D(100), D(90), D(1), Costs(), D(0)).total == -10


def test_first_target_covering_the_full_size_after_the_fill() -> None:
    first, second = sized(plan()).targets
    assert (first.quantity, second.quantity) == (D("0.039"), D("0.039"))


def test_hostile_numbers_cost_no_time() -> None:
    """A tick between entry and stop, and legs of a billionth, settle in a moment."""
    legs = [{"price": "999999999.9", "share": "0.000000000001"}, {"price": "0.2", "share": "0.999999999999"}]
    wanted = plan(entries=legs, stop={"price": "0.1"}, take_profits=[], risk={"money": "999999999999"})
    began = time.perf_counter()
    sized(wanted, free=D(10**15), equity=D(10**15), costs=COSTS)
    assert time.perf_counter() - began < 1

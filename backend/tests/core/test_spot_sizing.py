"""Sizing coins: they are paid for at once, and every slice of them must be there to be sold at the stop."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from buddy.core.costs import Costs
from buddy.core.errors import InvalidPlan
from buddy.core.exchange import Exits, Role
from buddy.core.plan_document import read_plan
from buddy.core.sizing import Sizing, size

from .lives import EQUITY, OWNED, documents, tick, trade_on

D = Decimal
HALF = settings(deadline=None, max_examples=settings.default.max_examples // 2)
FEES = Costs(D("0.001"), D("0.001"), D("0.0005"))
STEADY = Costs(D("0.001"), D("0.001"))


def document(**changes: Any) -> dict[str, Any]:
    """Bought at market, 100; stop 96; a half out at 105 and at 110."""
    whole: dict[str, Any] = {
        "symbol": OWNED.symbol,
        "side": "long",
        "entries": [{"kind": "market"}],
        "stop": {"price": "96"},
        "take_profits": [{"price": "105", "share": "0.5"}, {"price": "110", "share": "0.5"}],
        "risk": {"money": "40"},
    }
    return whole | changes


def sized(money: Any = EQUITY, costs: Costs = FEES, **changes: Any) -> Sizing:
    plan = read_plan(document(**changes), OWNED, reference_price=D(100))
    return size(plan, OWNED, equity=D(money), free=D(money), costs=costs, reference_price=D(100))


def faults(sizing: Sizing) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in sizing.faults]


def test_coins_are_sized_like_anything_else_but_paid_for_whole() -> None:
    """Per coin 4 + 100·0.001 + 96·0.001 + 100·0.0005 + 96·0.0005 = 4.294: 9.31 of them lose 39.98."""
    sizing = sized()
    assert (sizing.quantity, sizing.leverage, sizing.margin, sizing.liquidation_price) == (D("9.31"), 1, 931, None)
    assert sizing.loss_at_stop == D("39.97714")
    assert not sizing.faults


def test_the_targets_share_what_a_withheld_fee_leaves() -> None:
    """9.31 · 0.999 = 9.30069: 9.30 can be sold."""
    assert [target.quantity for target in sized().targets] == [D("4.65"), D("4.65")]


def test_they_share_it_all_where_the_fee_is_taken_in_money() -> None:
    sizing = sized(costs=replace(FEES, withholds=False))
    assert [target.quantity for target in sizing.targets] == [D("4.65"), D("4.66")]


def test_the_cost_with_fee_and_slippage_is_within_what_is_free() -> None:
    sizing = sized(500)
    assert sizing.capped_by == "margin"
    assert faults(sizing) == [("risk", "margin_short")]
    assert "This costs 932.40 USDT with its fees, and 500.00 USDT is free." in sizing.faults[0].message
    assert sizing.quantity == D("4.99"), "4.99 · 100 · 1.0015 is 499.75"
    assert not sized("932.4").faults
    assert faults(sized("932.39")) == [("risk", "margin_short")], "slipped it would not be there"


def test_a_part_that_the_stop_could_not_sell_is_named_with_its_cure() -> None:
    """5 at 96 is 0.06 coins; of the 0.94 that are left 0.06 is a share of 0.0639."""
    small = [{"price": "105", "share": "0.06"}, {"price": "110", "share": "0.94"}]
    sizing = sized(risk={"quantity": "0.95"}, take_profits=small)
    assert faults(sizing) == [("take_profits.0.share", "target_below_minimum")]
    assert "at least 0.0639" in sizing.faults[0].cure
    enough = [{"price": "105", "share": "0.0639"}, {"price": "110", "share": "0.9361"}]
    assert not sized(risk={"quantity": "0.95"}, take_profits=enough).faults


@pytest.mark.parametrize("stop", ["96", "60"])
def test_what_no_stop_could_sell_is_not_bought(stop: str) -> None:
    few, plenty = {"quantity": "0.06"}, {"quantity": "0.1"}
    about: dict[str, Any] = {"stop": {"price": stop}, "take_profits": []}
    assert faults(sized(risk=few, **about)) == [("risk", "notional_below_minimum")]
    assert not sized(risk=plenty, **about).faults


def test_each_entry_alone_must_be_enough_for_its_stop() -> None:
    legs = [{"kind": "market", "share": "0.9"}, {"kind": "limit", "price": "97", "share": "0.1"}]
    assert faults(sized(entries=legs, risk={"quantity": "0.55"}, take_profits=[])) == [
        ("entries.1.share", "notional_below_minimum")
    ]
    assert not sized(entries=legs, risk={"quantity": "0.7"}, take_profits=[]).faults


def test_following_the_cure_heals() -> None:
    fault = sized(risk={"quantity": "0.06"}, take_profits=[]).faults[0]
    money = fault.cure.removeprefix("Risk at least ").split(" ")[0]
    assert not sized(risk={"money": str(D(money) + D("0.01"))}, take_profits=[]).faults


@HALF
@given(documents(signs=(1,)), st.sampled_from([Exits.PAIRED, Exits.SINGLE]), st.booleans(), st.integers(20, 10_000))
def test_what_is_sized_without_a_fault_is_accepted_protected_whole_and_loses_no_more_than_was_asked(
    drawn: dict[str, Any], exits: Exits, withholds: bool, money: int
) -> None:
    wanted = drawn | {"entries": [{"kind": "market"}], "rules": {}, "cancel": {}}
    try:
        plan = read_plan({"symbol": OWNED.symbol} | wanted, OWNED, reference_price=D(100))
    except InvalidPlan:
        assume(False)
        raise
    costs = replace(STEADY, withholds=withholds)
    found = size(plan, OWNED, equity=D(money), free=D(money), costs=costs, reference_price=D(100))
    assume(not found.faults)
    trade = trade_on(
        wanted, tick(0, 100), instrument=OWNED, costs=STEADY, equity=D(money), exits=exits, withholds=withholds
    )
    stops = {order.leg: order.remaining for order in trade.working()}
    assert {order.role for order in trade.working()} == {Role.STOP}
    assert sum(stops.values()) == OWNED.round_quantity(trade.held) > 0
    if exits is Exits.PAIRED and found.targets:
        assert list(stops.values()) == [target.quantity for target in found.targets]
    trade.play(tick(1, plan.stop_price))
    assert trade.is_over
    assert -trade.position.net <= found.loss_at_stop <= found.asked_risk

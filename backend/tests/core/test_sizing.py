"""The quantity never loses more than was asked, costs included, and is the largest that does not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from buddy.core.errors import InvalidPlan
from buddy.core.market import Instrument, Side
from buddy.core.plan import EntryKind, Plan
from buddy.core.plan_document import read_plan
from buddy.core.sizing import Costs, Sizing, break_even_price, loss_at_stop, most_lots, size, target_quantities

from .plans import BTC, INVERSE, SPOT, D, documents, plan

COSTS = Costs(maker=D("0.0002"), taker=D("0.0005"), slippage=D("0.0002"))
FREE = Costs()
RICH = D(10_000_000)


def sized(wanted: Plan, instrument: Instrument = BTC, **options: Any) -> Sizing:
    given_ = {"equity": D(10_000), "free": D(10_000), "costs": FREE} | options
    return size(wanted, instrument, **given_)


def codes(sizing: Sizing) -> set[tuple[str, str]]:
    return {(fault.field, fault.code) for fault in sizing.faults}


def exact_loss(wanted: Plan, instrument: Instrument, costs: Costs, reference: Decimal, lots: int) -> Fraction:
    """The loss at the stop in fractions, independent of the code under test."""
    total, loss, stop = instrument.lot_size * lots, Fraction(0), Fraction(wanted.stop_price)
    left = total
    for number, entry in enumerate(wanted.entries):
        last = number == len(wanted.entries) - 1
        part = left if last else instrument.round_quantity(total * entry.share)
        left -= part
        units, price = Fraction(part * instrument.contract_size), entry.expected_price(reference)
        assert price is not None
        beyond = price <= reference if wanted.side is Side.LONG else price >= reference
        if entry.kind is EntryKind.TRIGGER and beyond:
            price = reference
        way_in = Fraction(price)
        worse = price >= reference if wanted.side is Side.LONG else price <= reference
        resting = entry.kind is EntryKind.LIMIT and not worse
        at_market = entry.kind in (EntryKind.MARKET, EntryKind.TRIGGER)
        value, out = (units * way_in, units * stop) if instrument.linear else (units / way_in, units / stop)
        loss += abs(out - value) + value * Fraction(costs.maker if resting else costs.taker)
        loss += out * Fraction(costs.taker + costs.slippage) + (value * Fraction(costs.slippage) if at_market else 0)
    return loss


@settings(deadline=None)
@given(documents(), st.integers(1, 10**9))
def test_the_loss_at_the_stop_is_at_most_what_was_asked_and_one_lot_more_would_exceed_it(made: Any, cents: int) -> None:
    written = made[0] | {"risk": {"money": str(D(cents) / 100)}, "leverage": None}
    wanted = read_plan(written, BTC, reference_price=made[1])
    sizing = sized(wanted, equity=RICH * 10**6, free=RICH * 10**6, costs=COSTS, reference_price=made[1])
    assume(sizing.capped_by is None)
    lots = int(sizing.quantity / BTC.lot_size)
    assert sizing.loss_at_stop <= sizing.asked_risk
    assert exact_loss(wanted, BTC, COSTS, made[1], lots) == Fraction(sizing.loss_at_stop)
    assert exact_loss(wanted, BTC, COSTS, made[1], lots + 1) > Fraction(sizing.asked_risk)


@settings(deadline=None)
@given(st.integers(2_000, 200_000), st.integers(-900, 900), st.integers(1, 10**8))
def test_the_same_holds_for_inverse_contracts(half_dollars: int, percent_mille: int, satoshi: int) -> None:
    entry = D(half_dollars) / 2
    stop = INVERSE.round_price(entry * (1000 + percent_mille) / 1000)
    assume(stop not in (entry, 0))
    wanted = plan(
        INVERSE,
        side=None,
        entries=[{"price": str(entry)}],
        stop={"price": str(stop)},
        take_profits=[],
        risk={"money": str(D(satoshi).scaleb(-8))},
    )
    sizing = sized(wanted, INVERSE, equity=RICH, free=RICH, costs=COSTS)
    assume(sizing.capped_by is None)
    lots = int(sizing.quantity)
    away = entry + wanted.side.sign
    assert exact_loss(wanted, INVERSE, COSTS, away, lots) <= Fraction(sizing.asked_risk)
    assert exact_loss(wanted, INVERSE, COSTS, away, lots + 1) > Fraction(sizing.asked_risk)


@settings(deadline=None)
@given(documents())
def test_the_legs_and_the_targets_add_up_to_the_quantity_on_whole_lots(made: Any) -> None:
    wanted = read_plan(made[0], BTC, reference_price=made[1])
    sizing = sized(wanted, costs=COSTS, reference_price=made[1])
    assert sum(sizing.quantities) == sizing.quantity
    assert all(quantity == BTC.round_quantity(quantity) >= 0 for quantity in sizing.quantities)
    assert not sizing.targets or sum(target.quantity for target in sizing.targets) == sizing.quantity


@settings(deadline=None)
@given(documents())
def test_figures_agree_with_one_another(made: Any) -> None:
    wanted = read_plan(made[0], BTC, reference_price=made[1])
    sizing = sized(wanted, costs=COSTS, reference_price=made[1])
    assert sizing.lowest_leverage <= sizing.leverage <= sizing.max_leverage
    assert abs(sizing.margin * sizing.leverage - sizing.notional) <= sizing.notional * D("1E-25")
    assert sizing.margin + sizing.entry_fee <= 10_000
    if sizing.rr is not None and sizing.best_case is not None:
        assert abs(sizing.rr * sizing.loss_at_stop - sizing.best_case) < D("1E-15")


def test_a_trigger_that_the_price_has_passed_is_sized_from_where_it_fills() -> None:
    """Up to a trigger of 64000 with the stop at 63000 each BTC risks 1000; from a price of 65000 it risks 2000."""
    wanted = plan(
        entries=[{"kind": "trigger", "trigger": "64000"}],
        stop={"price": "63000"},
        take_profits=[],
        risk={"money": "100"},
    )
    waits, goes_in = (sized(wanted, reference_price=D(price)) for price in (63_900, 65_000))
    assert (waits.quantity, waits.average_entry) == (D("0.1"), D(64_000))
    assert (goes_in.quantity, goes_in.average_entry, goes_in.loss_at_stop) == (D("0.05"), D(65_000), D(100))


def test_a_worked_example_with_costs() -> None:
    """Per BTC: 1280 move + 64000 × 0.0002 entry + 62720 × (0.0005 + 0.0002) exit = 1336.704; 100 / that = 0.0748…"""
    sizing = sized(plan(), costs=COSTS)
    assert sizing.quantity == D("0.074")
    assert sizing.entry_fee == D("0.94720")
    assert sizing.exit_fee == D("2.32064")
    assert sizing.slippage == D("0.928256")
    assert sizing.loss_at_stop == D("98.916096")


def test_what_a_target_earns_is_after_costs() -> None:
    """0.037 from 64000 to 65000: 37 gross, half the entry fee 0.4736, 65000 × 0.037 × 0.0002 = 0.481 to leave."""
    first, second = sized(plan(), costs=COSTS).targets
    assert (first.gross, first.net) == (D(37), D("36.0454"))
    assert second.net == D("92.5") - D("0.4736") - D("66500") * D("0.037") * D("0.0002")


def test_the_reward_to_risk_is_weighted_by_shares() -> None:
    """Without costs the targets are 1000/1280 and 2500/1280 R away: half of each."""
    sizing = sized(plan())
    assert sizing.targets[0].r == D(1000) / D(1280)
    assert sizing.rr == (D(1000) / D(1280) + D(2500) / D(1280)) / 2
    assert sizing.best_case == D("0.039") * 1000 + D("0.039") * 2500


def test_an_inverse_contract_by_hand() -> None:
    """100 dollars each from 50000 to 40000 lose 100 × (1/40000 − 1/50000) = 0.0005 BTC; 0.01 BTC carries 20."""
    changes = {"entries": [{"price": "50000"}], "stop": {"price": "40000"}, "risk": {"money": "0.01"}}
    wanted = plan(INVERSE, take_profits=[{"price": "62500"}], **changes)
    sizing = sized(wanted, INVERSE, equity=D(1), free=D(1))
    assert (sizing.quantity, sizing.loss_at_stop, sizing.notional) == (D(20), D("0.01"), D("0.04"))
    assert sizing.targets[0].gross == D("0.008")


def test_an_exact_fit_is_not_lost_to_rounding() -> None:
    """From 30000 to 15000 each contract loses 1/300 BTC, which no decimal holds; 0.1 BTC is exactly 30 of them."""
    changes = {"entries": [{"price": "30000"}], "stop": {"price": "15000"}, "risk": {"money": "0.1"}}
    assert sized(plan(INVERSE, take_profits=[], **changes), INVERSE, equity=D(1), free=D(1)).quantity == 30


def test_an_inverse_average_is_harmonic() -> None:
    """One contract each at 40000 and 60000: 200 / (100/40000 + 100/60000) = 48000."""
    legs = [{"price": "40000"}, {"price": "60000"}]
    wanted = plan(INVERSE, entries=legs, stop={"price": "30000"}, take_profits=[], risk={"quantity": "2"})
    assert abs(sized(wanted, INVERSE, equity=D(1), free=D(1)).average_entry - 48_000) < D("1E-20")


def test_spot_has_no_leverage_and_no_liquidation() -> None:
    sizing = sized(plan(SPOT, leverage=3), SPOT)
    assert (sizing.leverage, sizing.margin, sizing.liquidation_price) == (1, sizing.notional, None)
    assert codes(sizing) == {("leverage", "spot_leverage")}


def test_spot_cannot_be_sold_short() -> None:
    wanted = plan(SPOT, side="short", stop={"price": "65000"}, take_profits=[])
    assert ("side", "spot_short") in codes(sized(wanted, SPOT))


def test_a_contract_size_scales_the_quantity() -> None:
    hundredths = replace(BTC, contract_size=D("0.01"), lot_size=D(1), min_quantity=D(1))
    assert sized(plan(), hundredths).quantity == 7
    assert sized(plan(), hundredths).notional == D(64000) * 7 / 100


@pytest.mark.parametrize(
    ("entry", "fee", "slippage"),
    [
        ({"kind": "market"}, "0.0005", "0.0002"),
        ({"kind": "limit", "price": "64000"}, "0.0002", "0"),
        ({"kind": "limit", "price": "64200"}, "0.0005", "0"),
        ({"kind": "trigger", "price": "64200"}, "0.0005", "0.0002"),
        ({"kind": "trigger_limit", "trigger": "64200", "price": "64200"}, "0.0005", "0"),
    ],
)
def test_the_entry_pays_as_it_will_fill(entry: dict[str, str], fee: str, slippage: str) -> None:
    sizing = sized(plan(entries=[entry], reference="64100"), costs=COSTS, reference_price=D(64_100))
    stop_value = D(62_720) * sizing.quantity
    assert sizing.entry_fee == sizing.notional * D(fee)
    assert sizing.slippage == stop_value * D("0.0002") + sizing.notional * D(slippage)


def test_a_market_entry_without_a_price_cannot_be_sized() -> None:
    with pytest.raises(InvalidPlan, match="no price"):
        sized(plan(entries=[{}]))


def test_a_price_that_has_run_beyond_the_stop_cannot_be_sized() -> None:
    with pytest.raises(InvalidPlan, match="no risk to size by"):
        sized(plan(entries=[{}], reference="64000"), reference_price=D(62_720))


def test_a_fixed_quantity_is_floored_to_the_lot() -> None:
    sizing = sized(plan(risk={"quantity": "0.0519"}))
    assert (sizing.quantity, sizing.asked_risk) == (D("0.051"), D(1280) * D("0.051"))


def test_a_quantity_below_the_minimum_says_what_would_do() -> None:
    sizing = sized(plan(risk={"money": "1"}))
    assert codes(sizing) == {("risk", "quantity_below_minimum")}
    assert "1.28 USDT" in sizing.faults[0].cure


def test_a_value_below_the_minimum_is_refused() -> None:
    dear = replace(BTC, min_notional=D(100))
    sizing = sized(plan(risk={"money": "1.5"}), dear)
    assert ("risk", "notional_below_minimum") in codes(sizing)
    assert "2.56 USDT" in sizing.faults[0].cure


def test_a_target_below_the_minimum_lot_is_named() -> None:
    thin = [{"price": "65000", "share": "0.01"}, {"price": "66500", "share": "0.99"}]
    assert codes(sized(plan(take_profits=thin))) == {("take_profits.0.share", "target_below_minimum")}


def test_a_leg_below_the_minimum_lot_is_named() -> None:
    legs = [{"price": "64000", "share": "0.001"}, {"price": "63900", "share": "0.999"}]
    assert ("entries.0.share", "quantity_below_minimum") in codes(sized(plan(entries=legs)))


def test_more_than_the_venue_takes_in_one_order_is_an_offer_and_a_fault() -> None:
    sizing = sized(plan(), replace(BTC, market_max_quantity=D("0.05")))
    assert (sizing.quantity, sizing.capped_by) == (D("0.05"), "max_quantity")
    assert ("risk", "quantity_over_maximum") in codes(sizing)


def test_shares_never_pass_through_a_float() -> None:
    """0.1 × 3 lots and the like: the parts floor to the lot and the last takes what remains."""
    lots = replace(BTC, lot_size=D(1))
    assert target_quantities(lots, D(10), [D("0.1"), D("0.2"), D("0.7")]) == (D(1), D(2), D(7))
    assert target_quantities(lots, D(3), [D("0.29"), D("0.57"), D("0.14")]) == (D(0), D(1), D(2))


@settings(deadline=None)
@given(st.integers(0, 10**12), st.lists(st.integers(1, 10**6), min_size=1, max_size=8))
def test_target_quantities_add_up_exactly(lots: int, weights: list[int]) -> None:
    parts = [D(weight).scaleb(-12) for weight in weights[:-1]]
    total = BTC.lot_size * lots
    quantities = target_quantities(BTC, total, [*parts, 1 - sum(parts, D(0))])
    assert sum(quantities) == total
    assert all(quantity >= 0 for quantity in quantities)


@settings(deadline=None)
@given(
    st.sampled_from(list(Side)),
    st.booleans(),
    st.decimals(1, 10**6, places=4),
    st.decimals(0, 100, places=6),
    st.decimals(-10, 10, places=6),
    st.decimals(0, "0.01", places=6),
)
def test_closing_at_the_break_even_price_nets_zero(
    side: Side, linear: bool, entry: Decimal, fees: Decimal, funding: Decimal, taker: Decimal
) -> None:
    instrument = replace(BTC if linear else INVERSE, contract_size=D(100))
    price = break_even_price(
        side, instrument, average_entry=entry, fees_paid=fees, funding_paid=funding, quantity=D(7), taker=taker
    )
    assume(price > 0)
    units, way_in, out = Fraction(700), Fraction(entry), Fraction(price)
    move = units * (out - way_in) if linear else units * (1 / way_in - 1 / out)
    fee = (units * out if linear else units / out) * Fraction(taker)
    net = side.sign * move - fee - Fraction(fees) - Fraction(funding)
    assert 0 <= net < Fraction(1, 10**15)


def test_no_price_covers_more_than_a_short_can_earn() -> None:
    costs = {"average_entry": D(10), "fees_paid": D(11), "funding_paid": D(0), "quantity": D(1), "taker": D(0)}
    assert break_even_price(Side.SHORT, BTC, **costs) == 0


def test_a_stop_in_profit_loses_less_than_nothing() -> None:
    loss = loss_at_stop(Side.LONG, BTC, D(64_000), D(64_500), D(1), FREE, D(0))
    assert loss.total == -500


@settings(deadline=None)
@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_the_most_lots_are_found_from_any_guess(guess: int, limit: int) -> None:
    assert most_lots(guess, lambda lots: lots <= limit) == limit

"""Margin, leverage and liquidation: the lowest leverage that carries the trade, and the stop always first."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.core.margin import liquidation_price, maintenance
from buddy.core.market import Instrument, Side
from buddy.core.sizing import Sizing

from .plans import BTC, INVERSE, TIERS, D, plan
from .test_sizing import codes, sized

SIDES = st.sampled_from(list(Side))


def short(**changes: Any) -> dict[str, Any]:
    return {"side": "short", "stop": {"price": "65280"}, "take_profits": []} | changes


@given(SIDES, st.booleans(), st.decimals(10, 10**5, places=1), st.integers(1, 10**6), st.integers(1, 125))
def test_at_liquidation_margin_and_profit_are_just_the_maintenance(
    side: Side, linear: bool, entry: Decimal, quantity: int, leverage: int
) -> None:
    instrument = replace(BTC if linear else INVERSE, tiers=TIERS, contract_size=D(1))
    value = instrument.notional(entry, D(quantity))
    margin = value / leverage
    price = liquidation_price(side, instrument, entry_value=value, quantity=D(quantity), collateral=margin)
    if price is None:
        assert leverage == 1
        return
    units, way_in, out = Fraction(quantity), Fraction(value), Fraction(price)
    there = units * out if linear else units / out
    profit = side.sign * (there - way_in if linear else way_in - there)
    needed = max(there * Fraction(tier_rate(there)) - Fraction(tier_amount(there)), 0)
    assert abs(Fraction(margin) + profit - needed) <= (way_in + there) * Fraction(1, 10**24)


def tier_rate(value: Fraction) -> Decimal:
    return next(t.maintenance_rate for t in TIERS if t.notional_cap is None or value <= Fraction(t.notional_cap))


def tier_amount(value: Fraction) -> Decimal:
    return next(t.maintenance_amount for t in TIERS if t.notional_cap is None or value <= Fraction(t.notional_cap))


def test_liquidation_by_hand() -> None:
    """10× long of 1 at 40000, rate 0.4 %: 4000 + P − 40000 = 0.004 P, so P = 36000 / 0.996."""
    price = liquidation_price(Side.LONG, BTC, entry_value=D(40_000), quantity=D(1), collateral=D(4_000))
    assert price == D(36_000) / D("0.996")


def test_liquidation_of_an_inverse_long_by_hand() -> None:
    """100 × 100 dollars at 50000 is 0.2 BTC; 10× is 0.02 BTC of margin, no maintenance: 10000 / P = 0.22."""
    price = liquidation_price(Side.LONG, INVERSE, entry_value=D("0.2"), quantity=D(100), collateral=D("0.02"))
    assert price == D(10_000) / D("0.22")


def test_tiers_that_do_not_join_liquidate_at_their_edge() -> None:
    """From 0 % to 50 % at a value of 100: a short with 20 left there is lost the moment it crosses."""
    steep = replace(BTC, tiers=(TIERS[0]._replace(notional_cap=D(100), maintenance_rate=D(0)), HALF))
    price = liquidation_price(Side.SHORT, steep, entry_value=D(90), quantity=D(1), collateral=D(30))
    assert price == 100


HALF = TIERS[2]._replace(maintenance_rate=D("0.5"), maintenance_amount=D(0))


def test_maintenance_joins_smoothly_at_the_edges_of_the_tiers() -> None:
    assert maintenance(BTC, D(50_000)) == D(200)
    assert maintenance(BTC, D(50_000) + D("1E-15")) - D(200) < D("1E-15")


def test_leverage_left_out_is_the_lowest_that_carries_it() -> None:
    sizing = sized(plan(), free=D(1_000))
    assert (sizing.notional, sizing.leverage) == (D(4_992), 5)
    assert sizing.max_leverage > 20


@given(st.integers(1, 20_000), st.integers(1, 500))
def test_lowest_means_that_one_less_would_not_do(free: int, risk: int) -> None:
    sizing = sized(plan(risk={"money": str(risk)}), free=D(free))
    if sizing.capped_by is None and sizing.leverage > 1:
        assert sizing.notional / (sizing.leverage - 1) + sizing.entry_fee > free
    assert sizing.margin + sizing.entry_fee <= free


def test_asked_leverage_is_kept_where_it_fits() -> None:
    sizing = sized(plan(leverage=17))
    assert (sizing.leverage, sizing.faults) == (17, ())


def test_asked_leverage_over_the_accounts_limit_is_refused_with_what_fits() -> None:
    sizing = sized(plan(leverage=25), max_leverage=20)
    assert codes(sizing) == {("leverage", "leverage_over_maximum")}
    assert sizing.faults[0].cure == "Use a leverage of at most 20."


def test_asked_leverage_that_would_liquidate_before_the_stop_is_refused_with_what_fits() -> None:
    sizing = sized(plan(leverage=60))
    assert codes(sizing) == {("leverage", "stop_beyond_liquidation")}
    fits = int(sizing.faults[0].cure.rstrip(".").rsplit(" ", 1)[1])
    assert sized(plan(leverage=fits)).faults == ()
    assert codes(sized(plan(leverage=fits + 1))) == {("leverage", "stop_beyond_liquidation")}


def test_asked_leverage_too_low_for_the_margin_says_what_carries_it() -> None:
    sizing = sized(plan(leverage=2), free=D(1_000))
    assert sizing.capped_by == "leverage"
    assert codes(sizing) == {("leverage", "leverage_too_low")}
    assert sized(plan(leverage=5), free=D(1_000)).faults == ()


@given(SIDES, st.integers(10, 30_000), st.integers(1, 200))
def test_the_stop_always_comes_before_liquidation(side: Side, distance: int, leverage: int) -> None:
    stop = D(64_000) - side.sign * D(distance)
    wanted = plan(side=side, stop={"price": str(stop)}, take_profits=[], leverage=leverage, risk={"money": "1000"})
    sizing = sized(wanted, free=D(10**7))
    price = sizing.liquidation_price
    if price is not None and not any(field == "stop.price" for field, _ in codes(sizing)):
        assert side.better(stop, price)
        assert abs(price - stop) >= abs(stop - 64_000) / 10 - D("1E-18")


def test_no_leverage_helps_a_stop_that_liquidation_precedes() -> None:
    wanted = plan(**short(stop={"price": "130000"}))
    assert ("stop.price", "stop_beyond_liquidation") in codes(sized(wanted))


def test_the_first_leg_alone_must_outlive_the_stop_too() -> None:
    """12× from the average of 62000 survives a stop at 59000; from 64000 alone it would not."""
    legs = [{"price": "64000"}, {"price": "60000"}]
    wanted = plan(entries=legs, stop={"price": "59000"}, take_profits=[], leverage=12, risk={"money": "100"})
    assert codes(sized(wanted)) == {("leverage", "stop_beyond_liquidation")}


def test_cross_margin_is_carried_by_the_whole_equity() -> None:
    """0.078 at 64000 with 10000 behind it: the price cannot fall far enough."""
    assert sized(plan(margin_mode="cross", leverage=60)).liquidation_price is None
    poor = sized(plan(margin_mode="cross", leverage=60, risk={"quantity": "0.5"}))
    assert poor.liquidation_price == (D(32_000) - D(10_000)) / (D("0.5") * (1 - D("0.004")))


def test_short_of_margin_the_possible_is_an_offer_and_never_silent() -> None:
    sizing = sized(plan(), free=D(10), max_leverage=20)
    assert (sizing.capped_by, sizing.leverage) == ("margin", 20)
    assert ("risk", "margin_short") in codes(sizing)
    assert sizing.asked_risk == 100
    assert sizing.quantity == D("0.003")
    assert sizing.margin <= 10 < (sizing.notional + 64) / 20


@pytest.mark.parametrize("free", ["0", "-5"])
def test_nothing_free_carries_nothing(free: str) -> None:
    sizing = sized(plan(), free=D(free))
    assert (sizing.quantity, sizing.capped_by) == (D(0), "margin")


def test_no_equity_risks_nothing() -> None:
    sizing = sized(plan(), equity=D(-1))
    assert (sizing.quantity, sizing.asked_risk) == (D(0), D(0))
    assert ("risk", "quantity_below_minimum") in codes(sizing)


@given(st.integers(1, 10**6))
def test_the_tier_of_the_value_limits_the_leverage(money: int) -> None:
    sizing: Sizing = sized(plan(stop={"price": "63990"}, risk={"money": str(money)}), free=D(10**12), equity=D(10**12))
    tier: Instrument = BTC
    allowed = next(t for t in tier.tiers if t.notional_cap is None or sizing.notional <= t.notional_cap).max_leverage
    assert sizing.max_leverage <= allowed

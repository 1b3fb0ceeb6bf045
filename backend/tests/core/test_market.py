"""Rounding is exact whatever the number of digits."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from buddy.core.market import Instrument, Side

DIGITS = st.integers(-(10**60), 10**60)
VALUES = st.builds(lambda digits, places: Decimal(f"{digits}E-{places}"), DIGITS, st.integers(0, 40))
STEPS = st.builds(lambda digits, places: Decimal(f"{digits}E-{places}"), st.integers(1, 10**8), st.integers(0, 20))


def grid(step: Decimal) -> Instrument:
    return Instrument("X", "X", "U", "U", tick_size=step, lot_size=step)


@given(VALUES, STEPS)
def test_rounding_is_exact_for_any_digits(value: Decimal, step: Decimal) -> None:
    instrument, ratio = grid(step), Fraction(value) / Fraction(step)
    assert Fraction(instrument.round_quantity(value)) == floor(ratio) * Fraction(step)
    assert Fraction(instrument.round_price_up(value)) == ceil(ratio) * Fraction(step)
    assert Fraction(instrument.round_price(value)) == round(ratio) * Fraction(step)


@given(VALUES, STEPS)
def test_rounding_does_not_depend_on_the_context(value: Decimal, step: Decimal) -> None:
    with localcontext() as narrow:
        narrow.prec = 3
        rounded = grid(step).round_quantity(value)
    assert rounded == grid(step).round_quantity(value)


def test_a_quantity_just_under_a_lot_is_never_rounded_up() -> None:
    almost = Decimal("0.99999999999999999999999999999999999999")
    assert grid(Decimal(1)).round_quantity(almost) == 0


def test_a_stop_is_rounded_towards_profit() -> None:
    instrument = grid(Decimal("0.5"))
    assert instrument.round_stop(Side.LONG, Decimal("10.1")) == Decimal("10.5")
    assert instrument.round_stop(Side.SHORT, Decimal("10.4")) == Decimal("10.0")


def test_an_instrument_without_steps_rounds_nothing() -> None:
    assert grid(Decimal(0)).round_price(Decimal("1.23456789")) == Decimal("1.23456789")

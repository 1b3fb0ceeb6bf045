"""Decimal means, deviations and roots, exact beyond any digit that is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal, localcontext
from functools import wraps
from typing import ParamSpec, TypeVar

from ..market import ZERO

PRECISION = 60
"""Digits: the stored 40 and room for sums and squares of them."""
_CONTEXT = Context(prec=PRECISION)


Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def exact(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Compute in the wide context, whatever the caller's is."""

    @wraps(function)
    def wide(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        with localcontext(_CONTEXT):
            return function(*args, **kwargs)

    return wide


def ratio(numerator: Decimal | int, denominator: Decimal | int) -> Decimal | None:
    """None where the denominator is zero."""
    return _CONTEXT.divide(Decimal(numerator), Decimal(denominator)) if denominator else None


def percent(numerator: Decimal | int, denominator: Decimal | int) -> Decimal | None:
    return ratio(Decimal(numerator) * 100, denominator)


def total(values: Sequence[Decimal]) -> Decimal:
    return sum(values, ZERO)


def mean(values: Sequence[Decimal]) -> Decimal | None:
    return ratio(total(values), len(values))


def median(values: Sequence[Decimal]) -> Decimal | None:
    ordered, half = sorted(values), len(values) // 2
    if not ordered:
        return None
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def deviation(values: Sequence[Decimal]) -> Decimal | None:
    """The sample standard deviation (n − 1); None under two values."""
    middle = mean(values)
    if middle is None or len(values) < 2:
        return None
    return _CONTEXT.sqrt(total([(value - middle) ** 2 for value in values]) / (len(values) - 1))


def root(value: Decimal | int) -> Decimal:
    return _CONTEXT.sqrt(Decimal(value))


def root_mean_square(values: Sequence[Decimal]) -> Decimal | None:
    squared = mean([value * value for value in values])
    return None if squared is None else root(squared)

"""A figure is a function of a sample with a unit, a formula and a count; the decorator keeps the four together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeVar

from .sample import Sample

Compute = Callable[[Sample], Decimal | int | None]
Some = TypeVar("Some", bound=Compute)
Over = Literal["trades", "rs", "wins", "losses", "scratches", "decided", "days", "returns"]
"""The samples a figure rests on: an attribute of `Sample`."""


class Unit(StrEnum):
    MONEY = "money"
    R = "r"
    PERCENT = "percent"
    """Of a hundred: 12.5 is 12.5 %."""
    RATIO = "ratio"
    COUNT = "count"
    HOURS = "hours"


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is None where the figure is not defined; `n` counts the samples it rests on."""

    value: Decimal | None
    n: int
    unit: Unit
    formula: str


@dataclass(frozen=True, slots=True)
class Definition:
    compute: Compute
    unit: Unit
    formula: str
    over: Over
    least: int

    def of(self, sample: Sample) -> Figure:
        n = len(getattr(sample, self.over))
        value = self.compute(sample) if n >= self.least else None
        return Figure(None if value is None else Decimal(value), n, self.unit, self.formula)


DEFINITIONS: dict[str, Definition] = {}


def figure(unit: Unit, formula: str, *, over: Over = "trades", least: int = 1) -> Callable[[Some], Some]:
    """Register a figure under its function's name; it is None with fewer than `least` samples in `over`."""

    def register(compute: Some) -> Some:
        DEFINITIONS[compute.__name__] = Definition(compute, unit, formula, over, least)
        return compute

    return register

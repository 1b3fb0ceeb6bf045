"""Green, amber, red: how late a thing may be, and what follows for the whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from django.utils import timezone

Light = Literal["green", "amber", "red"]
LIGHTS: tuple[Light, ...] = ("green", "amber", "red")


def worst(lights: Iterable[Light]) -> Light:
    return LIGHTS[max((LIGHTS.index(light) for light in lights), default=0)]


def by_age(age: timedelta | None, amber: timedelta, red: timedelta | None = None, *, never: Light = "amber") -> Light:
    """`amber` and `red` are ages from which on it is so; `never`: where there is no age."""
    if age is None:
        return never
    if red is not None and age >= red:
        return "red"
    return "amber" if age >= amber else "green"


def age_of(moment: datetime | None) -> timedelta | None:
    return None if moment is None else max(timedelta(0), timezone.now() - moment)


def seconds(age: timedelta | None) -> float | None:
    return None if age is None else round(age.total_seconds(), 1)

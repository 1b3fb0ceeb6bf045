"""Reading a JSON document without trusting it: faults gather with the paths of their fields, none stops the reading."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, TypeVar

from .errors import Fault

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
LONGEST_NUMBER = 60
LARGEST = Decimal(10) ** 15
HUGE = Decimal("1E+99")
MOST_PLACES = 18
"""Decimal places that every store of ours keeps."""
MOST_UNKNOWN_KEYS = 50
SHOWN = 60

Choice = TypeVar("Choice", bound=StrEnum)


class Place(NamedTuple):
    """A JSON object at `path` of a document; what is wrong in it goes to `faults`."""

    values: Mapping[str, Any]
    path: str
    faults: list[Fault]

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the key is there; null is the same as left out."""
        return self.values.get(key) is not None

    def refuse(self, key: str, code: str, message: str, cure: str) -> None:
        self.faults.append(Fault(self.at(key) if key else self.path, message, cure, code))

    def only(self, *allowed: str) -> None:
        """Names every key that is not `allowed`."""
        unknown = [key for key in self.values if key not in allowed][:MOST_UNKNOWN_KEYS]
        for key in unknown:
            name = str(key)[:SHOWN]
            near = get_close_matches(name, allowed, n=1)
            cure = f'Did you mean "{near[0]}"?' if near else f"Known here: {', '.join(allowed)}."
            self.refuse(name, "unknown_key", "This key is not known.", cure)

    def missing(self, key: str, cure: str) -> None:
        self.refuse(key, "missing", "This is missing.", cure)

    def decimal(self, key: str, *, most: Decimal = LARGEST, below: Decimal | None = None) -> Decimal | None:
        """An exact number above zero, at most `most` and less than `below`; None when absent or wrong."""
        if not self.has(key):
            return None
        value = exact(self.values[key])
        if value is None:
            self.refuse(key, "not_a_number", "This is not a number.", 'Write it as decimal text, like "64000.5".')
        elif value <= 0:
            self.refuse(key, "not_positive", "This must be more than zero.", "Give a number above zero.")
        elif value > most or (below is not None and value >= below):
            limit = f"at most {most:f}" if below is None else f"below {below:f}"
            self.refuse(key, "too_large", f"This must be {limit}.", f"Give a number {limit}.")
        elif decimal_places(value) > MOST_PLACES:
            self.refuse(key, "too_precise", f"More than {MOST_PLACES} decimals.", "Use fewer decimals.")
        else:
            return value
        return None

    def integer(self, key: str, *, most: int) -> int | None:
        """A whole number from 1 to `most`; None when absent or wrong."""
        if not self.has(key):
            return None
        value = exact(self.values[key])
        if value is None or value != value.to_integral_value() or not 1 <= value <= most:
            self.refuse(key, "not_a_whole_number", f"This must be a whole number from 1 to {most}.", "Correct it.")
            return None
        return int(value)

    def flag(self, key: str) -> bool:
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.refuse(key, "not_a_flag", "This must be true or false.", "Write true or false, without quotes.")
        return False

    def choice(self, key: str, kind: type[Choice]) -> Choice | None:
        name = self.word(key, _names(kind))
        return None if name is None else kind(name)

    def word(self, key: str, known: Collection[str]) -> str | None:
        """One of the `known` words; None when absent or wrong."""
        value = self.values.get(key)
        if value is None or (isinstance(value, str) and value in known):
            return value
        self.refuse(key, "not_a_choice", "This is not one of the choices.", f"Choose one of: {', '.join(known)}.")
        return None

    def child(self, key: str) -> Place | None:
        """The object under `key`; None when absent or not an object."""
        return self._place(key, self.values.get(key))

    def children(self, key: str, *, most: int) -> list[Place]:
        """The objects of the list under `key`, those that are objects."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.refuse(key, "not_a_list", "This must be a list.", "Put it in square brackets.")
            return []
        if len(value) > most:
            self.refuse(key, "too_many", f"At most {most} are possible.", "Use fewer.")
        places = [self._place(f"{key}.{n}", item, needed=True) for n, item in enumerate(value[:most])]
        return [place for place in places if place is not None]

    def _place(self, key: str, value: object, *, needed: bool = False) -> Place | None:
        if isinstance(value, Mapping):
            return Place(value, self.at(key), self.faults)
        if value is not None or needed:
            self.refuse(key, "not_an_object", "This must be an object.", "Put it in curly braces, with named values.")
        return None


@cache
def _names(kind: type[StrEnum]) -> tuple[str, ...]:
    return tuple(kind)


def exact(value: object) -> Decimal | None:
    """The number a JSON value stands for; None when it is none. A float is read as the text it prints as."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if value.bit_length() <= 128 else HUGE.copy_sign(Decimal(1 if value > 0 else -1))
    if isinstance(value, float):
        value = repr(value)
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if not isinstance(value, str) or len(value) > LONGEST_NUMBER or not NUMBER.fullmatch(value.strip()):
        return None
    return Decimal(value.strip())


def decimal_places(value: Decimal) -> int:
    """Places after the point that are really used: 2 for `1.250`."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "a finite number has a numeric exponent"
    if digits[-1]:
        return max(0, -exponent)
    text = "".join(map(str, digits))
    return max(0, -exponent - (len(text) - len(text.rstrip("0")))) if text.strip("0") else 0

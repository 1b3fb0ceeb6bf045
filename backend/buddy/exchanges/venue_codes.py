"""What venues' error codes mean, as data: refused for sure and why, not carried out, or our key.

Codes and not the library's classes: a class cannot tell "refused" from "perhaps". A code that is not listed here means
nothing, and after an order has left, nothing means that its outcome is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from buddy.core.exchange import Refusal


class Meaning(StrEnum):
    """What is no refusal of an order."""

    TEMPORARY = "temporary"
    """Not carried out; the same may work in a moment."""
    SLOW_DOWN = "slow_down"
    """Not carried out, and nobody may ask again for a while."""
    SKEW = "skew"
    """Not carried out: our clock and theirs differ."""
    KEY = "key"
    UNCHANGED = "unchanged"
    """What we wanted to set is set already."""
    ABSENT = "absent"
    """No such order, or none that still rests."""


Codes = Mapping[str, Refusal | Meaning]


def codes(**groups: str) -> Codes:
    """From words to codes, each group a text of codes: the table the other way round."""
    known = {each.name: each for each in (*Refusal, *Meaning)}
    return {code: known[name] for name, listed in groups.items() for code in listed.split()}


STATUSES: Mapping[int, Meaning] = {418: Meaning.SLOW_DOWN, 429: Meaning.SLOW_DOWN, 403: Meaning.SLOW_DOWN}
"""Turned away at the door, before any code."""

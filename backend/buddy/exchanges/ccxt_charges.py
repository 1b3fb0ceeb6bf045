"""What a venue charges an account for its executions, by the venue's own word."""

from __future__ import annotations

from decimal import Decimal

from buddy.core.costs import Costs
from buddy.core.errors import CouldNotRead
from buddy.core.market import ZERO

from .ccxt_calls import Calls
from .ccxt_errors import Absent
from .ccxt_words import number
from .recipe import Path, at

LEAST, MOST = Decimal("-0.01"), Decimal("0.1")
"""Fractions of the value; what lies beyond is no fee but an answer of which we have the wrong idea."""


def charges(calls: Calls) -> Costs | None:
    """Maker and taker rates; None where the venue does not tell. Raises CouldNotRead."""
    told = calls.client.recipe.charges
    if told is None:
        return None
    calls.ready()
    try:
        answer = calls.read(told.call.method, dict(told.call.params))
    except Absent as error:
        raise CouldNotRead(str(error)) from None

    def rate(path: Path) -> Decimal:
        found = number(at(answer, path))
        paid = ZERO - found if found is not None and told.negated else found
        paid = paid / 100 if paid is not None and told.percent else paid
        if paid is None or not LEAST <= paid <= MOST:
            raise CouldNotRead(f"{calls.client.name} gave no answer about its fees that we can read.")
        return paid

    return Costs(maker=rate(told.maker), taker=rate(told.taker))

"""A trade's money as it is frozen on its row."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

from buddy.core.costs import PRECISE
from buddy.core.position import Position
from buddy.fields import PLACES

GRAIN = Decimal(1).scaleb(-PLACES)


def figures(position: Position, risk: Decimal | None) -> dict[str, Any]:
    """The trade's money, exact to the last kept digit: net is the sum of its kept parts."""
    with localcontext(PRECISE):
        gross, fees, funding = kept(position.gross), kept(position.fees), kept(position.funding)
        net = gross - fees + funding
        return {
            "average_entry": kept(position.average_entry) if position.average_entry is not None else None,
            "average_exit": kept(position.average_exit) if position.average_exit is not None else None,
            "entered_quantity": position.entered,
            "gross": gross,
            "fees": fees,
            "funding": funding,
            "net": net,
            "r": per_risk(net, risk),
        }


def per_risk(net: Decimal, risk: Decimal | None) -> Decimal | None:
    """R; None where nothing was at risk."""
    with localcontext(PRECISE):
        return kept(net / risk) if risk and risk > 0 else None


def kept(value: Decimal) -> Decimal:
    """What both databases keep of a number: 18 decimals."""
    with localcontext(PRECISE):
        return value.quantize(GRAIN)

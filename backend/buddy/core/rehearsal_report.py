"""A finished rehearsal as plain JSON: decimals as strings, times as the candles gave them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from typing import Any

from .backtest import Played
from .costs import DIGITS, PRECISE
from .holding import Booked, Position, exit_cause
from .position import initial_risk

Label = Callable[[int], Any]
"""From a candle's time in milliseconds to the time as it came."""


def report(played: Played, label: Label = int) -> dict[str, Any]:
    """What the plan would have done. `gross` and `net` are of what has been closed; `net` bears all fees so far."""
    position = played.position
    with localcontext(PRECISE):
        risk = initial_risk(position)
        entry_side = position.side.entry_order_side
        entries = [b for b in position.fills if b.fill.order_side is entry_side]
        exits = [b for b in position.fills if b.fill.order_side is not entry_side]
        return {
            "entries": [_entry(booked, position, label) for booked in entries],
            "exits": [_exit(booked, label) for booked in exits],
            "fees": text(position.fees),
            "funding": text(position.funding),
            "gross": text(position.gross),
            "net": text(position.net),
            "initial_risk": text(risk) if risk is not None else "0",
            "r": text(position.net / risk) if risk else None,
            "ambiguous_candles": played.ambiguous,
            "open_quantity": text(position.held),
        }


def text(value: Decimal) -> str:
    """Plain decimal text of at most 28 digits, without an exponent or needless zeros."""
    plain = format(Context(prec=DIGITS).plus(value), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _entry(booked: Booked, position: Position, label: Label) -> dict[str, Any]:
    kind = position.plan.entries[booked.leg].kind.value
    return _row(booked, label) | {"reason": kind, "order": booked.leg + 1}


def _exit(booked: Booked, label: Label) -> dict[str, Any]:
    cause = exit_cause(booked)
    return _row(booked, label) | {"reason": cause.value, "order": booked.leg + 1 if cause == "take_profit" else None}


def _row(booked: Booked, label: Label) -> dict[str, Any]:
    fill = booked.fill
    return {"time": label(fill.time), "price": text(fill.price), "quantity": text(fill.quantity)}

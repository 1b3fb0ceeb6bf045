"""An instrument as plain JSON and back, exactly: decimals are strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

from buddy.core.market import ONE, ZERO, Instrument, MarginTier

TEXTS = ("symbol", "base", "quote", "settle")


def to_json(instrument: Instrument) -> dict[str, Any]:
    values = {field.name: getattr(instrument, field.name) for field in fields(Instrument)}
    told = {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}
    told["tiers"] = [[None if number is None else str(number) for number in tier] for tier in instrument.tiers]
    return told


def from_json(told: Mapping[str, Any]) -> Instrument:
    values: dict[str, Any] = {name: _value(name, value) for name, value in told.items() if name != "tiers"}
    return Instrument(**values, tiers=tuple(_tier(row) for row in told["tiers"]))


def _value(name: str, value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) and name not in TEXTS else value


def _tier(row: Sequence[str | None]) -> MarginTier:
    cap, rate, amount, leverage = (None if number is None else Decimal(number) for number in row)
    return MarginTier(cap, rate or ZERO, amount or ZERO, leverage or ONE)

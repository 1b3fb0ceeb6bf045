"""An instrument as plain JSON and back, exactly: decimals are strings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from buddy.core.market import Instrument, MarginTier


def to_json(instrument: Instrument) -> dict[str, Any]:
    values = {field.name: getattr(instrument, field.name) for field in fields(Instrument)}
    told = {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}
    told["tiers"] = [[None if number is None else str(number) for number in tier] for tier in instrument.tiers]
    return told


def from_json(told: Mapping[str, Any]) -> Instrument:
    texts = {"symbol", "base", "quote", "settle"}
    values = {
        name: Decimal(value) if isinstance(value, str) and name not in texts else value for name, value in told.items()
    }
    values["tiers"] = tuple(
        MarginTier(*(None if number is None else Decimal(number) for number in tier))  # type: ignore[arg-type]
        for tier in told["tiers"]
    )
    return Instrument(**values)

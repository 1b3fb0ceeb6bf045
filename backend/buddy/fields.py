"""Money that survives both databases.

SQLite keeps 15 significant digits of a `DecimalField` and sums it as a float, so there the exact decimal text is stored;
Postgres has a true `numeric`. Never order, compare or sum these columns in SQL: do it in Python, where it is exact.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models

DIGITS = 40
PLACES = 18


class DecimalText(models.DecimalField):  # type: ignore[type-arg]
    """An exact Decimal: text on SQLite, numeric(40, 18) on Postgres. Comes back without trailing zeros."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", DIGITS)
        kwargs.setdefault("decimal_places", PLACES)
        super().__init__(*args, **kwargs)

    def db_type(self, connection: Any) -> str | None:
        return "text" if connection.vendor == "sqlite" else super().db_type(connection)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        exact = plain(self.to_python(value))
        return str(exact) if connection.vendor == "sqlite" else exact

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return self.get_db_prep_value(value, connection)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Decimal | None:
        return None if value is None else plain(Decimal(value))


def plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent."""
    stripped = value.normalize()
    return stripped if stripped.as_tuple().exponent <= 0 else stripped.quantize(Decimal(1))  # type: ignore[operator]

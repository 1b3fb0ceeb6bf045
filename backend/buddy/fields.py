"""Money that survives both databases.

SQLite keeps 15 significant digits of a `DecimalField` and sums it as a float, so there the exact decimal text is
stored; Postgres has a true `numeric`. Never order, compare or sum these columns in SQL: do it in Python,
where it is exact.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

from django.db import models

DIGITS = 40
PLACES = 18
EXACT = Context(prec=100)
"""Never rounds what we keep; the default context would cut the 29th digit."""


class DecimalText(models.DecimalField):  # type: ignore[type-arg]
    """An exact Decimal: text on SQLite, numeric(40, 18) on Postgres. Comes back without trailing zeros."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", DIGITS)
        kwargs.setdefault("decimal_places", PLACES)
        super().__init__(*args, **kwargs)

    def get_internal_type(self) -> str:
        """A name of its own, or SQLite's backend would turn the text into a float on its way back."""
        return "DecimalText"

    def db_type(self, connection: Any) -> str | None:
        return "text" if connection.vendor == "sqlite" else f"numeric({self.max_digits}, {self.decimal_places})"

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
    if not value:
        return Decimal(0)
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)

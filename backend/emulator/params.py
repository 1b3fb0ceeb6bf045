"""The parameters of a request, read strictly. Raises Refused for what is missing or malformed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from .refusals import Reason, Refused


class Params:
    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def text(self, name: str, default: str | None = None) -> str:
        """Without a default it must be there."""
        value = self.values.get(name, "")
        if value:
            return value
        if default is None:
            raise Refused(Reason.PARAMETER_MISSING, name)
        return default

    def has(self, name: str) -> bool:
        return bool(self.values.get(name))

    def whole(self, name: str) -> int | None:
        if not self.has(name):
            return None
        try:
            return int(self.values[name])
        except ValueError:
            raise Refused(Reason.PARAMETER_MALFORMED, name) from None

    def number(self, name: str) -> Decimal | None:
        if not self.has(name):
            return None
        try:
            found = Decimal(self.values[name])
        except InvalidOperation:
            raise Refused(Reason.PARAMETER_MALFORMED, name) from None
        if not found.is_finite():
            raise Refused(Reason.PARAMETER_MALFORMED, name)
        return found

    def flag(self, name: str) -> bool:
        return self.values.get(name, "").lower() == "true"

    def limit(self, default: int, most: int) -> int:
        asked = self.whole("limit")
        return default if asked is None else max(1, min(asked, most))

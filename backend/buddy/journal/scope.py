"""Which trades are meant: the filters of the journal and of the statistics, read once and applied alike."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from buddy.core.market import Side
from buddy.exchanges.models import Account
from buddy.owned import owned
from buddy.trading.models import Trade

LARGEST_ID = 2**63 - 1


def zone_of(user: Any) -> tzinfo:
    """The user's time zone; UTC should the machine not know it (any more)."""
    try:
        return ZoneInfo(user.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def start_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


@extend_schema_field(OpenApiTypes.STR)
class MomentField(serializers.Field[Any, Any, Any, Any]):
    """A date (of the user's time zone) or an ISO 8601 time. As an end, a date includes its whole day."""

    default_error_messages = {"invalid": "“{given}” is neither a date like 2026-11-03 nor an ISO 8601 time."}

    def __init__(self, *, end: bool = False, **options: Any) -> None:
        self.end = end
        super().__init__(**options)

    def to_internal_value(self, given: Any) -> datetime:
        try:
            return self._moment(str(given).strip())
        except (ValueError, OverflowError):
            self.fail("invalid", given=str(given)[:40])

    def _moment(self, text: str) -> datetime:
        zone: tzinfo = self.context["zone"]
        if len(text) == len("2026-11-03"):
            return start_of(date.fromisoformat(text) + timedelta(days=self.end), zone)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


def row_id(**options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID, **options)


class AccountQuery(serializers.Serializer[Any]):
    account = row_id(help_text="One account; all of yours without it.")


class InstrumentQuery(AccountQuery):
    symbol = serializers.CharField(required=False, max_length=40)
    side = serializers.ChoiceField(required=False, choices=[str(side) for side in Side])
    setup = row_id()
    tag = row_id()


class ScopeQuery(InstrumentQuery):
    """`from` and `to` bound the last exit."""

    since = MomentField(required=False)
    until = MomentField(required=False, end=True)

    def get_fields(self) -> dict[str, Any]:
        """`from` is no name for a Python attribute."""
        fields = super().get_fields()
        fields["from"], fields["to"] = fields.pop("since"), fields.pop("until")
        return fields

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if "from" in given and "to" in given and given["from"] > given["to"]:
            raise serializers.ValidationError({"to": "The end lies before the beginning."})
        return given


def read_query(request: Request, query: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The checked query parameters, empty ones left out. An account must be the user's own, or it does not exist."""
    given = {name: value for name, value in request.query_params.items() if value != ""}
    serializer = query(data=given, context={"zone": zone_of(request.user)})
    serializer.is_valid(raise_exception=True)
    scope: dict[str, Any] = serializer.validated_data
    if "account" in scope:
        owned(Account, request, pk=scope["account"])
    return scope


def within(trades: QuerySet[Trade], scope: dict[str, Any]) -> QuerySet[Trade]:
    """The trades of a scope, apart from its time bounds."""
    conditions = {
        "account": "account_id",
        "symbol": "symbol",
        "side": "side",
        "setup": "entry__setup_id",
        "tag": "entry__tags",
    }
    return trades.filter(**{column: scope[name] for name, column in conditions.items() if name in scope})


def between(trades: QuerySet[Any], scope: dict[str, Any], moment: str = "closed_at") -> QuerySet[Any]:
    """`from` counts itself, `to` does not (as a date it has become the start of the next day)."""
    if "from" in scope:
        trades = trades.filter(**{f"{moment}__gte": scope["from"]})
    if "to" in scope:
        trades = trades.filter(**{f"{moment}__lt": scope["to"]})
    return trades

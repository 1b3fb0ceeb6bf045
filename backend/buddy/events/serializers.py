from __future__ import annotations

from typing import Any

from rest_framework import serializers

from buddy.events.models import Event
from buddy.events.record import as_json


class EventSerializer(serializers.ModelSerializer[Event]):
    """Something that happened, in the words of the timeline."""

    trade = serializers.IntegerField(source="trade_id", allow_null=True, read_only=True)
    account = serializers.IntegerField(source="account_id", allow_null=True, read_only=True)
    data = serializers.DictField(read_only=True)  # type: ignore[assignment]

    class Meta:
        model = Event
        fields = ("id", "kind", "text", "data", "trade", "account", "time", "created_at")
        read_only_fields = fields

    def to_representation(self, instance: Event) -> dict[str, Any]:
        return as_json(instance)

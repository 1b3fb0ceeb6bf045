"""The shape of the desk's health in the HTTP contract. Ages are seconds, times ISO 8601 UTC."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from .lights import LIGHTS


def light() -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=list(LIGHTS))


class PartHealthSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    light = light()
    age_seconds = serializers.FloatField(
        allow_null=True, help_text="Since its last sign of life; null where it gives none."
    )


class TaskHealthSerializer(PartHealthSerializer):
    period_seconds = serializers.FloatField(help_text="How far apart it is started.")


class QueueHealthSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    light = light()
    waiting = serializers.IntegerField(help_text="Tasks that wait in it.")


class AccountHealthSerializer(serializers.Serializer[Any]):
    """An account with working trades."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    light = light()
    trades = serializers.IntegerField()
    good_look_at = serializers.DateTimeField(allow_null=True, help_text="When it was last read.")
    trouble = serializers.CharField(help_text="Why it cannot be read; empty when it can.")
    heard_at = serializers.DateTimeField(allow_null=True, help_text="When its venue last told of something unasked.")
    uncovered = serializers.ListField(
        child=serializers.IntegerField(), help_text="Trades that hold more than stops rest for, by the watchdog."
    )


class HealthSerializer(serializers.Serializer[Any]):
    light = light()
    now = serializers.DateTimeField()
    parts = PartHealthSerializer(many=True)
    tasks = TaskHealthSerializer(many=True)
    queues = QueueHealthSerializer(many=True)
    accounts = AccountHealthSerializer(many=True)

"""The shape of a plan document in the HTTP contract. It describes: the core reads plans, and names every fault."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from buddy.core.exchange import TriggerBy
from buddy.core.market import TIMEFRAMES, Side
from buddy.core.plan import Cover, EntryKind, MarginMode

Text = serializers.CharField


def one_of(values: type, **options: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=[str(value) for value in values], **options)  # type: ignore[attr-defined]  # an enumeration


def amount(**options: Any) -> serializers.CharField:
    """A decimal as a string."""
    return serializers.CharField(**options)


# --- the plan document ------------------------------------------------------------------------------------------------


class PlanEntrySerializer(serializers.Serializer[Any]):
    kind = one_of(EntryKind, required=False)
    price = amount(required=False)
    trigger = amount(required=False)
    share = amount(required=False)


class PlanStopSerializer(serializers.Serializer[Any]):
    price = amount()
    trigger_by = one_of(TriggerBy, required=False)


class PlanTargetSerializer(serializers.Serializer[Any]):
    price = amount()
    share = amount(required=False)


class PlanRiskSerializer(serializers.Serializer[Any]):
    """Exactly one."""

    percent = amount(required=False)
    money = amount(required=False)
    quantity = amount(required=False)


class PlanAfterSerializer(serializers.Serializer[Any]):
    """Exactly one."""

    take_profit = serializers.IntegerField(required=False)
    r = amount(required=False)
    percent = amount(required=False)
    minutes = amount(required=False)


class PlanBreakEvenSerializer(serializers.Serializer[Any]):
    after = PlanAfterSerializer()
    cover = one_of(Cover, required=False)


class PlanTrailSerializer(serializers.Serializer[Any]):
    """Exactly one of percent, atr and candles."""

    percent = amount(required=False)
    atr = amount(required=False)
    candles = serializers.IntegerField(required=False)
    after = PlanAfterSerializer(required=False)
    timeframe = serializers.ChoiceField(choices=list(TIMEFRAMES), required=False)


class PlanRulesSerializer(serializers.Serializer[Any]):
    break_even = PlanBreakEvenSerializer(required=False)
    step = serializers.BooleanField(required=False)
    trail = PlanTrailSerializer(required=False)
    close_after_minutes = amount(required=False)


class PlanCancelSerializer(serializers.Serializer[Any]):
    above = amount(required=False, allow_null=True)
    below = amount(required=False, allow_null=True)
    at_take_profit = serializers.IntegerField(required=False, allow_null=True)
    after_minutes = amount(required=False, allow_null=True)


class PlanDocumentSerializer(serializers.Serializer[Any]):
    """The plan document: decimals are strings; an unknown key is a fault that names it."""

    symbol = Text()
    side = one_of(Side, required=False)
    entries = PlanEntrySerializer(many=True, required=False)
    stop = PlanStopSerializer()
    take_profits = PlanTargetSerializer(many=True, required=False)
    risk = PlanRiskSerializer()
    leverage = serializers.IntegerField(required=False, allow_null=True)
    margin_mode = one_of(MarginMode, required=False)
    rules = PlanRulesSerializer(required=False)
    cancel = PlanCancelSerializer(required=False)

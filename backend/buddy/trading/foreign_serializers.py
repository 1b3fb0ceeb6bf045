"""The shapes of positions that are nobody's, and of what may be done with them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from buddy.core.market import Side

from .plan_serializers import (
    PlanRulesSerializer,
    PlanStopSerializer,
    PlanTargetSerializer,
    Text,
    amount,
    one_of,
)
from .serializers import Moment


class ForeignPositionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    account = serializers.IntegerField()
    symbol = Text()
    side = one_of(Side)
    quantity = amount()
    average_entry = amount()
    liquidation_price = amount(allow_null=True)
    leverage = amount(allow_null=True)
    margin_mode = Text()
    price = amount(allow_null=True)
    first_seen = Moment()
    missed_since = Moment(allow_null=True)
    ignored = serializers.BooleanField()


class ForeignPositionsSerializer(serializers.Serializer[Any]):
    results = ForeignPositionSerializer(many=True)
    next = serializers.CharField(allow_null=True)


@extend_schema_field(PlanStopSerializer)
class StopField(serializers.JSONField):
    """A plan's stop, as written."""


@extend_schema_field(PlanTargetSerializer(many=True))
class TargetsField(serializers.JSONField):
    """A plan's targets, as written."""


@extend_schema_field(PlanRulesSerializer)
class RulesField(serializers.JSONField):
    """A plan's rules, as written."""


class AdoptionSerializer(serializers.Serializer[Any]):
    """The stop, and what else of a plan shall hold; the plan's own reader names every fault."""

    stop = StopField()
    take_profits = TargetsField(required=False)
    rules = RulesField(required=False)


class IgnoreSerializer(serializers.Serializer[Any]):
    on = serializers.BooleanField(default=True)

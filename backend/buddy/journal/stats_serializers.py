"""The shapes of the statistics in the HTTP contract."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from buddy.core.performance import FORMULAS, Figure, Unit
from buddy.fields import EXACT, PLACES

STEP = Decimal(1).scaleb(-PLACES)


def written(value: Decimal | None) -> str | None:
    """As many places as the database keeps; sums of money come out exact, quotients end there."""
    if value is None:
        return None
    text = f"{value:f}"
    whole, _, places = text.partition(".")
    if len(places) > PLACES:
        whole, _, places = f"{value.quantize(STEP, context=EXACT):f}".partition(".")
    places = places.rstrip("0")
    return f"{whole}.{places}" if places else "0" if whole == "-0" else whole


def shown(figure: Figure) -> dict[str, Any]:
    return {"value": written(figure.value), "n": figure.n, "unit": str(figure.unit), "formula": figure.formula}


def amount(**options: Any) -> serializers.CharField:
    """A decimal as a string."""
    return serializers.CharField(**options)


class FigureSerializer(serializers.Serializer[Any]):
    """`value` is null where the figure is not defined; percent is of a hundred."""

    value = amount(allow_null=True)
    n = serializers.IntegerField()
    unit = serializers.ChoiceField(choices=[str(unit) for unit in Unit])
    formula = serializers.CharField()


FiguresSerializer = inline_serializer("Figures", {name: FigureSerializer() for name in FORMULAS})


class SummarySerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    trades = serializers.IntegerField()
    figures = FiguresSerializer


class CalendarDaySerializer(serializers.Serializer[Any]):
    date = serializers.DateField()
    net = amount()
    r = amount(allow_null=True)
    trades = serializers.IntegerField()
    wins = serializers.IntegerField()
    losses = serializers.IntegerField()


class CalendarSerializer(serializers.Serializer[Any]):
    year = serializers.IntegerField()
    month = serializers.IntegerField()
    time_zone = serializers.CharField()
    days = CalendarDaySerializer(many=True)
    net = amount()
    r = amount(allow_null=True)
    trades = serializers.IntegerField()


class EquityPointSerializer(serializers.Serializer[Any]):
    time = serializers.DateTimeField()
    equity = amount()
    net = amount()
    r = amount(allow_null=True)
    cumulative_r = amount()
    drawdown = amount()
    trade = serializers.IntegerField()


class EquitySerializer(serializers.Serializer[Any]):
    opening = amount()
    points = EquityPointSerializer(many=True)


class CellSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(allow_blank=True)
    label = serializers.CharField()  # type: ignore[assignment]
    n = serializers.IntegerField()
    win_rate = FigureSerializer()
    mean_r = FigureSerializer()
    mean_r_low = FigureSerializer()
    mean_r_high = FigureSerializer()
    profit_factor = FigureSerializer()
    total_r = FigureSerializer()
    net = FigureSerializer()


class BreakdownSerializer(serializers.Serializer[Any]):
    by = serializers.CharField()
    rows = CellSerializer(many=True)

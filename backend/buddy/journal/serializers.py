"""The shapes of the journal in the HTTP contract."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from buddy.core.market import Side
from buddy.exchanges.models import Account
from buddy.problems import Problem, fault
from buddy.trading.models import ExitReason, Trade

from .models import Screenshot, Setup, Tag

LONGEST_NOTES = 50_000


def money(**options: Any) -> serializers.DecimalField:
    """An exact decimal as a string, with as many places as it has."""
    return serializers.DecimalField(max_digits=None, decimal_places=None, read_only=True, **options)


class TradeSummarySerializer(serializers.ModelSerializer[Trade]):
    account = serializers.IntegerField(source="account_id", read_only=True)
    side = serializers.ChoiceField(choices=[str(side) for side in Side], read_only=True)
    exit_reason = serializers.ChoiceField(choices=[*ExitReason.values, ""], read_only=True)
    withdrawal = serializers.ChoiceField(choices=[*Trade.Withdrawal.values, ""], read_only=True)
    average_entry = money(allow_null=True)
    average_exit = money(allow_null=True)
    entered = money(source="entered_quantity")
    initial_risk = money(allow_null=True)
    gross = money(allow_null=True)
    fees = money(allow_null=True)
    funding = money(allow_null=True)
    net = money(allow_null=True)
    r = money(allow_null=True)
    simulated = serializers.SerializerMethodField()

    class Meta:
        model = Trade
        fields = (
            *("id", "account", "symbol", "side", "status", "opened_at", "closed_at", "created_at"),
            *("average_entry", "average_exit", "entered", "initial_risk", "gross", "fees", "funding", "net", "r"),
            *("exit_reason", "withdrawal", "simulated"),
        )
        read_only_fields = fields

    def get_simulated(self, trade: Trade) -> bool:
        return trade.account.price_source == Account.PriceSource.SIMULATED


class Strict(serializers.Serializer[Any]):
    """Names what it does not know instead of passing over it: a fact sent for change is not silently ignored."""

    def to_internal_value(self, given: Any) -> Any:
        if isinstance(given, dict):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            if unknown := sorted(str(name)[:60] for name in given if name not in writable):
                raise Problem(
                    400, "invalid", "Some fields are not yours to set.", {name: [self._fault(name)] for name in unknown}
                )
        return super().to_internal_value(given)

    def _fault(self, name: str) -> dict[str, str]:
        if name in self.fields:
            return fault("This is a fact and cannot be edited.", "Leave it out.", "read_only")
        return fault("There is no such field.", "Leave it out.", "unknown_field")


class SetupSerializer(Strict, serializers.ModelSerializer[Setup]):
    """A way of trading, named by the trader."""

    name = serializers.CharField(max_length=60)

    class Meta:
        model = Setup
        fields = ("id", "name")


class TagSerializer(Strict, serializers.ModelSerializer[Tag]):
    """A word to find trades by."""

    name = serializers.CharField(max_length=40)

    class Meta:
        model = Tag
        fields = ("id", "name")


class ScreenshotSerializer(serializers.ModelSerializer[Screenshot]):
    url = serializers.SerializerMethodField()

    class Meta:
        model = Screenshot
        fields = ("url", "width", "height")
        read_only_fields = fields

    def get_url(self, screenshot: Screenshot) -> str:
        """The address changes with the picture, so that a page showing it sees the new one."""
        address = reverse("screenshot", args=[screenshot.entry.trade_id])
        return f"{address}?v={PurePath(str(screenshot.image.name)).stem[:8]}"


class ScreenshotUploadSerializer(serializers.Serializer[Any]):
    image = serializers.FileField(help_text="PNG, JPEG or WebP, at most 10 MB and 25 megapixels.")


class JournalRowSerializer(serializers.Serializer[Trade]):
    """A trade and the trader's words about it; a trade nothing was written about has empty ones."""

    trade = TradeSummarySerializer(source="*", read_only=True)
    notes = serializers.SerializerMethodField()
    setup = serializers.SerializerMethodField()
    tags = serializers.SerializerMethodField()
    screenshot = serializers.SerializerMethodField()

    def get_notes(self, trade: Trade) -> str:
        return trade.entry.notes if hasattr(trade, "entry") else ""

    @extend_schema_field(SetupSerializer(allow_null=True))
    def get_setup(self, trade: Trade) -> Any:
        setup = trade.entry.setup if hasattr(trade, "entry") else None
        return SetupSerializer(setup).data if setup else None

    @extend_schema_field(TagSerializer(many=True))
    def get_tags(self, trade: Trade) -> Any:
        return TagSerializer(trade.entry.tags.all(), many=True).data if hasattr(trade, "entry") else []

    @extend_schema_field(ScreenshotSerializer(allow_null=True))
    def get_screenshot(self, trade: Trade) -> Any:
        screenshot = getattr(getattr(trade, "entry", None), "screenshot", None)
        return ScreenshotSerializer(screenshot).data if screenshot else None


class JournalPageSerializer(serializers.Serializer[Any]):
    results = JournalRowSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class WordsSerializer(Strict):
    """What a trader may say about a trade. Every field may be sent alone."""

    notes = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=LONGEST_NOTES, required=False)
    setup = serializers.PrimaryKeyRelatedField(queryset=Setup.objects.none(), allow_null=True, required=False)
    tags = serializers.PrimaryKeyRelatedField(queryset=Tag.objects.none(), many=True, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if owner := self.context.get("owner"):
            self.fields["setup"].queryset = Setup.objects.filter(owner=owner)  # type: ignore[attr-defined]
            self.fields["tags"].child_relation.queryset = Tag.objects.filter(owner=owner)  # type: ignore[attr-defined]

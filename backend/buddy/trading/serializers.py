"""The shapes of plans and trades in the HTTP contract.

They describe: `story` and `preview` already make plain JSON, and what comes in as a plan is read by the core, which
names every fault. Decimals are strings, times ISO 8601 UTC.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from buddy.core.exchange import OrderKind, OrderStatus, Role
from buddy.core.market import ONE, TIMEFRAMES, ZERO, OrderSide, Side
from buddy.core.plan import MarginMode

from .models import ExitReason, Trade
from .plan_serializers import PlanDocumentSerializer, Text, amount, one_of

Moment = serializers.DateTimeField
STOP_STATUSES = ["none", *(str(status) for status in OrderStatus)]


# --- what is asked ----------------------------------------------------------------------------------------------------


@extend_schema_field(PlanDocumentSerializer)
class PlanField(serializers.JSONField):
    """Any JSON: `core` reads it and names every fault by its field."""


class PlanRequestSerializer(serializers.Serializer[Any]):
    account = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    plan = PlanField()


class RehearseRequestSerializer(PlanRequestSerializer):
    timeframe = serializers.ChoiceField(choices=list(TIMEFRAMES), default="1m")
    minutes = serializers.IntegerField(min_value=1, max_value=43_200, default=1440)


class AmendRequestSerializer(serializers.Serializer[Any]):
    plan = PlanField()


class CloseRequestSerializer(serializers.Serializer[Any]):
    """`share` of what is held, above 0 and up to 1."""

    share = serializers.DecimalField(max_digits=20, decimal_places=18, min_value=ZERO, max_value=ONE, default=ONE)

    def validate_share(self, share: Any) -> Any:
        if share <= 0:
            raise serializers.ValidationError("A share is more than 0 and at most 1.")
        return share


class HandsOffRequestSerializer(serializers.Serializer[Any]):
    on = serializers.BooleanField()


class EndByWordRequestSerializer(serializers.Serializer[Any]):
    """`price` at which it was closed; null: the result is unknown. `sentence`: typed by hand, to the letter."""

    price = serializers.DecimalField(max_digits=38, decimal_places=18, min_value=ZERO, allow_null=True)
    sentence = Text(max_length=200)

    def validate_price(self, price: Any) -> Any:
        if price is not None and price <= 0:
            raise serializers.ValidationError("A price is more than 0. Leave it out where it is not known.")
        return price


# --- preview ----------------------------------------------------------------------------------------------------------


class FaultSerializer(serializers.Serializer[Any]):
    field = Text()
    message = Text()
    cure = Text()
    code = Text()


class DenialSerializer(serializers.Serializer[Any]):
    code = Text()
    message = Text()
    cure = Text()


class AskedSerializer(serializers.Serializer[Any]):
    risk = amount()
    percent = amount()


class PossibleSerializer(serializers.Serializer[Any]):
    risk = amount()
    percent = amount()
    quantity = amount()
    notional = amount()
    margin = amount()
    leverage = amount()
    max_leverage = amount()
    leverage_chosen = serializers.BooleanField()
    average_entry = amount()
    loss_at_stop = amount()
    entry_fee = amount()
    exit_fee = amount()
    slippage = amount()
    liquidation_price = amount(allow_null=True)
    capped_by = serializers.CharField(allow_null=True)


class PreviewEntrySerializer(serializers.Serializer[Any]):
    price = amount()
    quantity = amount()
    fee = amount()


class PreviewTargetSerializer(serializers.Serializer[Any]):
    price = amount()
    quantity = amount()
    share = amount()
    distance_percent = amount()
    gross = amount()
    net = amount()
    r = amount(allow_null=True)


class CapitalSerializer(serializers.Serializer[Any]):
    equity = amount()
    free = amount()


class PreviewSerializer(serializers.Serializer[Any]):
    side = one_of(Side, allow_null=True)
    faults = FaultSerializer(many=True)
    warnings = FaultSerializer(many=True)
    denials = DenialSerializer(many=True)
    price = amount(allow_null=True)
    asked = AskedSerializer(allow_null=True)
    possible = PossibleSerializer(allow_null=True)
    entries = PreviewEntrySerializer(many=True)
    targets = PreviewTargetSerializer(many=True)
    rr = amount(allow_null=True)
    best_case = amount(allow_null=True)
    break_even_price = amount(allow_null=True)
    stop_distance_percent = amount(allow_null=True)
    capital = CapitalSerializer(allow_null=True)
    protection = Text()


class RehearsalFillSerializer(serializers.Serializer[Any]):
    time = Moment()
    price = amount()
    quantity = amount()
    reason = Text()
    order = serializers.IntegerField(allow_null=True)


class RehearsalSerializer(serializers.Serializer[Any]):
    entries = RehearsalFillSerializer(many=True)
    exits = RehearsalFillSerializer(many=True)
    fees = amount()
    funding = amount()
    gross = amount()
    net = amount()
    initial_risk = amount(allow_null=True)
    r = amount(allow_null=True)
    ambiguous_candles = serializers.IntegerField()
    open_quantity = amount()


# --- trades -----------------------------------------------------------------------------------------------------------


class StopSerializer(serializers.Serializer[Any]):
    price = amount()
    kind = serializers.ChoiceField(choices=["first", "break_even", "step", "trailing", "manual"])
    order_status = serializers.ChoiceField(choices=STOP_STATUSES)


class ProtectedSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=["protected", "attached", "waiting", "naked", "unwatched", "flat"])
    since = Moment(allow_null=True)
    checked_at = Moment(allow_null=True)
    by = serializers.CharField(allow_null=True)


class RungSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=["entry", "take_profit"])
    leg = serializers.IntegerField()
    price = amount(allow_null=True)
    quantity = amount()
    filled = amount()
    status = serializers.ChoiceField(choices=["waiting", "open", "partial", "filled", "cancelled"])


class NextSerializer(serializers.Serializer[Any]):
    price = amount()
    kind = serializers.ChoiceField(choices=["take_profit", "entry"])


class AtVenueSerializer(serializers.Serializer[Any]):
    """How the venue says it holds the position."""

    margin_mode = Text()
    leverage = amount(allow_null=True)
    liquidation_price = amount(allow_null=True)


class TradeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    account = serializers.IntegerField()
    symbol = Text()
    side = one_of(Side)
    spot = serializers.BooleanField(help_text="Coins that are owned: no leverage, no margin, no liquidation.")
    status = serializers.ChoiceField(choices=Trade.Status.values)
    source = Text()  # type: ignore[assignment]
    plan = PlanDocumentSerializer()
    plan_version = serializers.IntegerField()
    hands_off = serializers.BooleanField()
    withdrawal = serializers.ChoiceField(choices=["", *Trade.Withdrawal.values])
    leverage = amount()
    margin_mode = one_of(MarginMode)
    at_venue = AtVenueSerializer(allow_null=True)
    quantity = amount()
    held = amount()
    entered = amount()
    average_entry = amount(allow_null=True)
    average_exit = amount(allow_null=True)
    asked_risk = amount()
    initial_risk = amount(allow_null=True)
    stop = StopSerializer(allow_null=True)
    protected = ProtectedSerializer(allow_null=True)
    ladder = RungSerializer(many=True)
    next = NextSerializer(allow_null=True)
    gross = amount(allow_null=True)
    fees = amount(allow_null=True)
    funding = amount(allow_null=True)
    net = amount(allow_null=True)
    r = amount(allow_null=True)
    unrealised = amount(allow_null=True)
    open_r = amount(allow_null=True)
    price = amount(allow_null=True)
    exit_reason = serializers.ChoiceField(choices=["", *ExitReason.values])
    created_at = Moment()
    opened_at = Moment(allow_null=True)
    closed_at = Moment(allow_null=True)
    replay = serializers.BooleanField()
    simulated = serializers.BooleanField()


class TradePageSerializer(serializers.Serializer[Any]):
    results = TradeSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class OrderSerializer(serializers.Serializer[Any]):
    client_id = Text()
    role = one_of(Role)
    leg = serializers.IntegerField()
    order_side = one_of(OrderSide)
    kind = one_of(OrderKind)
    quantity = amount()
    price = amount(allow_null=True)
    trigger = amount(allow_null=True)
    status = one_of(OrderStatus)
    filled = amount()
    paired_with = serializers.CharField(allow_null=True, help_text="Of a target, the stop it was sent in a pair with.")
    reason = Text()
    cancel_reason = Text()
    refusal = Text()
    created_at = Moment()
    placed_at = Moment(allow_null=True)
    closed_at = Moment(allow_null=True)


class FillSerializer(serializers.Serializer[Any]):
    fill_id = Text()
    role = one_of(Role)
    leg = serializers.IntegerField()
    order_side = one_of(OrderSide)
    price = amount()
    quantity = amount()
    fee = amount()
    withheld = amount(help_text="Of a purchase of coins, what the venue kept of the quantity; `fee` is its value.")
    liquidity = serializers.ChoiceField(choices=["maker", "taker"])
    from_record = serializers.BooleanField()
    """By the order's own record, with an estimated fee, until the exchange tells the executions."""
    time = Moment()


class FundingRowSerializer(serializers.Serializer[Any]):
    amount = amount()
    time = Moment()


class TradeEventSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = Text()
    text = Text()
    data = serializers.DictField()  # type: ignore[assignment]
    trade = serializers.IntegerField(allow_null=True)
    account = serializers.IntegerField(allow_null=True)
    time = Moment()
    created_at = Moment()


class TradeDetailSerializer(TradeSerializer):
    orders = OrderSerializer(many=True)
    fills = FillSerializer(many=True)
    events = TradeEventSerializer(many=True)
    funding_rows = FundingRowSerializer(many=True)
    first_plan = PlanDocumentSerializer()

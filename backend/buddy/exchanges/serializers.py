"""The shapes of accounts and markets in the HTTP contract. Decimals are strings, times ISO 8601 UTC."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from buddy.core.market import TIMEFRAMES

from .models import MARGIN_MODES, POSITION_MODES, Account
from .real_money import SENTENCE

SENTENCE_HELP = f"For real money: {SENTENCE!r}."
POSITION, MARGIN = [name for name, _ in POSITION_MODES], [name for name, _ in MARGIN_MODES]
MODES = list(Account.Mode.values)
STATES = Account.State.choices
FEE_SOURCES = Account.FeeSource.choices
FEES_HELP = "Whose word the fees are: the venue's as last asked, typed by the trader, or only assumed."
FEE_SOURCE_HELP = "Go by what the venue said, also from now on. Fees in the same request are passed over."
SOURCES = Account.PriceSource.choices
MOST_MONEY = Decimal(1_000_000_000_000)
LONGEST = 1000
"""Most candles in one answer."""


def told(**options: Any) -> serializers.CharField:
    """A decimal as a string, in an answer."""
    return serializers.CharField(read_only=True, **options)


def asked(low: str, high: str, **options: Any) -> serializers.DecimalField:
    """A decimal within bounds, in a question."""
    options |= {"min_value": Decimal(low), "max_value": Decimal(high)}
    return serializers.DecimalField(max_digits=40, decimal_places=18, **options)


def moment(**options: Any) -> serializers.DateTimeField:
    return serializers.DateTimeField(read_only=True, **options)


class ConnectionSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=["ok", "waiting", "never"])
    trouble = serializers.CharField()
    looked_at = moment(allow_null=True)
    good_look_at = moment(allow_null=True)


def right(**options: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=["yes", "no", "cannot_tell"], **options)


class KeySerializer(serializers.Serializer[Any]):
    """A venue's key, of which only its end can be seen, and what the venue said of it."""

    last4 = serializers.CharField(help_text="The end of the key; empty where that would give too much of it away.")
    saved_at = moment()
    can_trade = right()
    can_withdraw = right(help_text="Only `no` is safe: `cannot_tell` means that this venue does not say.")
    ip_bound = right()
    expires_at = moment(allow_null=True)
    probed_at = moment(allow_null=True, help_text="When the venue last answered about the key.")
    tried_at = moment(allow_null=True, help_text="When it was last asked.")
    trouble = serializers.CharField(help_text="Why it did not answer then.")
    refused_at = moment(allow_null=True, help_text="Since when the venue does not accept the key.")


class VenueFactsSerializer(serializers.Serializer[Any]):
    """What the venue last said of the account."""

    position_mode = serializers.ChoiceField(choices=POSITION, allow_null=True, help_text="As the venue has it.")
    clock_offset_ms = serializers.IntegerField(allow_null=True, help_text="How far the venue's clock is ahead.")
    symbols = serializers.ListField(child=serializers.CharField(), help_text="The first of its instruments.")
    wallet = told(allow_null=True)
    maker_fee = told(allow_null=True, help_text="What it charges the account; null where it has not said.")
    taker_fee = told(allow_null=True)
    fees_at = moment(allow_null=True)
    balance_at = moment(allow_null=True)
    checked_at = moment(allow_null=True)


class ProofSerializer(serializers.Serializer[Any]):
    """The last order that was placed to prove that one can be placed, seen and cancelled at the venue."""

    outcome = serializers.ChoiceField(choices=["never", "running", "proved", "failed"])
    at = moment(allow_null=True)
    placed = serializers.BooleanField()
    seen = serializers.BooleanField(help_text="By its name and in the list of what rests.")
    cancelled = serializers.BooleanField()
    why = serializers.CharField(help_text="What could not be proven; empty when all was.")


class AccountSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    mode = serializers.ChoiceField(choices=MODES)
    venue = serializers.CharField()
    spot = serializers.BooleanField(help_text="It buys coins instead of holding positions.")
    state = serializers.ChoiceField(choices=STATES)
    is_main = serializers.BooleanField()
    currency = serializers.CharField()
    opening_balance = told()
    maker_fee = told()
    taker_fee = told()
    fee_source = serializers.ChoiceField(choices=FEE_SOURCES, help_text=FEES_HELP)
    slippage = told()
    max_leverage = serializers.IntegerField()
    max_risk_percent = told()
    max_open_risk_percent = told()
    max_open_trades = serializers.IntegerField()
    price_source = serializers.ChoiceField(choices=SOURCES)
    seed = serializers.IntegerField()
    replay_file = serializers.CharField()
    replay_speed = serializers.CharField()
    clock = moment(allow_null=True)
    replay_ends = moment(allow_null=True)
    equity = told()
    free = told()
    open_risk = told()
    open_trades = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]
    position_mode = serializers.ChoiceField(choices=POSITION, help_text="As the trader wants it.")
    margin_mode = serializers.ChoiceField(choices=MARGIN, help_text="Of plans that name none.")
    connection = ConnectionSerializer()
    key = KeySerializer(allow_null=True, help_text="Null for paper.")
    venue_facts = VenueFactsSerializer(allow_null=True, help_text="Null for paper.")
    proof = ProofSerializer(allow_null=True, help_text="Null for paper.")
    created_at = moment()


class LimitsSerializer(serializers.Serializer[Any]):
    """What may be set when an account is made and changed later."""

    name = serializers.CharField(max_length=60, required=False)
    maker_fee = asked("-0.01", "0.1", required=False)
    taker_fee = asked("-0.01", "0.1", required=False)
    slippage = asked("0", "0.1", required=False)
    max_leverage = serializers.IntegerField(min_value=1, max_value=125, required=False)
    max_risk_percent = asked("0.001", "100", required=False)
    max_open_risk_percent = asked("0.001", "1000", required=False)
    max_open_trades = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    replay_speed = serializers.CharField(max_length=8, required=False)
    position_mode = serializers.ChoiceField(choices=POSITION, required=False)
    margin_mode = serializers.ChoiceField(choices=MARGIN, required=False)


class ChangesSerializer(LimitsSerializer):
    """What may be changed of an account that is there."""

    fee_source = serializers.ChoiceField(choices=["venue"], required=False, help_text=FEE_SOURCE_HELP)


class NewKeySerializer(serializers.Serializer[Any]):
    """Sealed at once and never told again."""

    api_key = serializers.CharField(max_length=1000)
    secret = serializers.CharField(max_length=5000)
    passphrase = serializers.CharField(max_length=200, required=False, allow_blank=True)


class NewAccountSerializer(LimitsSerializer):
    name = serializers.CharField(max_length=60)
    venue = serializers.CharField(max_length=20, required=False)
    mode = serializers.ChoiceField(choices=MODES, required=False, help_text="Paper when left out.")
    price_source = serializers.ChoiceField(choices=SOURCES, required=False, help_text="Needed for paper.")
    key = NewKeySerializer(required=False, help_text="Needed for testnet and live.")
    sentence = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text=SENTENCE_HELP)
    opening_balance = asked("0.01", str(MOST_MONEY), required=False)
    seed = serializers.IntegerField(min_value=0, max_value=2_147_483_647, required=False)
    replay_file = serializers.CharField(max_length=200, required=False, allow_blank=True)
    replay_start = serializers.DateTimeField(required=False, allow_null=True)


class ResumeSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(
        choices=[Account.State.ACTIVE, Account.State.REDUCING], default=Account.State.ACTIVE
    )
    sentence = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text=SENTENCE_HELP)


class VenueSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    modes = serializers.ListField(child=serializers.ChoiceField(choices=MODES))
    settle = serializers.CharField()
    spot = serializers.BooleanField(help_text="Coins are bought there, not perpetuals.")
    needs_passphrase = serializers.BooleanField()


class VenueListSerializer(serializers.Serializer[Any]):
    results = VenueSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    live_trading = serializers.BooleanField(help_text="Whether this desk allows accounts with real money.")
    sentence = serializers.CharField(help_text="What to type for one; `{name}` is the account's.")
    recent_sign_in_minutes = serializers.IntegerField(help_text="How fresh a sign-in must be for one.")


class AccountListSerializer(serializers.Serializer[Any]):
    results = AccountSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class RecordingSerializer(serializers.Serializer[Any]):
    file = serializers.CharField()
    symbol = serializers.CharField()
    timeframe = serializers.CharField()
    # `from` is a word of Python: the field is added by name below.
    to = moment()
    candles = serializers.IntegerField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), "from": moment()}


class RecordingListSerializer(serializers.Serializer[Any]):
    results = RecordingSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class InstrumentSerializer(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    base = serializers.CharField()
    quote = serializers.CharField()
    settle = serializers.CharField()
    tick_size = told()
    lot_size = told()
    min_quantity = told()
    min_notional = told()
    contract_size = told()
    linear = serializers.BooleanField()
    spot = serializers.BooleanField()
    max_leverage = told()
    maker_fee = told()
    taker_fee = told()
    price = told(allow_null=True)
    change_24h = told(allow_null=True, help_text="Percent.")


class InstrumentListSerializer(serializers.Serializer[Any]):
    results = InstrumentSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class InstrumentQuerySerializer(serializers.Serializer[Any]):
    account = serializers.IntegerField()
    q = serializers.CharField(required=False, allow_blank=True, max_length=40)
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)


class SymbolQuerySerializer(serializers.Serializer[Any]):
    account = serializers.IntegerField()
    symbol = serializers.CharField(max_length=40)


class CandleQuerySerializer(SymbolQuerySerializer):
    timeframe = serializers.ChoiceField(choices=list(TIMEFRAMES), default="15m")
    to = serializers.DateTimeField(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=LONGEST, default=500)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {**super().get_fields(), "from": serializers.DateTimeField(required=False)}


NUMBER_OR_TEXT = {"oneOf": [{"type": "integer"}, {"type": "string"}]}


@extend_schema_field({"type": "array", "items": {"type": "array", "items": NUMBER_OR_TEXT}})
class RowsField(serializers.ListField):
    """Rows of a time and decimals as strings."""


@extend_schema_field(
    {
        "type": "array",
        "items": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
        "minItems": 6,
        "maxItems": 6,
        "description": "Time in milliseconds, then open, high, low, close and volume as decimal strings.",
    }
)
class CandleRow(serializers.ListField):
    """A row as it is."""


class CandlesSerializer(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    timeframe = serializers.ChoiceField(choices=list(TIMEFRAMES))
    candles = RowsField(help_text="[time in ms, open, high, low, close, volume], oldest first.")
    source = serializers.ChoiceField(choices=SOURCES)  # type: ignore[assignment]
    complete = serializers.BooleanField(help_text="Nothing is missing in this window.")


class QuoteSerializer(serializers.Serializer[Any]):
    symbol = serializers.CharField()
    last = told()
    mark = told()
    time = moment()

"""Exchange accounts, and the paper exchange's own books."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256

from django.conf import settings
from django.db import models

from buddy import redact
from buddy.core.exchange import PositionMode
from buddy.core.plan import MarginMode
from buddy.fields import DecimalText

from . import vault
from .venues import exits_of

POSITION_MODES = [(PositionMode.ONE_WAY.value, "One-way"), (PositionMode.HEDGE.value, "Hedge")]
MARGIN_MODES = [(MarginMode.ISOLATED.value, "Isolated"), (MarginMode.CROSS.value, "Cross")]
LONG_ENOUGH = 12
"""Characters of an API key of which the last four may be shown."""


class Account(models.Model):
    """An account at a venue; for paper, at our own simulated one."""

    class Mode(models.TextChoices):
        PAPER = "paper"
        TESTNET = "testnet"
        LIVE = "live"

    class PriceSource(models.TextChoices):
        LIVE = "live"
        REPLAY = "replay"
        SIMULATED = "simulated"

    class State(models.TextChoices):
        ACTIVE = "active"
        REDUCING = "reducing"
        HALTED = "halted"

    class FeeSource(models.TextChoices):
        ASSUMED = "assumed"
        VENUE = "venue"
        TYPED = "typed"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="accounts")
    name = models.CharField(max_length=60)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.PAPER)
    venue = models.CharField(max_length=20, default="binance")
    """Whose fees, and for live prices whose public data."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    is_main = models.BooleanField(default=False)
    position_mode = models.CharField(max_length=10, choices=POSITION_MODES, default=PositionMode.ONE_WAY.value)
    """The mode the trader wants at the venue; what the venue says is in `VenueFacts`."""
    margin_mode = models.CharField(max_length=10, choices=MARGIN_MODES, default=MarginMode.ISOLATED.value)
    """Of plans that name none."""
    currency = models.CharField(max_length=10, default="USDT")
    opening_balance = DecimalText(default=Decimal(10_000))
    maker_fee = DecimalText(default=Decimal("0.0002"))
    taker_fee = DecimalText(default=Decimal("0.0005"))
    slippage = DecimalText(default=Decimal("0.0002"))
    """Fractions of the price, as are the fees: 0.0005 is 5 basis points."""
    fee_source = models.CharField(max_length=8, choices=FeeSource.choices, default=FeeSource.ASSUMED)
    """Whose word the fees are. What the venue says is taken over unless the trader has typed his own."""
    max_leverage = models.PositiveSmallIntegerField(default=20)
    max_risk_percent = DecimalText(default=Decimal(5))
    """Most that one trade may risk, in percent of equity."""
    max_open_risk_percent = DecimalText(default=Decimal(10))
    """Most that all working trades together may risk."""
    max_open_trades = models.PositiveSmallIntegerField(default=10)

    price_source = models.CharField(max_length=10, choices=PriceSource.choices, default=PriceSource.SIMULATED)
    seed = models.PositiveIntegerField(default=1)
    replay_file = models.CharField(max_length=200, blank=True)
    """A name inside REPLAY_DIR."""
    replay_speed = models.CharField(max_length=8, default="1")
    """A factor ("1", "60", …) or "max": from event to event as fast as looks go, standing still without work."""
    clock_wall = models.BigIntegerField(default=0)
    clock_time = models.BigIntegerField(default=0)
    """The replay's clock: it showed `clock_time` when the wall showed `clock_wall` (both milliseconds)."""

    lease_owner = models.CharField(max_length=40, blank=True)
    lease_epoch = models.BigIntegerField(default=0)
    lease_until = models.BigIntegerField(default=0)
    """Wall milliseconds. One writer per account: see trading.lease."""
    cursor = models.TextField(blank=True)
    """Fills and income up to here are booked."""
    looked_at = models.DateTimeField(null=True)
    good_look_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=300, blank=True)
    """Why the last look could not read; empty when it could."""
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True)
    is_draft = models.BooleanField(default=False)
    """Its key awaits the first probe. Out of sight like an archived one; it has no history, and may be deleted."""

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"], condition=models.Q(archived_at=None), name="account_name_unique"
            ),
            models.UniqueConstraint(fields=["owner"], condition=models.Q(is_main=True), name="one_main_account"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_paper(self) -> bool:
        return self.mode == Account.Mode.PAPER

    @property
    def is_spot(self) -> bool:
        """Whether it buys coins and sells them again, instead of holding positions."""
        return exits_of(self.venue).is_spot


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens an account at its venue. Never shown: not by `repr`, not in an answer, not in the log."""

    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)
    """Only some venues have one."""

    def __post_init__(self) -> None:
        for secret in (self.api_key, self.secret, self.passphrase):
            redact.learn(secret)


def fingerprint(account: Account, keys: Keys) -> str:
    """Of a key where it is used: an API key is long and random, so its hash gives nothing of it away."""
    return sha256("\0".join((account.venue, account.mode, keys.api_key)).encode()).hexdigest()


class Credentials(models.Model):
    """An account's key, sealed, and what it may do. A new one awaits its probe; the one `in_use` has passed it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="credentials")
    in_use = models.BooleanField(default=False)
    api_key = models.TextField()
    secret = models.TextField()
    passphrase = models.TextField(blank=True)
    last4 = models.CharField(max_length=4)
    """The end of the API key, to tell keys apart by; empty where that would give too much of it away."""
    fingerprint = models.CharField(max_length=64)
    """Tells whether two accounts have the same key, and nothing else."""
    saved_at = models.DateTimeField(auto_now_add=True)

    can_trade = models.BooleanField(null=True)
    can_withdraw = models.BooleanField(null=True)
    ip_bound = models.BooleanField(null=True)
    """None: the venue cannot tell, or was never asked. That is never the same as safe."""
    expires_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    probed_at = models.DateTimeField(null=True)
    """When the venue was last asked about the key, and when it last answered."""
    trouble = models.CharField(max_length=300, blank=True)
    """Why it did not answer; empty when it did."""
    refused_at = models.DateTimeField(null=True)
    """Since when the venue does not accept the key; None while it does."""
    told_refused = models.PositiveIntegerField(default=0)
    told_refused_at = models.DateTimeField(null=True)
    """How often the trader was told of that, and when last."""
    told_expiry = models.PositiveSmallIntegerField(null=True)
    """The last notice of its end, in days ahead."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=models.Q(in_use=True), name="one_key_in_use"),
            models.UniqueConstraint(fields=["fingerprint"], condition=models.Q(in_use=True), name="key_used_once"),
        ]

    SEALED = ("api_key", "secret", "passphrase")

    def keep(self, keys: Keys) -> None:
        """Seal `keys` into this row. Not saved here."""
        for name in self.SEALED:
            text = getattr(keys, name)
            setattr(self, name, vault.seal(text, self._place(name)) if text else "")
        self.fingerprint = fingerprint(self.account, keys)
        self.last4 = keys.api_key[-4:] if len(keys.api_key) >= LONG_ENOUGH else ""

    def keys(self) -> Keys:
        """Raises vault.CannotOpen."""
        sealed = {name: getattr(self, name) for name in self.SEALED}
        return Keys(
            **{name: vault.open_sealed(text, self._place(name)) if text else "" for name, text in sealed.items()}
        )

    def sealed_anew(self) -> dict[str, str]:
        """The sealed fields as the newest key seals them; empty when it did already. Raises vault.CannotOpen."""
        sealed = {name: text for name in self.SEALED if (text := getattr(self, name))}
        if all(vault.is_current(text) for text in sealed.values()):
            return {}
        places = {name: self._place(name) for name in sealed}
        return {name: vault.seal(vault.open_sealed(text, places[name]), places[name]) for name, text in sealed.items()}

    def _place(self, name: str) -> str:
        return f"account:{self.account_id}:{name}"


class VenueFacts(models.Model):
    """What the venue last said of an account of ours. Written by workers only; the web shows it without waiting."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="venue_facts")
    position_mode = models.CharField(max_length=10, choices=POSITION_MODES, blank=True)
    clock_offset_ms = models.IntegerField(null=True)
    """How far its clock is ahead of ours."""
    symbols = models.JSONField(default=list)
    """The first of its instruments."""
    wallet = DecimalText(null=True)
    equity = DecimalText(null=True)
    free = DecimalText(null=True)
    maker_fee = DecimalText(null=True)
    taker_fee = DecimalText(null=True)
    fees_at = models.DateTimeField(null=True)
    """What it charges the account, and when it said so; null while it never has."""
    balance_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)


class PaperBook(models.Model):
    """What the paper exchange remembers: `SimulatedExchange.to_state()`. `version` guards against two writers."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="paper_book")
    state = models.JSONField(default=dict)
    version = models.BigIntegerField(default=0)

"""Exchange accounts, and the paper exchange's own books."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models

from buddy.fields import DecimalText


class Account(models.Model):
    """An account at a venue; for paper, at our own simulated one."""

    class Mode(models.TextChoices):
        PAPER = "paper"

    class PriceSource(models.TextChoices):
        LIVE = "live"
        REPLAY = "replay"
        SIMULATED = "simulated"

    class State(models.TextChoices):
        ACTIVE = "active"
        REDUCING = "reducing"
        HALTED = "halted"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="accounts")
    name = models.CharField(max_length=60)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.PAPER)
    venue = models.CharField(max_length=20, default="binance")
    """Whose fees, and for live prices whose public data."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    is_main = models.BooleanField(default=False)
    currency = models.CharField(max_length=10, default="USDT")
    opening_balance = DecimalText(default=Decimal(10_000))
    maker_fee = DecimalText(default=Decimal("0.0002"))
    taker_fee = DecimalText(default=Decimal("0.0005"))
    slippage = DecimalText(default=Decimal("0.0002"))
    """Fractions of the price, as are the fees: 0.0005 is 5 basis points."""
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
    cursor = models.CharField(max_length=200, blank=True)
    """Fills and income up to here are booked."""
    looked_at = models.DateTimeField(null=True)
    good_look_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=300, blank=True)
    """Why the last look could not read; empty when it could."""
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True)

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


class PaperBook(models.Model):
    """What the paper exchange remembers: `SimulatedExchange.to_state()`. `version` guards against two writers."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="paper_book")
    state = models.JSONField(default=dict)
    version = models.BigIntegerField(default=0)

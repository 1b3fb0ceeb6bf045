"""The wish (Trade and its plan), what we asked for (Order), what happened (Fill, Income). A position is derived."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from buddy.core.exchange import IncomeKind, Liquidity, OrderKind, OrderStatus, Role
from buddy.core.market import OrderSide, Side
from buddy.exchanges.models import Account
from buddy.fields import DecimalText


def choices(values: type) -> list[tuple[str, str]]:
    return [(str(value), str(value)) for value in values]  # type: ignore[attr-defined]


class ExitReason(models.TextChoices):
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    BREAK_EVEN = "break_even"
    TRAILING_STOP = "trailing_stop"
    MANUAL = "manual"
    TIME = "time"
    HALT = "halt"
    UNPROTECTED = "unprotected"
    LIQUIDATION = "liquidation"
    EXTERNAL = "external"
    BY_WORD = "by_word"
    """The trader has said so, and no exchange has told it."""


class Trade(models.Model):
    """The whole story, one row."""

    class Status(models.TextChoices):
        PENDING = "pending"
        OPEN = "open"
        CLOSED = "closed"
        CANCELLED = "cancelled"

    class Withdrawal(models.TextChoices):
        """Why an entry was taken back: missed = ran to target, invalidated = broke first."""

        MISSED = "missed"
        INVALIDATED = "invalidated"
        EXPIRED = "expired"
        MANUAL = "manual"
        REJECTED = "rejected"
        STALE = "stale"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="trades")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="trades")
    symbol = models.CharField(max_length=40)
    side = models.CharField(max_length=5, choices=choices(Side))
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    source = models.CharField(max_length=10, default="manual")

    first_plan = models.JSONField()
    plan = models.JSONField()
    """The plan document now; every change is an amended plan, never a direct call to the exchange."""
    plan_version = models.PositiveIntegerField(default=1)
    quantities = models.JSONField()
    """Contracts per entry leg, decimal strings: sized once when opened, again when a pending plan is amended."""
    directives = models.JSONField(default=dict)
    """The trader's standing orders beside the plan: withdraw_entry, reduce_to, stop_at."""
    hands_off = models.BooleanField(default=False)
    withdrawal = models.CharField(max_length=12, choices=Withdrawal.choices, blank=True)
    leverage = DecimalText(default=1)
    margin_mode = models.CharField(max_length=10, default="isolated")
    asked_risk = DecimalText()
    first_stop = DecimalText()
    contract_size = DecimalText(default=1)
    """Of the instrument when the trade was opened: a symbol that is traded no more cannot be asked for it."""

    memory = models.JSONField(default=dict)
    """What a look must remember of the market: best and worst price since entry, the tightest stop so far."""
    protected_since = models.DateTimeField(null=True)
    """Since when a live stop covers the whole position; null while nothing is held or nothing covers it."""
    naked_since = models.DateTimeField(null=True)
    """Since when something is held and no live stop covers it; both by the account's clock."""
    checked_at = models.DateTimeField(null=True)
    """When a look last saw this with its own eyes (wall clock)."""
    mismatch_since = models.DateTimeField(null=True)
    """Since when (wall clock) the venue's orders and positions say more than the executions that were read."""
    unwatched_since = models.DateTimeField(null=True)
    """Since when (wall clock) the venue tells nothing of the trade's symbol, so that nobody looks after it."""
    at_venue = models.JSONField(default=dict)
    """What the venue says of the position: leverage, margin_mode and liquidation_price, where it tells."""

    initial_risk = DecimalText(null=True)
    """Frozen when the entry is complete or the first exit fills (STATISTICS: initial risk)."""
    average_entry = DecimalText(null=True)
    average_exit = DecimalText(null=True)
    entered_quantity = DecimalText(default=0)
    gross = DecimalText(null=True)
    fees = DecimalText(null=True)
    funding = DecimalText(null=True)
    net = DecimalText(null=True)
    r = DecimalText(null=True)
    exit_reason = models.CharField(max_length=16, choices=ExitReason.choices, blank=True)
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    """First fill and last exit, by the account's clock."""
    asked_at = models.DateTimeField(null=True)
    """When the trade was asked for, by the account's clock (`created_at` is the wall's)."""
    wished_at = models.DateTimeField(default=timezone.now)
    """When the trader last asked for the entry (wall clock): one still unsent long after is stale and never sent."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["account", "status"]),
            models.Index(fields=["owner", "-closed_at", "-id"]),
        ]


class Order(models.Model):
    """Written and committed *before* it is sent; one row is one client id is at most one order at the venue."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="orders")
    trade = models.ForeignKey(Trade, on_delete=models.CASCADE, related_name="orders")
    client_id = models.CharField(max_length=28, unique=True)
    exchange_id = models.CharField(max_length=64, blank=True)
    child_id = models.CharField(max_length=64, blank=True)
    """The venue's id of the order this one became when it triggered; its executions carry that id."""
    is_attached = models.BooleanField(default=False)
    """Made by the venue, from the protection that travelled with our entry. It was never sent under `client_id`."""
    paired_with = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="halves")
    """On the limit half of a pair, its stop: sent together, and whichever executes ends the other."""
    symbol = models.CharField(max_length=40)
    role = models.CharField(max_length=12, choices=choices(Role))
    leg = models.PositiveSmallIntegerField(default=0)
    """Which entry or target, counted from 0."""
    order_side = models.CharField(max_length=4, choices=choices(OrderSide))
    kind = models.CharField(max_length=12, choices=choices(OrderKind))
    quantity = DecimalText()
    price = DecimalText(null=True)
    trigger = DecimalText(null=True)
    reduce_only = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=choices(OrderStatus), default=OrderStatus.INTENDED)
    filled = DecimalText(default=0)
    reason = models.CharField(max_length=120, blank=True)
    """Why it was placed, for the timeline: "stop", "break-even after TP1", …"""
    cancel_reason = models.CharField(max_length=120, blank=True)
    refusal = models.CharField(max_length=300, blank=True)
    lease_epoch = models.BigIntegerField(default=0)
    raw = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    placed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["account", "status"]),
            models.Index(fields=["account", "exchange_id"]),
            models.Index(fields=["account", "child_id"], condition=~models.Q(child_id=""), name="order_child"),
        ]


class Fill(models.Model):
    """An execution; the only source of PnL."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="fills")
    trade = models.ForeignKey(Trade, null=True, on_delete=models.SET_NULL, related_name="fills")
    order = models.ForeignKey(Order, null=True, on_delete=models.SET_NULL, related_name="fills")
    fill_id = models.CharField(max_length=64)
    symbol = models.CharField(max_length=40)
    order_side = models.CharField(max_length=4, choices=choices(OrderSide))
    price = DecimalText()
    quantity = DecimalText()
    fee = DecimalText()
    withheld = DecimalText(default=0)
    """Of a spot purchase: what the venue kept of `quantity` as its fee, in base units; `fee` is its value."""
    liquidity = models.CharField(max_length=5, choices=choices(Liquidity))
    liquidation = models.BooleanField(default=False)
    from_record = models.BooleanField(default=False)
    """An order's own record, for want of executions that the venue has not told; these take its place."""
    time = models.DateTimeField()
    raw = models.JSONField(default=dict)

    class Meta:
        ordering = ["time", "id"]
        constraints = [models.UniqueConstraint(fields=["account", "fill_id"], name="fill_once")]
        indexes = [models.Index(fields=["account"], condition=models.Q(from_record=True), name="fill_from_record")]


class Income(models.Model):
    """Funding and other money that moved without a fill."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="income")
    trade = models.ForeignKey(Trade, null=True, on_delete=models.SET_NULL, related_name="income")
    income_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=choices(IncomeKind))
    symbol = models.CharField(max_length=40, blank=True)
    amount = DecimalText()
    time = models.DateTimeField()
    raw = models.JSONField(default=dict)

    class Meta:
        ordering = ["time", "id"]
        constraints = [models.UniqueConstraint(fields=["account", "income_id"], name="income_once")]


class ForeignPosition(models.Model):
    """A position that is nobody's here: no working trade of its symbol and side holds it. Kept by the look."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="foreign_positions")
    symbol = models.CharField(max_length=40)
    side = models.CharField(max_length=5, choices=choices(Side))
    quantity = DecimalText()
    average_entry = DecimalText()
    """The venue's word for the whole position of this symbol and side."""
    liquidation_price = DecimalText(null=True)
    leverage = DecimalText(null=True)
    margin_mode = models.CharField(max_length=10, blank=True)
    first_seen = models.DateTimeField()
    """By the wall clock."""
    confirmed = models.BooleanField(default=False)
    """Seen twice, where an execution still on its way could have explained the first sight."""
    gone_since = models.DateTimeField(null=True)
    """Since when (wall clock) the venue does not list it any more."""
    ignored = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["account", "symbol", "side"], name="foreign_position_once")]


class Alarm(models.Model):
    """Something the watchdog found wrong: until when it waits to say so, and how often it has."""

    class Kind(models.TextChoices):
        UNSEEN = "unseen"
        """Nobody has looked at the account for too long."""
        UNCOVERED = "uncovered"
        """More is held than stops rest for."""

    kind = models.CharField(max_length=10, choices=Kind.choices)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="alarms")
    trade = models.ForeignKey(Trade, null=True, on_delete=models.CASCADE, related_name="alarms")
    since = models.DateTimeField(default=timezone.now)
    """Wall clock, as are the others."""
    told = models.PositiveIntegerField(default=0)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "trade"], name="alarm_once_of_a_trade"),
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(trade=None), name="alarm_once_of_an_account"
            ),
        ]


class Canary(models.Model):
    """An order that proves that orders can be placed, seen and cancelled; so far off that it cannot fill.

    No trade, so that no figure counts it. Like every order of ours it is written down and committed before it is sent,
    and whoever looks next goes on from what is written.
    """

    class Outcome(models.TextChoices):
        RUNNING = "running"
        PROVED = "proved"
        FAILED = "failed"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="canaries")
    client_id = models.CharField(max_length=28, unique=True)
    exchange_id = models.CharField(max_length=64, blank=True)
    child_id = models.CharField(max_length=64, blank=True)
    symbol = models.CharField(max_length=40)
    order_side = models.CharField(max_length=4, choices=choices(OrderSide))
    kind = models.CharField(max_length=12, choices=choices(OrderKind))
    quantity = DecimalText(default=0)
    trigger = DecimalText(null=True)
    """Both once a price is known."""
    closes = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="closing")
    """On the order that closes at once what a canary has bought after all: that canary."""
    attempt = models.PositiveSmallIntegerField(default=0)
    """How often the venue has refused one before it."""
    status = models.CharField(max_length=10, choices=choices(OrderStatus), default=OrderStatus.INTENDED)
    filled = DecimalText(default=0)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.RUNNING)
    why = models.CharField(max_length=300, blank=True)
    """What could not be proven; empty when all was."""
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    found_at = models.DateTimeField(null=True)
    """When the venue told of it by its name or number."""
    listed_at = models.DateTimeField(null=True)
    """When it stood in the list of what rests, which is what a look goes by."""
    absent_since = models.DateTimeField(null=True)
    cancel_at = models.DateTimeField(null=True)
    """When it was first asked to be cancelled."""
    over_at = models.DateTimeField(null=True)
    """When it was certain that nothing of it rests any more."""

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["account"], condition=models.Q(over_at=None), name="canary_not_over")]


class IdempotentCall(models.Model):
    """The first answer to an Idempotency-Key, replayed to every repeat of the same request."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64)
    """sha256 of method, path and body: the same key with another body is refused."""
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_once")]

"""One append-only table: timeline, audit and outbox. Beside it the chain that it is held against, and signs of life."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Event(models.Model):
    """Something that happened, in the words of the timeline. Written in the transaction of the change it tells of."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    account_id = models.BigIntegerField(null=True, db_index=True)
    trade_id = models.BigIntegerField(null=True, db_index=True)
    kind = models.CharField(max_length=40)
    text = models.CharField(max_length=500)
    """One plain sentence for the trader."""
    data = models.JSONField(default=dict)
    time = models.DateTimeField()
    """When it happened, by the account's clock (a replay's clock is not the wall's)."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["owner", "id"])]


class Link(models.Model):
    """Of the chain over all events: those after `after_id`, up to `through_id`, as they were when it was made."""

    after_id = models.BigIntegerField(unique=True)
    """The `through_id` of the link before, 0 for the first: two that are made at a time cannot both follow it."""
    through_id = models.BigIntegerField(unique=True)
    events = models.PositiveIntegerField()
    """How many."""
    digest = models.CharField(max_length=64)
    """sha256 over the digest of the link before and every one of these events, so that no link stands for itself."""
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["through_id"]


class Pulse(models.Model):
    """When something last gave a sign of life. In the database, so that it is told without the store, too."""

    name = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField()

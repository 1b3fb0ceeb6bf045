"""One append-only table: timeline, audit and outbox. And one of signs of life."""

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


class Pulse(models.Model):
    """When something last gave a sign of life. In the database, so that it is told without the store, too."""

    name = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField()

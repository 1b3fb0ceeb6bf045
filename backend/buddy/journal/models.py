"""The trader's words about a trade. Facts live on the trade and are never touched from here, nor these from there."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from buddy.trading.models import Trade


class Setup(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="setups")
    name = models.CharField(max_length=60)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="setup_name_unique")]


class Tag(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="tag_name_unique")]


class Entry(models.Model):
    """One per trade, made the first time the trader writes something; a trade without one simply has no words yet."""

    trade = models.OneToOneField(Trade, on_delete=models.CASCADE, related_name="entry")
    notes = models.TextField(blank=True)
    setup = models.ForeignKey(Setup, null=True, on_delete=models.SET_NULL, related_name="entries")
    tags = models.ManyToManyField(Tag, related_name="entries", blank=True)
    updated_at = models.DateTimeField(auto_now=True)


class Screenshot(models.Model):
    """Decoded, re-encoded and stripped of metadata before it is stored; served only to its owner."""

    entry = models.OneToOneField(Entry, on_delete=models.CASCADE, related_name="screenshot")
    image = models.ImageField(upload_to="screenshots/")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveIntegerField(default=0)
    """Bytes of the file, which the trader's pictures together have a limit for."""
    created_at = models.DateTimeField(auto_now_add=True)

"""What became of each attempt to take a backup: what `/health` tells. The row of a backup is not yet in it."""

from __future__ import annotations

from django.db import models


class Backup(models.Model):
    taken_at = models.DateTimeField()
    name = models.CharField(max_length=60, blank=True)
    proven_at = models.DateTimeField(null=True)
    """When it was restored into an empty database and found to hold every row; null when the attempt failed."""
    size = models.BigIntegerField(default=0)
    """Bytes."""
    rows = models.BigIntegerField(default=0)
    journal = models.CharField(max_length=64, blank=True)
    """The journal hash."""
    trouble = models.CharField(max_length=300, blank=True)
    """Why it failed; empty when it did not."""

    class Meta:
        ordering = ["id"]

"""Signs of life in the database: who gave one, and when. Written seldom, read by /health and the watchdog."""

from __future__ import annotations

import time
from datetime import datetime

from django.utils import timezone

from .models import Pulse

WRITTEN_EVERY = 10.0
"""Seconds between two writes of one name by one process, however often it beats."""
_WRITTEN: dict[str, float] = {}


def beat(name: str, *, every: float = WRITTEN_EVERY) -> None:
    """`name` lives. Raises django.db.Error."""
    now = time.monotonic()
    if now - _WRITTEN.get(name, -every) >= every:
        Pulse.objects.update_or_create(name=name, defaults={"at": timezone.now()})
        _WRITTEN[name] = now


def last(names: list[str]) -> dict[str, datetime]:
    """When those of `names` that ever gave a sign last did."""
    return dict(Pulse.objects.filter(name__in=names).values_list("name", "at"))

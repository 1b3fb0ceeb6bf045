"""How fresh the last proven backup is, by what the database remembers: for those who do not see the files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from .models import Backup

GRACE = timedelta(hours=2)
"""How much later than due the next may be before the last one counts as too old."""


@dataclass(frozen=True, slots=True)
class Standing:
    ok: bool
    age: timedelta | None
    """Of what the last proven backup holds; None before there is one."""


def is_wanted() -> bool:
    """Whether backups are expected here: always in production, elsewhere where there is a key to take them with."""
    return settings.PRODUCTION or bool(settings.BACKUP_RECIPIENT)


def every() -> timedelta:
    return timedelta(hours=settings.BACKUP_EVERY_HOURS)


def standing() -> Standing:
    last = Backup.objects.exclude(proven_at=None).order_by("-taken_at").first()
    age = timezone.now() - last.taken_at if last else None
    return Standing(age is not None and age < every() + GRACE, age)

"""Backups in their time: one is taken when it is due, and each attempt is written down."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from django.db import DatabaseError, connections
from django.utils import timezone

from buddy.redact import redact

from .desk import Desk
from .models import Backup
from .refusals import Refused
from .standing import GRACE, every
from .taking import Taken, take

REMEMBERED = 400
"""Attempts; older ones are forgotten."""
AGAIN = timedelta(hours=1)
"""After an attempt that failed."""
NAP = 30.0
"""Seconds between two looks at whether one is due."""


def attempt(desk: Desk) -> Taken:
    """Take a backup and write down what became of it. Raises as `take` does."""
    taken_at = timezone.now()
    try:
        taken = take(desk, taken_at)
    except Exception as failure:
        with suppress(DatabaseError):  # the database itself may be what failed
            words = str(failure.args[0]) if failure.args else type(failure).__name__
            _remember(Backup(taken_at=taken_at, trouble=redact(words)[:300]))
        raise
    held, size = taken.proof.contents, taken.path.stat().st_size
    found = {"proven_at": taken.proven_at, "size": size, "rows": held.rows, "journal": held.journal}
    _remember(Backup(taken_at=taken_at, name=taken.path.name, **found))
    return taken


def shelf_is_fresh(desk: Desk) -> bool:
    """By the files alone, as those know who see no database: the last proven one is young enough."""
    last = desk.shelf.last_proven()
    return last is not None and timezone.now() - last < every() + GRACE


def keep_taking(desk: Desk, tell: Callable[[str], None]) -> None:
    """For ever: a backup whenever the last proven one is older than BACKUP_EVERY_HOURS; a failure does not end it."""
    not_before = timezone.now()
    while True:
        if timezone.now() >= not_before and _is_due(desk):
            not_before = timezone.now() + AGAIN
            try:
                taken = attempt(desk)
                tell(f"{taken.path.name} is proven: {taken.proof}")
            except (Refused, OSError, DatabaseError) as trouble:
                tell(f"No backup: {redact(str(trouble))}")
            connections.close_all()  # the next is hours away
        time.sleep(NAP)


def _is_due(desk: Desk) -> bool:
    last = desk.shelf.last_proven()
    return last is None or timezone.now() >= last + every()


def _remember(row: Backup) -> None:
    row.save()
    old = Backup.objects.order_by("-id").values_list("id", flat=True)[REMEMBERED:]
    Backup.objects.filter(id__in=list(old)).delete()

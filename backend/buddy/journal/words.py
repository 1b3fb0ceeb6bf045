"""Writing the trader's words. The facts of a trade are never touched from here."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from buddy.trading.models import Trade

from .models import Entry


def entry_of(trade: Trade) -> Entry:
    """The trade's entry, made the first time something is said."""
    return Entry.objects.get_or_create(trade=trade)[0]


@transaction.atomic
def write(trade: Trade, words: dict[str, Any]) -> None:
    """Save only what was sent, so that two pages saving different fields do not undo each other."""
    entry = entry_of(trade)
    fields = [name for name in ("notes", "setup") if name in words]
    for name in fields:
        setattr(entry, name, words[name])
    entry.save(update_fields=[*fields, "updated_at"])
    if "tags" in words:
        entry.tags.set(words["tags"])

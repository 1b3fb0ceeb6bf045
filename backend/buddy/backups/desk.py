"""What there is to back up, or to restore to: a database, a folder of media, and the places backups need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from .connecting import Entry
from .postgres import Postgres
from .rotation import Kept
from .shelf import Shelf
from .snapshots import Database
from .sqlite import Sqlite


@dataclass(frozen=True, slots=True)
class Desk:
    database: Database
    media: Path
    shelf: Shelf
    work: Path
    """Private folder on this machine, for what must lie there decrypted while it is proven or restored."""
    recipients: tuple[str, ...]
    kept: Kept

    @classmethod
    def here(cls) -> Desk:
        """By the settings."""
        return cls(
            database=database_of(connection.settings_dict),
            media=Path(settings.MEDIA_ROOT),
            shelf=Shelf(Path(settings.BACKUP_DIR)),
            work=Path(settings.BACKUP_WORK_DIR),
            recipients=tuple(settings.BACKUP_RECIPIENT),
            kept=Kept(settings.BACKUP_DAILY, settings.BACKUP_WEEKLY, settings.BACKUP_MONTHLY),
        )


def database_of(entry: Entry) -> Database:
    kind = Postgres if entry["ENGINE"].endswith("postgresql") else Sqlite
    return kind(entry)

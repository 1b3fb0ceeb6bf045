"""manage.py backup: one backup now, or for ever."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from buddy.backups import attempts
from buddy.backups.desk import Desk
from buddy.backups.management.opening import complaining


class Command(BaseCommand):
    help = "Takes an encrypted backup of database and media, proves it, and lets the old ones go."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--keep-taking", action="store_true", help="one every BACKUP_EVERY_HOURS, until stopped")
        how.add_argument("--check", action="store_true", help="fails unless the newest is proven and young enough")
        how.add_argument("--list", action="store_true", help="what lies in BACKUP_DIR, oldest first")

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _leave)  # so that nothing decrypted is left on the disk
        desk = Desk.here()
        if options["list"]:
            self._list(desk)
        elif options["check"]:
            if not attempts.shelf_is_fresh(desk):
                raise CommandError("The last proven backup is too old, or there is none.")
        elif options["keep_taking"]:
            attempts.keep_taking(desk, self._tell)
        else:
            self._take(desk)

    def _take(self, desk: Desk) -> None:
        with complaining():
            taken = attempts.attempt(desk)
        self._tell(f"{taken.path}\nrestored into an empty database: {taken.proof}")
        for path in taken.gone:
            self._tell(f"let go: {path.name}")

    def _list(self, desk: Desk) -> None:
        for path in desk.shelf.backups():
            mark = "proven" if desk.shelf.is_proven(path) else "NOT PROVEN"
            self._tell(f"{path.name}  {path.stat().st_size:>12,} bytes  {mark}")

    def _tell(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)

"""manage.py verify_backup: is this backup worth anything? By restoring it into an empty database, which then goes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from buddy.backups.desk import Desk
from buddy.backups.management import opening
from buddy.backups.proving import opened, prove
from buddy.backups.room import locked


class Command(BaseCommand):
    help = "Restores a backup into an empty database of its own, compares every row with its manifest, and drops it."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        opening.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        desk = Desk.here()
        with_key = not options["without_vault_key"]
        with opening.complaining():
            backup, keys = desk.shelf.find(options["backup"]), opening.identities(options["identity"])
            with locked(desk.work) as room, opened(backup, keys, room) as archive:
                proof = prove(archive, desk.database, room, with_vault_key=with_key)
        self.stdout.write(f"{backup.name}, taken {proof.taken_at}, is sound: {proof}")

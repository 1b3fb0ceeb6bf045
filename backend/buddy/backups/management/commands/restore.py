"""manage.py restore: a backup, into an empty database and an empty media folder."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from buddy.backups.desk import Desk
from buddy.backups.management import opening
from buddy.backups.restoring import restore


class Command(BaseCommand):
    help = "Restores a backup. Nothing is overwritten: an empty database, or --replace, which keeps the old one aside."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        opening.add_arguments(parser)
        parser.add_argument("--replace", action="store_true", help="keep what is there under another name")

    def handle(self, *args: Any, **options: Any) -> None:
        desk = Desk.here()
        how = {"replace": options["replace"], "with_vault_key": not options["without_vault_key"]}
        with opening.complaining():
            backup, keys = desk.shelf.find(options["backup"]), opening.identities(options["identity"])
            done = restore(desk, backup, keys, **how)
        self.stdout.write(f"Restored {backup.name}, taken {done.proof.taken_at}: {done.proof}")
        for name in done.aside:
            self.stdout.write(f"What was there before is kept as {name}")
        self.stdout.write("Accounts at a venue enter nothing until they are set to active again.")

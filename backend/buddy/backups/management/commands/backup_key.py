"""manage.py backup_key: the pair of keys that backups are made with. Prints what age-keygen prints."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from buddy.backups.sealing import KeyPair

NOTICE = """
This identity opens every backup. It was written nowhere but here, and is not shown again:
  1. keep the three lines above in a file AWAY from this machine, in two places;
  2. put this line into .env, and restart:   BACKUP_RECIPIENT={recipient}
VAULT_KEY is in no backup: keep a copy of it too, but not in the same place.
"""


class Command(BaseCommand):
    help = "Prints a new identity (to keep away from this machine) and its recipient (for BACKUP_RECIPIENT)."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        made = KeyPair.fresh()
        self.stdout.write(f"# created: {timezone.now().isoformat(timespec='seconds')}")
        self.stdout.write(f"# public key: {made.recipient}\n{made.identity}")
        self.stderr.write(NOTICE.format(recipient=made.recipient))

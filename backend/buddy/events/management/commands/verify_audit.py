"""manage.py verify_audit: are all events as they were written?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from buddy.events import chain


class Command(BaseCommand):
    help = "Reads the audit log again and holds it against its chain of digests."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        verdict = chain.verify()
        if verdict.broken:
            raise CommandError(f"{verdict}.\n  → Compare them with those in a backup from before (verify_backup).")
        self.stdout.write(f"{verdict}.")

"""manage.py rotate_vault: seal every exchange key and second factor under the newest VAULT_KEY."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from buddy.exchanges.resealing import reseal


class Command(BaseCommand):
    help = "Seals keys and second factors under the first key in VAULT_KEY. May be stopped and run again at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        done = reseal()
        self.stdout.write(f"{done.anew} sealed anew, {done.current} were already.")
        if done.closed:
            raise CommandError(
                f"{done.closed} could not be opened. Add the key they were sealed under to the end of VAULT_KEY, "
                "after a comma, and run this again."
            )

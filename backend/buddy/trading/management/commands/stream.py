"""`manage.py stream`: listen to the venues, and wake a worker for the account that is heard from."""

from __future__ import annotations

import asyncio
import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.core.cache import cache
from django.core.management.base import BaseCommand, CommandError

from buddy.checks import SETTINGS
from buddy.exchanges.stream import LATE_AFTER, PULSE, Stream

from ...touches import Touches


class Command(BaseCommand):
    help = "Listen to the venues of testnet and live accounts, and have them looked at when something happens there."
    requires_system_checks = [SETTINGS]
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say whether one runs, by the exit code")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            asyncio.run(_listen())
        elif time.time() - cache.get(PULSE, 0) > LATE_AFTER:
            raise CommandError("No stream is running.")


async def _listen() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Stream(Touches()).run(stop)

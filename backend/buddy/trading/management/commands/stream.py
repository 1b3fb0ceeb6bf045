"""`manage.py stream`: listen to the venues, and wake a worker for the account that is heard from."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand

from buddy.exchanges.stream import Stream

from ...touches import Touches


class Command(BaseCommand):
    help = "Listen to the venues of testnet and live accounts, and have them looked at when something happens there."
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(_listen())


async def _listen() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Stream(Touches()).run(stop)

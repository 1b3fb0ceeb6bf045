"""`manage.py watchdog`: see whether anybody looks after what is held, and speak up when nobody does."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from django.utils import timezone

from buddy.checks import SETTINGS
from buddy.events import pulses
from buddy.exchanges.market_data.fetching import Place

from ...models import Alarm
from ...moments import EPOCH
from ...second_sight import SecondSight
from ...watchdog import ASLEEP, PULSE, ROUND, Watchdog

WRONG, BLIND = 1, 2
"""Exit codes of `--once`: something is wrong, or it could not be made out."""


class Command(BaseCommand):
    help = "See whether every account with something to protect is looked after, and tell the trader when it is not."
    requires_system_checks = [SETTINGS]
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say whether one runs, by the exit code")
        parser.add_argument(
            "--once", action="store_true", help="one round: exit 0 when all is well, 1 when not, 2 when nobody can tell"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            _check()
        elif options["once"]:
            _once()
        else:
            _watch()


def _check() -> None:
    try:
        at = pulses.last([PULSE]).get(PULSE)
    except Error:
        raise CommandError("The database is away.", returncode=BLIND) from None
    if at is None or (timezone.now() - at).total_seconds() > ASLEEP:
        raise CommandError("No watchdog is running.")


def _once() -> None:
    watchdog = Watchdog(awake_since=EPOCH)  # whoever asks once asks about now
    if not watchdog.try_round():
        raise CommandError("The database is away.", returncode=BLIND)
    if told := Alarm.objects.filter(told__gt=0).count():
        raise CommandError(f"{told} of what is held is not looked after.", returncode=WRONG)


def _watch() -> None:
    """Until it is told to end. A round that cannot be made is tried again: whoever waits for it reads the log."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    Place.is_worker = True  # it may read a venue, when nobody else does
    watchdog = Watchdog(SecondSight().ask)
    while not stop.is_set():
        watchdog.try_round()
        stop.wait(ROUND)

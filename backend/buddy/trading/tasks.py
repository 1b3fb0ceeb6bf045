"""What beat starts. The work has a name elsewhere."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_init
from django.utils import timezone

from . import claims, rounds, ticker, unmanaged
from .canary_rows import Worker

ROUND = 2.0
"""Seconds between two rounds, after which one has to make room for the next."""


@worker_init.connect
def begin_to_prove(**_: Any) -> None:
    Worker.since = timezone.now()


@shared_task(name="buddy.trading.tasks.watch_all", queue="watch", expires=2, ignore_result=True)
def watch_all() -> None:
    rounds.watch_all(ROUND)


@shared_task(name="buddy.trading.tasks.look_account", queue="watch", expires=10, ignore_result=True)
def look_account(account_id: int) -> None:
    rounds.look_when_asked(account_id)


@shared_task(name="buddy.trading.tasks.tick", queue="watch", expires=1, ignore_result=True)
def tick() -> None:
    ticker.tick()


@shared_task(name="buddy.trading.tasks.forget_old_calls", queue="default", expires=3600, ignore_result=True)
def forget_old_calls() -> None:
    claims.forget_old()


@shared_task(name="buddy.trading.tasks.warn_of_refused_keys", queue="default", expires=60, ignore_result=True)
def warn_of_refused_keys() -> None:
    unmanaged.warn_all()

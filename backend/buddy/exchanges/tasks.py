"""Background work of the exchanges app."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_init

from . import asking, key_rounds, probing
from .aside import ask_aside
from .market_data import fetching


@worker_init.connect
def remember_that_this_is_a_worker(**_: Any) -> None:
    fetching.Place.is_worker = True


@shared_task
def fetch(market: str, what: str, *arguments: Any) -> None:
    ask_aside(fetching.fetch, market, what, *arguments)


@shared_task
def ask_account(account_id: int, what: str, *arguments: str) -> None:
    ask_aside(asking.answer, account_id, what, *arguments)


@shared_task
def probe_key(credentials_id: int) -> None:
    ask_aside(probing.probe, credentials_id)


@shared_task
def watch_keys() -> None:
    key_rounds.make_round(probe_key.delay)

"""Wake-ups: have a worker look at an account at once. A burst is one look, and one more for what came during it.

They are hints. One that is lost costs nothing but time: beat's round looks every two seconds anyway.
"""

from __future__ import annotations

import contextlib
import logging

import redis
from celery import current_app
from kombu.exceptions import OperationalError

from buddy.store import store

log = logging.getLogger(__name__)

LOOK = "buddy.trading.tasks.look_account"
KEPT = 10
"""Seconds after which a wake-up that no look has answered expires, and no longer stands for those after it."""


def wake(account_id: int) -> None:
    """Have a worker look, unless one that has not begun yet is on its way."""
    try:
        if not store().set(_name(account_id), 1, nx=True, ex=KEPT):
            return
        current_app.send_task(LOOK, args=[account_id], queue="watch", expires=KEPT, retry=False)
    except (OperationalError, redis.RedisError):
        log.warning("no worker could be woken for account %s; beat's round will look", account_id)
        begun(account_id)


def begun(account_id: int) -> None:
    """A look begins to read: what is told from now on wants another one."""
    with contextlib.suppress(redis.RedisError):
        store().delete(_name(account_id))


def _name(account_id: int) -> str:
    return f"wake:{account_id}"

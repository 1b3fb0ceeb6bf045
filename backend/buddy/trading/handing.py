"""A look by a worker, for a process that must not speak to venues."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from celery import current_app
from kombu.exceptions import OperationalError

from buddy.exchanges.market_data.fetching import Place
from buddy.exchanges.models import Account
from buddy.exchanges.wakes import LOOK

log = logging.getLogger(__name__)

WAIT = 3.0
"""Longest wait for the look, in seconds. What it has not done then, the next looks do."""
GLANCE = 0.03


def must_hand_over(account: Account) -> bool:
    """Whether looks at this account are for workers, and this is none."""
    return not (account.is_paper or Place.is_worker)


def look_elsewhere(account_id: int, before: datetime | None) -> bool:
    """Have a worker look and wait a moment; whether a look has ended that is later than the one of `before`."""
    try:
        current_app.send_task(LOOK, args=[account_id], queue="watch", expires=10, retry=False)
    except OperationalError:
        log.warning("no worker could be asked to look at account %s; beat's round will", account_id)
        return False
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        if Account.objects.filter(pk=account_id).exclude(looked_at=before).exists():
            return True
        time.sleep(GLANCE)
    return False

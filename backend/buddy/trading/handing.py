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
from buddy.prepared import Select

log = logging.getLogger(__name__)

_LOOKED_AT = Select(lambda account: Account.objects.filter(pk=account).values_list("looked_at"))

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
        if any(looked_at != before for (looked_at,) in _LOOKED_AT.rows(account=account_id)):
            return True
        time.sleep(GLANCE)
    return False

"""Which accounts to look at, several at a time; one account's trouble is never another's."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from buddy.exchanges import pace, wakes
from buddy.exchanges.models import Account
from buddy.prepared import Select

from . import canary_rows, pacing, unmanaged
from .lease import LeaseHeld, LeaseLost, leased, note_loss
from .models import Order, Trade
from .states import LIVE, WORKING
from .watcher import look, look_under

log = logging.getLogger(__name__)

GLANCE_EVERY = timedelta(seconds=30)
OTHERS_TAKE = 2.0
"""Longest wait for another look at the same account, in seconds."""

_TRADING = Select(lambda: Trade.objects.filter(status__in=WORKING).order_by().values_list("account_id").distinct())
_RESTING = Select(lambda: Order.objects.filter(status__in=LIVE).order_by().values_list("account_id").distinct())
_DOUBTFUL = Q(foreign_positions__confirmed=False) | Q(foreign_positions__gone_since__isnull=False)
_RESTED = Select(
    lambda before: (
        Account.objects.filter(archived_at=None, credentials__in_use=True)
        .exclude(mode=Account.Mode.PAPER)
        .filter(Q(looked_at=None) | Q(looked_at__lt=before) | _DOUBTFUL)
        .order_by()
        .values_list("pk")
        .distinct()
    )
)


def with_work() -> list[int]:
    """Accounts with a working trade or an order that may rest, or due for a glance; none where asking is in vain.

    Those at rest are left alone for a moment: their streams are heard, and nothing waits for a price (`pace`).
    """
    working = {account for (account,) in (*_TRADING.rows(), *_RESTING.rows())}
    proving = canary_rows.with_open()
    return sorted({*(working - pace.at_rest(working)), *proving, *_due_for_a_glance()} - unmanaged.in_vain())


def _due_for_a_glance() -> list[int]:
    """Accounts at venues may hold what nobody here knows of; what was seen once is looked at again soon."""
    return [account for (account,) in _RESTED.rows(before=timezone.now() - GLANCE_EVERY)]


def watch_all(seconds: float | None = None) -> int:
    """One look at every account with work; how many there were.

    Back after `seconds` although accounts at a venue that does not answer are still looked at: the next round must not
    wait for them.
    """
    accounts = with_work()
    if len(accounts) < 2:
        for account_id in accounts:
            look_quietly(account_id)
        return len(accounts)
    pacing.look_at_all(pacing.affordable(pacing.due(accounts)), look_quietly, seconds)
    return len(accounts)


def look_quietly(account_id: int) -> None:
    """A look whose failure is logged and stays this account's own. Skipped when another look is already running."""
    try:
        look(account_id)
    except LeaseHeld:
        return
    except LeaseLost:
        note_loss(account_id, "a look")
    except Exception:  # one account's defect must not leave the others without their stops
        log.exception("account %s could not be looked at", account_id)


def look_when_asked(account_id: int) -> None:
    """A look that waits for one that is running: whoever asks may know of something which that has not read."""
    try:
        with leased(account_id, OTHERS_TAKE) as lease:
            wakes.begun(account_id)
            look_under(lease, lease.account())
    except LeaseHeld:
        wakes.begun(account_id)
    except LeaseLost:
        wakes.begun(account_id)
        note_loss(account_id, "a look that was asked for")
    except Exception:  # one account's defect must not leave the others without their stops
        log.exception("account %s could not be looked at", account_id)

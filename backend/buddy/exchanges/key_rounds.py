"""The keys' daily round: which are to be probed now, and which never came into use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from . import key_notices
from .models import Account, Credentials

FRESH = timedelta(hours=24)
RETRY = timedelta(hours=1)
"""After a probe that told nothing."""
AT_ONCE = 10
"""Keys probed in one round; the others have their turn in the next."""
FORGOTTEN = timedelta(hours=1)
"""A key that did not come into use in this time was given up: its request ended before its probe did."""


def make_round(send: Callable[[int], object]) -> int:
    """`send` the number of every key that is due; how many there were. Also tells what ends without being asked."""
    forget_given_up()
    for row in Credentials.objects.filter(in_use=True, account__archived_at=None).select_related("account"):
        key_notices.tell_expiry(row)
    due = _due()
    for number in due:
        send(number)
    return len(due)


def _due() -> list[int]:
    now = timezone.now()
    stale = Q(probed_at=None) | Q(probed_at__lt=now - FRESH)
    rested = Q(tried_at=None) | Q(tried_at__lt=now - RETRY)
    rows = Credentials.objects.filter(stale, rested, in_use=True, account__archived_at=None)
    return list(rows.order_by("tried_at", "pk").values_list("pk", flat=True)[:AT_ONCE])


def forget_given_up() -> None:
    """Keys that never came into use, and the accounts that were to be made with them."""
    before = timezone.now() - FORGOTTEN
    Credentials.objects.filter(in_use=False, saved_at__lt=before).delete()
    Account.objects.filter(is_draft=True, created_at__lt=before).delete()

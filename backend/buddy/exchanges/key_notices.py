"""What follows from a probe of a key in use: the halt of a key that may withdraw, and the notices of its end."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from buddy.events.record import record

from .models import Account, Credentials
from .venues import VENUES
from .wall import wall

DAYS_AHEAD = (14, 7, 1)
NO_LONGER = 0
"""The notice after the last one: it has ended."""


def judge(row: Credentials, *, could_withdraw: bool = False) -> None:
    """Act on what the last probe of `row` said, and the one before. Safe to repeat: nothing is told twice."""
    if row.can_withdraw:
        halt_for(row, known=could_withdraw)
    tell_expiry(row)


def halt_for(row: Credentials, *, known: bool) -> None:
    """A key that may withdraw can lose more than trades can: nothing new is opened with it."""
    account = row.account
    with transaction.atomic():
        active = Account.objects.filter(pk=account.pk).exclude(state=Account.State.HALTED)
        halted = active.update(state=Account.State.HALTED)
        account.state = Account.State.HALTED
        if halted or not known:
            text = f"The key of {account.name} may withdraw money. The account is halted: nothing new is opened."
            cure = (
                f"Take that right away at {VENUES[account.venue].name}, or save another key; then resume the account."
            )
            tell(account, "key_can_withdraw", text, cure)


def tell_expiry(row: Credentials) -> None:
    """Once at each of 14, 7 and 1 days ahead, and once when it has ended."""
    due = _notice_due(row)
    if due is None:
        return
    before = Credentials.objects.filter(pk=row.pk, told_expiry=row.told_expiry)
    with transaction.atomic():
        if before.update(told_expiry=due):  # another worker may have been faster
            name = VENUES[row.account.venue].name
            tell(row.account, "key_expires", _expiry_sentence(row), f"Make a new key at {name} and save it here.")
    row.told_expiry = due


def _notice_due(row: Credentials) -> int | None:
    if row.expires_at is None:
        return None
    left = row.expires_at - timezone.now()
    steps = [NO_LONGER] if left <= timedelta(0) else [days for days in DAYS_AHEAD if left <= timedelta(days=days)]
    due = min(steps, default=None)
    return due if due is not None and (row.told_expiry is None or due < row.told_expiry) else None


def _expiry_sentence(row: Credentials) -> str:
    assert row.expires_at is not None
    moment, name = f"{row.expires_at:%Y-%m-%d %H:%M} UTC", row.account.name
    if row.expires_at <= timezone.now():
        return f"The key of {name} has ended ({moment}). Nothing can be looked after with it."
    return f"The key of {name} ends on {moment}. After that nothing can be looked after with it."


def tell(account: Account, kind: str, text: str, cure: str, **more: object) -> None:
    """A notice with its cure, in the account's timeline."""
    data = {"cure": cure, **more}
    record(owner_id=account.owner_id, account_id=account.pk, kind=kind, text=text, data=data, time_ms=wall())

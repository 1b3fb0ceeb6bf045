"""One writer per account: a lease on the account's row, fenced by an epoch that only grows.

A holder that was stalled past its time finds another epoch on the row and stops before it touches anything.
The same conditional UPDATE does it on SQLite and on Postgres; nothing in the store is needed.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseAway
from django.db import connection, transaction

from buddy.core.errors import Temporary
from buddy.exchanges.models import Account
from buddy.prepared import Select, Update

from . import living
from .lease_renewal import Renewal
from .moments import wall_ms

log = logging.getLogger(__name__)

LEASE_MS = 12_000
"""An account whose holder is silent is free again after this long; a living one renews what it holds
(`lease_renewal`). A holder that is proven dead is not waited for (`living`).

Longer than an order may be on its way to be sent (`SEND_WITHIN` of the adapter): whoever was frozen in between sends
nothing once another may have taken over.
"""
POLL_SECONDS = 0.02
RENEWAL = Renewal()
_LOSSES = count(1)

_STATE = Select(
    lambda account: Account.objects.filter(pk=account).values_list("lease_owner", "lease_epoch", "lease_until")
)
_ACCOUNT = Select(lambda account: Account.objects.filter(pk=account))
_FREE = Update(lambda account, epoch, until: Account.objects.filter(pk=account, lease_epoch=epoch, lease_until=until))
_HELD = Update(lambda account, owner, epoch: Account.objects.filter(pk=account, lease_owner=owner, lease_epoch=epoch))


_LEFT: set[str] = set()
"""Owners of this process that are done and could not write it down: the database was away just then."""


class LeaseHeld(Temporary):
    """Somebody else is looking at this account right now."""


class LeaseLost(Temporary):
    """Our lease ran out and another writer has begun: stop at once."""


def note_loss(account_id: int, what: str) -> None:
    """Say that another worker goes on with what was begun here: expected, and no failure. Counted by process."""
    log.info("%s on account %s: another worker took over (%s so far)", what, account_id, next(_LOSSES))


@dataclass(frozen=True, slots=True)
class Lease:
    """Held by `owner` under `epoch`. `leaving` are fields of the account to write with the release."""

    account_id: int
    owner: str
    epoch: int
    leaving: dict[str, Any] = field(default_factory=dict)

    def keep(self, **fields: Any) -> None:
        """Prove the lease is still ours and renew it. Call first inside the transaction that writes an intent.

        `fields` of the account are written with it.
        """
        if not self._write({"lease_until": wall_ms() + LEASE_MS, **fields}):
            raise LeaseLost("Another process took over this account.")

    @contextmanager
    def writing(self, **fields: Any) -> Iterator[None]:
        """A transaction that only the holder may begin; what a look writes it writes in here. Raises LeaseLost."""
        with transaction.atomic():
            self.keep(**fields)
            yield

    def renew(self) -> bool:
        """Hold it for longer; whether it was still ours."""
        return bool(self._write({"lease_until": wall_ms() + LEASE_MS}))

    def account(self) -> Account:
        """The account as it stands now."""
        found = _ACCOUNT.first(account=self.account_id)
        if found is None:
            raise Account.DoesNotExist
        return found

    def release(self) -> None:
        self._write({"lease_owner": "", "lease_until": 0, **self.leaving})

    def _write(self, fields: dict[str, Any]) -> int:
        return _HELD(fields, account=self.account_id, owner=self.owner, epoch=self.epoch)


@contextmanager
def leased(account_id: int, wait: float = 0.0) -> Iterator[Lease]:
    """Hold the account's lease; try for `wait` seconds, then raise LeaseHeld."""
    lease = _acquire(account_id, wait)
    if settings.LEASES_RENEWED:
        RENEWAL.hold(lease)
    try:
        yield lease
    finally:
        RENEWAL.let_go(lease)
        _let_go(lease)


def _let_go(lease: Lease) -> None:
    """What cannot be written down now is remembered, or nobody would look for as long as a lease lasts."""
    try:
        lease.release()
    except DatabaseAway:
        _LEFT.add(lease.owner)
        connection.close_if_unusable_or_obsolete()
        raise


def _acquire(account_id: int, wait: float) -> Lease:
    owner = f"{living.name()}-{uuid.uuid4().hex[:16]}"
    deadline = time.monotonic() + wait
    while (lease := _take(account_id, owner)) is None:
        if time.monotonic() >= deadline:
            raise LeaseHeld("The account is busy with another look.")
        time.sleep(POLL_SECONDS)
    return lease


def _take(account_id: int, owner: str) -> Lease | None:
    """Take a free lease: nobody else may have taken it since it was seen free, or its epoch is another.

    What a dead holder had on its way arrives within the time for which every order in doubt is waited for anyway.
    """
    now, seen = wall_ms(), _STATE.first(account=account_id)
    if seen is None:
        raise Account.DoesNotExist
    holder, epoch, until = seen
    if until > now and not _is_left(holder):
        return None
    fields = {"lease_owner": owner, "lease_epoch": epoch + 1, "lease_until": now + LEASE_MS}
    try:
        taken = _FREE(fields, account=account_id, epoch=epoch, until=until)
    except DatabaseAway:  # it may be taken all the same, and nobody would act under it
        _LEFT.add(owner)
        connection.close_if_unusable_or_obsolete()
        raise
    if not taken:
        return None
    _LEFT.discard(holder)
    return Lease(account_id, owner, epoch + 1)


def _is_left(owner: str) -> bool:
    """Whether nobody acts under this lease any more, though its time has not run out."""
    return owner in _LEFT or living.is_dead(owner.rpartition("-")[0])

"""One writer per account: a lease on the account's row, fenced by an epoch that only grows.

A holder that was stalled past its time finds another epoch on the row and stops before it touches anything.
The same conditional UPDATE does it on SQLite and on Postgres; nothing in the store is needed.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from buddy.core.errors import Temporary
from buddy.exchanges.models import Account

from .moments import wall_ms

LEASE_MS = 30_000
"""A dead holder's account is free again after this long."""
POLL_SECONDS = 0.02


class LeaseHeld(Temporary):
    """Somebody else is looking at this account right now."""


class LeaseLost(Temporary):
    """Our lease ran out and another writer has begun: stop at once."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Held by `owner` under `epoch`. `leaving` are fields of the account to write with the release."""

    account_id: int
    owner: str
    epoch: int
    leaving: dict[str, Any] = field(default_factory=dict)

    def keep(self) -> None:
        """Prove the lease is still ours and renew it. Call first inside the transaction that writes an intent."""
        if not self._mine().update(lease_until=wall_ms() + LEASE_MS):
            raise LeaseLost("Another process took over this account.")

    def release(self) -> None:
        self._mine().update(lease_owner="", lease_until=0, **self.leaving)

    def _mine(self) -> QuerySet[Account]:
        return Account.objects.filter(pk=self.account_id, lease_owner=self.owner, lease_epoch=self.epoch)


@contextmanager
def leased(account_id: int, wait: float = 0.0) -> Iterator[Lease]:
    """Hold the account's lease; try for `wait` seconds, then raise LeaseHeld."""
    lease = _acquire(account_id, wait)
    try:
        yield lease
    finally:
        lease.release()


def _acquire(account_id: int, wait: float) -> Lease:
    owner = f"{os.getpid()}-{uuid.uuid4().hex[:16]}"
    deadline = time.monotonic() + wait
    while (lease := _take(account_id, owner)) is None:
        if time.monotonic() >= deadline:
            raise LeaseHeld("The account is busy with another look.")
        time.sleep(POLL_SECONDS)
    return lease


def _take(account_id: int, owner: str) -> Lease | None:
    """Take a free lease: nobody else may have taken it since it was seen free, or its epoch is another."""
    row, now = Account.objects.filter(pk=account_id), wall_ms()
    epoch, until = row.values_list("lease_epoch", "lease_until").get()
    if until > now:
        return None
    seen = row.filter(lease_epoch=epoch, lease_until=until)
    taken = seen.update(lease_owner=owner, lease_epoch=epoch + 1, lease_until=now + LEASE_MS)
    return Lease(account_id, owner, epoch + 1) if taken else None

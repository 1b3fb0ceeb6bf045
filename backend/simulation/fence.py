"""Who holds an account, and whether whoever acts for it still does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from buddy.exchanges.models import Account
from buddy.prepared import Select
from buddy.trading import lease as leases
from buddy.trading.lease import Lease

_EPOCH = Select(lambda account: Account.objects.filter(pk=account).values_list("lease_epoch"))


class Holders:
    """`acting`: the leases in the hands of processes, that of the one at work last: the others stand still."""

    def __init__(self) -> None:
        self.acting: list[Lease] = []

    def lost(self) -> Lease | None:
        """The lease under which is being acted, when somebody else has taken the account since."""
        if not self.acting:
            return None
        lease = self.acting[-1]
        ((epoch,),) = _EPOCH.rows(account=lease.account_id)
        return lease if epoch > lease.epoch else None

    @contextmanager
    def of_another(self) -> Iterator[None]:
        """What happens inside is done by another process, which holds nothing yet."""
        mine, self.acting = self.acting, []
        try:
            yield
        finally:
            self.acting = mine

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Every lease that is taken and given back goes past it."""
        acquire, release = leases._acquire, Lease.release

        def acquired(account_id: int, wait: float) -> Lease:
            self.acting.append(acquire(account_id, wait))
            return self.acting[-1]

        def released(lease: Lease) -> Any:
            self.acting.remove(lease)
            return release(lease)

        with patch.object(leases, "_acquire", acquired), patch.object(Lease, "release", released):
            yield

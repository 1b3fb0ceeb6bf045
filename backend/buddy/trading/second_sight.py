"""What the venue itself says of an account that nobody looks at: read once for each notice, and told.

Only where no worker has tried: where one did and was not answered, the same question from the same machine would be
answered no better, and cost what a venue rations. It reads and tells; nothing is booked and no order is touched. The
exchange library is loaded at the first need, so that a watchdog weighs nothing while all is well.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import BoundedSemaphore

from django.db import connections
from django.utils import timezone

from buddy.core.errors import ExchangeError
from buddy.exchanges.connect import connect
from buddy.exchanges.models import Account
from buddy.exchanges.venues import VENUES

from .cover import at_venue
from .models import Trade
from .moments import wall_ms
from .states import WORKING
from .telling import tell_account, text

log = logging.getLogger(__name__)

THREADS = 2
MOST_WAITING = 20
TRIED_WITHIN = timedelta(seconds=60)


class SecondSight:
    """`ask` comes back at once; what the venue says is told by a thread."""

    def __init__(self) -> None:
        self._room = BoundedSemaphore(THREADS + MOST_WAITING)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="second-sight")

    def ask(self, account: Account) -> None:
        if may_be_asked(account) and self._room.acquire(blocking=False):
            self._pool.submit(self._tell, account)

    def _tell(self, account: Account) -> None:
        try:
            tell(account)
        except Exception:
            log.exception("account %s could not be looked at by the watchdog", account.pk)
        finally:
            self._room.release()
            connections.close_all()


def may_be_asked(account: Account) -> bool:
    """Whether no worker tried lately: a dead or frozen one, not one whose venue is away."""
    tried = account.looked_at is not None and timezone.now() - account.looked_at < TRIED_WITHIN
    return not account.is_paper and not tried


def tell(account: Account) -> None:
    """Ask its venue now, and tell the trader."""
    name = VENUES[account.venue].name
    try:
        sentence = f"{name} itself says now: {'; '.join(_said(account)) or 'nothing is held'}."
    except ExchangeError:
        sentence = f"{name} could not be asked either what {account.name} holds."
    tell_account(account, "venue_says", sentence, wall_ms())


def _said(account: Account) -> list[str]:
    symbols = {*Trade.objects.filter(account=account, status__in=WORKING).values_list("symbol", flat=True)}
    reading = connect(account).read(sorted(symbols), "")
    found = at_venue([each for each in reading.positions if each.symbol in symbols], reading.orders)
    return [
        f"{position.side} {text(position.quantity)} {position.symbol}, "
        + ("stops rest for all of it" if stopped >= position.quantity else _short_of(stopped))
        for position, stopped in found
    ]


def _short_of(stopped: object) -> str:
    return f"stops rest for {stopped:f} of it" if stopped else "NO STOP RESTS"

"""Working trades of symbols that their venue tells nothing of any more: nobody looks after them, and that is told once.

Nothing is concluded about what is held: the trade stays as it was last read, and goes on when the symbol is back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from buddy.core.exchange import Reading
from buddy.events.models import Event
from buddy.exchanges.venues import VENUES

from .lease import Lease
from .models import Trade
from .telling import hint, tell
from .unmanaged import exposed

TOLD_AFTER = timedelta(seconds=10)
"""A venue may be mistaken for a moment."""
LOST, BACK = "unwatched", "watched_again"


def note(lease: Lease, working: Iterable[Trade], reading: Reading) -> None:
    """After a reading: which of the working trades it told nothing of."""
    for trade in working:
        if trade.symbol not in reading.quotes:
            _miss(lease, trade, reading.time)
        elif trade.unwatched_since is not None:
            _welcome(lease, trade, reading.time)


def _miss(lease: Lease, trade: Trade, now: int) -> None:
    if trade.unwatched_since is None:
        trade.unwatched_since = timezone.now()
        with lease.writing():
            trade.save(update_fields=["unwatched_since"])
            hint(trade)
    elif timezone.now() - trade.unwatched_since >= TOLD_AFTER and not _was_told(trade):
        with lease.writing():
            tell(trade, LOST, _sentence(trade), now, cure=f"Look at {_venue(trade)} itself now.")


def _welcome(lease: Lease, trade: Trade, now: int) -> None:
    told = _was_told(trade)
    trade.unwatched_since = None
    with lease.writing():
        trade.save(update_fields=["unwatched_since"])
        if told:
            tell(trade, BACK, f"{_venue(trade)} tells of {trade.symbol} again: this trade is watched.", now)
        hint(trade)


def _was_told(trade: Trade) -> bool:
    return Event.objects.filter(trade_id=trade.pk, kind=LOST, created_at__gte=trade.unwatched_since).exists()


def _sentence(trade: Trade) -> str:
    held = exposed(trade)
    last = f" When last read: {held.sentence}." if held is not None else ""
    return f"{_venue(trade)} tells nothing of {trade.symbol} any more: NOBODY WATCHES this trade.{last}"


def _venue(trade: Trade) -> str:
    venue = VENUES.get(trade.account.venue)
    return venue.name if venue else "The exchange"

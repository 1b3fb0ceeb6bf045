"""At most one effect per Idempotency-Key, whatever is repeated, raced or killed.

The claim is taken before the work and bound to its trade *inside* the transaction that makes the effect, so a repeat
after a crash knows whether anything happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from buddy.core.errors import Temporary

from .models import IdempotentCall, Trade

ABANDONED_AFTER = timedelta(seconds=20)
"""A call without an answer for this long died with its process; a repeat may take it over."""
KEPT_FOR = timedelta(hours=48)


class ClaimLost(Temporary):
    """Another request took this key over while we were stalled."""


class KeyReused(Exception):
    """The same key came with another request."""


class InFlight(Exception):
    """The first request with this key is still being worked on."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make the effect of one key, once."""

    call_id: int
    since: datetime

    def bind(self, trade: Trade) -> None:
        """Inside the transaction of the effect: this key has now had it. Raises ClaimLost when taken over."""
        if not self._mine().filter(answer__isnull=True).update(answer={"trade": trade.pk}):
            raise ClaimLost("This request was taken over by its repeat.")

    def answered(self, status: int, answer: Any) -> None:
        """Keep the answer for every repeat."""
        self._mine().update(status=status, answer=answer)

    def drop(self) -> None:
        """Nothing happened: the key may be tried again."""
        self._mine().filter(answer__isnull=True).delete()

    def _mine(self) -> QuerySet[IdempotentCall]:
        return IdempotentCall.objects.filter(pk=self.call_id, created_at=self.since, status=None)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the first request with this key was told."""

    status: int
    answer: Any


@dataclass(frozen=True, slots=True)
class Bound:
    """The first request had its effect on `trade_id` and died before it could answer."""

    claim: Claim
    trade_id: int


def claim(owner_id: int, key: str, fingerprint: str) -> Claim | Answered | Bound:
    """Take the key, or say what became of it. Raises KeyReused or InFlight."""
    call, created = IdempotentCall.objects.get_or_create(
        owner_id=owner_id, key=key, defaults={"fingerprint": fingerprint}
    )
    if created:
        return Claim(call.pk, call.created_at)
    if call.fingerprint != fingerprint:
        raise KeyReused
    if call.status is not None:
        return Answered(call.status, call.answer)
    return _take_over(call)


def _take_over(call: IdempotentCall) -> Claim | Bound:
    now = timezone.now()
    if now - call.created_at < ABANDONED_AFTER:
        raise InFlight
    if not IdempotentCall.objects.filter(pk=call.pk, created_at=call.created_at).update(created_at=now):
        raise InFlight
    taken = Claim(call.pk, now)
    return taken if call.answer is None else Bound(taken, call.answer["trade"])


def forget_old() -> int:
    """Delete calls too old to be repeated."""
    deleted, _ = IdempotentCall.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    return deleted

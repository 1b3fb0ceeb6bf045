"""Whether the audit log is as it was written: a chain of digests over all events, and the search for a broken link.

Links are made once events have settled, off the path of orders. Whoever changes, adds or removes an event that is
linked breaks its link; whoever mends that link breaks the next.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, timedelta
from hashlib import sha256

from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from .models import Event, Link

SETTLED = timedelta(minutes=2)
"""Numbers are given before transactions commit: a younger event may still be joined by one with a smaller number."""
MOST = 5_000
"""Events of one link."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Somewhere between two numbers, both inclusive, events are not as they were when they were linked."""

    first_id: int
    last_id: int
    linked: int
    found: int

    def __str__(self) -> str:
        how = "not as they were" if self.linked == self.found else f"{self.found} instead of {self.linked}"
        return f"events {self.first_id} to {self.last_id} are {how}"


@dataclass(frozen=True, slots=True)
class Verdict:
    links: int
    events: int
    """In them."""
    broken: tuple[Broken, ...]

    def __str__(self) -> str:
        if self.broken:
            return f"audit log broken: {'; '.join(map(str, self.broken))}"
        return f"audit log intact: {self.events} events in {self.links} links"


def extend() -> int:
    """Link all events that have settled; comes back with how many. Of two at a time, one makes each link."""
    linked = 0
    while number := _add_link():
        linked += number
    return linked


def verify(using: str = DEFAULT_DB_ALIAS) -> Verdict:
    """Read every linked event again."""
    through, digest, events, broken = 0, "", 0, []
    links = list(Link.objects.using(using).order_by("through_id"))
    for link in links:
        found = Event.objects.using(using).filter(id__gt=through, id__lte=link.through_id)
        number, again = _digest(digest, found.order_by("id").iterator())
        if (number, again) != (link.events, link.digest):
            broken.append(Broken(through + 1, link.through_id, link.events, number))
        through, digest, events = link.through_id, link.digest, events + link.events
    return Verdict(len(links), events, tuple(broken))


def _add_link() -> int:
    last = Link.objects.order_by("-through_id").first()
    through, digest = (last.through_id, last.digest) if last else (0, "")
    events = list(_settled(through))
    if not events:
        return 0
    number, made = _digest(digest, events)
    made_now = {"through_id": events[-1].pk, "events": number, "digest": made}
    _, is_new = Link.objects.get_or_create(after_id=through, defaults=made_now)
    return number if is_new else 0


def _settled(through: int) -> Iterable[Event]:
    """In the order of their numbers, up to the first that is too young."""
    newer = Event.objects.filter(id__gt=through).order_by("id")
    young = newer.filter(created_at__gte=timezone.now() - SETTLED).values_list("id", flat=True).first()
    return (newer if young is None else newer.filter(id__lt=young))[:MOST]


def _digest(before: str, events: Iterable[Event]) -> tuple[int, str]:
    running, number = sha256(before.encode()), 0
    for written in _written(events):
        number += 1
        running.update(sha256(written).digest())
    return number, running.hexdigest()


def _written(events: Iterable[Event]) -> Iterator[bytes]:
    for event in events:
        times = [moment.astimezone(UTC).isoformat() for moment in (event.time, event.created_at)]
        words = [event.pk, event.owner_id, event.account_id, event.trade_id, event.kind, event.text, event.data]
        yield json.dumps([*words, *times], sort_keys=True, separators=(",", ":")).encode()

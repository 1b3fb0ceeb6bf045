"""The live feed's questions to the database, each a short call that gives its connection back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from importlib import import_module
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from buddy.events.models import Event
from buddy.events.record import as_json, instant

MOST_MISSED = 500
OVERLAP = timedelta(seconds=60)
"""Longer than any transaction that writes an event stays open."""
REACH = 5_000
"""Most numbers that are looked back over for it."""

P = ParamSpec("P")
R = TypeVar("R")


class Seen(NamedTuple):
    """`recent`: the numbers of the events just before a page that comes for the first time, the last of all first."""

    owner_id: int
    accounts: frozenset[int]
    recent: tuple[int, ...]


def _giving_back(call: Callable[P, R]) -> Callable[P, R]:
    @wraps(call)
    def short(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        finally:
            connections.close_all()

    return short


@_giving_back
def look_up(session_key: str, account: int | None, after: int | None) -> Seen | None:
    """Whose session it is, and which of the accounts asked for are theirs; None for nobody's."""
    if not session_key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated or not user.is_active:
        return None
    accounts = apps.get_model("exchanges", "Account")._default_manager.filter(owner=user, archived_at=None)
    if account is not None:
        accounts = accounts.filter(pk=account)
    recent = () if after is not None else _recent(user.pk)
    return Seen(user.pk, frozenset(accounts.values_list("pk", flat=True)), recent)


def _recent(owner_id: int) -> tuple[int, ...]:
    last = Event.objects.filter(owner_id=owner_id).order_by("-id").first()
    if last is None:
        return ()
    before = Event.objects.filter(_shortly_before(last), owner_id=owner_id).order_by("-id")
    return (last.pk, *before.values_list("id", flat=True)[:MOST_MISSED])


def _shortly_before(event: Event) -> Q:
    return Q(id__lt=event.pk, id__gt=event.pk - REACH, created_at__gte=event.created_at - OVERLAP)


@_giving_back
def events_after(owner_id: int, event_id: int) -> list[dict[str, Any]]:
    """Events that may have been missed by who heard `event_id`, oldest first; the latest MOST_MISSED of them.

    A number is given before its transaction commits, so a lower one may appear after a higher: what was written
    shortly before `event_id` is told again, and the page passes over the numbers it has heard.
    """
    mine = Event.objects.filter(owner_id=owner_id)
    wanted, last = Q(id__gt=event_id), mine.filter(pk=event_id).first()
    if last is not None:
        wanted |= _shortly_before(last)
    return [as_json(event) for event in reversed(mine.filter(wanted).order_by("-id")[:MOST_MISSED])]


def now() -> str:
    return instant(timezone.now())

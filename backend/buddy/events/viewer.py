"""The live feed's questions to the database, each a short call that gives its connection back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.http import HttpRequest
from django.utils import timezone

from buddy.events.models import Event
from buddy.events.record import as_json, instant

MOST_MISSED = 500

P = ParamSpec("P")
R = TypeVar("R")


class Seen(NamedTuple):
    owner_id: int
    accounts: frozenset[int]
    last_event: int


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
    last = Event.objects.filter(owner_id=user.pk).order_by("-id").values_list("id", flat=True).first()
    return Seen(user.pk, frozenset(accounts.values_list("pk", flat=True)), last or 0)


@_giving_back
def events_after(owner_id: int, event_id: int) -> list[dict[str, Any]]:
    """Events missed since `event_id`, oldest first; the latest MOST_MISSED of them."""
    missed = Event.objects.filter(owner_id=owner_id, id__gt=event_id).order_by("-id")[:MOST_MISSED]
    return [as_json(event) for event in reversed(missed)]


def now() -> str:
    return instant(timezone.now())

"""Writing down what happened: in the transaction of the change it tells of, published once that is committed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from buddy.events import live
from buddy.events.models import Event
from buddy.prepared import insert


def record(
    *,
    owner_id: int,
    kind: str,
    text: str,
    data: dict[str, Any] | None = None,
    account_id: int | None = None,
    trade_id: int | None = None,
    time_ms: int | None = None,
) -> Event:
    """Append an Event; `time_ms` is when it happened by the account's clock (default: now by the wall's)."""
    event = insert(
        Event(
            owner_id=owner_id,
            kind=kind,
            text=text[:500],
            data=data or {},
            account_id=account_id,
            trade_id=trade_id,
            time=timezone.now() if time_ms is None else datetime.fromtimestamp(time_ms / 1000, UTC),
        )
    )
    transaction.on_commit(partial(live.publish, owner_id, "event", as_json(event), event_id=event.pk), robust=True)
    return event


def as_json(event: Event) -> dict[str, Any]:
    """The event as the API and the live feed tell it."""
    return {
        "id": event.pk,
        "kind": event.kind,
        "text": event.text,
        "data": event.data,
        "trade": event.trade_id,
        "account": event.account_id,
        "time": instant(event.time),
        "created_at": instant(event.created_at),
    }


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

"""The rows of canary orders: when one is due, what it is asked for with, and which order of a venue it is."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from buddy.core.exchange import OrderIntent, OrderKind, OrderRef, OrderState, OrderStatus, Profile
from buddy.core.market import OrderSide
from buddy.exchanges.key_standing import key_denials
from buddy.exchanges.models import Account, Credentials
from buddy.prepared import Select

from .client_ids import new_client_id
from .models import Canary, ForeignPosition, Order, Trade
from .states import LIVE, WORKING

__all__ = ["Canary"]

DAILY = timedelta(hours=24)
AGAIN = timedelta(hours=1)
"""After one that failed."""
AT_MOST_EVERY = timedelta(minutes=15)
"""However often a worker is started."""
ASKED_EVERY = 60.0
"""Seconds between two times that a process asks whether one is due for an account."""
_ASKED: dict[int, float] = {}

_WITH_OPEN = Select(lambda: Canary.objects.filter(over_at=None).values_list("account_id"))


class Worker:
    """When this process began to look after accounts; None where it is none that does so by itself."""

    since: datetime | None = None


def is_due(account: Account) -> bool:
    """At a worker's start, daily, after another key was saved, and an hour after one that failed."""
    now = time.monotonic()
    if Worker.since is None or now - _ASKED.get(account.pk, -ASKED_EVERY) < ASKED_EVERY:
        return False
    _ASKED[account.pk] = now
    return may_trade(account) and _is_time(account, Worker.since)


def may_trade(account: Account) -> bool:
    """Whether entries are possible at all: a halted account, or one whose key may not trade, proves nothing."""
    active = account.state == Account.State.ACTIVE and account.archived_at is None
    return settings.CANARY_ORDERS and active and not account.is_paper and not list(key_denials(account))


def _is_time(account: Account, started: datetime) -> bool:
    last = latest(account)
    if last is None:
        return True
    now, since = timezone.now(), last.created_at
    if now - since < AT_MOST_EVERY:
        return False
    pause = AGAIN if last.outcome == Canary.Outcome.FAILED else DAILY
    another_key = Credentials.objects.filter(account=account, in_use=True, saved_at__gt=since).exists()
    return since < started or now - since >= pause or another_key


def latest(account: Account) -> Canary | None:
    return Canary.objects.filter(account=account, closes=None).order_by("-id").first()


def with_open() -> set[int]:
    """Accounts that have one of which something may rest."""
    return {account for (account,) in _WITH_OPEN.rows()}


def taken(account: Account) -> set[str]:
    """Symbols that something of ours, or of nobody's, is on."""
    trades = Trade.objects.filter(account=account, status__in=WORKING).values_list("symbol", flat=True)
    orders = Order.objects.filter(account=account, status__in=LIVE).values_list("symbol", flat=True)
    foreign = ForeignPosition.objects.filter(account=account).values_list("symbol", flat=True)
    return {*trades, *orders, *foreign}


def begin(account: Account, symbol: str, attempt: int = 0) -> Canary:
    return Canary.objects.create(
        account=account,
        client_id=new_client_id(),
        symbol=symbol,
        order_side=OrderSide.BUY,
        kind=OrderKind.STOP_MARKET,
        attempt=attempt,
    )


def begin_close(row: Canary, quantity: Decimal) -> Canary:
    """The order that sells what `row` has bought."""
    return Canary.objects.create(
        account=row.account,
        client_id=new_client_id(),
        symbol=row.symbol,
        order_side=OrderSide.SELL,
        kind=OrderKind.MARKET,
        quantity=quantity,
        closes=row,
    )


def save(row: Canary, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))


def forget(row: Canary) -> None:
    """One that was never taken."""
    row.delete()


def close(row: Canary, why: str) -> None:
    outcome = Canary.Outcome.FAILED if why else Canary.Outcome.PROVED
    save(row, why=why[:300], outcome=outcome, over_at=timezone.now())


def intent(row: Canary) -> OrderIntent:
    closes = row.closes_id is not None
    return OrderIntent(
        client_id=row.client_id,
        symbol=row.symbol,
        order_side=OrderSide(row.order_side),
        kind=OrderKind(row.kind),
        quantity=row.quantity,
        trigger=row.trigger,
        reduce_only=closes and not row.account.is_spot,
    )


def ref(row: Canary) -> OrderRef:
    """Its names; once it has triggered, those of what it became."""
    if row.child_id:
        return OrderRef(row.symbol, "", row.child_id)
    return OrderRef(row.symbol, row.client_id, row.exchange_id, is_conditional=row.trigger is not None)


def listed(row: Canary, orders: Iterable[OrderState], profile: Profile) -> OrderState | None:
    """It among what rests: by its name, by its number, or where names are not kept by its figures."""
    here = [state for state in orders if state.symbol == row.symbol and not state.status.is_final]
    ids = {each for each in (row.exchange_id, row.child_id) if each}
    named = [state for state in here if state.client_id == row.client_id or state.exchange_id in ids]
    if named or profile.names_stops or ids:
        return named[0] if named else None
    figures = (row.order_side, row.quantity, row.trigger)
    alike = [s for s in here if not s.client_id and (s.order_side, s.quantity, s.trigger) == figures]
    return alike[0] if alike else None


def told(account: Account) -> dict[str, Any] | None:
    """For the screens; None on paper, where nothing has to be proven."""
    if account.is_paper:
        return None
    last = latest(account)
    if last is None:
        return {"outcome": "never", "at": None, "why": "", "placed": False, "seen": False, "cancelled": False}
    return {
        "outcome": last.outcome,
        "at": last.over_at or last.created_at,
        "why": last.why,
        "placed": last.exchange_id != "" or last.found_at is not None or last.listed_at is not None,
        "seen": last.found_at is not None and last.listed_at is not None,
        "cancelled": last.cancel_at is not None and last.over_at is not None and last.status == OrderStatus.CANCELLED,
    }

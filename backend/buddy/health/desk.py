"""The accounts that have something to protect: when each was last read and heard from, and what is wrong with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from buddy.exchanges import pace
from buddy.exchanges.models import Account
from buddy.trading.models import Alarm, Trade
from buddy.trading.states import WORKING
from buddy.trading.watchdog import UNSEEN_FOR

from .lights import Light, age_of, by_age, seconds, worst

LATE_AFTER = timedelta(seconds=20)
"""Accounts in calm are read every ten seconds."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An account with working trades. `heard_at`: when its venue last told of something unasked."""

    account: Account
    trades: int
    heard_at: datetime | None
    uncovered: Sequence[int]
    """Trades of which the watchdog has told that more is held than stops rest for."""

    @property
    def age(self) -> timedelta | None:
        return age_of(self.account.good_look_at)

    @property
    def light(self) -> Light:
        return "red" if self.uncovered else by_age(self.age, LATE_AFTER, UNSEEN_FOR, never="red")


def standings(owner_id: int | None = None) -> list[Standing]:
    """Of one owner, or of all. Raises django.db.Error."""
    working = Trade.objects.filter(status__in=WORKING)
    working = working if owner_id is None else working.filter(owner_id=owner_id)
    counts: dict[int, int] = defaultdict(int)
    for account_id in working.values_list("account_id", flat=True):
        counts[account_id] += 1
    uncovered: dict[int, list[int]] = defaultdict(list)
    told = Alarm.objects.filter(account__in=list(counts), kind=Alarm.Kind.UNCOVERED, told__gt=0)
    for account_id, trade_id in told.values_list("account_id", "trade_id"):
        uncovered[account_id].append(trade_id or 0)
    heard = pace.last_heard(counts)
    return [
        Standing(account, counts[account.pk], heard.get(account.pk), uncovered[account.pk])
        for account in Account.objects.filter(pk__in=list(counts))
    ]


def summary(found: Sequence[Standing]) -> dict[str, Any]:
    """Counts, and the worst ages in seconds."""
    ages = [age for each in found if (age := each.age) is not None]
    heard = [age for each in found if (age := age_of(each.heard_at)) is not None]
    return {
        "light": worst(each.light for each in found),
        "watched": len(found),
        "late": sum(each.light != "green" for each in found),
        "uncovered": sum(len(each.uncovered) for each in found),
        "oldest_look_seconds": seconds(max(ages, default=None)),
        "last_event_seconds": seconds(min(heard, default=None)),
    }


def story(each: Standing) -> dict[str, Any]:
    """For its owner."""
    return {
        "id": each.account.pk,
        "name": each.account.name,
        "light": each.light,
        "trades": each.trades,
        "good_look_at": each.account.good_look_at,
        "trouble": each.account.trouble,
        "heard_at": each.heard_at,
        "uncovered": list(each.uncovered),
    }

"""What the watchdog found wrong: told when it lasts, repeated while it does, and taken back when it is over.

One row per thing that is wrong, so that a watchdog that was started anew neither repeats itself nor forgets.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from buddy.events.record import record
from buddy.exchanges.models import Account

from .models import Alarm, Trade
from .moments import wall_ms
from .telling import hint_account

log = logging.getLogger(__name__)

PAUSES = (timedelta(0), timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=15), timedelta(minutes=30))
"""Before each notice, from the one before it on."""
LAST_PAUSE = timedelta(hours=1)
AT_ONCE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Word:
    """A notice: its kind, a sentence, and what belongs to it."""

    kind: str
    sentence: str
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is wrong now. `word` is only made when it is told."""

    account: Account
    trade: Trade | None
    word: Callable[[], Word]

    @property
    def key(self) -> tuple[int, int | None]:
        return self.account.pk, self.trade.pk if self.trade else None


def keep(
    kind: Alarm.Kind, found: Iterable[Wrong], over: Callable[[Alarm], Word], patience: timedelta = AT_ONCE
) -> list[Wrong]:
    """Bring the alarms of a kind up to what was found now; those that were told of just now.

    `over`: what to say of one that has ended. `patience`: how long it must have lasted before it is told.
    """
    wrong = {each.key: each for each in found}
    rows = {(row.account_id, row.trade_id): row for row in _rows(kind)}
    for key in rows.keys() - wrong.keys():
        _end(rows[key], over)
    begun = {key: rows.get(key) or _begin(kind, each) for key, each in wrong.items()}
    lasting = [(row, wrong[key]) for key, row in begun.items() if row and timezone.now() - row.since >= patience]
    return [each for row, each in lasting if _tell_when_due(row, each)]


def _rows(kind: Alarm.Kind) -> Any:
    return Alarm.objects.filter(kind=kind).select_related("account", "trade")


def _begin(kind: Alarm.Kind, wrong: Wrong) -> Alarm | None:
    try:
        with transaction.atomic():
            return Alarm.objects.create(kind=kind, account=wrong.account, trade=wrong.trade)
    except IntegrityError:  # another watchdog was faster, or the trade is gone: the next round sees
        return None


def _tell_when_due(row: Alarm, wrong: Wrong) -> bool:
    pause = PAUSES[row.told] if row.told < len(PAUSES) else LAST_PAUSE
    if row.told_at is not None and timezone.now() - row.told_at < pause:
        return False
    word = wrong.word()
    untold = Alarm.objects.filter(pk=row.pk, told=row.told)
    with transaction.atomic():
        won = untold.update(told=row.told + 1, told_at=timezone.now()) > 0  # one watchdog
        if won:
            _tell(row, word)
    return won


def _end(row: Alarm, over: Callable[[Alarm], Word]) -> None:
    with transaction.atomic():
        if Alarm.objects.filter(pk=row.pk).delete()[0] and row.told:
            _tell(row, over(row))


def _tell(row: Alarm, word: Word) -> None:
    log.critical("account %s: %s", row.account_id, word.kind)
    account = row.account
    record(
        owner_id=account.owner_id,
        kind=word.kind,
        text=word.sentence,
        data=dict(word.more),
        account_id=account.pk,
        trade_id=row.trade_id,
        time_ms=wall_ms(),
    )
    hint_account(account)

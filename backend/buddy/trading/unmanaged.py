"""A venue that does not accept our key any more: nothing is looked after, so nothing can be louder.

Nothing is concluded about what is held: the trades stay as they were last read, and entries are denied.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from buddy.core.errors import KeyRefused
from buddy.core.exchange import Role
from buddy.core.market import ZERO
from buddy.exchanges.models import Account, Credentials
from buddy.exchanges.probing import accepted
from buddy.exchanges.venues import VENUES
from buddy.prepared import Select

from . import booking
from .models import Order, Trade
from .moments import wall_ms
from .states import RESTING, WORKING
from .telling import tell_account, text

PAUSES = (timedelta(0), timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=15), timedelta(minutes=30))
"""Before each notice, from the one before it on; then every hour, for as long as something is held."""
LAST_PAUSE = timedelta(hours=1)
ASKED_AGAIN = timedelta(seconds=15)
"""Venues ban whoever knocks with a refused key every two seconds."""

_REFUSED = Select(
    lambda account: Credentials.objects.filter(account_id=account, in_use=True, refused_at__isnull=False).values_list(
        "pk"
    )
)
_IN_VAIN = Select(
    lambda account: Credentials.objects.filter(account_id=account, in_use=True, refused_at__isnull=False).order_by(
        "pk"
    )[:1]
)
_TRADES = Select(lambda account: Trade.objects.filter(account_id=account, status__in=WORKING).order_by("pk"))
_STOP = Select(
    lambda trade: Order.objects.filter(trade_id=trade, role=Role.STOP, status__in=RESTING).order_by("-pk")[:1]
)
_REFUSED_SINCE = Select(
    lambda moment: Credentials.objects.filter(
        in_use=True, account__looked_at__gt=moment, refused_at__isnull=False
    ).values_list("account_id")
)


@dataclass(frozen=True, slots=True)
class Exposed:
    """What an account held when it was last read, and the stop that rested then."""

    trade: Trade
    quantity: Decimal
    stop: Order | None

    @property
    def sentence(self) -> str:
        held = f"{self.trade.side} {text(self.quantity)} {self.trade.symbol}"
        if self.stop is None:
            return f"{held}, with no stop resting"
        return f"{held}, stop resting at {text(self.stop.trigger)}"

    @property
    def figures(self) -> dict[str, Any]:
        stop = text(self.stop.trigger) if self.stop else None
        trade = self.trade
        return {
            "trade": trade.pk,
            "symbol": trade.symbol,
            "side": trade.side,
            "held": text(self.quantity),
            "stop": stop,
        }


def note(account: Account, trouble: Exception | None) -> None:
    """After a look: whether the venue refused the key, or accepts it (again). Other troubles say neither."""
    if account.is_paper:
        return
    if isinstance(trouble, KeyRefused):
        _in_use(account).filter(refused_at=None).update(refused_at=timezone.now())
        warn(account)
    elif trouble is None and _REFUSED.rows(account=account.pk):
        _in_use(account).exclude(refused_at=None).update(**accepted())


def _in_use(account: Account) -> QuerySet[Credentials]:
    return Credentials.objects.filter(account=account, in_use=True)


def in_vain() -> set[int]:
    """Accounts whose key was refused just now: the round leaves them alone for a moment."""
    return {account for (account,) in _REFUSED_SINCE.rows(moment=timezone.now() - ASKED_AGAIN)}


def warn_all() -> None:
    """Beat's round: repeat what is due."""
    refused = Credentials.objects.filter(in_use=True, account__archived_at=None).exclude(refused_at=None)
    for row in refused.select_related("account"):
        warn(row.account)


def warn(account: Account) -> None:
    """Tell of a refused key when a notice is due; one worker wins, and the notice is written with its count."""
    row = _IN_VAIN.first(account=account.pk)
    if row is None:
        return
    found = exposed_by(account)
    if not _is_due(row, found):
        return
    counted = Credentials.objects.filter(pk=row.pk, told_refused=row.told_refused)
    with transaction.atomic():
        if counted.update(told_refused=row.told_refused + 1, told_refused_at=timezone.now()):
            _tell(account, found)


def _is_due(row: Credentials, found: list[Exposed]) -> bool:
    if row.told_refused_at is None:
        return True
    pause = PAUSES[row.told_refused] if row.told_refused < len(PAUSES) else LAST_PAUSE
    return bool(found) and timezone.now() - row.told_refused_at >= pause


def exposed_by(account: Account) -> list[Exposed]:
    """What the account's working trades held by the executions that were read."""
    trades = _TRADES.rows(account=account.pk)
    return [one for trade in trades if (one := exposed(trade)) is not None]


def exposed(trade: Trade) -> Exposed | None:
    """None where nothing was held."""
    one = Exposed(trade, booking.held_by([trade])[trade.pk], _stop(trade))
    return one if one.quantity > ZERO else None


def _stop(trade: Trade) -> Order | None:
    return _STOP.first(trade=trade.pk)


def _tell(account: Account, found: list[Exposed]) -> None:
    name = VENUES[account.venue].name
    sentence = f"{name} does not accept the key of {account.name}: nothing is looked after."
    if found:
        sentence += f" {_when(account)}: {'; '.join(one.sentence for one in found)}."
    cure = f"Look at {name} itself now, and save a key that it accepts."
    figures = [one.figures for one in found]
    tell_account(account, "key_refused", sentence, wall_ms(), cure=cure, positions=figures)


def _when(account: Account) -> str:
    seen = account.good_look_at
    return "When last read" if seen is None else f"When last read ({seen:%Y-%m-%d %H:%M} UTC)"

"""Positions that are nobody's here: found by the look, shown, and never touched until the trader decides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from buddy.core.exchange import PositionState, Reading
from buddy.core.market import ZERO, Side
from buddy.exchanges.models import Account
from buddy.prepared import Select

from .lease import Lease
from .models import ForeignPosition, Trade
from .states import WORKING
from .telling import hint_account, tell_account, text

Key = tuple[str, Side]
"""Symbol and side."""
Figures = dict[str, object]
SECOND_SIGHT = timedelta(seconds=2)
"""How much later a position must be seen again where an execution of ours on its way could explain it."""
GONE_AFTER = timedelta(seconds=5)
"""One empty answer does not make the trader's decision forgotten."""
EXPLAINED_AFTER = timedelta(seconds=30)
"""Nor do positions that are told later than the executions of a trade beside it."""
JUST_NOW = timedelta(minutes=1)

_ROWS = Select(lambda account: ForeignPosition.objects.filter(account_id=account).order_by("id"))


@dataclass(frozen=True, slots=True)
class Claims:
    """What our trades account for. `possible`: contracts by symbol and side; `holders`: how many trades hold some.

    `sure`: without entries of which nobody knows whether they arrived. `uncertain`: symbols on which that could not be
    made out.
    """

    possible: Mapping[Key, Decimal]
    sure: Mapping[Key, Decimal]
    holders: Mapping[Key, int]
    uncertain: Collection[str]


def keep(lease: Lease, account: Account, reading: Reading, claims: Claims) -> dict[Key, Decimal]:
    """Bring the rows up to this reading; how much of each symbol and side is surely nobody's now."""
    rows = {(row.symbol, Side(row.side)): row for row in _ROWS.rows(account=account.pk)}
    for position in reading.positions:
        key = (position.symbol, position.side)
        if position.symbol not in claims.uncertain:
            _keep_one(lease, account, position, rows.get(key), reading.time, claims)
    there = {(position.symbol, position.side) for position in reading.positions}
    for key in rows.keys() - there:
        _maybe_gone(lease, account, rows[key], reading.time, GONE_AFTER)
    here = {key: row for key, row in rows.items() if row.pk is not None and key in there}
    return {key: row.quantity for key, row in here.items() if row.confirmed and row.gone_since is None}


def _keep_one(
    lease: Lease, account: Account, position: PositionState, row: ForeignPosition | None, now: int, claims: Claims
) -> None:
    key = (position.symbol, position.side)
    surplus = position.quantity - claims.possible.get(key, ZERO)
    if row is not None:
        surplus = min(max(row.quantity, surplus), position.quantity - claims.sure.get(key, ZERO))
    if row is not None and surplus <= 0:
        _maybe_gone(lease, account, row, now, EXPLAINED_AFTER)
    elif row is not None:
        _refresh(lease, account, row, position, surplus, now)
    elif surplus > 0 and claims.holders.get(key, 0) != 1:  # what a hand has added belongs to the only trade there is
        _find(lease, account, position, surplus, now)


def _find(lease: Lease, account: Account, position: PositionState, quantity: Decimal, now: int) -> None:
    row = ForeignPosition(
        account=account,
        symbol=position.symbol,
        side=position.side,
        first_seen=timezone.now(),
        confirmed=not _may_be_explained(account, position.symbol),
        **_figures(position, quantity),
    )
    with lease.writing():
        row.save()
        if row.confirmed:
            _tell_found(account, row, now)


def _refresh(
    lease: Lease, account: Account, row: ForeignPosition, position: PositionState, quantity: Decimal, now: int
) -> None:
    figures = _figures(position, quantity)
    changed = {name: value for name, value in figures.items() if getattr(row, name) != value}
    if row.gone_since is not None:
        changed["gone_since"] = None
    surely = not row.confirmed and timezone.now() - row.first_seen >= SECOND_SIGHT
    if surely:
        changed["confirmed"] = True
    if not changed:
        return
    for name, value in changed.items():
        setattr(row, name, value)
    with lease.writing():
        row.save(update_fields=list(changed))
        if surely:
            _tell_found(account, row, now)
        if "quantity" in changed:
            hint_account(account)


def _figures(position: PositionState, quantity: Decimal) -> Figures:
    return {
        "quantity": quantity,
        "average_entry": position.average_entry,
        "liquidation_price": position.liquidation_price,
        "leverage": position.leverage,
        "margin_mode": position.margin_mode,
    }


def _may_be_explained(account: Account, symbol: str) -> bool:
    """Whether an execution of ours that has not been told yet could be behind a position of this symbol."""
    ours = Trade.objects.filter(account=account, symbol=symbol)
    soon = timezone.now() - JUST_NOW
    return ours.filter(status__in=WORKING).exists() or ours.filter(checked_at__gte=soon).exists()


def _maybe_gone(lease: Lease, account: Account, row: ForeignPosition, now: int, after: timedelta) -> None:
    """What was decided of a position that was seen for sure is forgotten only when it has stayed away."""
    if not row.confirmed and after is EXPLAINED_AFTER:
        _forget(lease, account, row, now)
    elif row.gone_since is None:
        row.gone_since = timezone.now()
        with lease.writing():
            row.save(update_fields=["gone_since"])
    elif timezone.now() - row.gone_since >= after:
        _forget(lease, account, row, now)


def _forget(lease: Lease, account: Account, row: ForeignPosition, now: int) -> None:
    with lease.writing():
        if row.confirmed:
            sentence = f"The {row.side} position of {row.symbol} that was nobody's here is gone."
            tell_account(account, "foreign_position_gone", sentence, now, symbol=row.symbol, side=row.side)
            hint_account(account)
        row.delete()


def _tell_found(account: Account, row: ForeignPosition, now: int) -> None:
    what = f"{row.side} {text(row.quantity)} {row.symbol} at {text(row.average_entry)}"
    sentence = f"{account.name} holds {what}, which no trade here accounts for. Adopt it, ignore it or close it."
    tell_account(account, "foreign_position", sentence, now, symbol=row.symbol, side=row.side, id=row.pk)
    hint_account(account)

"""Positions that are nobody's here: found by the look, shown, and never touched until the trader decides."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from buddy.core.exchange import PositionMode, PositionState, Reading
from buddy.core.market import ZERO, Side
from buddy.exchanges.models import Account
from buddy.prepared import Select

from . import adopted, strangers
from .lateness import Key, Lateness
from .lease import Lease
from .models import Fill, ForeignPosition, Trade
from .moments import at
from .states import WORKING
from .telling import hint_account, tell_account, text

Figures = dict[str, object]
SECOND_SIGHT = timedelta(seconds=2)
"""How much later a position must be seen again where a trade of ours is near it."""
GONE_AFTER = timedelta(seconds=5)
"""One empty answer does not make the trader's decision forgotten."""
UNHEARD_AFTER = timedelta(seconds=45)
"""Nor do lists without positions, for a while, where no execution says that it was closed: ours would close it."""
EXPLAINED_AFTER = timedelta(seconds=30)
"""Nor do positions that are told later than the executions of a trade beside it."""
JUST_NOW = timedelta(minutes=1)
MILLISECOND = timedelta(milliseconds=1)

_ROWS = Select(lambda account: ForeignPosition.objects.filter(account_id=account).order_by("id"))


@dataclass(frozen=True, slots=True)
class Claims:
    """What our trades account for. `possible`: contracts by symbol and side; `sure`: without entries of which nobody
    knows whether they arrived. `alone`: where there is one trade, which holds some. `entering`: what of our entries
    rests and may have executed unheard. `uncertain`: symbols on which that could not be made out.
    """

    possible: Mapping[Key, Decimal]
    sure: Mapping[Key, Decimal]
    alone: Collection[Key]
    entering: Mapping[Key, Decimal]
    uncertain: Collection[str]


@dataclass(frozen=True, slots=True)
class Sight:
    """One reading, held against what our trades account for."""

    lease: Lease
    account: Account
    now: int
    claims: Claims
    late: Lateness

    def is_sure(self, row: ForeignPosition) -> bool:
        """Whether what was seen first then is still there when nothing of ours can explain it any more.

        A list that lags still shows what a trade has just left, and one that does not shows an entry before its
        executions are told. Neither can be so for longer than a read may lag; until then nothing is lost but time.
        """
        key, seen_for = (row.symbol, Side(row.side)), timezone.now() - row.first_seen
        if seen_for < SECOND_SIGHT or self.late.explains(key, row.quantity):
            return False
        return not self.is_on_its_way(row) or seen_for >= timedelta(milliseconds=self.late.lag_ms)

    def is_on_its_way(self, row: ForeignPosition) -> bool:
        """Whether entries of ours that rest may have brought it, and have not been told of."""
        quantity: Decimal = row.quantity
        return quantity <= self.claims.entering.get((row.symbol, Side(row.side)), ZERO)


def keep(lease: Lease, account: Account, reading: Reading, claims: Claims, late: Lateness) -> dict[Key, Decimal]:
    """Bring the rows up to this reading; how much of each symbol and side is surely nobody's now."""
    sight = Sight(lease, account, reading.time, claims, late)
    rows = {(row.symbol, Side(row.side)): row for row in _ROWS.rows(account=account.pk)}
    for position in reading.positions:
        key = (position.symbol, position.side)
        if position.symbol not in claims.uncertain and (found := _keep_one(sight, position, rows.get(key))):
            rows[key] = found
    there = {(position.symbol, position.side) for position in reading.positions}
    one_way = reading.position_mode is not PositionMode.HEDGE
    lacks_ours = any(
        quantity > (_other_way(rows, key) if one_way else ZERO) and key not in there
        for key, quantity in claims.sure.items()
    )
    for key in rows.keys() - there if not lacks_ours else ():  # what such a list lacks may be there all the same
        _maybe_gone(lease, account, rows[key], reading.time, GONE_AFTER)
    here = {key: row for key, row in rows.items() if row.pk is not None and key in there}
    return {key: row.quantity for key, row in here.items() if row.confirmed and row.gone_since is None}


def _other_way(rows: Mapping[Key, ForeignPosition], key: Key) -> Decimal:
    """What is nobody's and lies against it: the venue lists but the difference, and nothing where they are alike."""
    row = rows.get((key[0], key[1].opposite))
    return ZERO if row is None else row.quantity


def _keep_one(sight: Sight, position: PositionState, row: ForeignPosition | None) -> ForeignPosition | None:
    """The row of one that is new."""
    key, claims = (position.symbol, position.side), sight.claims
    surplus = position.quantity - claims.possible.get(key, ZERO)
    if row is not None:
        surplus = _of_row(row, surplus, position.quantity - claims.sure.get(key, ZERO), sight.late)
    if row is not None and surplus <= 0:
        _maybe_gone(sight.lease, sight.account, row, sight.now, EXPLAINED_AFTER)
    elif row is not None:
        _refresh(sight, row, position, surplus)
    elif surplus > 0:
        is_beside = key in claims.alone  # what a hand has added belongs to the only trade there is: `allocate`
        if not is_beside or _was_entered_by_a_hand(sight, key, surplus):
            return _find(sight, position, surplus, is_told=is_beside)
    return None


def _was_entered_by_a_hand(sight: Sight, key: Key, surplus: Decimal) -> bool:
    """Whether executions of just now that were nobody's explain all of it: what a hand entered before ours did."""
    account, (symbol, side) = sight.account, key
    until = adopted.known_until(adopted.entries(account, {symbol}))
    return strangers.opened_by_hands(account, symbol, side, sight.now, until) >= surplus


def _of_row(row: ForeignPosition, surplus: Decimal, most: Decimal, late: Lateness) -> Decimal:
    """How much is nobody's where something was before: no more because a list still shows what a trade has left."""
    before: Decimal = row.quantity
    if row.confirmed and late.explains((row.symbol, Side(row.side)), surplus - before):
        return min(before, most)
    return min(max(before, surplus), most)


def _find(sight: Sight, position: PositionState, quantity: Decimal, *, is_told: bool) -> ForeignPosition:
    key, near = (position.symbol, position.side), _may_be_explained(sight.account, position.symbol)
    row = ForeignPosition(
        account=sight.account,
        symbol=position.symbol,
        side=position.side,
        first_seen=timezone.now(),
        confirmed=is_told or (not near and not sight.late.explains(key, quantity)),
        **_figures(position, quantity),
    )
    with sight.lease.writing():
        row.save()
        if row.confirmed:
            _tell_found(sight.account, row, sight.now)
    return row


def _refresh(sight: Sight, row: ForeignPosition, position: PositionState, quantity: Decimal) -> None:
    figures = _figures(position, quantity)
    changed = {name: value for name, value in figures.items() if getattr(row, name) != value}
    for name, value in figures.items():
        setattr(row, name, value)
    if row.gone_since is not None:
        changed["gone_since"] = row.gone_since = None
    if "quantity" in changed and not row.confirmed and sight.is_on_its_way(row):
        changed["first_seen"] = row.first_seen = timezone.now()  # more has executed, or some of it was told just now
    surely = not row.confirmed and sight.is_sure(row)
    if surely:
        changed["confirmed"] = row.confirmed = True
    if not changed:
        return
    with sight.lease.writing():
        row.save(update_fields=list(changed))
        if surely:
            _tell_found(sight.account, row, sight.now)
        if changed.keys() & {"quantity", "gone_since"}:
            hint_account(sight.account)


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
            hint_account(account)
    elif timezone.now() - row.gone_since >= (after if _is_closed(account, row, now) else max(after, UNHEARD_AFTER)):
        _forget(lease, account, row, now)


def _is_closed(account: Account, row: ForeignPosition, now: int) -> bool:
    """Whether executions that were told since shortly before it was missed, by the account's clock, leave nothing of
    it."""
    missed_for = timezone.now() - (row.gone_since or timezone.now())
    exits = Fill.objects.filter(account=account, symbol=row.symbol, order_side=Side(row.side).exit_order_side)
    left = exits.filter(time__gte=at(now) - missed_for - JUST_NOW).values_list("quantity", flat=True)
    return bool(sum(left, ZERO) >= row.quantity)


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

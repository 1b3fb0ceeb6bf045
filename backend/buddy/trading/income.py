"""Money that moved without an execution, written down once, at the trades that held what it was paid for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q

from buddy.core import exchange as port
from buddy.core.market import ZERO, Side
from buddy.exchanges.models import Account

from .booking import held_by, nobodys, venue_row
from .models import Income, Trade
from .moments import at
from .states import WORKING

INSTANT = timedelta(milliseconds=1)
"""What executes at the very moment at which money moves comes after it, as in the simulated market; what nobody held
before is of who began to hold it then."""
Owned = tuple[int | None, Side, Decimal]
"""A trade (None: nobody's), and the contracts it held on its side."""


def book_income(account: Account, income: Sequence[port.Income]) -> list[Income]:
    """Write what is new of `income`; funding goes to who held the symbol at that moment."""
    if not income:
        return []
    ids = [each.income_id for each in income]
    known = set(Income.objects.filter(account=account, income_id__in=ids).values_list("income_id", flat=True))
    rows = [row for each in income if each.income_id not in known for row in _income_rows(account, each)]
    return Income.objects.bulk_create(rows, ignore_conflicts=True)


def _income_rows(account: Account, income: port.Income) -> Iterator[Income]:
    left = income.amount
    holders = list(_holders(account, income).items())
    for number, (trade_id, share) in enumerate(holders):
        last = number == len(holders) - 1
        amount = left if last else income.amount * share
        left -= amount
        yield _income_row(account, income, trade_id, amount, number)


def _holders(account: Account, income: port.Income) -> dict[int | None, Decimal]:
    """Who held the symbol when this money moved, each with its fraction of the whole.

    Funding is paid by one side to the other: to whom the venue says, else by what each held, signed. So it is right for
    a payment of both sides together, and for two that do not say whose they are; only where both sides are equally
    large nothing tells, and all share alike.
    """
    moment = at(income.time)
    here = Trade.objects.filter(account=account, symbol=income.symbol) if income.symbol else Trade.objects.none()
    trades = list(here.filter(Q(status__in=WORKING) | Q(closed_at__gte=moment)).order_by("id"))
    held = _held_at(trades, moment - INSTANT) or _held_at(trades, moment)
    sides = {trade.pk: Side(trade.side) for trade in trades}
    owned: list[Owned] = [(pk, sides[pk], quantity) for pk, quantity in held.items()]
    owned += [(None, side, quantity) for (name, side), quantity in nobodys(account).items() if name == income.symbol]
    return _shared_by(income, owned) if owned else {None: Decimal(1)}


def _shared_by(income: port.Income, owned: Sequence[Owned]) -> dict[int | None, Decimal]:
    if income.kind is not port.IncomeKind.FUNDING:
        return shares(_summed(owned))
    paid_for = [each for each in owned if each[1] is income.side]
    signed = [(whose, side, side.sign * quantity) for whose, side, quantity in owned]
    if paid_for or not sum((quantity for *_, quantity in signed), ZERO):
        return shares(_summed(paid_for or owned))
    return shares(_summed(signed))


def _summed(owned: Sequence[Owned]) -> dict[int | None, Decimal]:
    whole: dict[int | None, Decimal] = {}
    for whose, _, quantity in owned:
        whole[whose] = whole.get(whose, ZERO) + quantity
    return whole


def _held_at(trades: Sequence[Trade], moment: datetime) -> dict[int, Decimal]:
    held = held_by(trades, until=moment)
    return {trade_id: quantity for trade_id, quantity in held.items() if quantity > 0}


def _income_row(account: Account, income: port.Income, trade_id: int | None, amount: Decimal, number: int) -> Income:
    return Income(
        account=account,
        trade_id=trade_id,
        income_id=income.income_id if number == 0 else f"{income.income_id}/{number}",
        kind=income.kind,
        symbol=income.symbol,
        amount=amount,
        time=at(income.time),
        raw=venue_row(income.raw),
    )


def shares(held: Mapping[int | None, Decimal]) -> dict[int | None, Decimal]:
    """Each holder's fraction of the whole, adding up to exactly 1."""
    total = sum(held.values(), ZERO)
    parts: dict[int | None, Decimal] = {}
    left = Decimal(1)
    for number, (pk, quantity) in enumerate(held.items()):
        parts[pk] = left if number == len(held) - 1 else (quantity / total).quantize(Decimal("1e-9"))
        left -= parts[pk]
    return parts

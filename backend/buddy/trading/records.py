"""Executions booked from an order's own record while the venue does not tell them, and how they give way to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from decimal import Decimal, localcontext

from django.utils import timezone

from buddy.core import exchange as port
from buddy.core.costs import PRECISE
from buddy.core.market import ZERO
from buddy.exchanges.models import Account
from buddy.prepared import Select

from .figures import kept
from .models import Fill, Order

RECORD = "record-"
"""How the ids of such executions begin."""
WORD = "word-"
"""How the ids of executions begin that the trader has told by word."""
STILL_TOLD = timedelta(hours=1)
"""How long executions are asked for that were missing when a trade ended."""

_OF_ORDER = Select(lambda order: Fill.objects.filter(order_id=order, from_record=True).order_by("id"))
_RECORDS = Select(
    lambda account: Fill.objects.filter(account_id=account, from_record=True).values_list("order_id", "symbol", "time")
)
_WORDS = Select(lambda trades: Fill.objects.filter(trade_id__in=trades, fill_id__startswith=WORD))


def make_way(order: Order, told: port.Fill) -> None:
    """What was booked from the order's own record gives way to `told`; what is left of it keeps the whole's average."""
    left, value = told.quantity, told.quantity * told.price
    for record in _OF_ORDER.rows(order=order.pk):
        part = min(left, record.quantity)
        left -= part
        rest = record.quantity - part
        if not rest:
            value -= part * record.price
            record.delete()
        elif part:
            _shrink(record, rest, value)
        if not left:
            return


def make_way_for_words(trades: Collection[int], new: Iterable[Fill]) -> None:
    """What the trader has said of an end gives way to what the exchange tells of it after all."""
    words = {word.trade_id: word for word in _WORDS.rows(trades=sorted(trades))} if trades else {}
    for told in new:
        word = words.get(told.trade_id)
        if word is None or told.order_side != word.order_side or not word.quantity:
            continue
        rest = max(word.quantity - told.quantity, ZERO)
        word.fee, word.quantity = kept(word.fee * rest / word.quantity), rest
        word.save(update_fields=["fee", "quantity"])
    for word in words.values():
        if not word.quantity:
            word.delete()


def _shrink(record: Fill, rest: Decimal, value: Decimal) -> None:
    with localcontext(PRECISE):
        price = (record.quantity * record.price - value) / rest
        record.price = kept(price) if price > 0 else record.price
        record.fee = kept(record.fee * rest / record.quantity)
    record.quantity = rest
    record.save(update_fields=["price", "fee", "quantity"])


def booked_from_records(account: Account) -> dict[int, str]:
    """Orders of which something is booked from their own record, not long ago, with their symbols."""
    found = _RECORDS.rows(account=account.pk)
    return {order: symbol for order, symbol, time in found if timezone.now() - time < STILL_TOLD}


def executions_of(order: Order) -> list[tuple[Decimal, Decimal]]:
    """Quantity and price of each."""
    return list(Fill.objects.filter(order=order).values_list("quantity", "price"))

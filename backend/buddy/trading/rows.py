"""The rows behind several trades, fetched together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q

from buddy.core.exchange import OrderStatus, Role
from buddy.exchanges.models import Account
from buddy.prepared import Select

from .models import Fill, Income, Order, Trade
from .states import LIVE

_LEGS = Q(role__in=(Role.ENTRY, Role.TAKE_PROFIT)) & (Q(paired_with=None) | Q(status=OrderStatus.REJECTED))
_KEPT = _LEGS | Q(status__in=LIVE) | ~Q(filled=0)
_OF_TRADES = Select(lambda trades: Order.objects.filter(_KEPT, trade_id__in=trades).order_by("id"))
_LIVE = Select(lambda account: Order.objects.filter(account_id=account, status__in=LIVE).order_by("id"))
_BOTH = Select(
    lambda trades, account: Order.objects.filter(
        Q(trade_id__in=trades) & _KEPT | Q(account_id=account, status__in=LIVE)
    ).order_by("id")
)
_FILLS = Select(lambda trades: Fill.objects.filter(trade_id__in=trades).order_by("time", "id"))
_FUNDING = Select(lambda trades: Income.objects.filter(trade_id__in=trades).values_list("trade_id", "amount"))


@dataclass(slots=True)
class Rows:
    """By trade id: the orders that still matter, all fills in order of time, and the sum of funding."""

    orders: dict[int, list[Order]] = field(default_factory=lambda: defaultdict(list))
    fills: dict[int, list[Fill]] = field(default_factory=lambda: defaultdict(list))
    funding: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @classmethod
    def of(cls, trades: Sequence[Trade], account: Account | None = None) -> Rows:
        """Three queries, however many trades. Stops that were replaced without a fill are left out.

        With an `account`, orders of it that may rest come along whatever became of their trade.
        """
        rows, by_id = cls(), {trade.pk: trade for trade in trades}
        for order in _orders(list(by_id), account):
            if order.trade_id in by_id:
                order.trade = by_id[order.trade_id]
            rows.orders[order.trade_id].append(order)
        if not trades:
            return rows
        for fill in _FILLS.rows(trades=list(by_id)):
            rows.fills[fill.trade_id or 0].append(fill)
        for trade_id, amount in _FUNDING.rows(trades=list(by_id)):
            rows.funding[trade_id or 0] += amount
        return rows

    def all_orders(self) -> list[Order]:
        return [order for orders in self.orders.values() for order in orders]


def _orders(trades: list[int], account: Account | None) -> list[Order]:
    if account is None:
        return _OF_TRADES.rows(trades=trades) if trades else []
    return _BOTH.rows(trades=trades, account=account.pk) if trades else _LIVE.rows(account=account.pk)

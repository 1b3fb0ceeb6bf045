"""The rows behind several trades, fetched together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q

from buddy.core.exchange import Role
from buddy.exchanges.models import Account

from .models import Fill, Income, Order, Trade
from .states import LIVE


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
        kept = Q(role__in=(Role.ENTRY, Role.TAKE_PROFIT)) | Q(status__in=LIVE) | ~Q(filled=0)
        wanted = Q(trade__in=trades) & kept if trades else Q(pk__in=())
        if account is not None:
            wanted |= Q(account=account, status__in=LIVE)
        for order in Order.objects.filter(wanted).order_by("id"):
            if order.trade_id in by_id:
                order.trade = by_id[order.trade_id]
            rows.orders[order.trade_id].append(order)
        if not trades:
            return rows
        for fill in Fill.objects.filter(trade__in=trades).order_by("time", "id"):
            rows.fills[fill.trade_id or 0].append(fill)
        for trade_id, amount in Income.objects.filter(trade__in=trades).values_list("trade_id", "amount"):
            rows.funding[trade_id or 0] += amount
        return rows

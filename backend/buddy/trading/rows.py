"""The rows behind several trades, fetched together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q

from buddy.core.exchange import Role

from .models import Fill, Income, Order, Trade
from .states import LIVE


@dataclass(slots=True)
class Rows:
    """By trade id: the orders that still matter, all fills in order of time, and the sum of funding."""

    orders: dict[int, list[Order]] = field(default_factory=lambda: defaultdict(list))
    fills: dict[int, list[Fill]] = field(default_factory=lambda: defaultdict(list))
    funding: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @classmethod
    def of(cls, trades: Sequence[Trade]) -> Rows:
        """Three queries, however many trades. Stops that were replaced without a fill are left out."""
        rows, by_id = cls(), {trade.pk: trade for trade in trades}
        matters = Q(status__in=LIVE) | Q(role__in=(Role.ENTRY, Role.TAKE_PROFIT)) | Q(fills__isnull=False)
        for order in Order.objects.filter(matters, trade__in=trades).distinct().order_by("id"):
            order.trade = by_id[order.trade_id]
            rows.orders[order.trade_id].append(order)
        for fill in Fill.objects.filter(trade__in=trades).order_by("time", "id"):
            rows.fills[fill.trade_id or 0].append(fill)
        for trade_id, amount in Income.objects.filter(trade__in=trades).values_list("trade_id", "amount"):
            rows.funding[trade_id or 0] += amount
        return rows

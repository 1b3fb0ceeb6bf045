"""Whether a venue trades a symbol at all.

While it does not it takes no order of it, and a position can be neither protected nor closed: both are done once its
markets say that it trades again, and until then nothing is refused over and over.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from buddy.core.exchange import OrderStatus, Refusal, Role
from buddy.prepared import Select

from .case import Case
from .models import Order
from .states import REFUSED_AS

BELIEVED = timedelta(minutes=5)
"""So long after a refusal the venue's markets are believed that a symbol is not traded; then an order is to tell."""

_REFUSED = Select(
    lambda trade, since: Order.objects.filter(
        trade_id=trade,
        role__in=(Role.STOP, Role.TAKE_PROFIT, Role.CLOSE),
        status=OrderStatus.REJECTED,
        created_at__gte=since,
    )
)


def is_shut(case: Case) -> bool:
    """By the venue's markets, and by its answer to an exit: some take exits of what they list as closed."""
    if case.position.instrument.active:
        return False
    refused = _REFUSED.rows(trade=case.trade.pk, since=timezone.now() - BELIEVED)
    return any(order.raw.get(REFUSED_AS) == Refusal.INACTIVE for order in refused)

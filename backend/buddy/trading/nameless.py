"""Conditional orders where the venue keeps no name of ours: known by its numbers, until then by their figures."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from buddy.core.errors import ExchangeError
from buddy.core.exchange import Exchange, Fill, OrderRef, OrderState, OrderStatus
from buddy.core.market import ZERO, OrderSide
from buddy.exchanges.models import Account
from buddy.prepared import Select

from .models import Order
from .recognition import Listing, as_child, became, can_be, is_nameless, may_have_arrived, same_figures
from .rows import Rows
from .states import ABSENT, LIVE, RESTING

_GIVEN_UP = Select(
    lambda account, since: Order.objects.filter(
        Q(created_at__gte=since) | Q(closed_at__gte=since),  # one row may be sent for as long as nothing is accepted
        account_id=account,
        status__in=(OrderStatus.REJECTED, OrderStatus.CANCELLED),
    ).order_by("pk")
)
ARRIVES_WITHIN = timedelta(minutes=5)
"""Before the last good look: so long ago, and since then, what was given up may have been sent."""
TWICE = 2


def by_figures(order: Order, listing: Listing, rows: Rows, account: Account) -> OrderState | None:
    """The oldest order that can be ours. One that has a number of its own may be listed under another by now."""
    is_numbered = order.status in RESTING and bool(order.exchange_id) and not order.child_id
    if not (is_numbered or _may_arrive(order, account)):
        return None
    claimed = rows.all_orders()
    alike = [] if is_numbered else [state for state in listing.nameless(claimed) if same_figures(order, state)]
    if alike:
        return alike[0]
    triggered = [state for state in listing.triggered(claimed) if became(order, state)]
    if not triggered or _is_told_by_number(order, triggered[0], listing, claimed):
        return None
    return as_child(triggered[0])


def _is_told_by_number(order: Order, state: OrderState, listing: Listing, claimed: Iterable[Order]) -> bool:
    """Whether another one may have become `state`, too, and one of the two can still say so by its own number."""
    here = [other for other in claimed if other.status in LIVE and not other.child_id and became(other, state)]
    alike = [other for other in here if other.pk != order.pk and listing.named(other) is None]
    return bool(alike) and any(other.exchange_id and ABSENT not in other.raw for other in [order, *alike])


def behind(state: OrderState, orders: Iterable[Order], account: Account) -> Order | None:
    """The order of ours that can be what has executed."""
    return next((order for order in orders if _may_arrive(order, account) and can_be(order, state)), None)


def behind_unseen(fill: Fill, orders: Iterable[Order], account: Account) -> Order | None:
    """The order of ours that can be behind an execution of which the venue tells no order."""
    if not fill.exchange_id:
        return None
    sent = (order for order in orders if order.order_side == fill.order_side and _may_arrive(order, account))
    return next((order for order in sent if fill.quantity <= order.quantity and _within(order, fill)), None)


def _within(order: Order, fill: Fill) -> bool:
    """Whether it executed at the order's limit or better."""
    gained = fill.price - order.price if order.price is not None else ZERO
    return gained <= 0 if order.order_side == OrderSide.BUY else gained >= 0


def _may_arrive(order: Order, account: Account) -> bool:
    """Whether the venue may have it under no name. What was given up long ago has not arrived, though it is still in
    hand as the leg of a trade that works."""
    return is_nameless(order) and max(order.created_at, order.closed_at or timezone.now()) >= _lately(account)


def _lately(account: Account) -> datetime:
    return (account.good_look_at or timezone.now()) - ARRIVES_WITHIN


def arrived_late(account: Account, listing: Listing, rows: Rows) -> list[Order]:
    """What was on its way and has arrived, while it was sent again and refused, or was wanted no more: now in hand."""
    claimed = rows.all_orders()
    unclaimed = [*listing.nameless(claimed), *listing.triggered(claimed)]
    if not unclaimed:
        return []
    known = {order.pk for order in claimed}
    lately = _GIVEN_UP.rows(account=account.pk, since=_lately(account))
    again = [order for order in lately if order.pk not in known and may_have_arrived(order) and is_nameless(order)]
    alike = ([order for order in again if can_be(order, state)] for state in unclaimed)
    arrived = {orders[-1].pk: orders[-1] for orders in alike if orders}
    for order in arrived.values():
        rows.orders[order.trade_id].append(order)
    return list(arrived.values())


def cancel_twins(exchange: Exchange, listing: Listing, rows: Rows) -> None:
    """One wish, one order: where one that was sent twice has arrived twice, the younger goes."""
    for order in rows.all_orders():
        if order.status not in LIVE or int(order.raw.get("sends", 1)) < TWICE or order.trigger is None:
            continue
        for state in listing.nameless(rows.all_orders()):
            if same_figures(order, state):
                with suppress(ExchangeError):  # the next reading lists it again
                    exchange.cancel(OrderRef(state.symbol, "", state.exchange_id, is_conditional=True))

"""Rows as the core sees them, and what the venue says written into rows.

Booking is idempotent: fills and income are unique by the venue's id, so reading the same stretch twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from typing import Any

from buddy.core import exchange as port
from buddy.core.costs import Costs
from buddy.core.exchange import Liquidity, OrderIntent, OrderKind, OrderRef, OrderState, OrderStatus, Role
from buddy.core.holding import Booked, Directives, Memory, Position
from buddy.core.market import ZERO, Instrument, OrderSide
from buddy.core.plan import Plan
from buddy.core.plan_document import read_plan
from buddy.exchanges.models import Account
from buddy.prepared import Select, Update

from .models import Fill, Income, Order, Trade
from .moments import at, to_ms
from .rows import Rows
from .states import DECLINED

_FILLED = Select(lambda orders: Fill.objects.filter(order_id__in=orders).values_list("order_id", "quantity"))
_ORDER = Update(lambda order: Order.objects.filter(pk=order))

PLANS_KEPT = 5000
_PLANS: dict[int, tuple[dict[str, Any], Plan]] = {}
"""By trade: the document as it was read, and the plan it says."""


def intent_of(order: Order) -> OrderIntent:
    """The order as the venue is asked for it; the same row always asks for the same."""
    return OrderIntent(
        client_id=order.client_id,
        symbol=order.symbol,
        order_side=OrderSide(order.order_side),
        kind=OrderKind(order.kind),
        quantity=order.quantity,
        price=order.price,
        trigger=order.trigger,
        trigger_by=port.TriggerBy(order.raw.get("trigger_by", port.TriggerBy.LAST)),
        reduce_only=order.reduce_only,
    )


def ref_of(order: Order) -> OrderRef:
    """The order's names at the venue."""
    return OrderRef(order.symbol, order.client_id, order.exchange_id, is_conditional=order.trigger is not None)


def state_of(order: Order) -> OrderState:
    """What we know of an order without asking."""
    return OrderState(
        client_id=order.client_id,
        exchange_id=order.exchange_id,
        symbol=order.symbol,
        order_side=OrderSide(order.order_side),
        kind=OrderKind(order.kind),
        quantity=order.quantity,
        status=OrderStatus(order.status),
        filled=order.filled,
        price=order.price,
        trigger=order.trigger,
        reduce_only=order.reduce_only,
        time=to_ms(order.placed_at or order.created_at),
    )


def booked(fill: Fill, order: Order | None, trade: Trade) -> Booked:
    """A fill with its order's role; one that is not ours enters or leaves by its side."""
    core = port.Fill(
        fill_id=fill.fill_id,
        exchange_id=order.exchange_id if order else "",
        client_id=order.client_id if order else "",
        symbol=fill.symbol,
        order_side=OrderSide(fill.order_side),
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        liquidity=Liquidity(fill.liquidity),
        time=to_ms(fill.time),
        liquidation=fill.liquidation,
    )
    if order is not None:
        return Booked(core, Role(order.role), order.leg, order.reason)
    return Booked(core, *_foreign_role(fill, trade))


def _foreign_role(fill: Fill, trade: Trade) -> tuple[Role, int]:
    leaves = (fill.order_side == OrderSide.SELL) == (trade.side == "long")
    return (Role.CLOSE, 0) if leaves else (Role.ENTRY, len(trade.quantities))


def declined(orders: Iterable[Order]) -> frozenset[tuple[Role, int]]:
    """Entry and target legs that a hand at the venue cancelled, or that the venue refused for good."""
    return frozenset((Role(o.role), o.leg) for o in orders if _was_declined(o))


def _was_declined(order: Order) -> bool:
    return order.role in (Role.ENTRY, Role.TAKE_PROFIT) and order.status in DECLINED and not order.cancel_reason


def forgive_declined(trade: Trade) -> None:
    """A new plan asks for its legs anew, also those that a hand or the venue had taken back."""
    legs = Order.objects.filter(trade=trade, role__in=(Role.ENTRY, Role.TAKE_PROFIT), status__in=DECLINED)
    legs.filter(cancel_reason="").update(cancel_reason="the plan was amended")


def plan_of(trade: Trade) -> Plan:
    """The frozen plan of a trade: checked when it was written, read once.

    What is kept holds for its document alone: after a restored dump the same number may be another trade.
    """
    document, plan = _PLANS.get(trade.pk, (None, None))
    if plan is None or document != trade.plan:
        plan = read_plan(trade.plan, unbounded(trade.symbol), entered=True)
        if len(_PLANS) >= PLANS_KEPT:
            _PLANS.clear()
        _PLANS[trade.pk] = (deepcopy(trade.plan), plan)
    return plan


def unbounded(symbol: str) -> Instrument:
    """An instrument of which only the name is known; it rounds nothing."""
    return Instrument(symbol, base="", quote="", settle="", tick_size=ZERO, lot_size=ZERO)


def costs_of(account: Account) -> Costs:
    return Costs(maker=account.maker_fee, taker=account.taker_fee, slippage=account.slippage)


def position_of(trade: Trade, instrument: Instrument, rows: Rows) -> Position:
    """The trade as facts, from its rows."""
    orders, fills, funding = rows.orders[trade.pk], rows.fills[trade.pk], rows.funding[trade.pk]
    by_id = {order.pk: order for order in orders}
    return Position(
        plan=plan_of(trade),
        instrument=instrument,
        quantities=tuple(Decimal(quantity) for quantity in trade.quantities),
        fills=tuple(booked(fill, by_id.get(fill.order_id or 0), trade) for fill in fills),
        costs=costs_of(trade.account),
        funding=funding,
        opened_time=to_ms(trade.asked_at or trade.created_at),
        memory=Memory.read(trade.memory),
        directives=Directives.read(trade.directives),
        declined=declined(orders),
        first_stop=trade.first_stop,
    )


def book_fills(account: Account, fills: Sequence[port.Fill], working: Sequence[Trade]) -> list[Fill]:
    """Write what is new of `fills`; an execution that is not ours goes to the trades it happened to."""
    if not fills:
        return []
    ids = [fill.fill_id for fill in fills]
    known = set(Fill.objects.filter(account=account, fill_id__in=ids).values_list("fill_id", flat=True))
    new = [fill for fill in fills if fill.fill_id not in known]
    if not new:
        return []
    ours = {fill.client_id for fill in new if fill.client_id}
    orders = {o.client_id: o for o in Order.objects.filter(account=account, client_id__in=ours)}
    rows = [row for fill in new for row in _fill_rows(account, fill, orders.get(fill.client_id), working)]
    return Fill.objects.bulk_create(rows, ignore_conflicts=True)


def _fill_rows(account: Account, fill: port.Fill, order: Order | None, working: Sequence[Trade]) -> list[Fill]:
    if order is not None:
        return [_fill_row(account, fill, order.trade_id, order)]
    owners = [trade for trade in working if trade.symbol == fill.symbol]
    if len(owners) < 2:
        return [_fill_row(account, fill, owners[0].pk if owners else None, None)]
    return _shared_fill(account, fill, held_by(owners))


def _shared_fill(account: Account, fill: port.Fill, held: Mapping[int, Decimal]) -> list[Fill]:
    """One foreign execution on several trades of a symbol: the oldest gives first, the youngest takes what remains."""
    rows = []
    for number, (trade_id, quantity) in enumerate(portions(fill.quantity, held).items()):
        row = _fill_row(account, fill, trade_id, None)
        row.quantity, row.fee = quantity, fill.fee * quantity / fill.quantity
        row.fill_id = fill.fill_id if number == 0 else f"{fill.fill_id}/{number}"
        rows.append(row)
    return rows


def _fill_row(account: Account, fill: port.Fill, trade_id: int | None, order: Order | None) -> Fill:
    return Fill(
        account=account,
        trade_id=trade_id,
        order=order,
        fill_id=fill.fill_id,
        symbol=fill.symbol,
        order_side=fill.order_side,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        liquidity=fill.liquidity,
        liquidation=fill.liquidation,
        time=at(fill.time),
        raw={"exchange_id": fill.exchange_id, "client_id": fill.client_id},
    )


def book_income(account: Account, income: Sequence[port.Income], working: Sequence[Trade]) -> list[Income]:
    """Write what is new of `income`; funding goes to the trades that hold the symbol."""
    if not income:
        return []
    ids = [each.income_id for each in income]
    known = set(Income.objects.filter(account=account, income_id__in=ids).values_list("income_id", flat=True))
    rows = [row for each in income if each.income_id not in known for row in _income_rows(account, each, working)]
    return Income.objects.bulk_create(rows, ignore_conflicts=True)


def _income_rows(account: Account, income: port.Income, working: Sequence[Trade]) -> list[Income]:
    owners = [trade for trade in working if trade.symbol == income.symbol]
    if len(owners) < 2:
        return [_income_row(account, income, owners[0].pk if owners else None, income.amount, 0)]
    parts = shares(held_by(owners))
    return [_income_row(account, income, pk, income.amount * part, n) for n, (pk, part) in enumerate(parts.items())]


def _income_row(account: Account, income: port.Income, trade_id: int | None, amount: Decimal, number: int) -> Income:
    return Income(
        account=account,
        trade_id=trade_id,
        income_id=income.income_id if number == 0 else f"{income.income_id}/{number}",
        kind=income.kind,
        symbol=income.symbol,
        amount=amount,
        time=at(income.time),
    )


def held_by(trades: Sequence[Trade]) -> dict[int, Decimal]:
    """Trade → contracts its fills leave it with."""
    held = {trade.pk: ZERO for trade in trades}
    entry = {trade.pk: OrderSide.BUY if trade.side == "long" else OrderSide.SELL for trade in trades}
    for pk, side, quantity in Fill.objects.filter(trade__in=held).values_list("trade_id", "order_side", "quantity"):
        held[pk] += quantity if side == entry[pk] else -quantity
    return held


def shares(held: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """Each holder's fraction of the whole, adding up to exactly 1; alike when nobody holds anything."""
    total = sum((max(quantity, ZERO) for quantity in held.values()), ZERO)
    parts: dict[int, Decimal] = {}
    left = Decimal(1)
    for number, (pk, quantity) in enumerate(held.items()):
        share = max(quantity, ZERO) / total if total else Decimal(1) / len(held)
        parts[pk] = left if number == len(held) - 1 else share.quantize(Decimal("1e-9"))
        left -= parts[pk]
    return parts


def portions(quantity: Decimal, held: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """`quantity` taken from the holders in turn, never more than each has; any excess goes to the last."""
    parts: dict[int, Decimal] = {}
    left = quantity
    for pk, has in held.items():
        parts[pk] = min(max(has, ZERO), left)
        left -= parts[pk]
    parts[next(reversed(parts))] += left
    return {pk: part for pk, part in parts.items() if part}


def refresh_filled(new: Iterable[Fill]) -> None:
    """Bring `Order.filled` of the orders behind new fills up to what has been booked."""
    ours = [fill for fill in sorted(new, key=lambda fill: fill.time) if fill.order_id]
    if not ours:
        return
    last = {fill.order_id: fill.time for fill in ours}
    sums: dict[Any, Decimal] = dict.fromkeys(last, ZERO)
    for order_id, quantity in _FILLED.rows(orders=list(last)):
        sums[order_id] += quantity
    for order in {fill.order_id: fill.order for fill in ours}.values():
        assert order is not None
        _fill_up(order, sums[order.pk], last[order.pk])


def _fill_up(order: Order, filled: Decimal, last: datetime) -> None:
    order.filled = filled
    if filled >= order.quantity:
        order.status, order.closed_at = OrderStatus.FILLED, last
    elif not OrderStatus(order.status).is_final:
        order.status = OrderStatus.PARTIAL
    _ORDER({name: getattr(order, name) for name in ("filled", "status", "closed_at")}, order=order.pk)

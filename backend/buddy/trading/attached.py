"""Protection that travels with an entry, where the venue honours it: a safety net until our own orders rest.

The venue makes these orders and names them. They are ours when they lie where one of our entries asked for them; they
are never what a plan wishes for, and they go once our own stop is seen resting.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from buddy.core.exchange import Fill, OrderState, OrderStatus, Profile, Role
from buddy.core.market import ZERO
from buddy.core.position import Cause, Market, Position, Wish
from buddy.core.stops import stop_level
from buddy.exchanges.models import Account
from buddy.prepared import Select, Update

from .client_ids import new_client_id
from .lease import Lease
from .models import Order, Trade
from .moments import OUR_CLOCKS, at, to_ms
from .rows import Rows
from .states import LIVE

_ENDED = Select(
    lambda account, symbol, side, since: Order.objects.filter(
        account_id=account,
        symbol=symbol,
        order_side=side,
        role=Role.ENTRY,
        trade__status=Trade.Status.CLOSED,
        trade__closed_at__gte=since,
    ).order_by("-id")[:20]
)

_OF_TRADE = Select(lambda trade: Order.objects.filter(trade_id=trade, is_attached=True).order_by("pk"))
_NUMBERED = Select(
    lambda account, symbol, number: Order.objects.filter(
        account_id=account, symbol=symbol, exchange_id=number, is_attached=True
    )[:1]
)

_ORDER = Update(lambda order: Order.objects.filter(pk=order))

NEVER_THERE = (OrderStatus.INTENDED, OrderStatus.REJECTED)
ENTRY = "entry"
"""On the row of an attached order: the name of the entry it is believed to have come with."""
MISSED = "stop_missed"
"""On the row of an entry: the stop that should have come with it was not listed for as long as that is waited for."""
CAUSES = {Role.STOP: Cause.STOP_LOSS, Role.TAKE_PROFIT: Cause.TAKE_PROFIT}


def asked_with(
    wish: Wish, position: Position, market: Market, profile: Profile, *, alone: bool = True
) -> dict[str, str]:
    """What of the plan's protection an entry takes along: its stop, and its target when one takes all of it.

    `alone`: no other trade may hold of the same position. Where protection is for all of that, a target would end the
    others at a price that is not theirs; a stop is taken along all the same, since nothing held may be without one.
    On spot it locks the coins, so that a target has to wait for it to go.
    """
    if wish.role is not Role.ENTRY or not profile.attaches_stop:
        return {}
    asked = {"attached_stop": format(stop_level(position, market).price, "f")}
    targets = position.plan.take_profits
    may_end_it = not profile.exits.is_spot and (alone or not profile.protects_position)
    if len(targets) == 1 and targets[0].share == 1 and may_end_it:
        asked["attached_target"] = format(position.on_tick(targets[0].price), "f")
    if wish.trigger is None:
        asked["trigger_by"] = position.plan.trigger_by.value
    return asked


def row_of(lease: Lease, account: Account, rows: Rows, state: OrderState) -> Order | None:
    """A new row for an attached order that one of our entries asked for; None when none did, or it has one already.

    Where nobody looked between the entry and the end of its trade, it is an order of a trade that is over.
    """
    orders = rows.all_orders()
    if any(order.exchange_id == state.exchange_id and order.symbol == state.symbol for order in orders):
        return None
    ended = _asked(_of_ended_trades(account, state), state)
    lacking = [(entry, role) for entry, role in ended if _lacks(entry, role, state.quantity)]
    asked = [*_asked(orders, state), *lacking] or ended
    if not asked:
        return None
    had = {(order.raw.get(ENTRY), order.role) for pk in {entry.trade_id for entry, _ in asked} for order in _had(pk)}
    entry, role = min(asked, key=lambda each: _strangeness(each, state, asked, orders, had))
    made = _made(lease, account, entry, state, role)
    rows.orders[entry.trade_id].append(made)
    return made


def may_have_brought(state: OrderState, orders: Iterable[Order]) -> list[Order]:
    """Entries that may go on, of which each may have come with it: none where there is no choice."""
    asked = [entry for entry, _ in _asked(orders, state)]
    return [entry for entry in asked if entry.status in LIVE] if len(asked) > 1 else []


def may_have_sold(fill: Fill, known: Iterable[Order]) -> Order | None:
    """The entry whose stop may be behind an execution, of which the venue tells no order."""
    if not fill.exchange_id or fill.order_side.is_buy:
        return None
    entries = (order for order in known if order.role == Role.ENTRY and _may_have_been_there(order))
    return next((entry for entry in entries if "attached_stop" in entry.raw), None)


def _had(trade: int) -> list[Order]:
    """What the venue has made for it so far, whatever became of it."""
    return _OF_TRADE.rows(trade=trade)


def known_before(account: Account, state: OrderState) -> Order | None:
    """The row of an attached order that is not in hand any more: it is over, or a list that lags still shows it."""
    found = _NUMBERED.rows(account=account.pk, symbol=state.symbol, number=state.exchange_id)
    return found[0] if found else None


def unlisted(trade: Trade, entries: Iterable[tuple[Order, Decimal]]) -> Decimal:
    """Coins of these entries that the stops they asked for are for, as far as the venue has not listed those yet.

    `entries`: each with what of it has executed. A stop that is over is not made again.
    """
    made = _had(trade.pk)
    return sum((_unlisted(entry, filled, made) for entry, filled in entries), ZERO)


def miss(lease: Lease, trade: Trade, entries: Iterable[tuple[Order, Decimal]]) -> None:
    """Note of these entries that no stop came with them: what they fill with later waits for none."""
    made = _had(trade.pk)
    for entry, filled in entries:
        if not _came_with(entry, made) and _unlisted(entry, filled, made) > 0:
            entry.raw = entry.raw | {MISSED: True}
            with lease.writing():
                _ORDER({"raw": entry.raw}, order=entry.pk)


def _came_with(entry: Order, made: Iterable[Order]) -> list[Order]:
    return [order for order in made if order.role == Role.STOP and order.raw.get(ENTRY) in (None, entry.client_id)]


def _unlisted(entry: Order, filled: Decimal, made: Iterable[Order]) -> Decimal:
    if "attached_stop" not in entry.raw or not _may_have_been_there(entry):
        return ZERO
    mine = _came_with(entry, made)
    if any(order.status not in LIVE for order in mine) or (MISSED in entry.raw and not mine):
        return ZERO
    return max(filled - sum((order.quantity for order in mine), ZERO), ZERO)


def _asked(orders: Iterable[Order], state: OrderState) -> list[tuple[Order, Role]]:
    return [(entry, role) for entry in orders if (role := _role(entry, state)) is not None]


def _of_ended_trades(account: Account, state: OrderState) -> list[Order]:
    """Entries whose trade was under way when this was made: a stop that a hand sets later is the hand's."""
    side, made_at = state.order_side.opposite, at(state.time)
    entries = _ENDED.rows(account=account.pk, symbol=state.symbol, side=side, since=made_at)
    return [entry for entry in entries if _arrived(entry) <= state.time]


def _lacks(entry: Order, role: Role, quantity: Decimal) -> bool:
    """Whether so much of it has executed for which the venue has listed nothing yet."""
    mine = [order for order in _had(entry.trade_id) if (order.raw.get(ENTRY), order.role) == (entry.client_id, role)]
    executed: Decimal = entry.filled
    return executed - sum((order.quantity for order in mine), ZERO) >= quantity


def _arrived(entry: Order) -> int:
    """In ms. Where executions alone told of it, nobody has said when: no earlier than it was written down here."""
    return to_ms(entry.placed_at) if entry.placed_at else to_ms(entry.created_at) - OUR_CLOCKS


def _strangeness(
    one: tuple[Order, Role],
    state: OrderState,
    asked: Sequence[tuple[Order, Role]],
    orders: Sequence[Order],
    had: Collection[tuple[str | None, str]],
) -> tuple[bool, ...]:
    """Several trades, and several entries of one, may have asked for one price: an entry that has its own already, has
    not executed, or is of another size waits."""
    entry, role = one
    same = [each for each, other in asked if (each.trade_id, other) == (entry.trade_id, role)]
    wanted = sum(each.filled > 0 or each is entry for each in same)
    made = sum(order.is_attached and (order.trade_id, order.role) == (entry.trade_id, role) for order in orders)
    has_one, other_size = (entry.client_id, role) in had, entry.quantity != state.quantity
    return made >= wanted, not entry.filled, has_one, other_size, entry.filled != state.quantity


def _may_have_been_there(entry: Order) -> bool:
    """Whether it may ever have reached the venue; one that was taken back before it was sent has not."""
    return entry.status not in NEVER_THERE and ("sent_at" in entry.raw or bool(entry.exchange_id) or entry.filled > 0)


def _role(entry: Order, state: OrderState) -> Role | None:
    if entry.role != Role.ENTRY or not _may_have_been_there(entry):
        return None
    if (entry.symbol, entry.order_side) != (state.symbol, state.order_side.opposite):
        return None
    for role, name in ((Role.STOP, "attached_stop"), (Role.TAKE_PROFIT, "attached_target")):
        asked = entry.raw.get(name)
        if asked is not None and Decimal(asked) in (state.trigger, state.price):
            return role
    return None


def _made(lease: Lease, account: Account, entry: Order, state: OrderState, role: Role) -> Order:
    with lease.writing():
        return Order.objects.create(
            account=account,
            trade=entry.trade,
            client_id=new_client_id(),
            exchange_id=state.exchange_id,
            is_attached=True,
            symbol=state.symbol,
            role=role,
            order_side=state.order_side,
            kind=state.kind,
            quantity=state.quantity,
            price=state.price,
            trigger=state.trigger,
            reduce_only=True,
            reason=CAUSES[role],
            raw={ENTRY: entry.client_id},
        )

"""What executed, written down: each execution once, at the trade it happened to, with the venue's own row beside it.

Booking is idempotent: fills and income are unique by the venue's id, so reading the same stretch twice changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from buddy.core import exchange as port
from buddy.core.exchange import OrderStatus, Role
from buddy.core.market import ZERO, OrderSide, Side
from buddy.exchanges.models import Account
from buddy.prepared import Select, Update

from . import records, strangers
from .client_ids import is_ours
from .coins import held_since
from .figures import kept
from .models import Fill, ForeignPosition, Order, Trade
from .moments import at

_FILLED = Select(lambda orders: Fill.objects.filter(order_id__in=orders).values_list("order_id", "quantity"))
_BOOKED = Select(lambda account, ids: Fill.objects.filter(account_id=account, fill_id__in=ids).values_list("fill_id"))
_BY_NAME = Select(lambda account, ids: Order.objects.filter(account_id=account, client_id__in=ids))
_BY_NUMBER = Select(
    lambda account, ids, children: Order.objects.filter(
        Q(exchange_id__in=ids) | Q(child_id__in=children), account_id=account
    )
)
_OF_TRADES = Select(
    lambda trades: Fill.objects.filter(trade_id__in=trades).values_list(
        "trade_id", "order_side", "quantity", "withheld"
    )
)
_NOBODYS = Select(
    lambda account: ForeignPosition.objects.filter(account_id=account, confirmed=True).values_list(
        "symbol", "side", "quantity"
    )
)
_ORDER = Update(lambda order: Order.objects.filter(pk=order))

Portion = tuple[int | None, Decimal]
"""A trade (None: nobody's) and how many contracts of an execution were its own."""


def orders_behind(account: Account, fills: Iterable[port.Fill]) -> dict[str, Order]:
    """Fill id → the order of ours that executed, by our name, by the venue's, or by that of what it became."""
    found, named = {}, [(fill, is_ours(fill.client_id)) for fill in fills]
    by_client_id = _by_client_id(account, {fill.client_id for fill, ours in named if ours})
    by_exchange_id = _by_exchange_id(account, {fill.exchange_id for fill, ours in named if not ours} - {""})
    for fill, ours in named:
        order = by_client_id.get(fill.client_id) if ours else by_exchange_id.get((fill.symbol, fill.exchange_id))
        if order is not None:
            found[fill.fill_id] = order
    return found


def _by_client_id(account: Account, ids: set[str]) -> dict[str, Order]:
    return {o.client_id: o for o in _BY_NAME.rows(account=account.pk, ids=sorted(ids))} if ids else {}


def _by_exchange_id(account: Account, ids: set[str]) -> dict[tuple[str, str], Order]:
    if not ids:
        return {}
    rows = _BY_NUMBER.rows(account=account.pk, ids=sorted(ids), children=sorted(ids))
    return {(order.symbol, each): order for order in rows for each in (order.exchange_id, order.child_id) if each}


def unbooked(account: Account, fills: Sequence[port.Fill]) -> list[port.Fill]:
    """Those of `fills` that are not written down yet, in order of time."""
    ids = [fill.fill_id for fill in fills]
    known = {known for (known,) in _BOOKED.rows(account=account.pk, ids=ids)} if ids else set()
    return sorted((fill for fill in fills if fill.fill_id not in known), key=lambda fill: fill.time)


def book_fills(
    account: Account,
    fills: Sequence[port.Fill],
    working: Sequence[Trade],
    missing: Mapping[tuple[str, Side], Decimal] | None = None,
    *,
    coins: Mapping[str, Decimal] | None = None,
    shares_stops: bool = False,
    known: Known | None = None,
) -> list[Fill]:
    """Write what is new of `fills`; an execution that is not ours goes to whom it happened to.

    `missing`: where a symbol may be held both ways, how much of each side the venue holds less than our fills say; no
    more than that can have left by an execution of somebody else's. `coins`: on spot, how many of each symbol's lie in
    the wallet; only those of ours that are not there any more can have left by a hand, for it has coins of its own.
    `shares_stops`: what came attached to an entry is there for the whole position, and closes other trades along with
    its own.
    """
    new = unbooked(account, fills) if fills else []
    if not new:
        return []
    orders, hands = orders_behind(account, new), Hands(account, working, missing, coins, known or Known())
    shared = {name for name, order in orders.items() if shares_stops and order.is_attached}
    new.sort(key=lambda fill: (fill.time, fill.fill_id in shared))  # what enters at that moment first
    if coins is not None:  # what ours did to our coins is known before it is asked what a hand has done
        new.sort(key=lambda fill: fill.fill_id not in orders)
    early = [fill for fill in new if fill.fill_id not in orders and hands.known.has(fill)]
    hands.expect(fill for fill in new if fill.fill_id not in orders and fill not in early)
    hands.know((fill, orders[fill.fill_id]) for fill in new if fill.fill_id in orders)
    for fill in [*(fill for fill in new if fill not in early), *reversed(early)]:  # what is new of them came last
        if fill.fill_id in orders and not fill.fill_id.startswith(records.RECORD):
            records.make_way(orders[fill.fill_id], fill)
        hands.take(fill, orders.get(fill.fill_id), is_shared=fill.fill_id in shared)
    return Fill.objects.bulk_create(sorted(hands.rows, key=lambda row: row.time), ignore_conflicts=True)


@dataclass(frozen=True, slots=True)
class Known:
    """`until`: by symbol, up to when (ms) an adopted entry has a hand's executions in it. `there`: what is held now."""

    until: Mapping[str, int] = field(default_factory=dict)
    there: Mapping[tuple[str, Side], Decimal] = field(default_factory=dict)

    def has(self, fill: port.Fill) -> bool:
        return fill.time <= self.until.get(fill.symbol, -1)


@dataclass(slots=True)
class Hands:
    """Into whose hands executions fall while they are booked one after the other."""

    account: Account
    working: Sequence[Trade]
    missing: Mapping[tuple[str, Side], Decimal] | None = None
    coins: Mapping[str, Decimal] | None = None
    known: Known = field(default_factory=lambda: Known())
    rows: list[Fill] = field(default_factory=list)
    foreign: dict[tuple[str, Side], Decimal] | None = None
    """What is nobody's, by symbol and side; read when it is asked for first."""
    entering: dict[tuple[str, Side], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """What this reading tells to have entered, by symbol and side: by so much more may have left than was missing."""
    gone: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """What has left trades by a hand so far, by symbol."""

    def expect(self, strangers: Iterable[port.Fill]) -> None:
        """All that a hand has executed, before the first of it is taken.

        A venue tells longs and shorts apart in what is held, not in executions: that a hand has bought back 1 of a
        short and sold 2 more of it is seen only when both are counted, since 1 more is held than before.
        """
        for fill in strangers:
            if not is_ours(fill.client_id):
                self.entering[fill.symbol, _sides(fill.order_side)[1]] += fill.quantity

    def know(self, ours: Iterable[tuple[port.Fill, Order]]) -> None:
        """What our own orders have executed and nobody had told yet, before a hand's share in what is missing is."""
        for fill, order in ours:
            leaves, opens = _sides(fill.order_side)
            if order.role == Role.ENTRY:
                self.entering[fill.symbol, opens] += fill.quantity
            else:
                self.entering[fill.symbol, leaves] -= fill.quantity

    def take(self, fill: port.Fill, order: Order | None, *, is_shared: bool = False) -> None:
        if order is None:
            portions = self._portions(fill)
        else:
            portions = self._shared(fill, order.trade_id) if is_shared else [(order.trade_id, fill.quantity)]
        quantities = [quantity for _, quantity in portions]
        fees, withheld = (shared_out(each, quantities) for each in (fill.fee, fill.withheld))
        for number, (trade_id, quantity) in enumerate(portions):
            part = replace(fill, quantity=quantity, fee=fees[number], withheld=withheld[number])
            self.rows.append(_row(self.account, part, trade_id, order, number))

    def _shared(self, fill: port.Fill, own: int) -> list[Portion]:
        """The one stop of a position leaves for every trade that holds of it, the oldest first, then for nobody's.

        What none of them holds is left to the trade that brought it: its entry may not have been told yet.
        """
        leaves, _ = _sides(fill.order_side)
        left, portions = fill.quantity, dict[int | None, Decimal]()
        for trade_id, held in self._held(fill.symbol, leaves).items():
            part = min(held, left)
            left -= part
            if part:
                portions[trade_id] = part
        if left and (part := self._of_nobody(fill, leaves, left)):
            portions[None] = part
            left -= part
        if left:
            portions[own] = portions.get(own, ZERO) + left
        return list(portions.items())

    def _of_nobody(self, fill: port.Fill, side: Side, most: Decimal) -> Decimal:
        """Take up to `most` of `side` from what is nobody's; how much that was."""
        if self.foreign is None:
            self.foreign = nobodys(self.account)
        key = (fill.symbol, side)
        part = min(most, max(self.foreign.get(key, ZERO), self._entered_for_nobody(fill, side)))
        if part:
            self.foreign[key] = max(self.foreign.get(key, ZERO) - part, ZERO)
        return part

    def _entered_for_nobody(self, fill: port.Fill, side: Side) -> Decimal:
        """What of `side` a hand has opened lately beside several trades: no look may have found it yet."""
        if self.coins is not None:
            return ZERO
        now = [row for row in self.rows if row.trade_id is None and row.symbol == fill.symbol]
        return strangers.opened_by_hands(self.account, fill.symbol, side, fill.time, self.known.until, now)

    def _portions(self, fill: port.Fill) -> list[Portion]:
        """An execution that is not ours: it takes from what is nobody's first, then from the oldest trade on.

        What is left of it has opened something: that belongs to the only trade that holds this side, else to nobody.
        """
        if self.coins is not None and not is_ours(fill.client_id):
            return list(self._of_coins(fill, self.coins))
        if self.known.has(fill):
            return self._told_again(fill)
        leaves, opens = _sides(fill.order_side)
        left, portions = fill.quantity, list[Portion]()
        for trade_id, quantity in self._leaving(fill, leaves, left):
            portions.append((trade_id, quantity))
            left -= quantity
        for trade_id, quantity in self._lacking(fill.symbol, opens, left):
            portions.append((trade_id, quantity))
            left -= quantity
        if left:
            portions.append((self._entering(fill, opens), left))
        return portions

    def _told_again(self, fill: port.Fill) -> list[Portion]:
        """A hand's execution from before a position was adopted is in the adopted entry already.

        Only by what the venue's position differs from our books can it have changed anything since.
        """
        leaves, opens = _sides(fill.order_side)
        left = fill.quantity
        portions = list(self._leaving(fill, leaves, min(left, max(-self._surplus(fill.symbol, leaves), ZERO))))
        left -= sum((quantity for _, quantity in portions), ZERO)
        if new := min(left, max(self._surplus(fill.symbol, opens), ZERO)):
            portions.append((self._entering(fill, opens), new))
        return [*portions, (None, left - new)] if left > new else portions

    def _surplus(self, symbol: str, side: Side) -> Decimal:
        """What the venue holds beyond our books and what is nobody's."""
        theirs = self.known.there.get((symbol, side), ZERO) - nobodys(self.account).get((symbol, side), ZERO)
        return theirs - sum(self._held(symbol, side).values(), ZERO)

    def _of_coins(self, fill: port.Fill, coins: Mapping[str, Decimal]) -> Iterator[Portion]:
        """A hand buys for itself, and sells coins of ours that are missing: unless more are missing than it sold."""
        left, held = fill.quantity, self._held(fill.symbol, Side.LONG)
        missing = sum(held.values(), ZERO) - coins.get(fill.symbol, ZERO)
        if fill.order_side == OrderSide.SELL and 0 < missing <= self.entering[fill.symbol, Side.SHORT]:
            for trade_id, quantity in reversed(held.items()):
                known = [
                    *Fill.objects.filter(trade_id=trade_id),
                    *(row for row in self.rows if row.trade_id == trade_id),
                ]
                if part := min(quantity, left, missing, held_since(known, at(fill.time))):
                    missing, left = missing - part, left - part
                    yield trade_id, part
        if left:
            yield None, left

    def _leaving(self, fill: port.Fill, side: Side, quantity: Decimal) -> Iterator[Portion]:
        symbol, part = fill.symbol, self._of_nobody(fill, side, quantity)
        if part:
            yield None, part
        left = quantity - part
        if self.missing is not None:
            could = self.missing.get((symbol, side), ZERO) + self.entering[symbol, side] - self.gone[symbol]
            left = min(left, max(could, ZERO))
        for trade_id, held in self._held(symbol, side).items():
            part = min(held, left)
            left -= part
            self.gone[symbol] += part
            if part:
                yield trade_id, part

    def _lacking(self, symbol: str, side: Side, quantity: Decimal) -> Iterator[Portion]:
        """Of a hand's entry what our own exits have closed already: they were told before it."""
        left = quantity
        for trade_id, held in self._balance(symbol, side).items():
            part = min(-held, left)
            if part > 0:
                left -= part
                yield trade_id, part

    def _entering(self, fill: port.Fill, side: Side) -> int | None:
        """An order of ours whose row is lost (an older backup was restored) enters for the only trade there is."""
        assert self.foreign is not None  # read when what leaves was told apart
        holders = list(self._held(fill.symbol, side))
        if is_ours(fill.client_id):
            holders = [trade.pk for trade in self.working if (trade.symbol, trade.side) == (fill.symbol, side)]
        return holders[0] if len(holders) == 1 and not self.foreign.get((fill.symbol, side)) else None

    def _held(self, symbol: str, side: Side) -> dict[int, Decimal]:
        """Trades that hold something by all that has been booked so far, oldest first."""
        return {trade_id: quantity for trade_id, quantity in self._balance(symbol, side).items() if quantity > 0}

    def _balance(self, symbol: str, side: Side) -> dict[int, Decimal]:
        """By trade what has entered less what has left, oldest first."""
        trades = [trade for trade in self.working if trade.symbol == symbol and trade.side == side]
        held = held_by(trades)
        for row in self.rows:
            if row.trade_id in held:
                entered = row.order_side == side.entry_order_side
                held[row.trade_id] += row.quantity - row.withheld if entered else -row.quantity
        return held


def _sides(order_side: OrderSide) -> tuple[Side, Side]:
    """The side that such an execution leaves, and the one that it opens."""
    return (Side.SHORT, Side.LONG) if order_side == OrderSide.BUY else (Side.LONG, Side.SHORT)


def nobodys(account: Account) -> dict[tuple[str, Side], Decimal]:
    """How much of each symbol and side is held by no trade of ours."""
    return {(symbol, Side(side)): quantity for symbol, side, quantity in _NOBODYS.rows(account=account.pk)}


def shared_out(whole: Decimal, quantities: Sequence[Decimal]) -> list[Decimal]:
    """`whole` by `quantities`, in digits that are kept: the last part takes what is left, so that all add up to it."""
    total = sum(quantities, ZERO)
    parts = [kept(whole * quantity / total) for quantity in quantities[:-1]]
    return [*parts, whole - sum(parts, ZERO)]


def _row(account: Account, fill: port.Fill, trade_id: int | None, order: Order | None, number: int) -> Fill:
    """One portion; the first carries the venue's id itself."""
    return Fill(
        account=account,
        trade_id=trade_id,
        order=order,
        fill_id=fill.fill_id if number == 0 else f"{fill.fill_id}/{number}",
        symbol=fill.symbol,
        order_side=fill.order_side,
        price=fill.price,
        quantity=fill.quantity,
        fee=fill.fee,
        withheld=fill.withheld,
        liquidity=fill.liquidity,
        liquidation=fill.liquidation,
        from_record=fill.fill_id.startswith(records.RECORD),
        time=at(fill.time),
        raw={"exchange_id": fill.exchange_id, "client_id": fill.client_id} | venue_row(fill.raw),
    )


def venue_row(raw: Mapping[str, object]) -> dict[str, object]:
    return {"venue": dict(raw)} if raw else {}


def held_by(trades: Sequence[Trade], *, until: datetime | None = None) -> dict[int, Decimal]:
    """Trade → contracts its fills (`until` then) leave it with, without coins that the venue kept as its fee."""
    held = {trade.pk: ZERO for trade in trades}
    entry = {trade.pk: OrderSide.BUY if trade.side == "long" else OrderSide.SELL for trade in trades}
    for pk, side, quantity, withheld in _fills_of(list(held), until) if held else ():
        held[pk] += quantity - withheld if side == entry[pk] else -quantity
    return held


def _fills_of(trades: list[int], until: datetime | None) -> Iterable[tuple[int, str, Decimal, Decimal]]:
    if until is None:
        return _OF_TRADES.rows(trades=trades)
    fills = Fill.objects.filter(trade_id__in=trades, time__lte=until)
    return fills.values_list("trade_id", "order_side", "quantity", "withheld")


def told_of(orders: Iterable[int]) -> dict[int, Decimal]:
    """By order: contracts of it whose executions have been booked, whichever trades they happened to."""
    sums: dict[int, Decimal] = dict.fromkeys(orders, ZERO)
    for order_id, quantity in _FILLED.rows(orders=list(sums)) if sums else ():
        sums[order_id] += quantity
    return sums


def refresh_filled(new: Iterable[Fill]) -> None:
    """Bring `Order.filled` of the orders behind new fills up to what has been booked."""
    ours = [fill for fill in sorted(new, key=lambda fill: fill.time) if fill.order_id]
    if not ours:
        return
    last = {fill.order_id: fill.time for fill in ours if fill.order_id}
    sums = told_of(last)
    for order in {fill.order_id: fill.order for fill in ours}.values():
        assert order is not None
        _fill_up(order, sums[order.pk], last[order.pk])


def _fill_up(order: Order, filled: Decimal, last: datetime) -> None:
    """The venue may have said more already than its executions tell so far: its word stays."""
    order.filled = max(filled, order.filled)
    if filled >= order.quantity:
        order.status, order.closed_at = OrderStatus.FILLED, last
    elif not OrderStatus(order.status).is_final:
        order.status = OrderStatus.PARTIAL
    _ORDER({name: getattr(order, name) for name in ("filled", "status", "closed_at")}, order=order.pk)

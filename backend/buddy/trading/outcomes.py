"""What became of our orders at the venue: found by their names, doubted, proven absent, closed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Exchange, Fill, OrderRef, OrderState, OrderStatus
from buddy.exchanges.models import Account
from buddy.prepared import Select, Update

from . import absence, attached, books, nameless, pairs, telling
from .lease import Lease
from .models import Order
from .moments import at, to_ms, wall_ms
from .recognition import (
    ARRIVED,
    EARLY,
    Listing,
    as_child,
    became,
    is_known_as,
    is_missed,
    is_unnamed,
    may_have_executed,
)
from .rows import Rows
from .states import ABSENT, DOUBTFUL, LIVE, RESTING

_ORDER = Update(lambda order: Order.objects.filter(pk=order))
_NAMED = Select(lambda account, names: Order.objects.filter(account_id=account, client_id__in=names).order_by("pk"))
_NUMBERED = Select(
    lambda account, numbers: Order.objects.filter(account_id=account, exchange_id__in=numbers).order_by("pk")
)

DARK = "dark_since"
"""On a row: since when the venue has not found an order that it listed before."""
STRANGE = "strange_since"
"""On a row, by execution: since when its order, which may be this one or the stop of this entry, was not found."""


class Outcomes:
    """The rows of one account against what its venue says.

    `clock`: the account's time at the last reading; `rows`: those in hand since then.
    """

    def __init__(self, account: Account, exchange: Exchange, lease: Lease) -> None:
        self.account = account
        self.exchange = exchange
        self.lease = lease
        self.clock = 0
        self.rows = Rows()
        self.unseen: set[int] = set()
        """Orders that should be listed, were not in the last reading, and could not be found either."""
        self.overlooked: set[str] = set()
        """Symbols of which the last reading did not list an order that is there: what else it lacks proves nothing."""
        self.strange: set[str] = set()
        """Symbols of which coins were sold, and the last reading did not tell whether by a stop of ours."""
        self.alone: set[str] = set()
        """Symbols beside whose coins the trader had none of his own in the last reading."""

    def note(self, rows: Rows, states: Sequence[OrderState]) -> None:
        """Bring our rows up to what the venue lists; what it does not list is asked for by its names."""
        listing, names_stops = Listing.of(states), self.exchange.profile.names_stops
        self.unseen.clear()
        self.overlooked.clear()
        orders = [*rows.all_orders(), *self._forgotten(listing, rows)]
        for order in sorted(orders, key=self._has_name, reverse=True):
            found = listing.named(order) or (
                None if names_stops else nameless.by_figures(order, listing, rows, self.account)
            )
            if found is not None:
                self.adopt(order, found)
            elif order.status in LIVE:
                self.look_up(order)
                self.overlooked |= {order.symbol} if self._is_there(order) else set()
        for state in listing.attached:  # once it is known what has executed: by that it is told whose they are
            self._note_attached(state, rows)
        if not names_stops:
            nameless.cancel_twins(self.exchange, listing, rows)

    def _note_attached(self, state: OrderState, rows: Rows) -> None:
        """A row for it, where it has none; where its row was over, the list may lag: it is asked for by its number."""
        if any(is_known_as(order, state) for order in rows.all_orders()):
            return
        mine = attached.known_before(self.account, state)
        if mine is None:
            mine = attached.row_of(self.lease, self.account, rows, state)
            if mine is not None:
                self.adopt(mine, state)
        elif self._rests_again(mine):
            rows.orders[mine.trade_id].append(mine)

    def _rests_again(self, order: Order) -> bool:
        with suppress(CouldNotRead):
            state = self.exchange.find(books.ref_of(order))
            if state is not None and state.status.is_resting:
                self.adopt(order, state)
        return order.status in RESTING

    def name_strangers(self, rows: Rows, fills: Sequence[Fill], listed: Sequence[OrderState] | None = None) -> set[str]:
        """Find out whether orders of ours stand behind executions that carry no name we know, before they are booked.

        Our orders of those symbols are asked for, listed or not, since lists lag: a triggered one tells what it became.
        Where longs and shorts lie side by side, or coins of the trader's own (`listed`), what is not listed any more is
        asked for, too: what it has executed tells whose a hand's was. Gives the symbols on which it cannot be told yet.
        """
        gone = set[int]()
        if listed is not None:
            listing = Listing.of(listed)
            gone = {order.pk for order in rows.all_orders() if order.status in LIVE and listing.named(order) is None}
        return {symbol for symbol in {fill.symbol for fill in fills} if not self._told(symbol, rows, fills, gone)}

    def _told(self, symbol: str, rows: Rows, fills: Sequence[Fill], gone: set[int]) -> bool:
        known = [order for order in rows.all_orders() if order.symbol == symbol]
        here = [order for order in known if order.status in LIVE]
        nameless = self.exchange.profile.attaches_stop or not self.exchange.profile.names_stops
        try:
            for order in here:
                if self._has_name(order) and (order.pk in gone or may_have_executed(order)):
                    self._ask(order)
            asked = [fill for fill in fills if fill.symbol == symbol] if nameless else []
            if [fill for fill in asked if not self._ask_for(fill, rows) and self._may_be_ours(fill, known)]:
                return False
        except CouldNotRead:
            return False
        sides = {fill.order_side for fill in fills if fill.symbol == symbol}
        behind = [order for order in here if order.order_side in sides]
        if any(order.status in DOUBTFUL and "sent_at" in order.raw and is_unnamed(order) for order in behind):
            return False
        return not [order for order in behind if may_have_executed(order) and self._is_in_the_dark(order)]

    def _is_in_the_dark(self, order: Order) -> bool:
        """The venue did not find it just now, so that it may have executed under any name.

        For no longer than that may last: what is executed must be booked in the end.
        """
        is_dark = order.status in LIVE and ABSENT in order.raw
        since = order.raw.get(DARK)
        self._write_raw(order, {DARK: wall_ms()} | order.raw if is_dark else _without(order.raw, DARK))
        return is_dark and (
            since is None or wall_ms() - since < self.exchange.profile.settle_ms + absence.RECEIVE_WINDOW_MS
        )

    def look_up(self, order: Order) -> None:
        """Ask for one order. A failure to ask changes nothing."""
        try:
            self._ask(order)
        except CouldNotRead:
            self.unseen.add(order.pk)
        else:
            self.unseen |= {order.pk} if order.status in RESTING and ABSENT in order.raw else set()

    def is_over(self, order: Order, filled: Decimal) -> bool:
        """Whether the venue says that the order is over, and that no more of it executed than `filled`."""
        try:
            state = self.exchange.find(books.ref_of(order))
        except CouldNotRead:
            return False
        if state is None:
            return False
        self.adopt(order, state)
        return state.status.is_final and order.filled == filled

    def doubt(self, *orders: Order) -> None:
        """They were sent, and nobody knows what became of them."""
        with self.lease.writing():
            for order in orders:
                order.status = OrderStatus.UNKNOWN
                order.raw = order.raw | {"unknown_since": wall_ms()}
                save(order, "status", "raw")

    def is_there(self, *orders: Order) -> None:
        """The venue says that it has orders of these names, whether or not they can be read already."""
        for order in orders:
            order.raw = _without(order.raw, ABSENT) | {ARRIVED: True}
        self.doubt(*orders)
        for order in orders:
            self.look_up(order)

    def never_sent(self, order: Order) -> None:
        """It is certain that it did not reach the venue, nor its other half: the same wish may use its name again."""
        with self.lease.writing():
            for each in pairs.together(order, self.rows):
                each.status = OrderStatus.INTENDED
                each.raw = _without(each.raw, "sent_at", ABSENT, "unknown_since")
                save(each, "status", "raw")

    def adopt(self, order: Order, state: OrderState) -> None:
        """Write down what the venue says of one order; nothing is written when nothing is new."""
        before = _facts(order)
        order.status = state.status
        order.filled = max(order.filled, state.filled)
        order.child_id = state.child_id or order.child_id
        if order.is_attached:  # it grows with its entry
            order.quantity = max(order.quantity, state.quantity)
        if state.exchange_id and state.exchange_id != order.child_id:
            order.exchange_id = state.exchange_id
        order.raw = _without(order.raw, ABSENT)
        if before == _facts(order):
            return
        first_seen = order.placed_at is None
        order.placed_at = order.placed_at or self._moment(state.time)
        order.closed_at = self._moment(0) if state.status.is_final else None
        with self.lease.writing():
            save(order, "status", "quantity", "filled", "exchange_id", "child_id", "raw", "placed_at", "closed_at")
            if first_seen:
                self._note_arrival(order)

    def adopt_half(self, half: Order, stop: Order) -> None:
        """The venue took a pair and told of its stop: then the other half has arrived as well."""
        if OrderStatus(stop.status).is_resting:
            resting = replace(
                books.state_of(half), status=OrderStatus.OPEN, time=to_ms(stop.placed_at or stop.created_at)
            )
            self.adopt(half, resting)
        else:
            self.look_up(half)

    def _note_arrival(self, order: Order) -> None:
        """Tell of a stop that rests now; the other half of a pair arrived with it, whatever a late read says."""
        half = pairs.other_half(order, self.rows)
        if half is not None and half.placed_at is None:
            half.raw = half.raw | {ARRIVED: True}
            save(half, "raw")
        if not order.is_attached:
            telling.tell_placed(order, self.clock)

    def close(self, *orders: Order, status: OrderStatus) -> None:
        with self.lease.writing():
            for order in orders:
                order.status, order.closed_at = status, self._moment(0)
                save(order, "status", "closed_at", "refusal", "raw")

    # --- by their names ---

    def _ask(self, order: Order) -> None:
        """Raises CouldNotRead."""
        if order.status == OrderStatus.INTENDED:
            if "sent_at" not in order.raw:
                return
            self.doubt(order)  # written down by a process that died before it could say whether it was sent
        state = self.exchange.find(books.ref_of(order)) if self._has_name(order) else None
        if state is not None:
            self.adopt(order, state)
        elif self._may_be_overlooked(order):
            self._write_raw(order, _without(order.raw, ABSENT))
        else:
            self._absent(order)

    def _write_raw(self, order: Order, raw: dict[str, Any]) -> None:
        if order.raw != raw:
            order.raw = raw
            with self.lease.writing():
                save(order, "raw")

    def _is_there(self, order: Order) -> bool:
        """Whether the venue has just found it by its name."""
        return order.status in RESTING and order.pk not in self.unseen and self._has_name(order)

    def _may_be_overlooked(self, order: Order) -> bool:
        """Where no name of ours is kept, an order that the list lacks along with one that is there may be there, too.

        A stop does not wait for a better list: see `absence`.
        """
        return order.symbol in self.overlooked and not self._has_name(order) and not is_missed(order)

    def _has_name(self, order: Order) -> bool:
        return not is_unnamed(order) or order.trigger is None or self.exchange.profile.names_stops

    def _absent(self, order: Order) -> None:
        """The venue does not know it, which is believed once a read can no longer lag behind what was sent."""
        has_name, is_alone = self._has_name(order), order.symbol in self.alone
        if not absence.is_proven(order, self.exchange.profile, has_name=has_name, is_alone=is_alone):
            self._write_raw(order, order.raw | {ABSENT: absence.since(order)})
        elif order.status in DOUBTFUL and ARRIVED not in order.raw:
            if not has_name:
                order.raw = order.raw | {EARLY: True}
            self.never_sent(order)
        else:
            self.close(order, status=OrderStatus.FILLED if order.filled >= order.quantity else OrderStatus.CANCELLED)

    def _forgotten(self, listing: Listing, rows: Rows) -> list[Order]:
        """Orders that we had closed and that the venue lists all the same."""
        known = {order.client_id for order in rows.all_orders()}
        names = sorted(listing.by_client_id.keys() - known)
        found = _NAMED.rows(account=self.account.pk, names=names) if names else []
        if not self.exchange.profile.names_stops:
            numbers = sorted({state.exchange_id for state in listing.nameless(rows.all_orders())})
            by_number = _NUMBERED.rows(account=self.account.pk, numbers=numbers) if numbers else []
            found += [order for order in by_number if order.client_id not in names]
        over = [order for order in found if not self._rests_again(order)]  # a list that lags shows what has gone
        for order in over:
            listing.by_exchange_id.pop((order.symbol, order.exchange_id), None)  # and it is no other order of ours
        found = [order for order in found if order not in over]
        for order in found:
            rows.orders[order.trade_id].append(order)
        arrived = [] if self.exchange.profile.names_stops else nameless.arrived_late(self.account, listing, rows)
        return found + arrived

    # --- what stands behind executions ---

    def _ask_for(self, fill: Fill, rows: Rows) -> bool:
        """The order behind an execution, where it may be one of ours that has no name of ours; whether it was found.

        Raises CouldNotRead.
        """
        orders = rows.all_orders()
        if any(fill.exchange_id in (order.exchange_id, order.child_id) for order in orders if fill.exchange_id):
            return True
        state = self.exchange.find(OrderRef(fill.symbol, "", fill.exchange_id)) if fill.exchange_id else None
        if state is None:
            return False
        state = replace(state, average=state.average or fill.price)
        mine = next((order for order in orders if is_known_as(order, state)), None)
        if mine is None and state.is_attached:
            for entry in attached.may_have_brought(state, orders):  # whose own executions are booked after this
                self._ask(entry)
            mine = attached.row_of(self.lease, self.account, rows, state)
        elif mine is None and not self.exchange.profile.names_stops:  # else a hand's order may have the same figures
            mine = self._given_up(state, rows) or nameless.behind(state, orders, self.account)
            mine = mine or self._arrived_late(state, rows)
        if mine is not None:
            self.adopt(mine, as_child(state) if became(mine, state) else state)
        return True

    def _given_up(self, state: OrderState, rows: Rows) -> Order | None:
        """One that was seen by its number, and believed to be gone."""
        numbered = _NUMBERED.rows(account=self.account.pk, numbers=[state.exchange_id]) if state.exchange_id else []
        mine = next((order for order in numbered if is_known_as(order, state)), None)
        if mine is not None:
            rows.orders[mine.trade_id].append(mine)
        return mine

    def _arrived_late(self, state: OrderState, rows: Rows) -> Order | None:
        """One that was given up, or refused when it was sent again."""
        found = nameless.arrived_late(self.account, Listing.of([state]), rows)
        return found[0] if found else None

    def _may_be_ours(self, fill: Fill, known: Sequence[Order]) -> bool:
        """Whether an order of ours without a name may be behind it: so long as an order may stay invisible.

        Coins that a stop may have sold which came with an entry: taken for a hand's sale, it would leave coins of the
        trader's own for ours, and what is listed of them says nothing.
        """
        profile = self.exchange.profile
        spot = profile.exits.is_spot
        order = attached.may_have_sold(fill, known) if spot else nameless.behind_unseen(fill, known, self.account)
        if order is None:
            return False
        since = {fill.fill_id: wall_ms()} | order.raw.get(STRANGE, {})
        self._write_raw(order, order.raw | {STRANGE: since})
        waits: bool = wall_ms() - since[fill.fill_id] < profile.settle_ms + absence.RECEIVE_WINDOW_MS
        self.strange |= {fill.symbol} if waits and spot else set()
        return waits

    def _moment(self, milliseconds: int) -> datetime:
        known = milliseconds or self.clock
        return at(known) if known else timezone.now()


def _facts(order: Order) -> tuple[Any, ...]:
    return order.status, order.quantity, order.filled, order.exchange_id, order.child_id, order.raw


def _without(raw: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if name not in names}


def save(order: Order, *fields: str) -> None:
    """Write these fields of its row."""
    _ORDER({name: getattr(order, name) for name in fields}, order=order.pk)

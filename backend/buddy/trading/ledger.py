"""The port with a memory: every order is written down before it is sent, every execution is booked once.

A crash between any two lines is finished by the next look: the row says what was wanted, its client id finds what
became of it. No network inside a transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from buddy.core.errors import CouldNotRead, OutcomeUnknown, Rejected, Temporary
from buddy.core.exchange import CancelOutcome, Exchange, OrderState, OrderStatus, Reading, Refusal
from buddy.core.position import Wish
from buddy.exchanges.models import Account
from buddy.prepared import Select, Update

from . import books, telling
from .client_ids import is_ours, new_client_id
from .lease import Lease
from .models import Order, Trade
from .moments import at, wall_ms
from .rows import Rows
from .states import DOUBTFUL, LIVE, WORKING

_TRADES = Select(lambda account: Trade.objects.filter(account_id=account, status__in=WORKING).order_by("id"))
_INTENDED = Select(
    lambda trade, role, leg: Order.objects.filter(
        trade_id=trade, role=role, leg=leg, status=OrderStatus.INTENDED
    ).order_by("id")
)
_ORDER = Update(lambda order: Order.objects.filter(pk=order))


class Ledger:
    """One look's way to the venue. `read` first; then `intend`, `send` and `cancel` go through the rows."""

    def __init__(self, account: Account, exchange: Exchange, lease: Lease) -> None:
        self.account = account
        self.exchange = exchange
        self.lease = lease
        self.clock = 0
        """The account's clock at the last reading, milliseconds."""
        self.working: list[Trade] = []
        """The trades worked on, oldest first, and the rows behind them, as of the last reading."""
        self.rows = Rows()

    def read(self) -> Reading:
        """What the venue says now, booked. Raises CouldNotRead: then nothing may be concluded."""
        self._load()
        reading = self.exchange.read(self._symbols(), self.account.cursor)
        self.clock = reading.time
        if reading.fills or reading.income or reading.cursor != self.account.cursor:
            self._book(reading)
        self._note(reading.orders)
        return reading

    def _load(self) -> None:
        self.working = _TRADES.rows(account=self.account.pk)
        for trade in self.working:
            trade.account = self.account
        self.rows = Rows.of(self.working, self.account)

    def _book(self, reading: Reading) -> None:
        with transaction.atomic():
            self.lease.keep(cursor=reading.cursor)
            new = books.book_fills(self.account, reading.fills, self.working)
            income = books.book_income(self.account, reading.income, self.working)
            books.refresh_filled(new)
            telling.tell_fills(new, self.working, self.exchange.instrument)
            if new:
                telling.hint_account(self.account)
        self.account.cursor = reading.cursor
        if new or income:
            self.rows = Rows.of(self.working, self.account)

    def intend(self, trade: Trade, wish: Wish) -> Order:
        """Write `wish` down and commit; the same wish that is proven never to have been sent keeps its id."""
        return self._unsent(trade, wish) or self._intend(trade, wish)

    def send(self, order: Order) -> None:
        """Send it, once. Raises Rejected, Temporary (nothing happened) or OutcomeUnknown (the next read looks)."""
        try:
            state = self.exchange.place(books.intent_of(order))
        except Rejected as refusal:
            self._refused(order, refusal)
        except Temporary:
            raise
        except Exception as trouble:  # whatever is not a plain refusal may have reached the venue
            self._doubt(order)
            raise OutcomeUnknown(str(trouble)) from trouble
        else:
            self._adopt(order, state)

    def cancel(self, order: Order, reason: str) -> CancelOutcome:
        """Take an order back; the reason is on its row before the venue is asked."""
        with transaction.atomic():
            self.lease.keep()
            _ORDER({"cancel_reason": reason[:120]}, order=order.pk)
        order.cancel_reason = reason[:120]
        if order.status == OrderStatus.INTENDED:
            self._close(order, OrderStatus.CANCELLED)
            return CancelOutcome.NOT_FOUND
        outcome = self.exchange.cancel(books.ref_of(order))
        if outcome is CancelOutcome.CANCELLED:
            self._close(order, OrderStatus.CANCELLED)
        else:
            self._look_up(order)
        return outcome

    def ownerless(self) -> list[Order]:
        """Orders of ours that may rest although their trade is over."""
        working = {trade.pk for trade in self.working}
        return [o for pk, orders in self.rows.orders.items() if pk not in working for o in orders if o.status in LIVE]

    def _symbols(self) -> list[str]:
        live = {order.symbol for orders in self.rows.orders.values() for order in orders if order.status in LIVE}
        return sorted({trade.symbol for trade in self.working} | live)

    # --- sending ---

    def _unsent(self, trade: Trade, wish: Wish) -> Order | None:
        """The same wish written down before and proven never to have reached the venue: its id is used again."""
        rows = _INTENDED.rows(trade=trade.pk, role=wish.role, leg=wish.leg)
        same = [row for row in rows if _figures(row) == _figures(wish)]
        if not same:
            return None
        with transaction.atomic():
            self.lease.keep()
            _ORDER({"lease_epoch": self.lease.epoch}, order=same[0].pk)
        return same[0]

    def _intend(self, trade: Trade, wish: Wish) -> Order:
        with transaction.atomic():
            self.lease.keep()
            return Order.objects.create(
                account=self.account,
                trade=trade,
                client_id=new_client_id(),
                symbol=trade.symbol,
                role=wish.role,
                leg=wish.leg,
                order_side=wish.order_side,
                kind=wish.kind,
                quantity=wish.quantity,
                price=wish.price,
                trigger=wish.trigger,
                reduce_only=wish.reduce_only,
                reason=wish.reason,
                lease_epoch=self.lease.epoch,
                raw={"trigger_by": wish.trigger_by},
            )

    def _refused(self, order: Order, refusal: Rejected) -> None:
        if refusal.code == Refusal.DUPLICATE:
            self._look_up(order)
            return
        order.refusal = str(refusal)[:300]
        with transaction.atomic():
            self._close(order, OrderStatus.REJECTED)
            telling.tell_refused(order, refusal, self.clock)
        raise refusal

    def _doubt(self, order: Order) -> None:
        order.status = OrderStatus.UNKNOWN
        order.raw = order.raw | {"unknown_since": wall_ms()}
        _save(order, "status", "raw")

    # --- what became of it ---

    def _note(self, states: Sequence[OrderState]) -> None:
        """Bring our rows up to what the venue lists; what it does not list is asked for by id."""
        listed = {state.client_id: state for state in states if is_ours(state.client_id)}
        rows = [order for orders in self.rows.orders.values() for order in orders]
        for order in [*rows, *self._forgotten(listed.keys() - {order.client_id for order in rows})]:
            if order.client_id in listed:
                self._adopt(order, listed[order.client_id])
            elif order.status in LIVE:
                self._look_up(order)

    def _forgotten(self, client_ids: Collection[str]) -> list[Order]:
        """Orders that we had closed and that the venue lists all the same."""
        if not client_ids:
            return []
        found = list(Order.objects.filter(account=self.account, client_id__in=client_ids).select_related("trade"))
        for order in found:
            self.rows.orders[order.trade_id].append(order)
        return found

    def _look_up(self, order: Order) -> None:
        """Ask for one order by its client id. A failure to ask changes nothing."""
        try:
            state = self.exchange.find(books.ref_of(order))
        except CouldNotRead:
            return
        if state is not None:
            self._adopt(order, state)
        elif order.status in DOUBTFUL:
            self._absent(order)
        else:
            self._close(order, OrderStatus.FILLED if order.filled >= order.quantity else OrderStatus.CANCELLED)

    def _absent(self, order: Order) -> None:
        """Not at the venue: never placed, once that has been seen twice and longer apart than a read may lag."""
        now = wall_ms()
        first = int(order.raw.get("absent_since", now))
        if now - first < self.exchange.profile.settle_ms:
            order.raw = order.raw | {"absent_since": first}
        else:
            order.status = OrderStatus.INTENDED
            order.raw = {key: value for key, value in order.raw.items() if key != "absent_since"}
        _save(order, "status", "raw")

    def _adopt(self, order: Order, state: OrderState) -> None:
        """Write down what the venue says of one order; nothing is written when nothing is new."""
        before = (order.status, order.filled, order.exchange_id)
        order.status = state.status
        order.filled = max(order.filled, state.filled)
        order.exchange_id = state.exchange_id or order.exchange_id
        if before == (order.status, order.filled, order.exchange_id):
            return
        first_seen = order.placed_at is None
        order.placed_at = order.placed_at or self._moment(state.time)
        order.closed_at = self._moment(0) if state.status.is_final else None
        with transaction.atomic():
            _save(order, "status", "filled", "exchange_id", "placed_at", "closed_at")
            if first_seen:
                telling.tell_placed(order, self.clock)

    def _close(self, order: Order, status: OrderStatus) -> None:
        order.status, order.closed_at = status, self._moment(0)
        _save(order, "status", "closed_at", "refusal")

    def _moment(self, milliseconds: int) -> datetime:
        known = milliseconds or self.clock
        return at(known) if known else timezone.now()


def _save(order: Order, *fields: str) -> None:
    _ORDER({name: getattr(order, name) for name in fields}, order=order.pk)


def _figures(order: Order | Wish) -> tuple[object, ...]:
    return (order.order_side, order.kind, order.quantity, order.price, order.trigger, order.reduce_only)

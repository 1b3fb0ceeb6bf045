"""One account at a stand-in venue: what may be ordered, what is in the book, what waits for a trigger.

The simulated exchange holds what is in the order book. Conditional orders are the venue's own: it watches their
triggers, so the market stands still at each, and what it then puts into the book is a new order. A venue waits for
nobody: whatever a price sets off has happened when `move` returns.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from buddy.core.errors import Rejected
from buddy.core.exchange import OrderIntent, OrderKind, OrderStatus, Refusal
from buddy.core.market import ZERO, OrderSide
from buddy.core.simulated_market import FundingRate, Step, Tick

from . import rules
from .account_checks import Checks
from .orders import Kind, Protection, Status, VenueOrder, Wish
from .prices import SymbolPrices
from .refusals import Reason, Refused
from .slots import slot_of, slots

REASONS = {
    Refusal.MARGIN: Reason.MARGIN,
    Refusal.REDUCE_ONLY: Reason.REDUCE_ONLY,
    Refusal.MINIMUM: Reason.NOTIONAL_MINIMUM,
    Refusal.PRECISION: Reason.QUANTITY_PRECISION,
    Refusal.INACTIVE: Reason.INACTIVE,
}


class VenueAccount(Checks):
    """See `AccountBooks` for what it is made of."""

    # Orders

    def place(self, wish: Wish) -> VenueOrder:
        """Takes the order and executes what is due. Raises Refused."""
        self._check(wish)
        algo = wish.kind.is_conditional and self.habits.own_book
        order = self._order(wish, next(self.ids.algos if algo else self.ids.orders))
        if wish.kind.is_conditional:
            self._arm(order)
        else:
            self._submit(order)
            self._fire(wish.symbol)  # attached protection may be due already
        self._after()
        return order

    def cancel(self, order: VenueOrder) -> None:
        """Raises Refused when it is not open any more."""
        if order.id in self.armed:
            self._disarm(order, Status.CANCELED)
        elif order.key in self.working:
            self.sim.close(self.sim.orders[order.key], OrderStatus.CANCELLED)
            self._absorb()
        else:
            raise Refused(Reason.UNKNOWN_ORDER)
        self._after()

    def amend(self, order: VenueOrder, quantity: Decimal, price: Decimal) -> None:
        """A resting limit order gets another price or whole quantity, and keeps its ids. Raises Refused."""
        if order.key not in self.working:
            raise Refused(Reason.UNKNOWN_ORDER)
        if (quantity, price) == (order.quantity, order.wish.price):
            raise Refused(Reason.NOTHING_TO_AMEND)
        wish = replace(order.wish, quantity=quantity, price=price)
        rules.check_numbers(wish, self.instruments[wish.symbol], self.prices[wish.symbol])
        if quantity <= order.filled:
            raise Refused(Reason.QUANTITY_MINIMUM)
        before = order.wish
        self.sim.close(self.sim.orders[order.key], OrderStatus.CANCELLED)
        del self.working[order.key]
        try:
            self._resubmit(order, wish)
        except Refused:
            self._resubmit(order, before)
            raise
        finally:
            self._after()

    def _resubmit(self, order: VenueOrder, wish: Wish) -> None:
        order.wish, order.updated, order.revision = wish, self.clock(), order.revision + 1
        self._submit(order, "AMENDMENT")

    def drop(self, wish: Wish, reason: Reason) -> VenueOrder:
        """Taken, and cancelled by the venue in the same moment."""
        order = self._order(wish, next(self.ids.orders))
        order.status, order.reason = Status.CANCELED, reason.value
        self._enter(order)
        self._tell(order, Status.CANCELED)
        return order

    def protect(
        self, symbol: str, protection: Protection, quantity: Decimal | None, position_side: str = ""
    ) -> VenueOrder:
        """A stop or target for the position, or for a part of it. Raises Refused without one, or beyond the price."""
        held = self.position(symbol, position_side)
        if held is None:
            raise Refused(Reason.REDUCE_ONLY)
        side = OrderSide.BUY if held.quantity > 0 else OrderSide.SELL
        entry = Wish(symbol, side, Kind.MARKET, abs(held.quantity), position_side=held.position_side)
        leaving = Wish(
            symbol, side.opposite, protection.kind, None, trigger=protection.trigger, trigger_by=protection.trigger_by
        )
        if rules.is_triggered(leaving, self.prices[symbol]):
            raise Refused(Reason.WOULD_TRIGGER, "rise" if leaving.rises else "fall")
        placed = self._arm_protection(entry, protection, quantity, "position")
        self._after()
        return placed

    def fill_part(self, order: VenueOrder, quantity: Decimal) -> None:
        """Somebody takes `quantity` of a resting limit order, though the price did not move. Raises Refused."""
        if order.key not in self.working:
            raise Refused(Reason.UNKNOWN_ORDER)
        self._bring_up(order.wish.slot)
        self.sim.fill_part(order.key, quantity)
        self._react(order.wish.symbol)
        self._after()

    def deleverage(self, symbol: str, quantity: Decimal) -> None:
        """The venue takes away part of the position, or all of it. Raises Refused when there is less."""
        held = self.position(symbol)
        if held is None or quantity > abs(held.quantity):
            raise Refused(Reason.REDUCE_ONLY)
        slot = slot_of(symbol, held.position_side)
        self._bring_up(slot)
        self.sim.deleverage(slot, quantity)
        self._react(symbol)
        self._after()

    # Market

    def move(self, symbol: str, *steps: Step) -> None:
        """The market goes along these steps, and whatever they set off happens."""
        busy = [slot for slot in slots(symbol) if not self.is_idle(slot)]
        if not busy:
            return
        for slot in busy:
            self.sim.feed(slot, *steps)
        self.is_walking = True
        while not self.sim.run():
            self._react(symbol)
        self._react(symbol)
        self.is_walking = False
        self._after()

    def _react(self, symbol: str) -> None:
        self._absorb()
        self._fire(symbol)
        self._expire_close_orders()
        self.sim.watch(self._watches())

    def fund(self, symbol: str, rate: Decimal) -> None:
        """Funding is due now: longs pay shorts `rate` of the value at the mark price."""
        held = [slot for slot in slots(symbol) if slot in self.sim.books.holdings]
        for slot in held:
            self._bring_up(slot)
            market = self.sim.markets[slot]
            now, market.time = market.time, market.time - 1  # so that its time comes
            self.sim.fund(slot, FundingRate(now, rate))
        if held:
            self.move(symbol, Tick(now, market.last, market.mark))

    # Into the book

    def _submit(self, order: VenueOrder, execution: str = "NEW") -> None:
        """Into the simulated exchange's book, where what is due executes at once. Raises Refused."""
        wish = order.wish
        if not order.quantity:
            raise Refused(Reason.REDUCE_ONLY)
        self._bring_up(wish.slot)
        self.setup(wish.symbol)
        self.working[order.key] = order
        limited = wish.kind.executed_as is Kind.LIMIT
        kind, price = (OrderKind.LIMIT, wish.price) if limited else (OrderKind.MARKET, None)
        quantity = order.quantity - order.filled
        intent = OrderIntent(
            order.key, wish.slot, wish.order_side, kind, quantity, price, reduce_only=self._only_reduces(wish)
        )
        try:
            self.sim.place(intent)
        except Rejected as error:
            del self.working[order.key]
            raise Refused(REASONS.get(Refusal(error.code), Reason.MARGIN), str(error)) from None
        self._enter(order)
        self._tell(order, execution)
        self._absorb()
        if wish.time_in_force in ("IOC", "FOK") and order.key in self.working:
            self.sim.close(self.sim.orders[order.key], OrderStatus.EXPIRED)
            self._absorb()

    def _only_reduces(self, wish: Wish) -> bool:
        """In hedge mode an order against its position side can do nothing else."""
        leaving = OrderSide.SELL if wish.position_side == "LONG" else OrderSide.BUY
        return wish.reduce_only or (self.dual and wish.order_side is leaving)

    # Triggers

    def _fire(self, symbol: str) -> None:
        """Whatever is due by the price the simulated market stands at, the oldest first."""
        for order in [each for each in self.armed.values() if each.wish.symbol == symbol]:
            market = self.sim.markets[order.wish.slot]
            here = SymbolPrices(market.last, market.time, ZERO, market.mark)
            if order.id in self.armed and rules.is_triggered(order.wish, here):
                self._trigger(order)

    def _trigger(self, order: VenueOrder) -> None:
        order.triggered = self.clock()
        self._disarm(order, Status.TRIGGERING)
        if self.stuck_triggers:
            self.stuck_triggers -= 1
        elif self.habits.own_book:
            self._trigger_child(order)
        else:
            self._trigger_itself(order)

    def _trigger_itself(self, order: VenueOrder) -> None:
        """The order enters the book under its own number."""
        order.wish = self._executed(order.wish)
        order.status = Status.NEW
        try:
            self._submit(order, Status.TRIGGERED)
        except Refused as refusal:
            order.reason = refusal.reason.value
            self._disarm(order, Status.REJECTED)

    def _trigger_child(self, order: VenueOrder) -> None:
        """Another order enters the book."""
        child = self._child_of(order)
        order.child = child.id
        try:
            self._submit(child)
        except Refused as refusal:
            order.child, order.reason = None, refusal.reason.value
            self._disarm(order, Status.REJECTED)
            return
        if order.status is Status.TRIGGERING:
            self._disarm(order, Status.TRIGGERED)
        if not child.status.is_open:
            self._disarm(order, Status.FINISHED)

    def _executed(self, wish: Wish) -> Wish:
        """What a triggered order asks for: a close takes all that is held."""
        quantity = self._reducible(wish) if wish.quantity is None else wish.quantity
        return replace(wish, quantity=quantity, reduce_only=wish.reduce_only or wish.closes_position)

    def _child_of(self, order: VenueOrder) -> VenueOrder:
        number = next(self.ids.orders)
        wish = replace(self._executed(order.wish), kind=order.wish.kind.executed_as, attached=())
        child = self._order(wish, number, order.client_id if self.habits.children_keep_client_id else f"child{number}")
        child.parent = order.id
        return child

    def _expire_close_orders(self) -> None:
        """An order that closes a position goes with it."""
        for order in list(self.armed.values()):
            goes = order.wish.closes_position or "attached" in order.wish.note
            if goes and not self._reducible(order.wish):
                self._disarm(order, Status.EXPIRED)

    def _after(self) -> None:
        """Done with one change: close orders without a position go, and lagging reads get their view."""
        self._expire_close_orders()
        self.ledger.remember(self.view(0))

"""What the simulated exchange did, entered into the venue's books: executions, funding, ends, protection."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from buddy.core.exchange import Fill, Income, Liquidity, OrderStatus
from buddy.core.market import ZERO
from buddy.core.watching import Watch

from .account_books import AccountBooks
from .exchange import DELEVERAGED
from .orders import Kind, Protection, Status, VenueOrder, VenueTrade, Wish
from .slots import symbol_of


class Bookings(AccountBooks):
    """See `AccountBooks` for what it is made of."""

    def _absorb(self) -> None:
        while self.sim.log:
            row = self.sim.log.pop(0).row
            if isinstance(row, Fill):
                self._book_fill(row)
            else:
                self._book_funding(row)
        for key, order in list(self.working.items()):
            if key in self.sim.closed:
                self._end(order, self.sim.closed[key].status)

    def _book_fill(self, fill: Fill) -> None:
        order = self.working.get(fill.client_id) or self._forced_order(fill)
        before, slot = self.shadow.wallet, fill.symbol
        self.shadow.execute(self.sim.instruments[slot], fill.order_side, fill.quantity, fill.price, fill.fee)
        fill = replace(fill, symbol=symbol_of(slot))
        change = self.shadow.wallet - before
        self._count(order, fill)
        self._keep_side(slot, order.wish.position_side)
        trade = self._trade(order, fill, change + fill.fee, self._fee(fill))
        self.ledger.trades.append(trade)
        self._pay("REALIZED_PNL", fill.symbol, trade.realised, fill.time, trade.id)
        self._pay("COMMISSION", fill.symbol, -trade.fee, fill.time, trade.id, trade.fee_asset)
        self._tell_account("ORDER", change, fill.symbol)
        self._tell(order, "TRADE", trade)
        self._protect(order)

    def _count(self, order: VenueOrder, fill: Fill) -> None:
        order.filled += fill.quantity
        order.value += fill.quantity * fill.price
        order.status = Status.FILLED if order.filled == order.quantity else Status.PARTIALLY_FILLED
        order.updated = self.touched[order.wish.slot] = fill.time

    def _protect(self, order: VenueOrder) -> None:
        """What came attached to an entry is placed at its first fill, and grows with the others."""
        for protection in order.wish.attached:
            placed = self.protecting.get((order.id, protection))
            if placed is not None and placed.id in self.armed:
                placed.wish = replace(placed.wish, quantity=self._protected(order))
            elif placed is None:
                self._place_protection(order, protection)

    def _protected(self, order: VenueOrder) -> Decimal | None:
        return None if self.habits.protects_position else order.filled

    def _place_protection(self, order: VenueOrder, protection: Protection) -> None:
        placed = self._arm_protection(order.wish, protection, self._protected(order), str(order.id))
        self.protecting[order.id, protection] = placed

    def _arm_protection(
        self, entry: Wish, protection: Protection, quantity: Decimal | None, attached: str
    ) -> VenueOrder:
        """Against a position entered like `entry`. One for the whole position replaces the one there is."""
        wish = Wish(
            symbol=entry.symbol,
            order_side=entry.order_side.opposite,
            kind=protection.kind,
            quantity=quantity,
            price=protection.price,
            trigger=protection.trigger,
            trigger_by=protection.trigger_by,
            reduce_only=True,
            position_side=entry.position_side,
            note={"attached": attached},
        )
        for other in [each for each in self.armed.values() if quantity is None and alike(each.wish, wish)]:
            self._disarm(other, Status.CANCELED)
        placed = self._order(wish, next(self.ids.algos if self.habits.own_book else self.ids.orders))
        self._arm(placed)
        return placed

    def _arm(self, order: VenueOrder) -> None:
        self._bring_up(order.wish.slot)
        self.armed[order.id] = order
        self._enter(order)
        self.sim.watch(self._watches())
        self._tell(order, "NEW")

    def _enter(self, order: VenueOrder) -> None:
        algo = self.habits.own_book and order.wish.kind.is_conditional
        (self.ledger.algos if algo else self.ledger.orders)[order.id] = order

    def _watches(self) -> dict[str, Watch]:
        levels: dict[str, set[Decimal]] = {}
        for order in self.armed.values():
            levels.setdefault(order.wish.slot, set()).add(order.wish.trigger or ZERO)
        return {symbol: Watch(frozenset(prices)) for symbol, prices in levels.items()}

    def _fee(self, fill: Fill) -> Decimal:
        """In the coin the account pays its fees with; the simulated exchange took it if that is what it settles in."""
        if self.fee_coin is None or fill.exchange_id.startswith(DELEVERAGED):
            return fill.fee
        rate = self.costs.maker if fill.liquidity is Liquidity.MAKER else self.costs.taker
        return self.instruments[fill.symbol].notional(fill.price, fill.quantity) * rate / self.fee_coin.price

    def _trade(self, order: VenueOrder, fill: Fill, realised: Decimal, fee: Decimal) -> VenueTrade:
        return VenueTrade(
            id=next(self.ids.trades),
            order_id=order.id,
            client_id=order.client_id,
            symbol=fill.symbol,
            order_side=fill.order_side,
            price=fill.price,
            quantity=fill.quantity,
            fee=fee,
            realised=realised,
            maker=fill.liquidity is Liquidity.MAKER,
            time=fill.time,
            position_side=order.wish.position_side,
            forced=order.forced,
            fee_asset=self.fee_coin.asset if self.fee_coin else self.instruments[fill.symbol].settle,
        )

    def _forced_order(self, fill: Fill) -> VenueOrder:
        """The venue's own order."""
        symbol, side = symbol_of(fill.symbol), self.held_sides.get(fill.symbol, "BOTH")
        wish = Wish(
            symbol, fill.order_side, Kind.LIMIT, fill.quantity, fill.price, time_in_force="IOC", position_side=side
        )
        order = self._order(wish, next(self.ids.orders))
        order.forced = "adl" if fill.exchange_id.startswith(DELEVERAGED) else "liquidation"
        self._enter(order)
        for waiting in [each for each in self.armed.values() if each.wish.slot == fill.symbol]:
            if order.forced == "liquidation":
                self._disarm(waiting, Status.EXPIRED)
        return order

    def _book_funding(self, row: Income) -> None:
        self.shadow.wallet += row.amount
        self._pay("FUNDING_FEE", symbol_of(row.symbol), row.amount, row.time)
        self._tell_account("FUNDING_FEE", row.amount, symbol_of(row.symbol))

    def _keep_side(self, slot: str, position_side: str) -> None:
        if slot in self.shadow.holdings:
            self.held_sides[slot] = position_side
        else:
            self.held_sides.pop(slot, None)

    def _end(self, order: VenueOrder, status: OrderStatus) -> None:
        del self.working[order.key]
        if status is not OrderStatus.FILLED:
            order.status = Status.CANCELED if status is OrderStatus.CANCELLED else Status.EXPIRED
            order.updated = self.clock()
            self._tell(order, order.status.value)
        parent = self.ledger.algos.get(order.parent or 0)
        if parent is not None and parent.status is Status.TRIGGERED:
            self._disarm(parent, Status.FINISHED)

    def _disarm(self, order: VenueOrder, status: Status) -> None:
        self.armed.pop(order.id, None)
        order.status, order.updated = status, self.clock()
        self._tell(order, status.value)


def alike(other: Wish, wish: Wish) -> bool:
    """Whether both close the position of one symbol in the same way."""
    same = (other.slot, other.order_side, other.kind.takes_profit)
    return other.closes_position and same == (wish.slot, wish.order_side, wish.kind.takes_profit)

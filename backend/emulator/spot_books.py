"""What an account owns on spot: coins, what of them rests in orders, and pairs of orders of which one executes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from buddy.core.market import ZERO, Instrument, OrderSide

from .orders import Kind, VenueOrder, Wish

GRAIN = Decimal("1E-8")
"""What a commission is cut down to."""


@dataclass(slots=True)
class OrderList:
    """A stop and a limit order for the same coins."""

    id: int
    client_id: str
    symbol: str
    stop: VenueOrder
    limit: VenueOrder
    time: int
    updated: int
    is_done: bool = False

    @property
    def orders(self) -> tuple[VenueOrder, VenueOrder]:
        return self.stop, self.limit

    def other(self, order: VenueOrder) -> VenueOrder:
        return self.limit if order is self.stop else self.stop


def commission(amount: Decimal) -> Decimal:
    return amount.quantize(GRAIN, ROUND_DOWN)


def needed(wish: Wish, quantity: Decimal, last: Decimal, instrument: Instrument) -> tuple[str, Decimal]:
    """The coin that an order for `quantity` locks, and how much of it."""
    if wish.order_side is OrderSide.SELL:
        return instrument.base, quantity
    price = wish.price if wish.kind.executed_as is Kind.LIMIT else wish.trigger
    return instrument.quote, quantity * (price or last)


def locked(
    orders: Iterable[VenueOrder], lasts: Mapping[str, Decimal], instruments: Mapping[str, Instrument]
) -> dict[str, Decimal]:
    """By coin. Of a pair, the half that locks more does."""
    bound: dict[tuple[str, int], Decimal] = {}
    for order in orders:
        symbol = order.wish.symbol
        coin, amount = needed(order.wish, order.quantity - order.filled, lasts[symbol], instruments[symbol])
        name = (coin, order.id if order.pair is None else -order.pair)
        bound[name] = max(amount, bound.get(name, ZERO))
    sums: dict[str, Decimal] = {}
    for (coin, _), amount in bound.items():
        sums[coin] = sums.get(coin, ZERO) + amount
    return sums

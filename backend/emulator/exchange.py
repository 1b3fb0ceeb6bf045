"""The simulated exchange with a hand in its book: an order can be made to fill in part."""

from __future__ import annotations

from decimal import Decimal

from buddy.core.exchange import OrderStatus
from buddy.core.simulator import SimulatedExchange


class VenueExchange(SimulatedExchange):
    def fill_part(self, client_id: str, quantity: Decimal) -> None:
        """`quantity` of a resting limit order trades at its price, wherever the market is."""
        order = self.orders[client_id]
        market = self.markets[order.intent.symbol]
        market.jumped = False
        self._fill(order, market, min(quantity, order.remaining))
        if order.remaining:
            order.status = OrderStatus.PARTIAL
        else:
            self.close(order, OrderStatus.FILLED)

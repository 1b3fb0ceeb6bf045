"""The simulated exchange with a hand in it: an order can be made to fill in part, a position to be taken away."""

from __future__ import annotations

from decimal import Decimal

from buddy.core.exchange import Fill, Liquidity, OrderStatus
from buddy.core.market import ZERO
from buddy.core.matching import Logged
from buddy.core.simulator import SimulatedExchange

DELEVERAGED = "adl"
"""How the exchange ids of such executions begin."""


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

    def deleverage(self, symbol: str, quantity: Decimal) -> None:
        """The venue takes away `quantity` of a position at the mark price, without a fee."""
        held, market = self.books.holdings[symbol], self.markets[symbol]
        side, price = held.side.exit_order_side, market.mark_price
        self.books.execute(self.instruments[symbol], side, quantity, price, ZERO)
        self.number += 1
        fill = Fill(
            fill_id=f"f{self.number}",
            exchange_id=f"{DELEVERAGED}{self.number}",
            client_id="",
            symbol=symbol,
            order_side=side,
            price=price,
            quantity=quantity,
            fee=ZERO,
            liquidity=Liquidity.TAKER,
            time=market.time,
            liquidation=True,
        )
        self.log.append(Logged(self.number, fill))

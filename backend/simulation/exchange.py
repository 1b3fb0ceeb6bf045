"""The simulated exchange as these venues trade: who takes from the book is filled at once."""

from __future__ import annotations

from decimal import Decimal

from buddy.core.errors import Rejected
from buddy.core.exchange import OrderIntent, Refusal
from buddy.core.simulated_books import Resting
from buddy.core.simulator import SimulatedExchange


class Exchange(SimulatedExchange):
    """What leaves or enters at market does so whole. `restricted`: symbols that nothing may enter."""

    restricted: frozenset[str] = frozenset()

    def _check_entry(self, intent: OrderIntent) -> None:
        if intent.symbol in self.restricted:
            raise Rejected(f"{intent.symbol} may only be left", Refusal.INACTIVE)
        super()._check_entry(intent)

    def _slice(self, order: Resting, quantity: Decimal) -> Decimal:
        return quantity if order.intent.price is None else super()._slice(order, quantity)

"""What a venue refuses once it knows whose order it is: sides, what is held, what rests, how large it would get."""

from __future__ import annotations

from decimal import Decimal

from buddy.core.market import ZERO

from . import rules
from .account_bookings import Bookings, alike
from .orders import Wish
from .refusals import Reason, Refused

STOPS_PER_SYMBOL = 100


class Checks(Bookings):
    """See `AccountBooks` for what it is made of."""

    def _check(self, wish: Wish) -> None:
        prices = self.prices[wish.symbol]
        self._check_side(wish)
        rules.check_numbers(wish, self.instruments[wish.symbol], prices)
        if wish.kind.is_conditional and rules.is_triggered(wish, prices):
            raise Refused(Reason.WOULD_TRIGGER, "rise" if wish.rises else "fall")
        if wish.time_in_force == "GTX" and rules.crosses(wish, prices):
            raise Refused(Reason.POST_ONLY)
        if wish.reduce_only or wish.closes_position:
            self._check_reducing(wish)
        else:
            self._check_tier(wish)

    def _check_side(self, wish: Wish) -> None:
        if (wish.position_side == "BOTH") is self.dual:
            raise Refused(Reason.POSITION_SIDE)

    def _check_reducing(self, wish: Wish) -> None:
        held = self._reducible(wish)
        if not held:
            raise Refused(Reason.REDUCE_ONLY)
        armed = [order.wish for order in self.armed.values() if order.wish.symbol == wish.symbol]
        if len(armed) >= STOPS_PER_SYMBOL:
            raise Refused(Reason.TOO_MANY_STOPS)
        if wish.closes_position:
            if any(alike(other, wish) for other in armed):
                raise Refused(Reason.CLOSE_EXISTS)
        elif not wish.kind.is_conditional:
            self._check_budget(wish, held)

    def _check_budget(self, wish: Wish, held: Decimal) -> None:
        resting = sum((o.quantity - o.filled for o in self.working.values() if _shares_budget(o.wish, wish)), ZERO)
        if self.habits.has_budget and resting and resting + wish.quantity > held:  # type: ignore[operator]
            raise Refused(Reason.REDUCE_ONLY_BUDGET)

    def _check_tier(self, wish: Wish) -> None:
        instrument, held = self.instruments[wish.symbol], self.sim.books.holdings.get(wish.slot)
        most = rules.largest_notional(instrument, self.setup(wish.symbol).leverage)
        same = held is not None and held.side.entry_order_side is wish.order_side
        quantity = (wish.quantity or ZERO) + (held.quantity if same and held else ZERO)
        if most is not None and instrument.notional(self.prices[wish.symbol].last, quantity) > most:
            raise Refused(Reason.TIER)

    def _reducible(self, wish: Wish) -> Decimal:
        held = self.sim.books.holdings.get(wish.slot)
        return ZERO if held is None or held.side.exit_order_side is not wish.order_side else held.quantity


def _shares_budget(resting: Wish, wish: Wish) -> bool:
    alike = (resting.symbol, resting.order_side) == (wish.symbol, wish.order_side)
    return resting.reduce_only and alike

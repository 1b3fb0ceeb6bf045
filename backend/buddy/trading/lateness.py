"""Lists of positions that lag: how much more they may still show than is there, by what has executed just before.

A list as old as a venue's reads may be (`Profile.settle_ms`) shows what a trade of ours held before it left. Such a
surplus is nobody's position, and nothing that a hand has added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from buddy.core.exchange import PositionMode, Reading
from buddy.core.market import ZERO, Side
from buddy.exchanges.models import Account

from .models import Fill
from .moments import at

Key = tuple[str, Side]
"""Symbol and side."""


@dataclass(slots=True)
class Lateness:
    """Of one reading. `lag_ms`: how late a list may be; executions are asked for only where a surplus is to be told.

    `untold`: what orders of ours say has left, and no execution does yet.
    """

    account: Account
    reading: Reading
    lag_ms: int
    untold: Mapping[Key, Decimal] = field(default_factory=dict)
    _beyond: dict[Key, Decimal] = field(default_factory=dict)

    def explains(self, key: Key, surplus: Decimal) -> bool:
        """Whether the list may show so much more of a symbol and side only because it is late."""
        if not self.lag_ms or surplus <= 0:
            return False
        if key not in self._beyond:
            self._beyond[key] = self._shown_beyond(*key)
        return surplus <= self._beyond[key] + self.untold.get(key, ZERO)

    def _shown_beyond(self, symbol: str, side: Side) -> Decimal:
        """The most that was held at any moment since then, beyond what is held now, by the executions booked."""
        entry, most, beyond = side.entry_order_side, ZERO, ZERO
        since = at(self.reading.time - self.lag_ms)
        fills = Fill.objects.filter(account=self.account, symbol=symbol, time__gte=since).order_by("-time", "-id")
        for of_side, order_side, quantity in fills.values_list("trade__side", "order_side", "quantity"):
            if self._is_of(of_side, side):
                beyond += -quantity if order_side == entry else quantity
                most = max(most, beyond)
        return most

    def _is_of(self, of_side: str | None, side: Side) -> bool:
        """Of a hand's execution only where there is but one side it is known which one it was."""
        if of_side is None:
            return self.reading.position_mode is not PositionMode.HEDGE
        return of_side == side

"""What a venue knows of a run's account, read as plain facts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

D = Decimal
ZERO = D(0)
RESTS = ("NEW", "PARTIALLY_FILLED")
OURS = "tb"
"""How the client ids of our orders begin."""
DUST = D("0.0002")
"""Coins too few to be sold."""


@dataclass(frozen=True)
class Books:
    """`symbol`: of the story's trades. `stash`: coins of the trader's own, in the same wallet."""

    told: dict[str, Any]
    symbol: str
    stash: Decimal

    @property
    def is_spot(self) -> bool:
        return ":" not in self.symbol

    @property
    def wallet(self) -> Decimal:
        return D(self.told["balance"]["wallet"])

    @property
    def held(self) -> Decimal:
        """Signed; on spot without the stash, which may be dust."""
        if not self.is_spot:
            return sum((D(each["quantity"]) for each in self.told["positions"]), ZERO)
        coin = self.told["coins"].get("BTC", {"free": "0", "locked": "0"})
        return D(coin["free"]) + D(coin["locked"]) - self.stash

    @property
    def is_flat(self) -> bool:
        return ZERO <= self.held < DUST if self.is_spot else not self.held

    @property
    def orders(self) -> list[dict[str, Any]]:
        return [order for order in self._all_orders() if order["wish"]["symbol"] == self.symbol]

    @property
    def proofs(self) -> list[dict[str, Any]]:
        """Orders that prove placing: they keep to a symbol that nothing else is on."""
        return [order for order in self._all_orders() if order["wish"]["symbol"] != self.symbol]

    def _all_orders(self) -> list[dict[str, Any]]:
        return [*self.told["orders"], *self.told["conditional"]]

    @property
    def resting(self) -> list[dict[str, Any]]:
        return [order for order in (*self.orders, *self.proofs) if order["status"] in RESTS]

    @property
    def exits(self) -> list[dict[str, Any]]:
        rest = [order for order in self.orders if order["status"] in RESTS]
        if self.is_spot:
            return [order for order in rest if order["wish"]["order_side"] == "sell"]
        return [order for order in rest if order["wish"]["reduce_only"] or self._is_stop(order)]

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Orders of ours that were accepted and open a position, over or not."""
        mine = [order for order in self.orders if order["client_id"].startswith(OURS)]
        if self.is_spot:
            return [order for order in mine if order["wish"]["order_side"] == "buy"]
        return [order for order in mine if not order["wish"]["reduce_only"]]

    @property
    def covered(self) -> Decimal:
        """How much stops would close; one that came with an entry closes the position, whatever its size is then."""
        stops = [order for order in self.exits if self._is_stop(order)]
        if any(order["wish"]["quantity"] is None for order in stops):
            return abs(self.held)
        return sum((left(order) for order in stops), ZERO)

    @property
    def targets(self) -> Decimal:
        """How much limit orders would close."""
        return sum((left(order) for order in self.exits if not self._is_stop(order)), ZERO)

    @property
    def is_covered(self) -> bool:
        return self.covered >= abs(self.held) - (DUST if self.is_spot else ZERO)

    @property
    def fees(self) -> Decimal:
        paid = [D(row["amount"]) for row in self.told["income"] if row["kind"] == "COMMISSION"]
        return -sum(paid, ZERO)

    @property
    def executions(self) -> list[str]:
        return [str(trade["id"]) for trade in self.told["trades"]]

    def names_taken_twice(self) -> set[str]:
        """Client ids of ours under which more than one order was accepted, in one book."""
        found: set[str] = set()
        for book in ("orders", "conditional"):
            names = [order["client_id"] for order in self.told[book] if order["client_id"].startswith(OURS)]
            found |= {name for name in names if names.count(name) > 1}
        return found

    @staticmethod
    def _is_stop(order: dict[str, Any]) -> bool:
        return order["wish"]["trigger"] is not None


def left(order: dict[str, Any]) -> Decimal:
    return D(order["quantity"]) - D(order["filled"])

"""Somebody who trades at a stand-in venue through the whole product, again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from emulator.handle import Hand
from scripts.supervisor import Stack

from .looks import SYMBOL
from .serving import Visitor

PATIENCE = 60.0
START = Decimal(64_000)


class VenueDesk:
    """One account at the stand-in that `ours` was started with. Its prices move by our hand only."""

    def __init__(self, ours: Stack) -> None:
        assert ours.demo is not None
        name = ours.demo.venue
        self.ours, self.venue, self.key = ours, Hand(ours.demo.base, name), ours.demo.key
        self.venue.hold_prices()
        self.visitor = Visitor(ours.port)
        self.visitor.sign_up()
        key = {"api_key": self.key, "secret": ours.demo.secret}
        wanted = {"name": "Bench", "mode": "testnet", "venue": name, "key": key}
        self.account = self.visitor.call("POST", "/api/v1/accounts", wanted)["id"]

    def start_over(self, breath: float) -> None:
        """The price is back at the start, and the desk knows it; it keeps prices for a moment."""
        self.venue.set_price(SYMBOL, str(START), jump=True)
        time.sleep(breath)
        until(lambda: Decimal(self._quote()["last"]) == START)

    def open(self, plan: dict[str, Any]) -> int:
        """The id of a new trade."""
        return int(self.visitor.call("POST", "/api/v1/trades", {"account": self.account, "plan": plan})["id"])

    def is_closed(self, trade: int) -> bool:
        return bool(self.visitor.call("GET", f"/api/v1/trades/{trade}")["status"] == "closed")

    def resting(self, kind: str) -> list[Any]:
        """`kind`: orders, or conditional."""
        return [order for order in self.books()[kind] if order["status"] == "NEW"]

    def books(self) -> Any:
        return self.venue.books(self.key)

    def _quote(self) -> Any:
        return self.visitor.call("GET", f"/api/v1/instruments/quote?account={self.account}&symbol={SYMBOL}")


def until(so: Callable[[], bool], glance: float = 0.05, patience: float = PATIENCE) -> None:
    """Raises RuntimeError when it does not come to that."""
    deadline = time.monotonic() + patience
    while not so():
        if time.monotonic() > deadline:
            raise RuntimeError("It did not come to that.")
        time.sleep(glance)

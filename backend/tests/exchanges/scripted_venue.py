"""A venue behind a key, in memory: it says what the test wants, and keeps every key it was shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TypeVar

import pytest

from buddy.core.costs import Costs
from buddy.core.exchange import Balance, KeyInfo, OrderRef, PositionMode
from buddy.core.market import Instrument
from buddy.exchanges import venue_exchange
from buddy.exchanges.market_data import fetching
from buddy.exchanges.models import Keys

from .market_of_steps import COIN, OTHER, instrument

T = TypeVar("T")
SAFE = KeyInfo(can_trade=True, can_withdraw=False, ip_bound=True, expires_at=None)
THE_VENUE: list[ScriptedVenue] = []


class ScriptedVenue:
    """What `open_exchange` opens while a test is under way; one for all accounts."""

    def __init__(self) -> None:
        self.rights = SAFE
        self.money = Balance(Decimal("5000.25"), Decimal("5100.5"), Decimal("4000.125"))
        self.mode: PositionMode | None = PositionMode.ONE_WAY
        self.one_margin_mode = ""
        self.offset = 120
        self.costs: Costs | Exception | None = None
        """What it charges; None where it does not tell."""
        self.fails: Exception | None = None
        self.known: set[str] = set()
        """Client ids of the orders it has."""
        self.shown: list[tuple[str, str, Keys]] = []
        """Venue, environment and key of each exchange that was opened."""

    def key_info(self) -> KeyInfo:
        return self._answer(self.rights)

    def clock_offset(self) -> int:
        return self._answer(self.offset)

    def position_mode(self) -> PositionMode | None:
        return self._answer(self.mode)

    def margin_mode(self) -> str:
        return self._answer(self.one_margin_mode)

    def balance(self) -> Balance:
        return self._answer(self.money)

    def charges(self) -> Costs | None:
        if isinstance(self.costs, Exception):
            raise self.costs
        return self._answer(self.costs)

    def instruments(self) -> Sequence[Instrument]:
        return [self.instrument(symbol) for symbol in (COIN, OTHER)]

    def instrument(self, symbol: str) -> Instrument:
        return self._answer(instrument(symbol))

    def find(self, ref: OrderRef) -> OrderRef | None:
        return self._answer(ref if ref.client_id in self.known else None)

    def _answer(self, answer: T) -> T:
        if self.fails is not None:
            raise self.fails
        return answer


def open_exchange(venue: str, keys: Keys, *, testnet: bool) -> ScriptedVenue:
    (it,) = THE_VENUE
    it.shown.append((venue, "testnet" if testnet else "live", keys))
    return it


@contextmanager
def at_hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedVenue]:
    """This process is a worker, and the venue is ours."""
    monkeypatch.setattr(venue_exchange, "CLIENT", f"{__name__}.open_exchange")
    monkeypatch.setattr(fetching.Place, "is_worker", True)
    venue_exchange.forget()
    THE_VENUE[:] = [ScriptedVenue()]
    yield THE_VENUE[0]
    THE_VENUE.clear()
    venue_exchange.forget()

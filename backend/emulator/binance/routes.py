"""How a Binance path finds its function, and what a request must bring to get there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..account import VenueAccount
from ..orders import VenueOrder
from ..venue import Key, Venue
from .listen_keys import ListenKeys
from .params import Params
from .refusals import BinanceError
from .shapes import market_id


class Security(Enum):
    NONE = "none"
    KEY = "key"
    """Any key's name, without a signature."""
    READ = "read"
    TRADE = "trade"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a request is answered: the venue, whose key it is, and how old a reading it gets."""

    venue: Venue
    owner: Key | None
    listen_keys: ListenKeys
    lag_ms: int = 0

    @property
    def key(self) -> Key:
        if self.owner is None:
            raise BinanceError(-2014, "API-key format invalid.", 401)
        return self.owner

    @property
    def account(self) -> VenueAccount:
        return self.key.account

    def symbol(self, p: Params, *, required: bool = True) -> str | None:
        """Ours, from theirs. Raises -1102 or -1121."""
        name = p.text("symbol", None if required else "")
        if not name:
            return None
        found = next((symbol for symbol in self.venue.instruments if market_id(symbol) == name), None)
        if found is None:
            raise BinanceError(-1121, "Invalid symbol.")
        return found

    def known(self, order: VenueOrder) -> bool:
        """Whether a read that lags, or an archive that was emptied, still tells of it."""
        recent = order.time > self.venue.now() - self.lag_ms if self.lag_ms else False
        return not recent and not self.account.ledger.is_archived(order)


Handler = Callable[[Desk, Params], Any]


@dataclass(frozen=True, slots=True)
class Route:
    handler: Handler
    security: Security
    weight: int = 1


ROUTES: dict[tuple[str, str], Route] = {}


def route(method: str, path: str, security: Security = Security.NONE, weight: int = 1) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        ROUTES[method, path] = Route(handler, security, weight)
        return handler

    return register

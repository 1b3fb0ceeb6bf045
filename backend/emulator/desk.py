"""How a request finds its function, and what that function works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .account import VenueAccount
from .listen_keys import ListenKeys
from .orders import VenueOrder
from .params import Params
from .prices import SymbolPrices
from .refusals import Reason, Refused
from .venue import Key, Venue


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
    market_id: Callable[[str], str]
    """The venue's name of a symbol."""
    owner: Key | None = None
    lag_ms: int = 0
    listen_keys: ListenKeys = field(default_factory=lambda: ListenKeys(int))

    @property
    def key(self) -> Key:
        """Whose request it is; routes that ask for one have one."""
        if self.owner is None:
            raise LookupError("This route asks for no key.")
        return self.owner

    @property
    def account(self) -> VenueAccount:
        return self.key.account

    def symbol(self, p: Params) -> str:
        """Ours, from theirs."""
        name = p.text("symbol")
        for instrument in self.venue.listed():
            if self.market_id(instrument.symbol) == name:
                return instrument.symbol
        raise Refused(Reason.UNKNOWN_SYMBOL, name)

    def any_symbol(self, p: Params) -> str | None:
        """None when it is left out."""
        return self.symbol(p) if p.has("symbol") else None

    def each(self, p: Params, shape: Callable[[str, SymbolPrices], Any]) -> Any:
        """One symbol's, or, where none is asked for, a list of everybody's."""
        symbol, prices = self.any_symbol(p), self.venue.prices
        if symbol is not None:
            return shape(symbol, prices[symbol])
        return [shape(each, at) for each, at in prices.items()]

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
    for_all: int = 0
    """What it weighs instead where no symbol is named."""

    def weighs(self, params: Mapping[str, str]) -> int:
        named = params.get("symbol") or params.get("symbols")
        return self.weight if named else self.for_all or self.weight

    def allows(self, key: Key) -> bool:
        return key.can_read and (key.can_trade or self.security is not Security.TRADE)


class Routes(dict[tuple[str, str], Route]):
    """By method and path."""

    def add(
        self, method: str, path: str, security: Security = Security.NONE, weight: int = 1, for_all: int = 0
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self[method, path] = Route(handler, security, weight, for_all)
            return handler

        return register

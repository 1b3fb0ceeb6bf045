"""Accounts at stand-in venues through the real client, in no need of patience: the rates have tests of their own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from buddy.core.exchange import OrderIntent, OrderKind, OrderRef, OrderState, Reading
from buddy.core.market import OrderSide
from buddy.exchanges import ccxt_client, ccxt_connect
from buddy.exchanges.ccxt_exchange import CcxtExchange
from buddy.exchanges.models import Keys
from buddy.exchanges.recipe import Rate
from buddy.exchanges.venue_rows import RECIPES
from buddy.exchanges.venues import VENUES
from emulator.handle import Hand, StandIn, running

D = Decimal
SYMBOL, COIN = "SOL/USDT:USDT", "SOL/USDT"
numbers = itertools.count(1)


@contextmanager
def stand_ins() -> Iterator[StandIn]:
    at_once = Rate(1e6, 1e6)
    fast = {name: replace(each, per_address=at_once, per_account=at_once) for name, each in RECIPES.items()}
    with running() as venues, pytest.MonkeyPatch.context() as patch:
        patch.setattr(ccxt_connect, "RECIPES", fast)
        patch.setattr(settings, "EXCHANGE_TRANSPORT_BASE", venues.base)
        yield venues
    ccxt_client.forget_markets()


@dataclass
class Desk:
    """An account at a venue where one coin stands at 100, and both hands on it: ours and the venue's."""

    exchange: CcxtExchange
    hand: Hand
    key: str
    symbol: str = SYMBOL
    cursor: str = ""

    def look(self, *symbols: str) -> Reading:
        reading = self.exchange.read(symbols or (self.symbol,), self.cursor)
        self.cursor = reading.cursor
        return reading

    def intent(self, side: OrderSide, kind: OrderKind, quantity: Any = 1, **more: Any) -> OrderIntent:
        values = {name: D(str(value)) if name in ("price", "trigger") else value for name, value in more.items()}
        return OrderIntent(f"tb{next(numbers):026}", self.symbol, side, kind, D(str(quantity)), **values)

    def order(self, side: OrderSide, kind: OrderKind, quantity: Any = 1, **more: Any) -> OrderState:
        return self.exchange.place(self.intent(side, kind, quantity, **more))

    def price(self, price: Any) -> None:
        self.hand.set_price(self.symbol, str(price))

    def orders(self) -> list[dict[str, Any]]:
        books = self.hand.books(self.key)
        return [*books["orders"], *books["conditional"]]


def ref(order: OrderState) -> OrderRef:
    return OrderRef(order.symbol, order.client_id, order.exchange_id, is_conditional=order.trigger is not None)


def desk_at(venues: StandIn, venue: str, **account: str) -> Desk:
    """A new account, its leverage set where there is any."""
    hand, key = getattr(venues, venue), f"key{next(numbers)}"
    symbol = COIN if VENUES[venue].exits.is_spot else SYMBOL
    hand.clear_faults()
    hand.open_account(key, "secret", **{"wallet": "1000", "maker": "0.0002", "taker": "0.0005", **account})
    hand.change_instrument(symbol, tick_size="0.1", lot_size="0.01", min_quantity="0.01")
    hand.set_price(symbol, "100")
    exchange = ccxt_connect.open_exchange(venue, Keys(key, "secret"), testnet=False)
    exchange.set_up(symbol, D(10), "cross" if venue == "bybit" else "isolated")  # one mode for a whole account there
    desk = Desk(exchange, hand, key, symbol)
    desk.look()
    return desk

"""An account of ours at a stand-in venue, over real HTTP through the unmodified client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.core.cache import cache

from buddy.exchanges import ccxt_client, ccxt_connect, venue_exchange
from buddy.exchanges.market_data import fetching
from buddy.exchanges.models import Account, Credentials, Keys
from buddy.exchanges.recipe import Rate
from buddy.exchanges.venue_rows import RECIPES
from buddy.exchanges.venues import exits_of
from buddy.trading.watcher import look
from emulator.handle import Hand, StandIn, running

D = Decimal
BTC, COINS = "BTC/USDT:USDT", "BTC/USDT"
SETTLE_MS = 300
numbers = count(1)


@dataclass
class Books:
    """What the venue knows of the account."""

    told: dict[str, Any]

    @property
    def wallet(self) -> Decimal:
        return D(self.told["balance"]["wallet"])

    @property
    def held(self) -> Decimal:
        """Signed."""
        return sum((D(each["quantity"]) for each in self.told["positions"]), D(0))

    @property
    def resting(self) -> list[dict[str, Any]]:
        orders = (*self.told["orders"], *self.told["conditional"])
        return [order for order in orders if order["status"] in ("NEW", "PARTIALLY_FILLED")]


@dataclass
class Place:
    """`hand`: on the venue; `key`: of the account there."""

    hand: Hand
    key: str
    account: Account
    symbol: str = BTC

    def books(self) -> Books:
        return Books(self.hand.books(self.key))

    def go(self, *prices: str) -> None:
        for price in prices:
            self.hand.set_price(self.symbol, price)

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            look(self.account.pk, seconds=3)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    ccxt_client.forget_markets()
    with running() as venues:
        yield venues
    ccxt_client.forget_markets()


@pytest.fixture
def venue() -> str:
    """A test may name others."""
    return "binance"


@pytest.fixture
def place(
    venue: str, stand_in: StandIn, alice: Any, settings: Any, store: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """10 000 USDT at a price of 100 000; the client is in no hurry and its reads lag hardly at all."""
    at_once = Rate(1e6, 1e6)
    fast = {
        name: replace(each, per_address=at_once, per_account=at_once, settle_ms=SETTLE_MS)
        for name, each in RECIPES.items()
    }
    monkeypatch.setattr(ccxt_connect, "RECIPES", fast)
    monkeypatch.setattr(ccxt_client, "RECIPES", fast)
    monkeypatch.setattr("buddy.trading.absence.RECEIVE_WINDOW_MS", SETTLE_MS)
    monkeypatch.setattr("buddy.trading.absence.STOP_AGAIN_MS", SETTLE_MS)
    monkeypatch.setattr("buddy.trading.executor.LOOK_SECONDS", 3.0)
    settings.EXCHANGE_TRANSPORT_BASE, settings.LIVE_TRADING = stand_in.base, True
    monkeypatch.setattr(fetching.Place, "is_worker", True)
    forget()
    hand, key = getattr(stand_in, venue), f"flow-key-{next(numbers)}"
    hand.open_account(key, "secret")
    symbol = COINS if exits_of(venue).is_spot else BTC
    hand.set_price(symbol, "100000", jump=True)
    yield Place(hand, key, opened(alice, venue, Keys(key, "secret")), symbol)
    hand.clear_faults()
    forget()


def opened(owner: Any, venue: str, keys: Keys) -> Account:
    account = Account.objects.create(
        owner=owner,
        name="At the venue",
        mode="live",
        price_source="live",
        venue=venue,
        is_main=True,
        margin_mode="cross" if venue == "bybit" else "isolated",  # there it is the whole account's
    )
    row = Credentials(account=account, in_use=True, can_trade=True, can_withdraw=False)
    row.keep(keys)
    row.save()
    return account


def forget() -> None:
    """The exchanges of other tests, and what was told of them; the markets are the same for all."""
    cache.clear()
    venue_exchange.forget()

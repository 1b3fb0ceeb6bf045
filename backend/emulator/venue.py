"""A stand-in venue: instruments, prices, a clock, accounts by key. Every price move reaches every account."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from buddy.core.costs import Costs
from buddy.core.market import ZERO, Candle, Instrument
from buddy.core.simulated_market import Opening, Step, Tick

from .account import VenueAccount
from .account_books import FeeCoin, Habits
from .faults import Faults
from .instruments import COINS, PERPETUALS
from .ledger import Ids
from .prices import SymbolPrices
from .spot_account import SpotAccount

PATIENCE = 20
"""Requests over the limit within a minute until whoever sends them is banned."""
BAN = 120_000
MAKER, TAKER = Decimal("0.0002"), Decimal("0.0005")


def wall() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Key:
    """An API key and what it may do. `ip` restricted, `expires` (ms; None never): as its owner set it up."""

    key: str
    secret: str
    account: VenueAccount
    passphrase: str = ""
    active: bool = True
    can_trade: bool = True
    can_read: bool = True
    can_withdraw: bool = False
    ip_restricted: bool = True
    expires: int | None = None
    created: int = 0

    def has_expired(self, now: int) -> bool:
        return self.expires is not None and self.expires <= now


@dataclass(slots=True)
class Limits:
    """Requests a minute may weigh; None: counted and never refused."""

    weight: int | None = None
    used: int = 0
    minute: int = 0
    ignored: int = 0
    """Requests that came in spite of a refusal."""
    banned_until: int = 0

    def spend(self, weight: int, now: int) -> int:
        """The weight used in this minute. Who goes on though refused is banned."""
        if now // 60_000 != self.minute:
            self.minute, self.used, self.ignored = now // 60_000, 0, 0
        self.used += weight
        self.ignored += self.exceeded
        if self.ignored > PATIENCE:
            self.banned_until, self.ignored = now + BAN, 0
        return self.used

    @property
    def exceeded(self) -> bool:
        return self.weight is not None and self.used > self.weight


@dataclass(slots=True)
class Venue:
    """`skew_ms` is how far the venue's clock is ahead of ours. `listeners` hear the symbol of each new price."""

    name: str
    clock: Callable[[], int] = wall
    habits: Habits = field(default_factory=Habits)
    skew_ms: int = 0
    maintenance: bool = False
    is_held: bool = False
    """Prices move by hand only, whatever feeds them."""
    instruments: dict[str, Instrument] = field(default_factory=dict)
    delisted: set[str] = field(default_factory=set)
    """Symbols whose names it does not know any more."""
    prices: dict[str, SymbolPrices] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    limits: Limits = field(default_factory=Limits)
    ids: Ids = field(default_factory=Ids)
    listeners: list[Callable[[str], None]] = field(default_factory=list)
    asked: deque[tuple[str, str, dict[str, str]]] = field(default_factory=lambda: deque(maxlen=2_000))
    """The newest requests."""

    def __post_init__(self) -> None:
        for symbol, (instrument, price) in (COINS if self.habits.spot else PERPETUALS).items():
            self.instruments[symbol] = instrument
            self.prices[symbol] = SymbolPrices(price, self.now(), instrument.tick_size)
            self.prices[symbol].trade([price], self.now())

    def listed(self) -> list[Instrument]:
        return [each for symbol, each in self.instruments.items() if symbol not in self.delisted]

    def now(self) -> int:
        return self.clock() + self.skew_ms

    def open_account(
        self,
        key: str,
        secret: str,
        *,
        wallet: Decimal = Decimal(10_000),
        maker: Decimal = MAKER,
        taker: Decimal = TAKER,
        slices: int | None = None,
        fee_coin: FeeCoin | None = None,
    ) -> VenueAccount:
        """`slices`: a seed with which resting orders fill in parts."""
        kind = SpotAccount if self.habits.spot else VenueAccount
        account = kind(
            instruments=self.instruments,
            prices=self.prices,
            clock=self.now,
            ids=self.ids,
            wallet=wallet,
            costs=Costs(maker=maker, taker=taker),
            habits=self.habits,
            fee_coin=fee_coin,
            slices=slices,
        )
        self.keys[key] = Key(key, secret, account, created=self.now())
        return account

    def add_key(self, key: str, secret: str, of: str) -> None:
        """Another key to the account that the key `of` opens."""
        self.keys[key] = Key(key, secret, self.keys[of].account, created=self.now())

    def accounts(self) -> list[VenueAccount]:
        return list({id(key.account): key.account for key in self.keys.values()}.values())

    # Prices

    def set_price(self, symbol: str, price: Decimal, mark: Decimal | None = None, *, jump: bool = False) -> None:
        """The market trades at every price up to this one; with `jump` at none in between."""
        now, prices = self.now(), self.prices[symbol]
        steps: list[Step] = [Opening(now, price)] if jump else []
        self._move(symbol, [*steps, Tick(now, price, mark)], [price], mark)
        prices.mark = mark

    def play(self, symbol: str, candles: Iterable[Candle]) -> None:
        """Whole candles, one after the other, all of them now."""
        for candle in candles:
            path = (candle.open, candle.low, candle.high, candle.close)
            self._move(symbol, [candle._replace(time=self.now())], path, None, candle.volume)

    def _move(
        self, symbol: str, steps: list[Step], path: Iterable[Decimal], mark: Decimal | None, volume: Decimal = ZERO
    ) -> None:
        prices = self.prices[symbol]
        prices.trade(path, self.now(), volume)
        prices.mark = mark
        for account in self.accounts():
            account.move(symbol, *steps)
        for listener in list(self.listeners):
            listener(symbol)

    def fund(self, symbol: str, rate: Decimal | None = None) -> None:
        """Everybody who holds `symbol` pays or receives funding now."""
        prices = self.prices[symbol]
        prices.settled[self.now()] = paid = prices.funding_rate if rate is None else rate
        for account in self.accounts():
            account.fund(symbol, paid)

    # Instruments

    def change_instrument(self, symbol: str, changes: Mapping[str, Any]) -> None:
        """Another tick, lot, minimum …, or `active` False: not traded any more."""
        self.instruments[symbol] = replace(self.instruments[symbol], **changes)
        self.prices[symbol].tick_size = self.instruments[symbol].tick_size
        for account in self.accounts():
            account.relist(self.instruments[symbol])

    def add_instrument(self, instrument: Instrument, price: Decimal) -> None:
        self.instruments[instrument.symbol] = instrument
        self.prices[instrument.symbol] = SymbolPrices(price, self.now(), instrument.tick_size)
        self.prices[instrument.symbol].trade([price], self.now())
        for account in self.accounts():
            account.relist(instrument)

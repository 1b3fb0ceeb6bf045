"""What an account on spot owns: coins, told as positions of the markets asked about, and what all of it is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Balance, PositionState
from buddy.core.market import ZERO, Side

from .ccxt_calls import Calls
from .ccxt_words import is_ours, number, positive
from .recipe import Wallet, at
from .venues import VENUES


class Owned(NamedTuple):
    """`total` includes what resting orders lock."""

    total: Decimal
    free: Decimal


NOTHING = Owned(ZERO, ZERO)


class Coins:
    def __init__(self, calls: Calls, wallet: Wallet) -> None:
        self.calls, self.wallet = calls, wallet
        self.api, self.venue = calls.client.api, VENUES[calls.client.venue]

    def positions(self, symbols: Sequence[str]) -> list[PositionState]:
        """What is owned of each symbol's coin, whoever bought it; the venue does not tell for how much."""
        if not symbols and self.calls.client.recipe.trades_when_due:  # where every question counts
            return []
        owned = self._owned()
        held = [(symbol, owned.get(self.api.markets[symbol]["base"], NOTHING).total) for symbol in symbols]
        return [PositionState(symbol, Side.LONG, total, ZERO) for symbol, total in held if total]

    def balance(self) -> Balance:
        """Money, and with it the coins that can be sold for it, at their last price."""
        owned = self._owned()
        money = owned.pop(self.venue.settle, NOTHING)
        symbols = [symbol for coin in sorted(owned) if (symbol := self._market(coin))]
        worth = self._prices(symbols)
        value = sum((owned[self.api.markets[each]["base"]].total * worth.get(each, ZERO) for each in symbols), ZERO)
        return Balance(wallet=money.total, equity=money.total + value, free=money.free)

    def _owned(self) -> dict[str, Owned]:
        """By coin. An answer without its list is none: nobody owns nothing because of it."""
        answer = self.calls.read("fetch_balance", dict(self.wallet.params), protective=True)
        if not isinstance(at(answer.get("info"), self.wallet.rows), dict | list):
            raise CouldNotRead("The venue did not tell the balance.")
        owned: dict[str, Owned] = {}
        for name in answer.get("total") or {}:
            coin = self._plain(name)
            before, told = owned.get(coin, NOTHING), _owned_of(answer[name])
            owned[coin] = Owned(before.total + told.total, before.free + told.free)
        return {coin: each for coin, each in owned.items() if each.total}

    def _plain(self, name: str) -> str:
        """The coin itself, where the venue tells a part of it under another name."""
        return next((name.removesuffix(end) for end in self.wallet.also if name.endswith(end)), name)

    def _market(self, coin: str) -> str | None:
        symbol = f"{coin}/{self.venue.settle}"
        market = self.api.markets.get(symbol)
        return symbol if market is not None and is_ours(market, self.venue) else None

    def _prices(self, symbols: Sequence[str]) -> dict[str, Decimal]:
        """All in one question."""
        told: Mapping[str, Any] = self.calls.read("fetch_tickers", list(symbols)) if symbols else {}
        prices = {symbol: positive((told.get(symbol) or {}).get("last")) for symbol in symbols}
        return {symbol: price for symbol, price in prices.items() if price is not None}


def _owned_of(row: Mapping[str, Any]) -> Owned:
    total, used = number(row.get("total")) or ZERO, number(row.get("used")) or ZERO
    return Owned(total, max(total - used, ZERO))

"""One account on spot: it owns coins, orders lock them, and nothing can be sold that is not there.

The simulated exchange keeps the coins and what is in the book. Stops and commissions are the venue's own: it watches
triggers, knows what they lock, ends the other half of a pair, and takes its commission in the coin it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

from buddy.core.costs import Costs
from buddy.core.exchange import Balance, Exits, Fill, Liquidity, OrderStatus
from buddy.core.market import ZERO, OrderSide

from . import rules
from .account import VenueAccount
from .events import AccountChanged
from .orders import Funds, HeldPosition, Status, VenueOrder, Wish
from .refusals import Reason, Refused
from .spot_books import OrderList, commission, locked, needed

QUOTE = "USDT"
STOPS_PER_SYMBOL = 5
"""As nearly all of the vendor's markets have it."""


class SpotAccount(VenueAccount):
    """See `AccountBooks` for what it is made of; `wallet` is the money it begins with."""

    def __init__(self, **given: Any) -> None:
        self.pairs: dict[int, OrderList] = {}
        self.pair_listeners: list[Callable[[OrderList], None]] = []
        super().__init__(**given)
        self.sim.costs, self.sim.exits = Costs(), Exits.PAIRED

    # Coins

    def credit(self, amount: Decimal, kind: str, coin: str = QUOTE) -> None:
        self._add(coin, amount)
        self._pay(kind, "", amount, self.clock(), asset=coin)
        self._publish(AccountChanged(kind, self.owned()[coin], amount, None, self.clock(), coin))

    def _add(self, coin: str, amount: Decimal) -> None:
        books = self.sim.books
        if coin == QUOTE:
            books.wallet += amount
        else:
            books.coins[coin] = books.coins.get(coin, ZERO) + amount

    def owned(self) -> dict[str, Decimal]:
        """Money, too, by what is booked: an execution moves nothing before it is told, or its order is, as new, with
        the coins already there and the commission not yet taken."""
        owned = {QUOTE: self.sim.books.wallet, **self.sim.books.coins}
        for fill in (each.row for each in self.sim.log if isinstance(each.row, Fill)):
            instrument, sign = self.instruments[fill.symbol], 1 if fill.order_side is OrderSide.BUY else -1
            owned[instrument.base] -= sign * fill.quantity
            owned[instrument.quote] += sign * fill.quantity * fill.price
        return owned

    def funds(self) -> dict[str, Funds]:
        bound = locked(self.open_orders(), {s: p.last for s, p in self.prices.items()}, self.instruments)
        owned = self.owned().items()
        return {coin: Funds(total - bound.get(coin, ZERO), bound.get(coin, ZERO)) for coin, total in owned}

    def free(self, coin: str) -> Decimal:
        return self.funds().get(coin, Funds()).free

    def balance(self) -> Balance:
        money = self.funds()[QUOTE]
        worth = {i.base: self.prices[i.symbol].last for i in self.instruments.values() if i.quote == QUOTE}
        coins = sum((total * worth[coin] for coin, total in self.sim.books.coins.items() if coin in worth), ZERO)
        return Balance(money.total, money.total + coins, money.free)

    def position(self, symbol: str, position_side: str = "") -> HeldPosition | None:
        """Coins are possessions, not positions."""
        return None

    def positions(self) -> list[HeldPosition]:
        return []

    def held(self, symbol: str) -> Decimal:
        """What can be sold now."""
        return self.free(self.instruments[symbol].base)

    def fund(self, symbol: str, rate: Decimal) -> None:
        """Coins pay no funding."""

    def deleverage(self, symbol: str, quantity: Decimal) -> None:
        raise Refused(Reason.REDUCE_ONLY)

    # Orders

    def _check(self, wish: Wish) -> None:
        self._check_numbers(wish)
        prices = self.prices[wish.symbol]
        if wish.kind.is_conditional and rules.is_triggered(wish, prices):
            raise Refused(Reason.WOULD_TRIGGER)
        if wish.time_in_force == "GTX" and rules.crosses(wish, prices):
            raise Refused(Reason.POST_ONLY)
        self._check_funds(wish)

    def _check_numbers(self, wish: Wish) -> None:
        rules.check_numbers(wish, self.instruments[wish.symbol], self.prices[wish.symbol])
        armed = [each for each in self.armed.values() if each.wish.symbol == wish.symbol]
        if wish.kind.is_conditional and len(armed) >= STOPS_PER_SYMBOL:
            raise Refused(Reason.TOO_MANY_STOPS)

    def _check_funds(self, wish: Wish) -> None:
        last = self.prices[wish.symbol].last
        coin, amount = needed(wish, wish.quantity or ZERO, last, self.instruments[wish.symbol])
        if amount > self.free(coin):
            raise Refused(Reason.MARGIN)

    def place_pair(self, stop: Wish, limit: Wish, client_id: str) -> OrderList:
        """Both or neither. Raises Refused."""
        for wish in (stop, limit):
            self._check_numbers(wish)
        if rules.is_triggered(stop, self.prices[stop.symbol]) or rules.crosses(limit, self.prices[limit.symbol]):
            raise Refused(Reason.PAIR_PRICES)
        for wish in (stop, limit):
            self._check_funds(wish)
        now, number = self.clock(), next(self.ids.lists)
        first, second = (self._order(wish, next(self.ids.orders)) for wish in (stop, limit))
        first.pair = second.pair = number
        pair = self.pairs[number] = OrderList(number, client_id, stop.symbol, first, second, now, now)
        self._arm(pair.stop)
        self._submit(pair.limit)
        self._tell_pair(pair)
        self._after()
        return pair

    def cancel(self, order: VenueOrder) -> None:
        """With either half of a pair goes the other, unless that is over: the rest of a limit half executed in part."""
        if order.pair is None or not order.status.is_open:
            super().cancel(order)
            return
        for half in self.pairs[order.pair].orders:
            if half.status.is_open:
                super().cancel(half)

    def _only_reduces(self, wish: Wish) -> bool:
        """Of coins there is nothing to reduce."""
        return False

    # Executions

    def _trigger(self, order: VenueOrder) -> None:
        if order.pair is not None:
            self._expire(self.pairs[order.pair].limit)
        super()._trigger(order)

    def _expire(self, order: VenueOrder) -> None:
        if order.id in self.armed:
            self._disarm(order, Status.EXPIRED)
        elif order.key in self.working:
            self.sim.close(self.sim.orders[order.key], OrderStatus.EXPIRED)
            self._end(order, OrderStatus.EXPIRED)

    def _book_fill(self, fill: Fill) -> None:
        order = self.working[fill.client_id]
        fee, coin = self._commission(fill)
        self._add(coin, -fee)
        if order.pair is not None:
            self._expire(self.pairs[order.pair].other(order))
        self._count(order, fill)
        trade = replace(self._trade(order, fill, ZERO, fee), fee_asset=coin)
        self.ledger.trades.append(trade)
        self._tell(order, "TRADE", trade)

    def _commission(self, fill: Fill) -> tuple[Decimal, str]:
        """Of what is received; or in the coin the account pays with, while it has enough of that."""
        instrument = self.instruments[fill.symbol]
        rate = self.costs.maker if fill.liquidity is Liquidity.MAKER else self.costs.taker
        value = fill.price * fill.quantity
        if self.fee_coin is not None:
            amount = commission(value * rate / self.fee_coin.price)
            if self.owned().get(self.fee_coin.asset, ZERO) >= amount:
                return amount, self.fee_coin.asset
        buys = fill.order_side is OrderSide.BUY
        return commission((fill.quantity if buys else value) * rate), instrument.base if buys else instrument.quote

    # Telling

    def _tell_pair(self, pair: OrderList) -> None:
        for listener in list(self.pair_listeners):
            listener(copy(pair))

    def _after(self) -> None:
        for pair in self.pairs.values():
            if not pair.is_done and not any(half.status.is_open for half in pair.orders):
                pair.is_done, pair.updated = True, self.clock()
                self._tell_pair(pair)
        super()._after()

"""Sees what happens to an account on spot: what its trades have bought is theirs, all other coins are the trader's.

A hand sells the trader's own coins first, and then those of the youngest trade.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from buddy.core.exchange import Exits, OrderIntent, OrderStatus, Role
from buddy.core.market import ZERO, Side, least_sellable, sellable
from buddy.exchanges.venues import exits_of
from buddy.prepared import Select
from buddy.trading.attached import ENTRY
from buddy.trading.models import Fill, Order, Trade
from buddy.trading.states import WORKING

from . import at_once
from .books import Executed, Key
from .clock import SECOND
from .coin_books import CoinBook
from .invariants import PATIENCE, Broken, ForSale, Held, Rests, Row
from .line import PROFILES
from .sight import ATTACHED, WORKED_ON, Known, is_of_ours
from .witness import _ORDER_OF, Witness

SALES = (Role.CLOSE, Role.TAKE_PROFIT, Role.STOP)
AWAITED = 20 * SECOND
"""So long a stop that came with an entry is waited for, which a hand took away before it was listed."""
_FILLS = Select(
    lambda account, symbol: Fill.objects.filter(
        account_id=account, symbol=symbol, trade__status__in=WORKING
    ).values_list("order_side", "quantity", "withheld")
)
_NUMBERED = Select(
    lambda account, number: Order.objects.filter(account_id=account, exchange_id=number, is_attached=True)
)
_ATTACHED = Select(lambda account: Order.objects.filter(account_id=account, is_attached=True).values_list("raw"))


class CoinWitness(Witness):
    """I1 holds of what can be sold: whole lots that are not below a minimum at the stop; a sale at a target that the
    price has reached counts as a stop. There is no stop at all while one makes way for another."""

    book: CoinBook

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.bought: dict[int, Decimal] = defaultdict(Decimal)
        """By trade: coins bought, less the venue's fee and what its own orders have sold."""
        self.left: dict[int, Decimal] = defaultdict(Decimal)
        """The same less what a hand has sold of them."""
        self.short: set[str] = set()
        """Symbols of which a hand has sold coins of our trades: whose they were is told by what was read when."""

    # --- at once ---

    def executed(self, one: Executed) -> None:
        fill, key = one.fill, (one.fill.symbol, Side.LONG)
        change = fill.quantity - fill.withheld if fill.order_side.is_buy else -fill.quantity
        if is_of_ours(one.name):
            trade = self._trade_of(one.name)
            self.bought[trade] += change
            self.left[trade] = max(self.left[trade] + change, ZERO)
            self.seen += at_once.oversold(one.name, trade, self.bought[trade])
        elif change < 0:
            self._sold_by_hand(key)
        self._count(key, self._here(key))

    def _trade_of(self, name: str) -> int:
        """Of what came with an entry whose it is by our rows: of two alike either may be either's."""
        row = self._row_of_attached(name) if name[:3] in ATTACHED else None
        if row is None:
            (row,) = _ORDER_OF.rows(name=name[3:] if name[:3] in ATTACHED else name)
        trade: int = row.trade_id
        return trade

    def _row_of_attached(self, name: str) -> Order | None:
        return _NUMBERED.first(account=self.account, number=self.book.number_of(name))

    def _sold_by_hand(self, key: Key) -> None:
        gone = sum((self.left[trade.pk] for trade in self._here(key)), ZERO) - self.book.held(*key)
        self.short |= {key[0]} if gone > 0 else set()
        for trade in reversed(self._here(key)):
            part = max(min(gone, self.left[trade.pk]), ZERO)
            self.left[trade.pk] -= part
            gone -= part

    def _here(self, key: Key) -> list[Trade]:
        """The working trades of that symbol, oldest first."""
        return [trade for trade in WORKED_ON.rows(account=self.account) if trade.symbol == key[0]]

    def _count(self, key: Key, here: Iterable[Trade]) -> None:
        self.ours[key] = min(sum((self.left[trade.pk] for trade in here), ZERO), self.book.held(*key))

    def taken_by_hand(self, place: str, intent: OrderIntent) -> None:
        super().taken_by_hand(place, intent)
        name = intent.client_id
        seen = {raw.get(ENTRY) for (raw,) in _ATTACHED.rows(account=self.account)}
        if name.startswith("sl-") and name.removeprefix("sl-") not in seen:
            self.fate.excuse(AWAITED)

    def cancelled(self, name: str) -> None:
        """I6: what is not ours is left alone."""
        if not is_of_ours(name):
            self.seen.append(Broken("I6", name, f"{name} is not ours and was cancelled"))

    def _is_set_up(self, row: Order) -> None:
        """There is nothing to set up."""

    def _hear_of_others(self) -> None:
        """I6: coins are possessions, and never told as nobody's."""
        for number, symbol, _ in self._told():
            self.seen.append(Broken("I6", symbol, f"coins are told as nobody's position {number}"))

    # --- after every step ---

    def slack(self, key: Key) -> Decimal:
        """What cannot be sold of what our trades have left."""
        return sum((self.left[trade.pk] - self._can_leave(trade) for trade in self._here(key)), ZERO)

    def _can_leave(self, trade: Trade) -> Decimal:
        return sellable(self.book.markets[trade.symbol], self.left[trade.pk], self._lowest(trade))

    def _smallest(self, trade: Trade) -> Decimal:
        return least_sellable(self.book.markets[trade.symbol], self._lowest(trade))

    def _lowest(self, trade: Trade) -> Decimal:
        return min(Decimal(trade.plan["stop"]["price"]), self.book.quote(trade.symbol).last)

    def _held(self, key: Key, *, is_by_hand: bool) -> Held:
        self._count(key, self._here(key))
        smallest = max((self._smallest(trade) for trade in self._here(key)), default=ZERO)
        held = replace(super()._held(key, is_by_hand=is_by_hand), selling=self._selling(key[0]), smallest=smallest)
        if held.ours is None or key[0] not in self.short:
            return held
        return replace(held, ours=min(held.ours, self._believed(key)))

    def _believed(self, key: Key) -> Decimal:
        """What is held by our executions: where a hand sells, and the wallet is told late, that it sold the trader's
        own cannot be known."""
        fills = _FILLS.rows(account=self.account, symbol=key[0])
        changes = (quantity - withheld if side == "buy" else -quantity for side, quantity, withheld in fills)
        return max(sum(changes, ZERO), ZERO)

    def _note_leaving(self, known: dict[str, Known], working: dict[int, Trade]) -> None:
        """While it is in doubt whether a sale arrived, what it would have sold or made room for waits for that."""
        for row in known.values():
            if row.role in SALES and row.status == OrderStatus.UNKNOWN and row.trade in working:
                self.leaving[f"{working[row.trade].symbol} {Side.LONG}"] = self.book.clock.now

    def _selling(self, symbol: str) -> Decimal:
        last, sales = self.book.quote(symbol).last, self.book.sales()
        now = [each for each in sales if each.intent.symbol == symbol and is_of_ours(each.intent.client_id)]
        at_limit = [each for each in now if each.intent.trigger is None and (each.intent.price or ZERO) <= last]
        return sum((each.remaining for each in at_limit), ZERO)

    def _for_sale(self, known: dict[str, Known]) -> Iterable[ForSale]:
        resting: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
        for each in self.book.sales():
            name = each.intent.client_id
            if (name[3:] if name[:3] in ATTACHED else name) in known:
                resting[self._trade_of(name), each.intent.symbol] += each.remaining
        patience = PATIENCE["I5"] if PROFILES[self.book.seat.venue].attaches_stop else 0
        return [ForSale(*key, quantity, self.bought[key[0]], patience) for key, quantity in resting.items()]

    def _row(self, trade: Trade, known: dict[str, Known], resting: Iterable[Rests]) -> Row:
        row = super()._row(trade, known, resting)
        is_paired = exits_of(self.book.seat.venue) is Exits.PAIRED
        return replace(row, has_targets=row.has_targets and is_paired and not _is_unpaired(trade.pk, known))


def _is_unpaired(trade: int, known: dict[str, Known]) -> bool:
    """Whether the venue has refused one of its targets beside a stop."""
    refused = (row for row in known.values() if row.trade == trade and row.status == OrderStatus.REJECTED)
    return any(row.role is Role.TAKE_PROFIT for row in refused)

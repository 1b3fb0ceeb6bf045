"""What the simulated exchange keeps: orders, holdings, money. Exact, and nothing but data and arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from typing import TypeVar

from .costs import PRECISE
from .exchange import (
    Balance,
    OrderIntent,
    OrderKind,
    OrderState,
    OrderStatus,
    PositionState,
)
from .margin import liquidation_price
from .market import ONE, ZERO, Instrument, OrderSide, Side

GRAIN = Decimal("1E-18")
"""What is kept of a divided weight."""
TRIGGERED = (OrderKind.STOP_MARKET, OrderKind.STOP_LIMIT)

Record = TypeVar("Record")


def copied(record: Record) -> Record:
    """A record of its own with the same values; quicker than `copy`, since candles are tried on copies."""
    other = object.__new__(type(record))
    vars(other).update(vars(record))
    return other


@dataclass
class Resting:
    """An order at the simulated exchange. `live`: it is in the book; a stop is not until its trigger has traded.

    `touched`: the leg of the path on which it was last executed in part; it waits for the next one. `was_resting`: it
    provides liquidity. `fresh`: it is being placed right now.
    """

    intent: OrderIntent
    exchange_id: str
    time: int
    status: OrderStatus = OrderStatus.OPEN
    filled: Decimal = ZERO
    live: bool = True
    was_resting: bool = False
    fresh: bool = True
    touched: int = -1
    other: str = ""
    """The client id of the other half of its pair; whichever executes or ends first ends the other."""
    level: Decimal | None = field(init=False)
    """The price it waits for; None when it waits for none."""
    falls: bool = field(init=False)
    """Whether the price must fall to execute or trigger it."""

    def __post_init__(self) -> None:
        self.level = self.intent.price if self.live else self.intent.trigger
        self.falls = self.intent.order_side.is_buy is self.live

    def trigger(self) -> None:
        """Its trigger has traded: it is an order in the book from now on."""
        self.live, self.was_resting = True, False
        self.__post_init__()

    @property
    def remaining(self) -> Decimal:
        return self.intent.quantity - self.filled

    def due(self, price: Decimal) -> bool:
        """Whether it executes, or triggers, at `price`."""
        if self.level is None:
            return True
        return price <= self.level if self.falls else price >= self.level

    def passed_by(self, price: Decimal) -> Decimal:
        """How far `price` has gone past it: what was met first on the way is passed the furthest."""
        return ZERO if self.level is None else abs(price - self.level)

    def state(self) -> OrderState:
        i = self.intent
        return OrderState(
            client_id=i.client_id,
            exchange_id=self.exchange_id,
            symbol=i.symbol,
            order_side=i.order_side,
            kind=i.kind,
            quantity=i.quantity,
            status=self.status,
            filled=self.filled,
            price=i.price,
            trigger=i.trigger,
            reduce_only=i.reduce_only,
            time=self.time,
        )


@dataclass
class Holding:
    """A position of one symbol: `weight` is Σ quantity × price (for an inverse contract Σ quantity / price)."""

    instrument: Instrument
    side: Side
    quantity: Decimal = ZERO
    weight: Decimal = ZERO
    _liquidation: tuple[object, Decimal | None] = field(default=(None, None), repr=False, compare=False)
    """The price of liquidation as last worked out, and from what: it is asked for at every step of the market."""

    @property
    def average(self) -> Decimal:
        return self.weight / self.quantity if self.instrument.linear else self.quantity / self.weight

    def value(self, quantity: Decimal, price: Decimal) -> Decimal:
        return quantity * price if self.instrument.linear else quantity / price

    def add(self, quantity: Decimal, price: Decimal) -> None:
        self.quantity += quantity
        self.weight += self.value(quantity, price)

    def take(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Leave with `quantity` at `price`; the profit before costs.

        The last of it takes all weight that is left, so that the parts add up to the whole.
        """
        cost = self.weight if quantity == self.quantity else (self.weight * quantity / self.quantity).quantize(GRAIN)
        self.quantity -= quantity
        self.weight -= cost
        return self._profit(self.value(quantity, price), cost)

    def liquidation(self, collateral: Decimal) -> Decimal | None:
        """The mark price at which `collateral` is used up but for the maintenance margin; None where there is none."""
        asked = (self.weight, self.quantity, collateral)
        if self._liquidation[0] != asked:
            self._liquidation = (asked, self._liquidation_in(self.instrument, collateral))
        return self._liquidation[1]

    def ruin(self, collateral: Decimal) -> Decimal | None:
        """The mark price at which all of `collateral` is used up."""
        return self._liquidation_in(replace(self.instrument, tiers=()), collateral)

    def _liquidation_in(self, instrument: Instrument, collateral: Decimal) -> Decimal | None:
        value, quantity = self.weight * instrument.contract_size, self.quantity
        return liquidation_price(self.side, instrument, entry_value=value, quantity=quantity, collateral=collateral)

    def unrealised(self, price: Decimal) -> Decimal:
        return self._profit(self.value(self.quantity, price), self.weight)

    def _profit(self, proceeds: Decimal, cost: Decimal) -> Decimal:
        change = proceeds - cost if self.instrument.linear else cost - proceeds
        return self.side.sign * change * self.instrument.contract_size


@dataclass(frozen=True, slots=True)
class Setup:
    """Leverage and margin mode of a symbol."""

    leverage: Decimal = ONE
    margin_mode: str = "cross"


@dataclass(slots=True)
class Books:
    """Money, holdings and coins of one account; money in settle currency."""

    wallet: Decimal
    holdings: dict[str, Holding] = field(default_factory=dict)
    setups: dict[str, Setup] = field(default_factory=dict)
    coins: dict[str, Decimal] = field(default_factory=dict)
    """By currency what is owned of it, on spot."""

    def setup(self, symbol: str) -> Setup:
        return self.setups.get(symbol) or Setup()

    def execute(
        self,
        instrument: Instrument,
        order_side: OrderSide,
        quantity: Decimal,
        price: Decimal,
        fee: Decimal,
        withheld: Decimal = ZERO,
    ) -> None:
        """Book one execution: it closes what is held the other way first and opens with the rest.

        Of coins bought `withheld` is kept by the venue, and is all of the fee then.
        """
        with localcontext(PRECISE):
            if instrument.spot:
                self._exchange(instrument, order_side, quantity, price, withheld)
            else:
                self._execute(instrument, order_side, quantity, price)
            self.wallet -= ZERO if withheld else fee

    def pay(self, amount: Decimal) -> None:
        """Book what is no execution: funding, negative when it is paid."""
        with localcontext(PRECISE):
            self.wallet += amount

    def _exchange(
        self, instrument: Instrument, order_side: OrderSide, quantity: Decimal, price: Decimal, withheld: Decimal
    ) -> None:
        """Money for coins, or coins for money."""
        value, owned = instrument.notional(price, quantity), self.coins.get(instrument.base, ZERO)
        if order_side.is_buy:
            self.wallet, self.coins[instrument.base] = self.wallet - value, owned + quantity - withheld
        else:
            self.wallet, self.coins[instrument.base] = self.wallet + value, owned - quantity

    def _execute(self, instrument: Instrument, order_side: OrderSide, quantity: Decimal, price: Decimal) -> None:
        symbol = instrument.symbol
        side = Side.LONG if order_side is OrderSide.BUY else Side.SHORT
        held = self.holdings.get(symbol)
        if held is not None and held.side is not side:
            closing = min(quantity, held.quantity)
            self.wallet += held.take(closing, price)
            quantity -= closing
            if not held.quantity:
                del self.holdings[symbol]
        if quantity:
            self.holdings.setdefault(symbol, Holding(instrument, side)).add(quantity, price)

    def margin(self, symbol: str) -> Decimal:
        """Initial margin bound by the position of `symbol`, at its average entry."""
        held = self.holdings.get(symbol)
        if held is None:
            return ZERO
        return held.weight * held.instrument.contract_size / self.setup(symbol).leverage

    def balance(self, marks: dict[str, Decimal], reserved: Decimal) -> Balance:
        """`reserved`: margin bound by resting entry orders."""
        unrealised = sum((h.unrealised(marks[s]) for s, h in self.holdings.items()), ZERO)
        bound = sum((self.margin(symbol) for symbol in self.holdings), ZERO)
        equity = self.wallet + unrealised
        return Balance(wallet=self.wallet, equity=equity, free=max(equity - bound - reserved, ZERO))

    def positions(self, liquidations: dict[str, Decimal | None]) -> list[PositionState]:
        return [
            PositionState(symbol, h.side, h.quantity, h.average, liquidations.get(symbol))
            for symbol, h in self.holdings.items()
        ]

    def clone(self) -> Books:
        holdings = {s: copied(h) for s, h in self.holdings.items()}
        return Books(self.wallet, holdings, dict(self.setups), dict(self.coins))


def reducible(books: Books, intent: OrderIntent) -> Decimal:
    """How much of the position an order on its side could close."""
    held = books.holdings.get(intent.symbol)
    if held is None or held.side.exit_order_side is not intent.order_side:
        return ZERO
    return held.quantity

"""What a venue knows of an order, an execution and a payment, in words no venue owns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from buddy.core.exchange import TriggerBy
from buddy.core.market import ZERO, OrderSide

from .slots import slot_of


class Kind(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_MARKET = "STOP_MARKET"
    STOP = "STOP"
    """A limit order that enters the book once its trigger trades."""
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TAKE_PROFIT = "TAKE_PROFIT"

    @property
    def is_conditional(self) -> bool:
        return self not in (Kind.MARKET, Kind.LIMIT)

    @property
    def takes_profit(self) -> bool:
        return self in (Kind.TAKE_PROFIT, Kind.TAKE_PROFIT_MARKET)

    @property
    def executed_as(self) -> Kind:
        """What enters the book in the end."""
        return Kind.LIMIT if self in (Kind.LIMIT, Kind.STOP, Kind.TAKE_PROFIT) else Kind.MARKET


class Status(StrEnum):
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    TRIGGERING = "TRIGGERING"
    """Conditional orders: the trigger has traded, and nothing is in the book yet."""
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"

    @property
    def is_open(self) -> bool:
        return self in (Status.NEW, Status.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True)
class Protection:
    """A stop or target sent with an entry; it is placed once the entry has filled."""

    kind: Kind
    trigger: Decimal
    trigger_by: TriggerBy = TriggerBy.LAST
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as it is asked for. `quantity` is None for an order that closes whatever is held."""

    symbol: str
    order_side: OrderSide
    kind: Kind
    quantity: Decimal | None
    price: Decimal | None = None
    trigger: Decimal | None = None
    trigger_by: TriggerBy = TriggerBy.LAST
    reduce_only: bool = False
    time_in_force: str = "GTC"
    """GTC, IOC, FOK or GTX (post only)."""
    position_side: str = "BOTH"
    """BOTH in one-way mode, else LONG or SHORT."""
    client_id: str = ""
    attached: tuple[Protection, ...] = ()
    note: Mapping[str, str] = field(default_factory=dict)
    """What only the protocol cares for."""

    @property
    def slot(self) -> str:
        """Under which symbol the simulated exchange knows what it is for."""
        return slot_of(self.symbol, self.position_side)

    @property
    def closes_position(self) -> bool:
        return self.quantity is None

    @property
    def rises(self) -> bool:
        """Whether the price must rise to trigger it."""
        return (self.order_side is OrderSide.BUY) is not self.kind.takes_profit


@dataclass(slots=True)
class VenueOrder:
    """An order at the venue. `key` names it inside the simulated exchange; conditional orders are not in there."""

    id: int
    wish: Wish
    client_id: str
    time: int
    updated: int
    status: Status = Status.NEW
    filled: Decimal = ZERO
    value: Decimal = ZERO
    """Σ price × quantity of its executions."""
    child: int | None = None
    """The order that a triggered conditional order became."""
    parent: int | None = None
    pair: int | None = None
    """On spot: the list that it and another order make, of which one executes."""
    triggered: int = 0
    reason: str = ""
    forced: str = ""
    """The venue's own order: liquidation, or adl where a position was taken away to deleverage others."""
    revision: int = 0

    @property
    def key(self) -> str:
        return f"o{self.id}.{self.revision}"

    @property
    def quantity(self) -> Decimal:
        return self.wish.quantity or ZERO

    @property
    def average(self) -> Decimal:
        return self.value / self.filled if self.filled else ZERO


@dataclass(frozen=True, slots=True)
class VenueTrade:
    """One execution. `realised` is the profit before the fee; `fee` is in `fee_asset`."""

    id: int
    order_id: int
    client_id: str
    symbol: str
    order_side: OrderSide
    price: Decimal
    quantity: Decimal
    fee: Decimal
    realised: Decimal
    maker: bool
    time: int
    position_side: str = "BOTH"
    forced: str = ""
    fee_asset: str = "USDT"


@dataclass(frozen=True, slots=True)
class VenueIncome:
    """Money that moved. `kind`: TRANSFER, REALIZED_PNL, COMMISSION or FUNDING_FEE; `amount` is signed."""

    id: int
    kind: str
    symbol: str
    asset: str
    amount: Decimal
    time: int
    trade_id: int | None = None


@dataclass(frozen=True, slots=True)
class HeldPosition:
    """A position as the venue shows it; `quantity` is signed."""

    symbol: str
    quantity: Decimal
    entry: Decimal
    mark: Decimal
    unrealised: Decimal
    liquidation: Decimal | None
    leverage: Decimal
    margin_mode: str
    margin: Decimal
    maintenance: Decimal
    position_side: str
    updated: int

    @property
    def value(self) -> Decimal:
        """Signed, at the mark price."""
        return self.quantity * self.mark


class Funds(NamedTuple):
    """What an account on spot owns of a coin: `locked` by its orders, or `free`."""

    free: Decimal = ZERO
    locked: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.free + self.locked

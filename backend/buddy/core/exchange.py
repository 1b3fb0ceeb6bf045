"""The port: the smallest thing a venue must do for us, and the words it is asked and answered in.

Live venues, the paper exchange and the backtest all stand behind `Exchange`. Nothing else in the core knows a venue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from .market import ZERO, Instrument, OrderSide, Side


class Role(StrEnum):
    """What one of our orders is for."""

    ENTRY = "entry"
    STOP = "stop"
    TAKE_PROFIT = "take_profit"
    CLOSE = "close"


class OrderKind(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP_MARKET = "stop_market"
    """Market once `trigger` trades: a stop, or an entry on a breakout (where the price must still move to)."""
    STOP_LIMIT = "stop_limit"


class TriggerBy(StrEnum):
    LAST = "last"
    MARK = "mark"


class OrderStatus(StrEnum):
    INTENDED = "intended"
    """Written down, not sent yet."""
    UNKNOWN = "unknown"
    """Sent, and no answer we can trust."""
    OPEN = "open"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    is_resting: bool
    is_final: bool

    def __init__(self, name: str) -> None:
        self.is_resting = name in ("open", "partial")
        self.is_final = name in ("filled", "cancelled", "rejected", "expired")


class Refusal(StrEnum):
    """Why a venue rejected an order, in our words: `Rejected.code`."""

    WOULD_TRIGGER = "would_trigger"
    """The price is already beyond the stop: that *is* the stop."""
    MARGIN = "margin"
    MINIMUM = "minimum"
    PRECISION = "precision"
    REDUCE_ONLY = "reduce_only"
    DUPLICATE = "duplicate"
    INACTIVE = "inactive"
    OTHER = "other"


class CancelOutcome(StrEnum):
    CANCELLED = "cancelled"
    ALREADY_CLOSED = "already_closed"
    NOT_FOUND = "not_found"


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"


class Exits(StrEnum):
    """How what is held leaves at a venue."""

    REDUCE_ONLY = "reduce_only"
    """A stop for all of it and any number of targets rest side by side, and none can open anything."""
    PAIRED = "paired"
    """Spot, where a resting sale locks the coins: each part has a stop and a target of which one executes."""
    SINGLE = "single"
    """Spot without such pairs: the stop rests, and targets are sold when the price is there."""

    is_spot: bool

    def __init__(self, name: str) -> None:
        self.is_spot = name != "reduce_only"


class IncomeKind(StrEnum):
    FUNDING = "funding"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Beside:
    """A limit order at `price` that rests beside a stop of the same quantity; whichever executes ends the other."""

    client_id: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """An order as we want it. `client_id` is ours, unique for ever; one intent places at most one order."""

    client_id: str
    symbol: str
    order_side: OrderSide
    kind: OrderKind
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    trigger_by: TriggerBy = TriggerBy.LAST
    reduce_only: bool = False
    attached_stop: Decimal | None = None
    attached_target: Decimal | None = None
    """Triggers of protection that travels with an entry; sent only where the profile says it is honoured."""
    beside: Beside | None = None
    """The other half of a pair (`Exits.PAIRED`): the venue takes both or neither, and cancels both with either."""

    @property
    def ref(self) -> OrderRef:
        return OrderRef(self.symbol, self.client_id, is_conditional=self.trigger is not None)


@dataclass(frozen=True, slots=True)
class OrderRef:
    """Which order is meant, by all that is known of it; `exchange_id` is the only name some venues give a stop."""

    symbol: str
    client_id: str
    exchange_id: str = ""
    is_conditional: bool = False
    """It waits for a trigger: several venues keep such orders in a book of their own."""


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order as the venue tells it. `client_id` is empty where the venue did not keep one."""

    client_id: str
    exchange_id: str
    symbol: str
    order_side: OrderSide
    kind: OrderKind
    quantity: Decimal
    status: OrderStatus
    filled: Decimal = ZERO
    price: Decimal | None = None
    trigger: Decimal | None = None
    reduce_only: bool = False
    time: int = 0
    child_id: str = ""
    """The venue's id of the order this one became when it triggered; its executions carry that id."""
    is_attached: bool = False
    """Protection that came with an entry, made by the venue itself."""
    average: Decimal | None = None
    """Price at which what executed of it did on average, where the venue tells."""


@dataclass(frozen=True, slots=True)
class Fill:
    """An execution. `fill_id` is the venue's, unique per account; `client_id` is empty where the venue names none.

    `fee` is in the settle currency, valued at the time of the fill where it was taken in another coin.
    """

    fill_id: str
    exchange_id: str
    client_id: str
    symbol: str
    order_side: OrderSide
    price: Decimal
    quantity: Decimal
    fee: Decimal
    liquidity: Liquidity
    time: int
    liquidation: bool = False
    withheld: Decimal = ZERO
    """Of a spot purchase: what the venue kept of `quantity` as its fee, in base units; `fee` is its value."""
    raw: Mapping[str, object] = field(default_factory=dict)
    """The venue's own row, kept because venues forget."""


@dataclass(frozen=True, slots=True)
class Income:
    """Money that moved without a fill; `amount` is signed from our side (paid funding is negative).

    `side`: of the position it was paid for, where the venue tells.
    """

    income_id: str
    kind: IncomeKind
    symbol: str
    amount: Decimal
    time: int
    raw: Mapping[str, object] = field(default_factory=dict)
    side: Side | None = None


class PositionMode(StrEnum):
    ONE_WAY = "one_way"
    HEDGE = "hedge"
    """A long and a short of one symbol side by side."""


@dataclass(frozen=True, slots=True)
class PositionState:
    """What the venue says is held; `quantity` is positive, in contracts. The rest where it tells."""

    symbol: str
    side: Side
    quantity: Decimal
    average_entry: Decimal
    liquidation_price: Decimal | None = None
    margin_mode: str = ""
    leverage: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """Settle currency. `equity` = wallet + unrealised; `free` can carry new margin."""

    wallet: Decimal
    equity: Decimal
    free: Decimal


@dataclass(frozen=True, slots=True)
class Quote:
    symbol: str
    last: Decimal
    mark: Decimal
    time: int
    bid: Decimal | None = None
    ask: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything one look needs, read at one moment. `behind`: the venue already has more; look again at once.

    `positions` are all of the account, ours or not; `orders` all that rest on the symbols that were asked for.
    """

    time: int
    orders: Sequence[OrderState]
    positions: Sequence[PositionState]
    fills: Sequence[Fill]
    income: Sequence[Income]
    quotes: Mapping[str, Quote]
    ranges: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """Symbol → (lowest, highest) price traded since the reading before."""
    cursor: str = ""
    """Hand back to `read` next time: fills and income up to here are known."""
    behind: bool = False
    position_mode: PositionMode = PositionMode.ONE_WAY


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What a key may do. None: the venue does not tell, which is never the same as safe. `expires_at` in ms."""

    can_trade: bool | None = None
    can_withdraw: bool | None = None
    ip_bound: bool | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What differs by venue, as data."""

    name: str
    attaches_stop: bool = False
    """The venue honours a stop sent with the entry."""
    protects_position: bool = False
    """That stop is one for the whole position of symbol and side, whichever entry brought it."""
    has_reduce_only: bool = True
    names_stops: bool = True
    """The venue keeps our client id on conditional orders; elsewhere its own id or their figures tell them."""
    settle_ms: int = 0
    """How long an order the venue accepted may stay invisible to `find`; 0 where reads are never behind writes."""
    exits: Exits = Exits.REDUCE_ONLY
    orders_name_margin: bool = False
    """An order has to say the margin mode of its symbol, so that has to be set up before it."""


class Exchange(Protocol):
    """One account at one venue. Methods raise the errors of `core.errors`, never a library's."""

    @property
    def profile(self) -> Profile: ...

    def instrument(self, symbol: str) -> Instrument: ...

    def balance(self) -> Balance: ...

    def read(self, symbols: Sequence[str], cursor: str) -> Reading:
        """Orders and quotes of `symbols`, all positions, and whatever executed after `cursor`. Raises CouldNotRead."""
        ...

    def set_up(self, symbol: str, leverage: Decimal, margin_mode: str) -> None:
        """Leverage and margin mode of a symbol; idempotent."""
        ...

    def position_mode(self) -> PositionMode | None:
        """One way or hedged, as of a while ago; None where the venue does not tell. Raises CouldNotRead."""
        ...

    def place(self, intent: OrderIntent) -> OrderState:
        """Raises Rejected (refused for sure), Temporary (not sent) or OutcomeUnknown."""
        ...

    def find(self, ref: OrderRef) -> OrderState | None:
        """The order, resting or over; None when the venue does not know it. Raises CouldNotRead."""
        ...

    def cancel(self, ref: OrderRef) -> CancelOutcome: ...

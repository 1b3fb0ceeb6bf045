"""What is traded: sides, instruments with their exact rounding and arithmetic, candles.

Quantities are in contracts (`contract_size` units each); prices in quote currency; money in settle currency.
Times are integer milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import NamedTuple

ZERO = Decimal(0)
ONE = Decimal(1)
TWO = Decimal(2)


class OrderSide(StrEnum):
    BUY = "buy"
    SELL = "sell"

    is_buy: bool

    def __init__(self, name: str) -> None:
        self.is_buy = name == "buy"

    @property
    def opposite(self) -> OrderSide:
        return OrderSide.SELL if self.is_buy else OrderSide.BUY


class Side(StrEnum):
    """What follows from a side is asked of every price, so each member knows it from the start."""

    LONG = "long"
    SHORT = "short"

    is_long: bool
    sign: int
    entry_order_side: OrderSide
    exit_order_side: OrderSide

    def __init__(self, name: str) -> None:
        self.is_long = name == "long"
        self.sign = 1 if self.is_long else -1
        self.entry_order_side = OrderSide.BUY if self.is_long else OrderSide.SELL
        self.exit_order_side = self.entry_order_side.opposite

    @property
    def opposite(self) -> Side:
        return Side.SHORT if self.is_long else Side.LONG

    def better(self, price: Decimal, than: Decimal) -> bool:
        """Whether `price` is further in the position's favour than `than`."""
        return price > than if self.is_long else price < than


class MarginTier(NamedTuple):
    """Up to `notional_cap` (settle currency; None = no cap) this maintenance rate and deduction apply."""

    notional_cap: Decimal | None
    maintenance_rate: Decimal
    maintenance_amount: Decimal
    max_leverage: Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable market. `linear`: settled in quote; not linear: inverse, settled in base; `spot`: owned outright."""

    symbol: str
    base: str
    quote: str
    settle: str
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal = ZERO
    min_notional: Decimal = ZERO
    contract_size: Decimal = ONE
    linear: bool = True
    spot: bool = False
    max_quantity: Decimal | None = None
    market_max_quantity: Decimal | None = None
    max_leverage: Decimal = Decimal(100)
    tiers: tuple[MarginTier, ...] = ()
    maker_fee: Decimal = ZERO
    taker_fee: Decimal = ZERO
    active: bool = True

    def round_quantity(self, quantity: Decimal) -> Decimal:
        """Round down to whole lots: rounding up would risk more than was asked for."""
        return _to_step(quantity, self.lot_size, ROUND_FLOOR)

    def round_price_down(self, price: Decimal) -> Decimal:
        return _to_step(price, self.tick_size, ROUND_FLOOR)

    def round_price_up(self, price: Decimal) -> Decimal:
        return _to_step(price, self.tick_size, ROUND_CEILING)

    def round_price(self, price: Decimal) -> Decimal:
        return _to_step(price, self.tick_size, ROUND_HALF_EVEN)

    def round_stop(self, side: Side, price: Decimal) -> Decimal:
        """Towards profit: a stop rounded away from the entry would lose more than was asked for."""
        return self.round_price_up(price) if side is Side.LONG else self.round_price_down(price)

    def round_away(self, side: Side, price: Decimal) -> Decimal:
        """Against profit: an entry is made no worse by it, and a target is no further away."""
        return self.round_stop(side.opposite, price)

    def on_tick(self, price: Decimal) -> bool:
        return price == self.round_price(price)

    def notional(self, price: Decimal, quantity: Decimal) -> Decimal:
        """Value of `quantity` contracts in settle currency."""
        units = quantity * self.contract_size
        return units * price if self.linear else units / price

    def gross(self, side: Side, entry: Decimal, exit_: Decimal, quantity: Decimal) -> Decimal:
        """Profit before costs, in settle currency, of `quantity` contracts entered at `entry` and left at `exit_`."""
        units = quantity * self.contract_size
        if self.linear:
            return side.sign * units * (exit_ - entry)
        return side.sign * units * (exit_ - entry) / (entry * exit_)


def sellable(instrument: Instrument, quantity: Decimal, price: Decimal) -> Decimal:
    """What one order may sell of `quantity` at `price`, in whole lots; nothing when that is below a minimum."""
    whole = instrument.round_quantity(quantity)
    enough = whole >= instrument.min_quantity and instrument.notional(price, whole) >= instrument.min_notional
    return whole if whole > 0 and enough else ZERO


def least_sellable(instrument: Instrument, price: Decimal) -> Decimal:
    """The smallest quantity that one order may sell at `price`."""
    least = _to_step(instrument.min_notional / price, instrument.lot_size, ROUND_CEILING)
    return max(instrument.min_quantity, instrument.lot_size, least)


_WHOLE = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""For whole quotients and products only, which are exact and need no more digits than their operands have."""


def _to_step(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    """`value` on the grid of `step`; exact whatever the number of digits of either."""
    if step <= 0:
        return value
    steps, rest = _WHOLE.divmod(value, step)
    if rest:
        steps = _WHOLE.add(steps, _extra_step(steps, rest, step, rounding))
    return _WHOLE.multiply(steps, step)


def _extra_step(steps: Decimal, rest: Decimal, step: Decimal, rounding: str) -> Decimal:
    """What rounding adds to a quotient cut off towards zero that left `rest`."""
    away = ONE.copy_sign(rest)
    if rounding == ROUND_HALF_EVEN:
        half = _WHOLE.compare(_WHOLE.multiply(rest.copy_abs(), TWO), step)
        return away if half > 0 or (half == 0 and _WHOLE.remainder(steps, TWO)) else ZERO
    return away if rounding == (ROUND_FLOOR if rest < 0 else ROUND_CEILING) else ZERO


class Candle(NamedTuple):
    """`time` is the open time in milliseconds; prices are exact."""

    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO


TIMEFRAMES: dict[str, int] = {
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "1d": 86_400_000,
}
"""Name → length in milliseconds."""

"""What a trade costs, and where that is earned back. Money in settle currency, rates as fractions of the value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext

from .market import ZERO, Instrument, Side

PRECISE = Context(prec=60)
"""Digits enough for every product of ours to be exact; only a division is ever rounded."""
DIGITS = 28
"""Significant digits of a figure that leaves the core."""


@dataclass(frozen=True, slots=True)
class Costs:
    """`maker` and `taker` are the venue's fees; `slippage` is how much worse a market order is expected to fill.

    `withholds`: the fee of a purchase of coins is taken out of them.
    """

    maker: Decimal = ZERO
    taker: Decimal = ZERO
    slippage: Decimal = ZERO
    withholds: bool = True


@dataclass(frozen=True, slots=True)
class StopLoss:
    """What is lost when the stop is hit. `price_loss` is negative for a stop that already lies in profit."""

    price_loss: Decimal = ZERO
    entry_fee: Decimal = ZERO
    exit_fee: Decimal = ZERO
    slippage: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.price_loss + self.entry_fee + self.exit_fee + self.slippage

    def __add__(self, other: StopLoss) -> StopLoss:
        return StopLoss(
            self.price_loss + other.price_loss,
            self.entry_fee + other.entry_fee,
            self.exit_fee + other.exit_fee,
            self.slippage + other.slippage,
        )


def loss_at_stop(
    side: Side,
    instrument: Instrument,
    average_entry: Decimal,
    stop: Decimal,
    quantity: Decimal,
    costs: Costs,
    entry_fee_rate: Decimal,
    entry_slippage: Decimal = ZERO,
) -> StopLoss:
    """What `quantity` contracts lose at `stop`: the move, the entry fee, a taker's exit fee, slippage allowed for.

    `entry_slippage` is for an entry still to come; a real average entry has it inside. STATISTICS: initial risk.
    """
    entry_value, stop_value = instrument.notional(average_entry, quantity), instrument.notional(stop, quantity)
    return StopLoss(
        price_loss=-instrument.gross(side, average_entry, stop, quantity),
        entry_fee=entry_value * entry_fee_rate,
        exit_fee=stop_value * costs.taker,
        slippage=stop_value * costs.slippage + entry_value * entry_slippage,
    )


def target_quantities(instrument: Instrument, total: Decimal, shares: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """`total` contracts by `shares`, each part rounded down to the lot; the last takes all that remains."""
    if not shares:
        return ()
    with localcontext(PRECISE):
        parts = [instrument.round_quantity(total * share) for share in shares[:-1]]
        return (*parts, total - sum(parts, ZERO))


def break_even_price(
    side: Side,
    instrument: Instrument,
    *,
    average_entry: Decimal,
    fees_paid: Decimal,
    funding_paid: Decimal,
    quantity: Decimal,
    taker: Decimal,
) -> Decimal:
    """The price at which closing `quantity` as taker earns back `fees_paid` and `funding_paid` (received is negative).

    Exact but for the 28th digit, which is rounded towards profit. 0 when no price of a short is low enough.
    From value × direction = entry value × direction + costs + value × taker, where direction is the sign with which
    the position gains as its value grows.
    """
    with localcontext(PRECISE):
        direction = side.sign if instrument.linear else -side.sign
        units = quantity * instrument.contract_size
        wanted = direction * instrument.notional(average_entry, quantity) + fees_paid + funding_paid
        value = wanted / (direction - taker)
        if value <= 0:
            return ZERO
        price = value / units if instrument.linear else units / value
    towards_profit = ROUND_CEILING if side is Side.LONG else ROUND_FLOOR
    return Context(prec=DIGITS, rounding=towards_profit).plus(price)

"""A plan with money beside it: what any number of lots of it would cost, lose and need.

The sizing asks these questions of several quantities before it settles on one. Run it with `costs.PRECISE`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import wraps
from typing import TypeVar, cast

from .costs import Costs, StopLoss, loss_at_stop, target_quantities
from .errors import Fault, InvalidPlan
from .margin import ROOM, average_price, highest_leverage, liquidation_price, lowest_leverage
from .market import ZERO, Instrument, Side
from .plan import Entry, EntryKind, MarginMode, Plan

FINEST_LOT = Decimal("1E-12")
"""For an instrument that does not round."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Leg:
    """An entry with the price, fee and slippage (fractions) it is expected to fill at."""

    price: Decimal
    share: Decimal
    fee_rate: Decimal
    slippage: Decimal


def legs_of(plan: Plan, costs: Costs, reference: Decimal | None) -> tuple[Leg, ...]:
    """Raises InvalidPlan for a market entry without a price to expect, and for a stop that no longer loses."""
    if reference is None and any(entry.kind is EntryKind.MARKET for entry in plan.entries):
        raise InvalidPlan([Fault("entries", "There is no price to size a market entry by.", "Try again.", "no_price")])
    legs = tuple(_leg(entry, plan.side, costs, reference) for entry in plan.entries)
    if any(not plan.side.better(leg.price, plan.stop_price) for leg in legs):
        message = (
            f"The stop, {plan.stop_price:f}, is not on the losing side of every entry: there is no risk to size by."
        )
        raise InvalidPlan([Fault("stop.price", message, "Move the stop, or wait for the price.", "stop_wrong_side")])
    return legs


def _leg(entry: Entry, side: Side, costs: Costs, reference: Decimal | None) -> Leg:
    price = entry.expected_price(reference)
    assert price is not None, "an entry without a price is a market entry, and those have the reference"
    if entry.kind is EntryKind.TRIGGER and reference is not None and entry.is_past_trigger(side, reference):
        price = reference  # it fills there, not at the trigger that lies behind: the risk is counted from there
    crosses = reference is not None and not side.better(reference, price)
    resting = entry.kind is EntryKind.LIMIT and not crosses
    at_market = entry.kind in (EntryKind.MARKET, EntryKind.TRIGGER)
    return Leg(price, entry.share, costs.maker if resting else costs.taker, costs.slippage if at_market else ZERO)


def once_per_lots(question: Callable[[Ticket, int], Answer]) -> Callable[[Ticket, int], Answer]:
    """Fit, faults and figures ask the same of the same lots: each is answered once."""

    @wraps(question)
    def answer(ticket: Ticket, lots: int) -> Answer:
        key = question, lots
        if key not in ticket.answers:
            ticket.answers[key] = question(ticket, lots)
        return cast("Answer", ticket.answers[key])

    return answer


@dataclass(frozen=True, slots=True)
class Ticket:
    """`equity` and `free` in settle currency; `leverage_limit` is the account's own."""

    plan: Plan
    instrument: Instrument
    costs: Costs
    legs: tuple[Leg, ...]
    equity: Decimal
    free: Decimal
    leverage_limit: int | None
    answers: dict[object, object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def lot(self) -> Decimal:
        return self.instrument.lot_size if self.instrument.lot_size > 0 else FINEST_LOT

    @property
    def least(self) -> Decimal:
        """The smallest quantity an order may have."""
        return max(self.instrument.min_quantity, self.lot)

    def quantity(self, lots: int) -> Decimal:
        return self.lot * lots

    def lots_of(self, quantity: Decimal) -> int:
        """Whole lots in `quantity`."""
        return int(quantity // self.lot)

    @once_per_lots
    def quantities(self, lots: int) -> tuple[Decimal, ...]:
        """Contracts per entry leg."""
        return target_quantities(self.instrument, self.quantity(lots), [leg.share for leg in self.legs])

    @once_per_lots
    def kept(self, lots: int) -> Decimal:
        """Contracts that are there to be sold again: of coins less a fee that is withheld, in whole lots."""
        if not self.instrument.spot or not self.costs.withholds:
            return self.quantity(lots)
        parts = zip(self.legs, self.quantities(lots), strict=True)
        return self.instrument.round_quantity(sum((self.left_of(leg, bought) for leg, bought in parts), ZERO))

    def left_of(self, leg: Leg, bought: Decimal) -> Decimal:
        """Of coins `bought` by an entry those that the venue does not keep as its fee."""
        return bought * (1 - leg.fee_rate) if self.costs.withholds else bought

    @once_per_lots
    def loss(self, lots: int) -> StopLoss:
        """What the whole of it loses at the stop."""
        parts = zip(self.legs, self.quantities(lots), strict=True)
        return sum((self.loss_of(leg, quantity) for leg, quantity in parts), StopLoss())

    def loss_of(self, leg: Leg, quantity: Decimal) -> StopLoss:
        plan = self.plan
        return loss_at_stop(
            plan.side, self.instrument, leg.price, plan.stop_price, quantity, self.costs, leg.fee_rate, leg.slippage
        )

    def lots_for(self, risk: Decimal) -> int:
        """About how many lots lose `risk`, as if a lot could be divided among the legs."""
        return int(risk // sum((self.loss_of(leg, self.lot * leg.share).total for leg in self.legs), ZERO))

    @once_per_lots
    def notional(self, lots: int) -> Decimal:
        return self._value(self.legs, self.quantities(lots))

    def _value(self, legs: tuple[Leg, ...], quantities: tuple[Decimal, ...]) -> Decimal:
        return sum((self.instrument.notional(leg.price, q) for leg, q in zip(legs, quantities, strict=True)), ZERO)

    @once_per_lots
    def entry_slippage(self, lots: int) -> Decimal:
        parts = zip(self.legs, self.quantities(lots), strict=True)
        return sum((self.instrument.notional(leg.price, q) * leg.slippage for leg, q in parts), ZERO)

    @once_per_lots
    def average_entry(self, lots: int) -> Decimal:
        """The average of the legs by what they buy, by their shares while that is nothing."""
        weights = self.quantities(lots) if lots else tuple(leg.share for leg in self.legs)
        return average_price(self.instrument, self._value(self.legs, weights), sum(weights, ZERO))

    @property
    def most_lots_allowed(self) -> int | None:
        """What the venue takes in one order. The stop must be able to close the whole at market at once."""
        limits = (self.instrument.max_quantity, self.instrument.market_max_quantity)
        known = [self.lots_of(limit) for limit in limits if limit is not None]
        return min(known) if known else None

    @once_per_lots
    def lowest_leverage(self, lots: int) -> int | None:
        """The lowest whole leverage with which margin and entry fees fit what is free; None when none does.

        Coins are paid for at once, slipped.
        """
        if not lots:
            return 1
        slipped = self.entry_slippage(lots) if self.instrument.spot else ZERO
        return lowest_leverage(self.notional(lots), self.free - self.loss(lots).entry_fee - slipped)

    @once_per_lots
    def highest_leverage(self, lots: int) -> int:
        """The highest whole leverage allowed with which the stop comes before liquidation; 0 when none does."""
        low, high = 0, highest_leverage(self.instrument, self.notional(lots), self.leverage_limit)
        if self.stop_comes_first(lots, high):
            return high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.stop_comes_first(lots, middle) else (low, middle)
        return low

    def leverage(self, lots: int) -> int:
        """As asked, where it fits; else the lowest that carries it, never the highest."""
        highest = max(self.highest_leverage(lots), 1)
        lowest = min(self.lowest_leverage(lots) or 1, highest)
        return lowest if self.plan.leverage is None else min(max(self.plan.leverage, lowest), highest)

    def carries(self, lots: int) -> bool:
        """Whether margin and fees fit what is free."""
        lowest, highest = self.lowest_leverage(lots), max(self.highest_leverage(lots), 1)
        return lowest is not None and lowest <= min(self.plan.leverage or highest, highest)

    def obstacle(self, lots: int) -> str:
        """What keeps `lots` from being carried: the leverage asked for, or the margin itself."""
        lowest, highest = self.lowest_leverage(lots), self.highest_leverage(lots)
        return "leverage" if self.plan.leverage and lowest is not None and lowest <= highest else "margin"

    def liquidation_price(self, lots: int, leverage: int) -> Decimal | None:
        return self._liquidation(self.legs, self.quantities(lots), leverage)

    def _liquidation(self, legs: tuple[Leg, ...], quantities: tuple[Decimal, ...], leverage: int) -> Decimal | None:
        value = self._value(legs, quantities)
        collateral = self.equity if self.plan.margin_mode is MarginMode.CROSS else value / leverage
        return liquidation_price(
            self.plan.side,
            self.instrument,
            entry_value=value,
            quantity=sum(quantities, ZERO),
            collateral=collateral,
        )

    def stop_comes_first(self, lots: int, leverage: int) -> bool:
        """Whether the stop lies before liquidation, with room to slip, however many of the legs have filled."""
        filled = sorted(zip(self.legs, self.quantities(lots), strict=True), key=lambda part: part[0].price)
        if self.plan.side is Side.LONG:
            filled.reverse()
        parts = [part for part in filled if part[1]]
        return all(self._survives(parts[:count], leverage) for count in range(1, len(parts) + 1))

    def _survives(self, parts: list[tuple[Leg, Decimal]], leverage: int) -> bool:
        legs, quantities = tuple(leg for leg, _ in parts), tuple(quantity for _, quantity in parts)
        price = self._liquidation(legs, quantities, leverage)
        if price is None:
            return True
        entry = average_price(self.instrument, self._value(legs, quantities), sum(quantities, ZERO))
        limit = self.plan.stop_price - (entry - self.plan.stop_price) * ROOM
        return not self.plan.side.better(price, limit)

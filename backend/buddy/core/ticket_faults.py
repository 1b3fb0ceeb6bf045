"""What forbids a ticket: minimums, maximums, margin, liquidation, each with its cure. Run it with `costs.PRECISE`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

from .costs import target_quantities
from .errors import Fault
from .margin import highest_leverage
from .market import Side, least_sellable, sellable
from .ticket import Leg, Ticket

SHARE = Decimal("0.0001")
"""How fine a share is told: rounded up, or it would be too small again."""


def faults_of(ticket: Ticket, lots: int, capped_by: str | None) -> Iterator[Fault]:
    """Everything that forbids the `lots` that were wanted; `capped_by` as in `Sizing`."""
    yield from _spot(ticket)
    yield from _too_large(ticket, lots)
    if ticket.quantity(lots) < ticket.least:
        yield _too_small(ticket, lots)
    else:
        yield from _small_entries(ticket, lots)
        yield from _small_targets(ticket, lots)
    if lots and not ticket.instrument.spot:
        yield from _leverage(ticket, lots)
    if capped_by == "margin":
        yield _margin_short(ticket, lots)


def _spot(ticket: Ticket) -> Iterator[Fault]:
    if not ticket.instrument.spot:
        return
    if ticket.plan.side is Side.SHORT:
        yield Fault("side", "Spot cannot be sold short.", "Trade a perpetual, or buy.", "spot_short")
    if (ticket.plan.leverage or 1) > 1:
        yield Fault("leverage", "Spot has no leverage.", "Leave it out.", "spot_leverage")


def _too_large(ticket: Ticket, lots: int) -> Iterator[Fault]:
    limit = ticket.most_lots_allowed
    if limit is not None and lots > limit:
        most, wanted = ticket.quantity(limit), ticket.quantity(lots)
        message = f"The venue takes at most {most:f} in one order, and this is {wanted:f}."
        yield Fault("risk", message, "Risk less, or split it over several trades.", "quantity_over_maximum")


def _too_small(ticket: Ticket, lots: int) -> Fault:
    count = _lots_at_least(ticket, ticket.least)
    money = ticket.loss(count).total
    message = f"The quantity {ticket.quantity(lots):f} is below the venue's minimum of {ticket.least:f}."
    cure = f"Risk at least {money:.2f} {ticket.instrument.settle}, or bring the stop nearer."
    return Fault("risk", message, cure, "quantity_below_minimum")


def _lots_at_least(ticket: Ticket, quantity: Decimal) -> int:
    whole, rest = divmod(quantity, ticket.lot)
    return int(whole) + (1 if rest else 0)


def _small_entries(ticket: Ticket, lots: int) -> Iterator[Fault]:
    for number, (leg, quantity) in enumerate(zip(ticket.legs, ticket.quantities(lots), strict=True)):
        field = f"entries.{number}.share" if len(ticket.legs) > 1 else "risk"
        if quantity < ticket.least:
            message = f"This entry would be {quantity:f}, below the venue's minimum of {ticket.least:f}."
            yield Fault(field, message, "Give it a larger share, or risk more.", "quantity_below_minimum")
        elif fault := _small_notional(ticket, leg, quantity, field) or _unsellable(ticket, leg, quantity, field):
            yield fault


def _unsellable(ticket: Ticket, leg: Leg, quantity: Decimal, field: str) -> Fault | None:
    """Coins that the stop could not sell, should nothing but this leg fill."""
    instrument, stop = ticket.instrument, ticket.plan.stop_price
    if not instrument.spot or sellable(instrument, ticket.left_of(leg, quantity), stop):
        return None
    left = instrument.round_quantity(ticket.left_of(leg, quantity))
    lots = _lots_at_least(ticket, least_sellable(instrument, stop) / ticket.left_of(leg, leg.share))
    message = f"What this buys is worth {instrument.notional(stop, left):.2f} at the stop, too little to be sold there."
    cure = f"Risk at least {ticket.loss(lots).total:.2f} {instrument.settle}, or bring the stop nearer."
    return Fault(field, message, cure, "notional_below_minimum")


def _small_notional(ticket: Ticket, leg: Leg, quantity: Decimal, field: str) -> Fault | None:
    value, least = ticket.instrument.notional(leg.price, quantity), ticket.instrument.min_notional
    if value >= least:
        return None
    lots = _lots_at_least(ticket, quantity * least / value / leg.share)
    message = f"The order is worth {value:.2f}, below the venue's minimum of {least:f}."
    cure = f"Risk at least {ticket.loss(lots).total:.2f} {ticket.instrument.settle}, or bring the stop nearer."
    return Fault(field, message, cure, "notional_below_minimum")


def _small_targets(ticket: Ticket, lots: int) -> Iterator[Fault]:
    """Coins of a target are its stop's to sell as well, so there they must be enough, too."""
    spot, stop = ticket.instrument.spot, ticket.plan.stop_price
    least = least_sellable(ticket.instrument, stop) if spot else ticket.least
    limit = "what can be sold at the stop, at least" if spot else "the venue's minimum of"
    whole, shares = ticket.kept(lots), [target.share for target in ticket.plan.take_profits]
    for number, part in enumerate(target_quantities(ticket.instrument, whole, shares)):
        if part < least:
            message = f"This take-profit would be {part:f}, below {limit} {least:f}."
            cure = _larger_share(least, whole)
            yield Fault(f"take_profits.{number}.share", message, cure, "target_below_minimum")


def _larger_share(least: Decimal, whole: Decimal) -> str:
    if whole < least * 2:
        return "Use one take-profit, or risk more."
    share = (least / whole).quantize(SHARE, ROUND_CEILING)
    return f"Give it a share of at least {share}, use fewer take-profits, or risk more."


def _leverage(ticket: Ticket, lots: int) -> Iterator[Fault]:
    """At most one: what is wrong with the leverage asked for, or with any."""
    asked, highest, lowest = ticket.plan.leverage, ticket.highest_leverage(lots), ticket.lowest_leverage(lots)
    allowed = highest_leverage(ticket.instrument, ticket.notional(lots), ticket.leverage_limit)
    at_most = f"Use a leverage of at most {highest}."
    if highest == 0:
        message = "The position would be liquidated before its stop, with any leverage."
        yield Fault("stop.price", message, "Bring the stop nearer, or risk less.", "stop_beyond_liquidation")
    elif asked is not None and asked > allowed:
        message = f"At most {allowed}× is allowed for this trade."
        yield Fault("leverage", message, at_most, "leverage_over_maximum")
    elif asked is not None and asked > highest:
        message = f"With {asked}× the position would be liquidated before its stop, or too near to it."
        yield Fault("leverage", message, at_most, "stop_beyond_liquidation")
    elif asked is not None and lowest is not None and asked < lowest <= highest:
        message = f"With {asked}× margin and fees are more than the {ticket.free:.2f} {ticket.instrument.settle} free."
        yield Fault("leverage", message, f"Use a leverage of at least {lowest}.", "leverage_too_low")


def _margin_short(ticket: Ticket, lots: int) -> Fault:
    highest = max(ticket.highest_leverage(lots), 1)
    needed = ticket.notional(lots) / highest + ticket.loss(lots).entry_fee
    settle = ticket.instrument.settle
    if ticket.instrument.spot:
        needed += ticket.entry_slippage(lots)
        message = f"This costs {needed:.2f} {settle} with its fees, and {ticket.free:.2f} {settle} is free."
        return Fault("risk", message, "Risk less, or free some money.", "margin_short")
    message = f"Even with {highest}× this needs {needed:.2f} {settle}, and {ticket.free:.2f} {settle} is free."
    return Fault("risk", message, "Risk less, or free some margin.", "margin_short")

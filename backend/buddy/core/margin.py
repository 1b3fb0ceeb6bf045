"""Maintenance margin and the price of liquidation. Values are in settle currency."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal, localcontext

from .costs import DIGITS, PRECISE
from .market import ONE, ZERO, Instrument, MarginTier, Side

ROOM = ONE / 10
"""How much further than the stop liquidation must lie, as a part of the stop's distance: stops slip."""


def tier_of(instrument: Instrument, notional: Decimal) -> MarginTier:
    """The tier a position of this value falls in; beyond the last cap, the last."""
    for tier in instrument.tiers:
        if tier.notional_cap is None or notional <= tier.notional_cap:
            return tier
    return instrument.tiers[-1] if instrument.tiers else MarginTier(None, ZERO, ZERO, instrument.max_leverage)


def maintenance(instrument: Instrument, notional: Decimal) -> Decimal:
    """The margin that must be left for a position of this value to be kept."""
    tier = tier_of(instrument, notional)
    return max(notional * tier.maintenance_rate - tier.maintenance_amount, ZERO)


def liquidation_price(
    side: Side, instrument: Instrument, *, entry_value: Decimal, quantity: Decimal, collateral: Decimal
) -> Decimal | None:
    """Where collateral + profit is just the maintenance margin; None when no price takes it that far.

    `entry_value` is the notional of `quantity` contracts at their average entry. With value v, entry value e,
    collateral c, maintenance rate m and deduction a, and direction d (the sign with which the position gains as its
    value grows): c + d (v − e) = v m − a, so v = (d e − c − a) / (d − m), in the tier that holds v.
    """
    if instrument.spot or quantity <= 0:
        return None
    with localcontext(PRECISE):
        direction = side.sign if instrument.linear else -side.sign
        values = list(_liquidation_values(instrument, Decimal(direction), entry_value, collateral))
        if not values:
            return None
        value = max(values) if direction > 0 else min(values)
        units = quantity * instrument.contract_size
        price = value / units if instrument.linear else units / value
    return Context(prec=DIGITS).plus(price)


def _liquidation_values(
    instrument: Instrument, direction: Decimal, entry_value: Decimal, collateral: Decimal
) -> Iterator[Decimal]:
    """Per tier, the value at which the position is lost there, if it is.

    Where tiers do not join smoothly that may be the edge itself.
    """
    low = ZERO
    tiers = instrument.tiers or (tier_of(instrument, ZERO),)
    for tier in tiers:
        high = tier.notional_cap if tier is not tiers[-1] else None
        value = (direction * entry_value - collateral - tier.maintenance_amount) / (direction - tier.maintenance_rate)
        if direction > 0 and value > low:
            yield value if high is None else min(value, high)
        if direction < 0 and (high is None or value <= high):
            yield max(value, low)
        low = high or low


def average_price(instrument: Instrument, notional: Decimal, quantity: Decimal) -> Decimal:
    """The one price at which `quantity` contracts are worth `notional`."""
    units = quantity * instrument.contract_size
    return notional / units if instrument.linear else units / notional


def lowest_leverage(notional: Decimal, available: Decimal) -> int | None:
    """The lowest whole leverage whose margin is at most `available`; None when nothing is available."""
    if available <= 0:
        return None
    whole, rest = divmod(notional, available)
    return max(1, int(whole) + (1 if rest else 0))


def highest_leverage(instrument: Instrument, notional: Decimal, limit: int | None) -> int:
    """The highest whole leverage that venue, tier and the account's own `limit` allow; at least 1."""
    if instrument.spot:
        return 1
    allowed = min(instrument.max_leverage, tier_of(instrument, notional).max_leverage)
    return max(1, min(int(allowed), limit) if limit is not None else int(allowed))

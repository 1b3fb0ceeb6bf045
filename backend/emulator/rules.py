"""What a venue refuses before it looks at the account: numbers off their steps, under or over the limits."""

from __future__ import annotations

from decimal import Decimal

from buddy.core.exchange import TriggerBy
from buddy.core.market import ZERO, Instrument, OrderSide

from .orders import Kind, Wish
from .prices import SymbolPrices
from .refusals import Reason, Refused


def check_numbers(wish: Wish, instrument: Instrument, prices: SymbolPrices) -> None:
    """Raises Refused."""
    if not instrument.active:
        raise Refused(Reason.INACTIVE)
    if wish.quantity is not None:
        _check_quantity(wish, wish.quantity, instrument)
    for price in (wish.price, wish.trigger):
        if price is not None:
            _check_price(price, instrument)
    _check_presence(wish)
    if wish.quantity is not None and not wish.reduce_only:
        value = instrument.notional(wish.price or wish.trigger or prices.last, wish.quantity)
        if value < instrument.min_notional:
            raise Refused(Reason.NOTIONAL_MINIMUM, f"{instrument.min_notional:f}")


def _check_quantity(wish: Wish, quantity: Decimal, instrument: Instrument) -> None:
    if quantity != instrument.round_quantity(quantity):
        raise Refused(Reason.QUANTITY_PRECISION)
    if quantity <= 0 or quantity < instrument.min_quantity:
        raise Refused(Reason.QUANTITY_MINIMUM)
    by_market = wish.kind.executed_as is Kind.MARKET
    most = instrument.market_max_quantity if by_market else instrument.max_quantity
    if most is not None and quantity > most:
        raise Refused(Reason.QUANTITY_MAXIMUM, "MARKET_" if by_market else "")


def _check_price(price: Decimal, instrument: Instrument) -> None:
    if decimals(price) > decimals(instrument.tick_size):
        raise Refused(Reason.PRICE_PRECISION)
    if price <= 0 or not instrument.on_tick(price):
        raise Refused(Reason.PRICE_TICK)


def decimals(number: Decimal) -> int:
    """Digits behind the point, without trailing zeros."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _check_presence(wish: Wish) -> None:
    if wish.kind.executed_as is Kind.LIMIT and wish.price is None:
        raise Refused(Reason.PRICE_MISSING, "price")
    if wish.kind.is_conditional and wish.trigger is None:
        raise Refused(Reason.PRICE_MISSING, "trigger")
    if wish.quantity is None and not wish.kind.is_conditional:
        raise Refused(Reason.QUANTITY_MISSING)


def is_triggered(wish: Wish, prices: SymbolPrices) -> bool:
    """Whether the price is at or beyond the trigger."""
    price = prices.mark_price if wish.trigger_by is TriggerBy.MARK else prices.last
    trigger = wish.trigger or ZERO
    return price >= trigger if wish.rises else price <= trigger


def crosses(wish: Wish, prices: SymbolPrices) -> bool:
    """Whether a limit order would execute at once."""
    if wish.price is None:
        return True
    return wish.price >= prices.last if wish.order_side is OrderSide.BUY else wish.price <= prices.last


def largest_notional(instrument: Instrument, leverage: Decimal) -> Decimal | None:
    """The most a position may be worth at this leverage; None when there is no limit."""
    caps = [tier.notional_cap for tier in instrument.tiers if tier.max_leverage >= leverage]
    return None if not caps or caps[-1] is None else caps[-1]

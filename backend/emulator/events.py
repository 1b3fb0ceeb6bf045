"""What a venue tells its account streams, before a protocol puts it into its own words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .orders import HeldPosition, VenueOrder, VenueTrade


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """`order` is a copy of that moment. `execution`: NEW, TRADE, CANCELED, EXPIRED, AMENDMENT or, of a conditional
    order, its new status."""

    order: VenueOrder
    execution: str
    time: int
    trade: VenueTrade | None = None


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """`reason`: ORDER, FUNDING_FEE, DEPOSIT …; `position` is the one that changed, `change` what the wallet gained.

    On spot `coin` is whose amount changed.
    """

    reason: str
    wallet: Decimal
    change: Decimal
    position: HeldPosition | None
    time: int
    coin: str = "USDT"


@dataclass(frozen=True, slots=True)
class LeverageChanged:
    symbol: str
    leverage: Decimal
    time: int


Event = OrderChanged | AccountChanged | LeverageChanged

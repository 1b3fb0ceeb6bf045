"""The hand on a stand-in venue where coins are traded: what `control` can, and this."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from buddy.core.market import OrderSide

from .account_books import FeeCoin
from .control import Unusable, account_of, operation, told
from .orders import Kind, Wish
from .protocol import Protocol
from .spot_account import SpotAccount


@operation
def deposit(protocol: Protocol, key: str, coin: str, amount: str) -> None:
    """Coins come in, or with a negative amount go out."""
    _coins(protocol, key).credit(Decimal(amount), "TRANSFER", coin)


@operation
def pay_fees_with(protocol: Protocol, key: str, coin: str = "", price: str = "600") -> None:
    """Commissions are taken in that coin while there is enough of it; empty: of what is received."""
    _coins(protocol, key).fee_coin = FeeCoin(coin, Decimal(price)) if coin else None


@operation
def place_pair(
    protocol: Protocol, key: str, symbol: str, side: str, quantity: str, price: str, trigger: str, client_id: str = ""
) -> dict[str, Any]:
    """A limit order at `price` and a stop at `trigger`, of which one executes."""
    account = _coins(protocol, key)
    name = client_id or f"web_{len(account.ledger.orders) + 1}"
    order_side, amount = OrderSide(side), Decimal(quantity)
    stop = Wish(symbol, order_side, Kind.STOP_MARKET, amount, trigger=Decimal(trigger), client_id=f"{name}_stop")
    limit = Wish(symbol, order_side, Kind.LIMIT, amount, Decimal(price), time_in_force="GTX", client_id=f"{name}_limit")
    pair = account.place_pair(stop, limit, name)
    return {"id": pair.id, "stop": told(pair.stop), "limit": told(pair.limit)}


def _coins(protocol: Protocol, key: str) -> SpotAccount:
    account = account_of(protocol, key)
    if not isinstance(account, SpotAccount):
        raise Unusable(f"{protocol.venue.name} trades contracts: its accounts own no coins.")
    return account

"""What an order is asked for with: read as strictly as the vendor does, since what it ignores is what goes wrong."""

from __future__ import annotations

import re
from decimal import Decimal

from buddy.core.market import OrderSide

from ..orders import Wish
from ..params import Params
from ..refusals import Reason, Refused, VenueError
from ..rules import decimals
from . import shapes
from .routes import Desk, coins

CLIENT_ID = re.compile(r"^[a-zA-Z0-9-_]{1,36}$")
SIGNED = frozenset({"timestamp", "recvWindow", "signature"})
ORDER = SIGNED | {
    "symbol", "side", "type", "timeInForce", "quantity", "quoteOrderQty", "price", "newClientOrderId", "stopPrice",
    "newOrderRespType", "selfTradePreventionMode", "strategyId", "strategyType",
}  # fmt: skip
LIST = SIGNED | {"symbol", "side", "quantity", "listClientOrderId", "newOrderRespType", "selfTradePreventionMode"}
LIST |= {
    f"{where}{what}" for where in ("above", "below") for what in ("Type", "ClientOrderId", "Price", "StopPrice")
} | {"aboveTimeInForce", "belowTimeInForce"}
NEEDS = {
    "LIMIT": {"timeInForce", "price"},
    "LIMIT_MAKER": {"price"},
    "MARKET": set[str](),
    "STOP_LOSS": {"stopPrice"},
    "TAKE_PROFIT": {"stopPrice"},
    "STOP_LOSS_LIMIT": {"timeInForce", "price", "stopPrice"},
    "TAKE_PROFIT_LIMIT": {"timeInForce", "price", "stopPrice"},
}
"""What each type must have; of these three names it may have no others."""


def refuse_unread(p: Params, known: frozenset[str]) -> None:
    """Raises VenueError where anything was sent that the endpoint does not know."""
    sent = [name for name in p.values if p.has(name)]
    read = [name for name in sent if name in known]
    if len(read) < len(sent):
        many = f"read '{len(read)}' parameter(s) but was sent '{len(sent)}'."
        raise VenueError(-1104, f"Not all sent parameters were read; {many}")


def wish(desk: Desk, p: Params) -> Wish:
    """Raises VenueError or Refused."""
    kind, side = _type(p), _side(p)
    _check_presence(p, kind)
    _check_figures(p)
    symbol = desk.symbol(p)
    return Wish(
        symbol=symbol,
        order_side=side,
        kind=shapes.KINDS[kind],
        quantity=p.number("quantity") if p.has("quantity") else _bought_for(desk, p, symbol),
        price=p.number("price"),
        trigger=p.number("stopPrice"),
        time_in_force="GTX" if kind == "LIMIT_MAKER" else p.text("timeInForce", "GTC"),
        client_id=client_id(desk, p, "newClientOrderId"),
    )


def _type(p: Params) -> str:
    kind = p.text("type")
    if kind not in shapes.KINDS:
        raise VenueError(-1116, "Invalid orderType.")
    return kind


def _side(p: Params) -> OrderSide:
    try:
        return OrderSide(p.text("side").lower())
    except ValueError:
        raise VenueError(-1117, "Invalid side.") from None


def _check_presence(p: Params, kind: str) -> None:
    for name in ("timeInForce", "price", "stopPrice"):
        if name in NEEDS[kind]:
            p.text(name)
        elif p.has(name):
            raise VenueError(-1106, f"Parameter '{name}' sent when not required.")
    if p.text("timeInForce", "GTC") not in ("GTC", "IOC", "FOK"):
        raise VenueError(-1115, "Invalid timeInForce.")
    if not (kind == "MARKET" and p.has("quoteOrderQty")):
        p.text("quantity")


def _check_figures(p: Params) -> None:
    for name, called in (("quantity", "quantity"), ("price", "price"), ("stopPrice", "stop price")):
        number = p.number(name)
        if number is not None and decimals(number) > 8:
            raise VenueError(-1111, f"Parameter '{name}' has too much precision.")
        if number is not None and number <= 0:
            raise VenueError(-1013, f"Invalid {called}.")


def _bought_for(desk: Desk, p: Params, symbol: str) -> Decimal:
    """What that much money buys, in whole lots."""
    amount = p.number("quoteOrderQty") or Decimal(0)
    return desk.venue.instruments[symbol].round_quantity(amount / desk.venue.prices[symbol].last)


def client_id(desk: Desk, p: Params, name: str) -> str:
    """Theirs, which no open order may have; or one the venue makes up."""
    given = p.text(name, shapes.client_order_id())
    if not CLIENT_ID.match(given):
        raise Refused(Reason.CLIENT_ID, name)
    if any(order.client_id == given for order in coins(desk).open_orders()):
        raise Refused(Reason.DUPLICATE)
    return given

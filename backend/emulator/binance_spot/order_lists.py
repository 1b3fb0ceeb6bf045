"""Pairs of orders on spot at Binance: one cancels the other."""

from __future__ import annotations

from typing import Any

from ..orders import Kind, Wish
from ..params import Params
from ..refusals import Reason, Refused, VenueError
from ..spot_books import OrderList
from . import shapes
from .refusals import NO_SUCH_LIST, UNKNOWN
from .routes import Desk, Security, coins, route
from .wishes import LIST, refuse_unread, wish

LEGS = ("LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS_LIMIT")
"""What the stand-in takes of the types there are."""
NAMES = {"type": "Type", "newClientOrderId": "ClientOrderId", "price": "Price", "stopPrice": "StopPrice"}
NAMES |= {"timeInForce": "TimeInForce"}


@route("POST", "/api/v3/orderList/oco", Security.TRADE)
def new_pair(desk: Desk, p: Params) -> Any:
    refuse_unread(p, LIST)
    account = coins(desk)
    name = p.text("listClientOrderId", shapes.client_order_id())
    if any(pair.client_id == name and not pair.is_done for pair in account.pairs.values()):
        raise Refused(Reason.DUPLICATE)
    stop, limit = _halves(_leg(desk, p, "above"), _leg(desk, p, "below"))
    pair = account.place_pair(stop, limit, name)
    asked = p.text("newOrderRespType", "RESULT")
    return shapes.order_list(pair) | {"orderReports": [shapes.placed(half, asked, []) for half in pair.orders]}


def _leg(desk: Desk, p: Params, where: str) -> Wish:
    if p.text(f"{where}Type") not in LEGS:
        raise VenueError(-1158, "Order type not supported in OCO.")
    own = {name: p.values.get(f"{where}{theirs}", "") for name, theirs in NAMES.items()}
    return wish(desk, Params({name: p.text(name) for name in ("symbol", "side", "quantity")} | own))


def _halves(above: Wish, below: Wish) -> tuple[Wish, Wish]:
    """The stop and the limit. Raises VenueError where they are not on their own sides."""
    limits = [each for each in (above, below) if each.kind is Kind.LIMIT]
    if len(limits) == 2:
        raise VenueError(-1168, "At least one OCO order must be contingent.")
    sells = not above.order_side.is_buy
    if not limits or limits[0] is not (above if sells else below):
        wrong = (-1197, "sell OCO must be below") if sells else (-1196, "buy OCO must be above")
        raise VenueError(wrong[0], f"A stop loss order in a {wrong[1]}.")
    if above.client_id == below.client_id:
        raise Refused(Reason.DUPLICATE)
    return (below, above) if sells else (above, below)


@route("GET", "/api/v3/orderList", Security.READ, weight=4)
def get_list(desk: Desk, p: Params) -> Any:
    return shapes.order_list(_found(desk, p, "origClientOrderId", NO_SUCH_LIST))


@route("DELETE", "/api/v3/orderList", Security.TRADE)
def cancel_list(desk: Desk, p: Params) -> Any:
    symbol, pair = desk.symbol(p), _found(desk, p, "listClientOrderId", UNKNOWN)
    if pair.symbol != symbol or pair.is_done:
        raise UNKNOWN
    coins(desk).cancel(pair.stop)
    return shapes.cancelled_list(pair, p.text("newClientOrderId", shapes.client_order_id()))


@route("GET", "/api/v3/openOrderList", Security.READ, weight=6)
def open_lists(desk: Desk, p: Params) -> Any:
    return [shapes.order_list(pair) for pair in coins(desk).pairs.values() if not pair.is_done]


@route("GET", "/api/v3/allOrderList", Security.READ, weight=20)
def all_lists(desk: Desk, p: Params) -> Any:
    first, limit = p.whole("fromId") or 0, p.limit(500, 1000)
    return [shapes.order_list(pair) for number, pair in coins(desk).pairs.items() if number >= first][:limit]


def _found(desk: Desk, p: Params, id_name: str, missing: VenueError) -> OrderList:
    number, name = p.whole("orderListId"), p.text(id_name, "")
    if number is None and not name:
        raise VenueError(-1102, f"Param '{id_name}' or 'orderListId' must be sent, but both were empty/null!")
    for pair in reversed(coins(desk).pairs.values()):
        if number in (None, pair.id) and name in ("", pair.client_id):
            return pair
    raise missing

"""Orders at Binance: plain ones, and conditional ones in their own namespace."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

from buddy.core.exchange import TriggerBy
from buddy.core.market import OrderSide

from ..orders import Kind, VenueOrder, Wish
from ..params import Params
from ..refusals import Reason, Refused, VenueError
from . import shapes
from .routes import Desk, Security, route

CLIENT_ID = re.compile(r"^[.A-Z:/a-z0-9_-]{1,36}$")
UNKNOWN = VenueError(-2011, "Unknown order sent.")
MISSING = VenueError(-2013, "Order does not exist.")


# Plain orders


@route("POST", "/fapi/v1/order", Security.TRADE)
def new_order(desk: Desk, p: Params) -> Any:
    if p.text("type") in shapes.CONDITIONAL:
        raise VenueError(
            -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
        )
    wish = _wish(desk, p, "newClientOrderId")
    return shapes.order(desk.account.place(wish))


@route("POST", "/fapi/v1/order/test", Security.TRADE)
def try_order(desk: Desk, p: Params) -> Any:
    _wish(desk, p, "newClientOrderId")
    return {}


@route("PUT", "/fapi/v1/order", Security.TRADE)
def amend_order(desk: Desk, p: Params) -> Any:
    found = _plain(desk, p, UNKNOWN)
    quantity, price = p.number("quantity"), p.number("price")
    if quantity is None or price is None:
        raise Refused(Reason.PARAMETER_MISSING, "quantity or price")
    desk.account.amend(found, quantity, price)
    return shapes.order(found)


@route("GET", "/fapi/v1/order", Security.READ)
@route("GET", "/fapi/v1/openOrder", Security.READ)
def get_order(desk: Desk, p: Params) -> Any:
    return shapes.order(_plain(desk, p, MISSING))


@route("DELETE", "/fapi/v1/order", Security.TRADE)
def cancel_order(desk: Desk, p: Params) -> Any:
    found = _plain(desk, p, UNKNOWN)
    desk.account.cancel(found)
    return shapes.order(found)


@route("GET", "/fapi/v1/openOrders", Security.READ)
def open_orders(desk: Desk, p: Params) -> Any:
    return [shapes.order(each) for each in _open(desk, p, conditional=False)]


@route("GET", "/fapi/v1/allOrders", Security.READ, weight=5)
def all_orders(desk: Desk, p: Params) -> Any:
    return [shapes.order(each) for each in _history(desk, p, desk.account.ledger.orders, p.whole("orderId"))]


@route("DELETE", "/fapi/v1/allOpenOrders", Security.TRADE)
def cancel_all(desk: Desk, p: Params) -> Any:
    desk.symbol(p)
    for each in list(_open(desk, p, conditional=False)):
        desk.account.cancel(each)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


# Conditional orders


@route("POST", "/fapi/v1/algoOrder", Security.TRADE)
def new_algo(desk: Desk, p: Params) -> Any:
    if p.text("algoType") != "CONDITIONAL":
        raise Refused(Reason.PARAMETER_MISSING, "algoType")
    kind = p.text("type")
    if kind not in shapes.CONDITIONAL or kind == "TRAILING_STOP_MARKET":
        raise VenueError(-1116, "Invalid orderType.")
    return shapes.algo(desk.account.place(_wish(desk, p, "clientAlgoId")), None)


@route("GET", "/fapi/v1/algoOrder", Security.READ)
def get_algo(desk: Desk, p: Params) -> Any:
    return _algo_shape(desk, _algo(desk, p, MISSING))


@route("DELETE", "/fapi/v1/algoOrder", Security.TRADE)
def cancel_algo(desk: Desk, p: Params) -> Any:
    found = _algo(desk, p, UNKNOWN)
    desk.account.cancel(found)
    return {"algoId": found.id, "clientAlgoId": found.client_id, "code": "200", "msg": "success"}


@route("GET", "/fapi/v1/openAlgoOrders", Security.READ)
def open_algos(desk: Desk, p: Params) -> Any:
    return [_algo_shape(desk, each) for each in _open(desk, p, conditional=True)]


@route("GET", "/fapi/v1/allAlgoOrders", Security.READ, weight=5)
def all_algos(desk: Desk, p: Params) -> Any:
    rows = _history(desk, p, desk.account.ledger.algos, p.whole("algoId"))
    return [_algo_shape(desk, each) for each in rows]


@route("DELETE", "/fapi/v1/algoOpenOrders", Security.TRADE)
def cancel_all_algos(desk: Desk, p: Params) -> Any:
    desk.symbol(p)
    for each in list(_open(desk, p, conditional=True)):
        desk.account.cancel(each)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def _algo_shape(desk: Desk, found: VenueOrder) -> dict[str, Any]:
    return shapes.algo(found, desk.account.ledger.orders.get(found.child or 0))


# What is asked for


def _wish(desk: Desk, p: Params, id_name: str) -> Wish:
    """An order as these parameters ask for it. Raises for what cannot be meant."""
    symbol = desk.symbol(p)
    closes = p.flag("closePosition")
    if closes and (p.has("quantity") or p.flag("reduceOnly")):
        raise VenueError(-4137, "Quantity must be zero with closePosition equals true.")
    return Wish(
        symbol=symbol,
        order_side=_side(p),
        kind=_kind(p),
        quantity=None if closes else _quantity(p),
        price=p.number("price"),
        trigger=p.number("triggerPrice"),
        trigger_by=_trigger_by(p),
        reduce_only=_reduce_only(desk, p),
        time_in_force=_time_in_force(p),
        position_side=p.text("positionSide", "BOTH"),
        client_id=_client_id(desk, p, id_name),
    )


def _side(p: Params) -> OrderSide:
    try:
        return OrderSide(p.text("side").lower())
    except ValueError:
        raise VenueError(-1117, "Invalid side.") from None


def _kind(p: Params) -> Kind:
    try:
        return Kind(p.text("type"))
    except ValueError:
        raise VenueError(-1116, "Invalid orderType.") from None


def _quantity(p: Params) -> Decimal:
    p.text("quantity")
    return p.number("quantity") or Decimal(0)


def _trigger_by(p: Params) -> TriggerBy:
    match p.text("workingType", "CONTRACT_PRICE"):
        case "CONTRACT_PRICE":
            return TriggerBy.LAST
        case "MARK_PRICE":
            return TriggerBy.MARK
        case _:
            raise VenueError(-1116, "Invalid workingType.")


def _time_in_force(p: Params) -> str:
    needed = None if p.text("type") == "LIMIT" else "GTC"
    found = p.text("timeInForce", needed)
    if found not in ("GTC", "IOC", "FOK", "GTX", "GTE_GTC"):
        raise VenueError(-1115, "Invalid timeInForce.")
    return found


def _reduce_only(desk: Desk, p: Params) -> bool:
    if p.has("reduceOnly") and desk.account.dual:
        raise VenueError(-1106, "Parameter 'reduceonly' sent when not required.")
    return p.flag("reduceOnly")


def _client_id(desk: Desk, p: Params, name: str) -> str:
    """Theirs, checked against open orders only; or one the venue makes up."""
    given = p.text(name, uuid4().hex[:22])
    if not CLIENT_ID.match(given):
        raise Refused(Reason.CLIENT_ID)
    algo = name == "clientAlgoId"
    same = (o for o in desk.account.open_orders() if o.client_id == given and o.wish.kind.is_conditional is algo)
    if next(same, None) is not None:
        raise Refused(Reason.DUPLICATE)
    return given


# What is there


def _plain(desk: Desk, p: Params, missing: VenueError) -> VenueOrder:
    number, client_id = p.whole("orderId"), p.text("origClientOrderId", "")
    if number is None and not client_id:
        raise Refused(Reason.PARAMETER_MISSING, "origClientOrderId or orderId")
    found = desk.account.ledger.find(desk.account.ledger.orders, number, client_id, desk.known)
    if found is None or found.wish.symbol != desk.symbol(p):
        raise missing
    return found


def _algo(desk: Desk, p: Params, missing: VenueError) -> VenueOrder:
    number, client_id = p.whole("algoId"), p.text("clientAlgoId", "")
    if number is None and not client_id:
        raise Refused(Reason.PARAMETER_MISSING, "algoId or clientAlgoId")
    found = desk.account.ledger.find(desk.account.ledger.algos, number, client_id, desk.known)
    if found is None:
        raise missing
    return found


def _open(desk: Desk, p: Params, *, conditional: bool) -> list[VenueOrder]:
    symbol = desk.any_symbol(p)
    orders = desk.account.view(desk.lag_ms).orders
    return [o for o in orders if o.wish.kind.is_conditional is conditional and symbol in (None, o.wish.symbol)]


def _history(desk: Desk, p: Params, book: dict[int, VenueOrder], first: int | None) -> list[VenueOrder]:
    symbol, start, end = desk.symbol(p), p.whole("startTime") or 0, p.whole("endTime") or desk.venue.now()
    rows = [o for o in book.values() if o.wish.symbol == symbol and desk.known(o)]
    if first is not None:
        return [o for o in rows if o.id >= first][: p.limit(500, 1000)]
    return [o for o in rows if start <= o.time <= end][-p.limit(500, 1000) :]

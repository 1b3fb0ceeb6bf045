"""Orders on spot at Binance: plain ones, stops among them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..orders import Kind, VenueOrder
from ..params import Params
from ..prices import DAY
from ..refusals import VenueError
from . import shapes
from .refusals import NO_SUCH_ORDER, UNKNOWN
from .routes import Desk, Security, coins, route
from .wishes import ORDER, refuse_unread, wish


@route("POST", "/api/v3/order", Security.TRADE)
def new_order(desk: Desk, p: Params) -> Any:
    refuse_unread(p, ORDER)
    account = coins(desk)
    placed = account.place(wish(desk, p))
    plain = placed.wish.time_in_force != "GTX" and placed.wish.kind in (Kind.MARKET, Kind.LIMIT)
    asked = p.text("newOrderRespType", "FULL" if plain else "ACK")
    return shapes.placed(placed, asked, [t for t in account.ledger.trades if t.order_id == placed.id])


@route("POST", "/api/v3/order/test", Security.TRADE)
def try_order(desk: Desk, p: Params) -> Any:
    refuse_unread(p, ORDER)
    wish(desk, p)
    return {}


@route("GET", "/api/v3/order", Security.READ, weight=4)
def get_order(desk: Desk, p: Params) -> Any:
    return shapes.order(_found(desk, p, NO_SUCH_ORDER))


@route("DELETE", "/api/v3/order", Security.TRADE)
def cancel_order(desk: Desk, p: Params) -> Any:
    """Of half a pair the answer is that of the whole: the reference says that both go, not what is answered."""
    account, found = coins(desk), _found(desk, p, UNKNOWN)
    account.cancel(found)
    name = p.text("newClientOrderId", shapes.client_order_id())
    if found.pair is not None:
        return shapes.cancelled_list(account.pairs[found.pair], name)
    return shapes.cancelled(found, name)


@route("GET", "/api/v3/openOrders", Security.READ, weight=6, for_all=80)
def open_orders(desk: Desk, p: Params) -> Any:
    symbol = desk.any_symbol(p)
    orders = coins(desk).view(desk.lag_ms).orders
    return [shapes.order(o) for o in sorted(orders, key=lambda o: o.id) if symbol in (None, o.wish.symbol)]


@route("DELETE", "/api/v3/openOrders", Security.TRADE)
def cancel_all(desk: Desk, p: Params) -> Any:
    account, symbol = coins(desk), desk.symbol(p)
    found = [o for o in account.open_orders() if o.wish.symbol == symbol]
    if not found:
        raise UNKNOWN
    for order in found:
        if order.status.is_open:
            account.cancel(order)
    name, pairs = shapes.client_order_id(), sorted({o.pair for o in found if o.pair is not None})
    alone = [shapes.cancelled(o, name) for o in found if o.pair is None]
    return alone + [shapes.cancelled_list(account.pairs[pair], name) for pair in pairs]


@route("GET", "/api/v3/allOrders", Security.READ, weight=20)
def all_orders(desk: Desk, p: Params) -> Any:
    symbol, first = desk.symbol(p), p.whole("orderId")
    rows = [o for o in coins(desk).ledger.orders.values() if o.wish.symbol == symbol and desk.known(o)]
    start, end, limit = p.whole("startTime"), p.whole("endTime"), p.limit(500, 1000)
    if start is not None and end is not None and end - start > DAY:
        raise VenueError(-1127, "More than 24 hours between startTime and endTime.")
    if first is not None:
        return _told([o for o in rows if o.id >= first][:limit])
    if start is not None:
        return _told([o for o in rows if start <= o.time <= (start + DAY if end is None else end)][:limit])
    return _told([o for o in rows if end is None or o.time <= end][-limit:])


def _told(rows: Iterable[VenueOrder]) -> list[dict[str, Any]]:
    return [shapes.order(each) for each in rows]


def _found(desk: Desk, p: Params, missing: VenueError) -> VenueOrder:
    symbol, number, client_id = desk.symbol(p), p.whole("orderId"), p.text("origClientOrderId", "")
    if number is None and not client_id:
        both = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
        raise VenueError(-1102, both)
    ledger = coins(desk).ledger
    found = ledger.find(ledger.orders, number, client_id, desk.known)
    if found is None or found.wish.symbol != symbol or client_id not in ("", found.client_id):
        raise missing
    return found

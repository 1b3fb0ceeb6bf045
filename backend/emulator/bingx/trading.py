"""Orders at BingX: stops lie in the same list as all others and keep no client id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from buddy.core.exchange import TriggerBy
from buddy.core.market import ZERO, OrderSide

from ..orders import Kind, Protection, VenueOrder, Wish
from ..params import Params
from ..protocol import text
from ..refusals import Reason, Refused
from . import shapes
from .routes import Desk, Security, route

TRIGGERS = ("TRIGGER_MARKET", "TRIGGER_LIMIT")
MOST_CHARACTERS = 40


@route("POST", "/openApi/swap/v2/trade/order", Security.TRADE)
def new_order(desk: Desk, p: Params) -> Any:
    return shapes.placed(desk.account.place(_wish(desk, p)))


@route("POST", "/openApi/swap/v2/trade/order/test", Security.TRADE)
def try_order(desk: Desk, p: Params) -> Any:
    _wish(desk, p)
    return {"order": {}}


@route("POST", "/openApi/swap/v1/trade/cancelReplace", Security.TRADE)
def cancel_replace(desk: Desk, p: Params) -> Any:
    """Cancels first: when the new order is refused then, the old one is gone."""
    old = _named(desk, p, "cancelOrderId", "cancelClientOrderId")
    wish = _wish(desk, p)
    desk.account.cancel(old)
    new = desk.account.place(wish)
    return {
        "cancelResult": "true",
        "cancelMsg": "",
        "cancelResponse": _shape(desk, old),
        "replaceResult": "true",
        "replaceMsg": "",
        "newOrderResponse": shapes.placed(new)["order"],
    }


@route("GET", "/openApi/swap/v2/trade/order", Security.READ)
@route("GET", "/openApi/swap/v2/trade/openOrder", Security.READ)
def get_order(desk: Desk, p: Params) -> Any:
    return {"order": _shape(desk, _named(desk, p, "orderId", "clientOrderId"))}


@route("DELETE", "/openApi/swap/v2/trade/order", Security.TRADE)
def cancel_order(desk: Desk, p: Params) -> Any:
    found = _named(desk, p, "orderId", "clientOrderId")
    desk.account.cancel(found)
    return {"order": _shape(desk, found)}


@route("GET", "/openApi/swap/v2/trade/openOrders", Security.READ)
def open_orders(desk: Desk, p: Params) -> Any:
    symbol = desk.any_symbol(p)
    orders = desk.account.view(desk.lag_ms).orders
    return {"orders": [_shape(desk, each) for each in orders if symbol in (None, each.wish.symbol)]}


@route("GET", "/openApi/swap/v2/trade/allOrders", Security.READ)
@route("GET", "/openApi/swap/v1/trade/fullOrder", Security.READ)
def all_orders(desk: Desk, p: Params) -> Any:
    symbol, start, end = desk.any_symbol(p), p.whole("startTime") or 0, p.whole("endTime") or desk.venue.now()
    rows = [
        each
        for each in desk.account.ledger.orders.values()
        if symbol in (None, each.wish.symbol) and start <= each.time <= end and desk.known(each)
    ]
    return {"orders": [_shape(desk, each) for each in rows[-p.limit(500, 1000) :]]}


@route("DELETE", "/openApi/swap/v2/trade/allOpenOrders", Security.TRADE)
def cancel_all(desk: Desk, p: Params) -> Any:
    symbol = desk.any_symbol(p)
    gone = [each for each in desk.account.open_orders() if symbol in (None, each.wish.symbol)]
    for each in gone:
        desk.account.cancel(each)
    return {"success": [_shape(desk, each) for each in gone], "failed": []}


# What is asked for


def _wish(desk: Desk, p: Params) -> Wish:
    symbol, order_side, name = desk.symbol(p), _side(p), p.text("type")
    kind = _kind(desk, p, symbol, order_side, name)
    closes = p.text("closePosition", "").lower() == "true"
    if closes and not desk.account.dual:
        raise Refused(Reason.QUANTITY_MISSING)  # in one-way mode the quantity is mandatory
    notes = {field: p.text(field) for field in ("stopLoss", "takeProfit") if p.has(field)}
    return Wish(
        symbol=symbol,
        order_side=order_side,
        kind=kind,
        quantity=None if closes else _quantity(p),
        price=p.number("price") if kind.executed_as is Kind.LIMIT else None,
        trigger=p.number("stopPrice"),
        trigger_by=_trigger_by(p.text("workingType", "MARK_PRICE")),
        reduce_only=p.flag("reduceOnly"),
        time_in_force={"PostOnly": "GTX"}.get(p.text("timeInForce", "GTC"), p.text("timeInForce", "GTC")),
        position_side=_position_side(desk, p),
        client_id=_client_id(desk, p) if name in ("MARKET", "LIMIT") else "",
        attached=tuple(_attached(notes)),
        note=notes | ({"type": name} if name in TRIGGERS else {}),
    )


def _side(p: Params) -> OrderSide:
    try:
        return OrderSide(p.text("side").lower())
    except ValueError:
        raise Refused(Reason.PARAMETER_MALFORMED, "side") from None


def _kind(desk: Desk, p: Params, symbol: str, order_side: OrderSide, name: str) -> Kind:
    if name in TRIGGERS:
        trigger = p.number("stopPrice")
        if trigger is None:
            raise Refused(Reason.PARAMETER_MISSING, "stopPrice")
        return shapes.triggered_kind(name, order_side, rises=trigger > desk.venue.prices[symbol].last)
    if name not in shapes.KINDS:
        raise Refused(Reason.PARAMETER_MALFORMED, "type")
    return shapes.KINDS[name]


def _quantity(p: Params) -> Decimal:
    p.text("quantity")
    return p.number("quantity") or ZERO


def _position_side(desk: Desk, p: Params) -> str:
    asked = p.text("positionSide", "LONG" if desk.account.dual else "BOTH")
    if (asked == "BOTH") is desk.account.dual:
        raise Refused(Reason.POSITION_SIDE, asked)
    return asked


def _trigger_by(name: str) -> TriggerBy:
    if name not in ("MARK_PRICE", "CONTRACT_PRICE", "INDEX_PRICE"):
        raise Refused(Reason.PARAMETER_MALFORMED, "workingType")
    return TriggerBy.LAST if name == "CONTRACT_PRICE" else TriggerBy.MARK


def _client_id(desk: Desk, p: Params) -> str:
    """In small letters, and never used before by any order of the account."""
    given = p.text("clientOrderID", p.text("clientOrderId", "")).lower()
    if len(given) > MOST_CHARACTERS:
        raise Refused(Reason.CLIENT_ID)
    if given and any(order.client_id == given for order in desk.account.ledger.orders.values()):
        raise Refused(Reason.DUPLICATE)
    return given


def _attached(notes: Mapping[str, str]) -> list[Protection]:
    names = {"stopLoss": Kind.STOP_MARKET, "takeProfit": Kind.TAKE_PROFIT_MARKET}
    return [_protection(json.loads(told, parse_float=Decimal), names[field]) for field, told in notes.items()]


def _protection(told: Mapping[str, Any], default: Kind) -> Protection:
    kind = shapes.KINDS.get(told.get("type", ""), default)
    price = Decimal(told["price"]) if "price" in told and kind.executed_as is Kind.LIMIT else None
    return Protection(kind, Decimal(told["stopPrice"]), _trigger_by(told.get("workingType", "MARK_PRICE")), price)


# What is there


def _named(desk: Desk, p: Params, id_name: str, client_name: str) -> VenueOrder:
    client_id = p.text(client_name, p.text("clientOrderID", "")).lower()
    number = p.whole(id_name)
    if number is None and not client_id:
        raise Refused(Reason.PARAMETER_MISSING, id_name)
    found = desk.account.ledger.find(desk.account.ledger.orders, number, client_id, desk.known)
    if found is None:
        raise Refused(Reason.UNKNOWN_ORDER)
    return found


def _shape(desk: Desk, found: VenueOrder) -> dict[str, Any]:
    trades = [trade for trade in desk.account.ledger.trades if trade.order_id == found.id] if found.filled else []
    fee, profit = sum((t.fee for t in trades), ZERO), sum((t.realised for t in trades), ZERO)
    leverage = desk.account.setup(found.wish.symbol).leverage
    return shapes.order(found, text(leverage), text(-fee), text(profit))

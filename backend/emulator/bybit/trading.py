"""Orders at Bybit, plain and conditional in one list, and the protection that belongs to a position."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from buddy.core.exchange import TriggerBy
from buddy.core.market import ZERO, OrderSide

from ..orders import Kind, Protection, VenueOrder, Wish
from ..params import Params
from ..protocol import text
from ..refusals import Reason, Refused, VenueError
from ..slots import slot_of
from . import shapes
from .routes import Desk, Security, route

SIDES = {"0": "BOTH", "1": "LONG", "2": "SHORT"}
LEGS = (
    ("stopLoss", "sl", Kind.STOP_MARKET, Kind.STOP),
    ("takeProfit", "tp", Kind.TAKE_PROFIT_MARKET, Kind.TAKE_PROFIT),
)
RECENT = 500
"""Orders of any status that are still told by id among the open ones."""


@route("POST", "/v5/order/create", Security.TRADE)
def create(desk: Desk, p: Params) -> Any:
    wish = _wish(desk, p)
    try:
        order = desk.account.place(wish)
    except Refused as refused:
        if refused.reason is not Reason.POST_ONLY:
            raise
        order = desk.account.drop(wish, refused.reason)
    return _named(order)


@route("POST", "/v5/order/amend", Security.TRADE)
def amend(desk: Desk, p: Params) -> Any:
    found = _order(desk, p)
    quantity, price = p.number("qty") or found.quantity, p.number("price") or found.wish.price or ZERO
    if found.wish.kind.is_conditional:
        raise Refused(Reason.PARAMETER_MALFORMED, "a conditional order, which the stand-in does not amend")
    desk.account.amend(found, quantity, price)
    return _named(found)


@route("POST", "/v5/order/cancel", Security.TRADE)
def cancel(desk: Desk, p: Params) -> Any:
    found = _order(desk, p)
    desk.account.cancel(found)
    return _named(found)


@route("POST", "/v5/order/cancel-all", Security.TRADE)
def cancel_all(desk: Desk, p: Params) -> Any:
    symbol, wanted = desk.any_symbol(p), p.text("orderFilter", "")
    gone = [each for each in desk.account.open_orders() if symbol in (None, each.wish.symbol) and _passes(each, wanted)]
    for each in gone:
        desk.account.cancel(each)
    return {"list": [_named(each) for each in gone], "success": "1"}


@route("GET", "/v5/order/realtime", Security.READ)
def realtime(desk: Desk, p: Params) -> Any:
    """Open orders of every kind; asked for by id, also one that is over."""
    wanted = p.text("orderFilter", "")
    if p.has("orderId") or p.has("orderLinkId"):
        rows = [each for each in _recent(desk) if _is_named(each, p)]
    else:
        symbol = desk.any_symbol(p)
        if symbol is None and not p.has("settleCoin") and not p.has("baseCoin"):
            raise Refused(Reason.PARAMETER_MISSING, "symbol, settleCoin or baseCoin")
        rows = [each for each in desk.account.view(desk.lag_ms).orders if symbol in (None, each.wish.symbol)]
    page, cursor = paged(p, [each for each in reversed(rows) if _passes(each, wanted)], default=20, most=50)
    return {"category": "linear", "list": [shape(desk, each) for each in page], "nextPageCursor": cursor}


@route("GET", "/v5/order/history", Security.READ)
def history(desk: Desk, p: Params) -> Any:
    """Orders that are over, newest first."""
    symbol, wanted = desk.any_symbol(p), p.text("orderFilter", "")
    named = p.has("orderId") or p.has("orderLinkId")
    start, end = p.whole("startTime") or 0, p.whole("endTime") or desk.venue.now()
    rows = [
        each
        for each in desk.account.ledger.orders.values()
        if symbol in (None, each.wish.symbol)
        and desk.known(each)
        and not each.status.is_open
        and (_is_named(each, p) if named else start <= each.updated <= end)
        and _passes(each, wanted)
    ]
    page, cursor = paged(p, list(reversed(rows)), default=20, most=50)
    return {"category": "linear", "list": [shape(desk, each) for each in page], "nextPageCursor": cursor}


@route("POST", "/v5/position/trading-stop", Security.TRADE)
def trading_stop(desk: Desk, p: Params) -> Any:
    """Protection of the position; 0 takes it away."""
    symbol, partial = desk.symbol(p), p.text("tpslMode", "Full") == "Partial"
    side = _position_side(p)
    if desk.account.position(symbol, side) is None:
        raise VenueError(10001, "can not set tp/sl/ts for zero position")
    for field, short, market, limit in LEGS:
        price = p.number(field)
        if price is None:
            continue
        kind = limit if p.text(f"{short}OrderType", "Market") == "Limit" else market
        if not price:
            _take_away(desk, symbol, side, kind)
            continue
        by = _trigger_by(p.text(f"{short}TriggerBy", "LastPrice"))
        size = p.number(f"{short}Size") if partial else None
        desk.account.protect(symbol, Protection(kind, price, by, p.number(f"{short}LimitPrice")), size, side)
    return {}


def _take_away(desk: Desk, symbol: str, side: str, kind: Kind) -> None:
    for each in list(desk.account.armed.values()):
        attached = "attached" in each.wish.note and each.wish.closes_position
        if attached and each.wish.slot == slot_of(symbol, side) and each.wish.kind.takes_profit is kind.takes_profit:
            desk.account.cancel(each)


# What is asked for


def _wish(desk: Desk, p: Params) -> Wish:
    _check_category(p)
    symbol, order_side, limited = desk.symbol(p), _side(p), p.text("orderType") == "Limit"
    trigger = p.number("triggerPrice")
    notes = {field: p.text(field) for field, *_ in LEGS if p.has(field) and p.text(field) != "0"}
    reduces = p.flag("reduceOnly")
    return Wish(
        symbol=symbol,
        order_side=order_side,
        kind=_kind(p, order_side, limited, trigger),
        quantity=_quantity(desk, p, symbol, reduces, conditional=trigger is not None),
        price=p.number("price") if limited else None,
        trigger=trigger,
        trigger_by=_trigger_by(p.text("triggerBy", "LastPrice")),
        reduce_only=reduces,
        time_in_force={"PostOnly": "GTX"}.get(p.text("timeInForce", "GTC"), p.text("timeInForce", "GTC")),
        position_side=_position_side(p),
        client_id=_client_id(desk, p),
        attached=tuple(_attached(p, notes)),
        note=notes,
    )


def _check_category(p: Params) -> None:
    if p.text("category") != "linear":
        raise Refused(Reason.PARAMETER_MALFORMED, "category")


def _side(p: Params) -> OrderSide:
    try:
        return OrderSide(p.text("side").lower())
    except ValueError:
        raise Refused(Reason.PARAMETER_MALFORMED, "side") from None


def _kind(p: Params, order_side: OrderSide, limited: bool, trigger: Decimal | None) -> Kind:
    if trigger is None:
        return Kind.LIMIT if limited else Kind.MARKET
    direction = p.text("triggerDirection")
    if direction not in ("1", "2"):
        raise Refused(Reason.PARAMETER_MALFORMED, "triggerDirection")
    stops = (order_side is OrderSide.BUY) is (direction == "1")
    if limited:
        return Kind.STOP if stops else Kind.TAKE_PROFIT
    return Kind.STOP_MARKET if stops else Kind.TAKE_PROFIT_MARKET


def _quantity(desk: Desk, p: Params, symbol: str, reduces: bool, *, conditional: bool) -> Decimal | None:
    """0 with reduce-only means all that is held."""
    p.text("qty")
    asked = p.number("qty") or ZERO
    if asked or not reduces:
        return asked
    held = desk.account.position(symbol, _position_side(p))
    if held is None:
        raise Refused(Reason.REDUCE_ONLY)
    return None if conditional else abs(held.quantity)


def _position_side(p: Params) -> str:
    index = p.text("positionIdx", "0")
    if index not in SIDES:
        raise Refused(Reason.PARAMETER_MALFORMED, "positionIdx")
    return SIDES[index]


def _trigger_by(name: str) -> TriggerBy:
    if name not in ("LastPrice", "MarkPrice", "IndexPrice"):
        raise Refused(Reason.PARAMETER_MALFORMED, "triggerBy")
    return TriggerBy.LAST if name == "LastPrice" else TriggerBy.MARK


def _client_id(desk: Desk, p: Params) -> str:
    given = p.text("orderLinkId", "")
    if len(given) > 36:
        raise Refused(Reason.CLIENT_ID)
    if given and any(order.client_id == given for order in desk.account.ledger.orders.values()):
        raise Refused(Reason.DUPLICATE)
    return given


def _attached(p: Params, notes: Mapping[str, str]) -> list[Protection]:
    legs = [leg for leg in LEGS if leg[0] in notes]
    return [
        Protection(
            limit if p.text(f"{short}OrderType", "Market") == "Limit" else market,
            Decimal(notes[field]),
            _trigger_by(p.text(f"{short}TriggerBy", "LastPrice")),
            p.number(f"{short}LimitPrice"),
        )
        for field, short, market, limit in legs
    ]


# What is there


def _named(order: VenueOrder) -> dict[str, str]:
    return {"orderId": shapes.order_id(order.id), "orderLinkId": order.client_id}


def _order(desk: Desk, p: Params) -> VenueOrder:
    if not p.has("orderId") and not p.has("orderLinkId"):
        raise Refused(Reason.PARAMETER_MISSING, "orderId or orderLinkId")
    found = [each for each in _recent(desk) if _is_named(each, p)]
    if not found:
        raise Refused(Reason.UNKNOWN_ORDER)
    return found[-1]


def _recent(desk: Desk) -> list[VenueOrder]:
    return [each for each in list(desk.account.ledger.orders.values())[-RECENT:] if desk.known(each)]


def _is_named(order: VenueOrder, p: Params) -> bool:
    if p.has("orderId"):
        return order.id == shapes.order_number(p.text("orderId"))
    return order.client_id == p.text("orderLinkId")


def _passes(order: VenueOrder, wanted: str) -> bool:
    """`wanted`: Order, StopOrder or nothing for both."""
    waits = order.wish.kind.is_conditional
    return wanted == "" or (wanted == "StopOrder") is waits


def shape(desk: Desk, order: VenueOrder) -> dict[str, Any]:
    trades = desk.account.ledger.trades if order.filled else []
    return shapes.order(order, text(sum((trade.fee for trade in trades if trade.order_id == order.id), ZERO)))


def paged(p: Params, rows: list[Any], *, default: int, most: int) -> tuple[list[Any], str]:
    """A page of rows and the cursor of the next one."""
    first, size = p.whole("cursor") or 0, p.limit(default, most)
    return rows[first : first + size], str(first + size) if first + size < len(rows) else ""

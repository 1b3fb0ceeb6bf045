"""Orders, pairs and executions on spot as Binance writes them: every figure with eight digits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

from buddy.core.market import ZERO

from ..binance.shapes import market_id, side
from ..orders import Kind, Status, VenueOrder, VenueTrade
from ..spot_books import OrderList

TYPES = {
    Kind.MARKET: "MARKET",
    Kind.LIMIT: "LIMIT",
    Kind.STOP_MARKET: "STOP_LOSS",
    Kind.STOP: "STOP_LOSS_LIMIT",
    Kind.TAKE_PROFIT_MARKET: "TAKE_PROFIT",
    Kind.TAKE_PROFIT: "TAKE_PROFIT_LIMIT",
}
KINDS = {name: kind for kind, name in TYPES.items()} | {"LIMIT_MAKER": Kind.LIMIT}
ALONE = -1


def figure(number: Decimal | None) -> str:
    return f"{ZERO if number is None else number:.8f}"


def client_order_id() -> str:
    """One the venue makes up."""
    return uuid4().hex[:22]


def kind(o: VenueOrder) -> str:
    return "LIMIT_MAKER" if o.wish.time_in_force == "GTX" else TYPES[o.wish.kind]


def time_in_force(o: VenueOrder) -> str:
    return "GTC" if o.wish.time_in_force == "GTX" else o.wish.time_in_force


def status(o: VenueOrder) -> str:
    return "NEW" if o.status in (Status.TRIGGERING, Status.TRIGGERED) else o.status.value


def is_working(o: VenueOrder) -> bool:
    """Whether it is, or was, in the book."""
    return not o.wish.kind.is_conditional or bool(o.triggered)


def list_id(o: VenueOrder) -> int:
    return ALONE if o.pair is None else o.pair


def _figures(o: VenueOrder) -> dict[str, Any]:
    """What every telling of an order has."""
    told = {
        "price": figure(o.wish.price),
        "origQty": figure(o.quantity),
        "executedQty": figure(o.filled),
        "origQuoteOrderQty": figure(ZERO),
        "cummulativeQuoteQty": figure(o.value),
        "status": status(o),
        "timeInForce": time_in_force(o),
        "type": kind(o),
        "side": side(o.wish.order_side),
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }
    return told | {"stopPrice": figure(o.wish.trigger)} if o.wish.kind.is_conditional else told


def order(o: VenueOrder) -> dict[str, Any]:
    """As it is read."""
    return {
        "symbol": market_id(o.wish.symbol),
        "orderId": o.id,
        "orderListId": list_id(o),
        "clientOrderId": o.client_id,
        "stopPrice": figure(ZERO),
        "icebergQty": figure(ZERO),
        "time": o.time,
        "updateTime": o.updated,
        "isWorking": is_working(o),
        "workingTime": (o.triggered or o.time) if is_working(o) else -1,
    } | _figures(o)


def placed(o: VenueOrder, asked: str, trades: list[VenueTrade]) -> dict[str, Any]:
    """As a new order is answered; `asked`: ACK, RESULT or FULL."""
    told = {
        "symbol": market_id(o.wish.symbol),
        "orderId": o.id,
        "orderListId": list_id(o),
        "clientOrderId": o.client_id,
        "transactTime": o.updated,
    }
    if asked == "ACK":
        return told
    told |= _figures(o) | {"workingTime": o.time if is_working(o) else -1}
    return told if asked == "RESULT" else told | {"fills": [_fill(each) for each in trades]}


def _fill(t: VenueTrade) -> dict[str, Any]:
    return {
        "price": figure(t.price),
        "qty": figure(t.quantity),
        "commission": figure(t.fee),
        "commissionAsset": t.fee_asset,
        "tradeId": t.id,
    }


def cancelled(o: VenueOrder, name: str) -> dict[str, Any]:
    """As its cancellation is answered, which has a client id, `name`, of its own."""
    return {
        "symbol": market_id(o.wish.symbol),
        "origClientOrderId": o.client_id,
        "orderId": o.id,
        "orderListId": list_id(o),
        "clientOrderId": name,
        "transactTime": o.updated,
    } | _figures(o)


def order_list(pair: OrderList) -> dict[str, Any]:
    return {
        "orderListId": pair.id,
        "contingencyType": "OCO",
        "listStatusType": "ALL_DONE" if pair.is_done else "EXEC_STARTED",
        "listOrderStatus": "ALL_DONE" if pair.is_done else "EXECUTING",
        "listClientOrderId": pair.client_id,
        "transactionTime": pair.updated,
        "symbol": market_id(pair.symbol),
        "orders": [
            {"symbol": market_id(pair.symbol), "orderId": half.id, "clientOrderId": half.client_id}
            for half in pair.orders
        ],
    }


def trade(t: VenueTrade, of: VenueOrder | None) -> dict[str, Any]:
    return {
        "symbol": market_id(t.symbol),
        "id": t.id,
        "orderId": t.order_id,
        "orderListId": ALONE if of is None else list_id(of),
        "price": figure(t.price),
        "qty": figure(t.quantity),
        "quoteQty": figure(t.price * t.quantity),
        "commission": figure(t.fee),
        "commissionAsset": t.fee_asset,
        "time": t.time,
        "isBuyer": t.order_side.is_buy,
        "isMaker": t.maker,
        "isBestMatch": True,
    }


def cancelled_list(pair: OrderList, name: str) -> dict[str, Any]:
    return order_list(pair) | {"orderReports": [cancelled(half, name) for half in pair.orders]}

"""Orders, executions and the like as BingX writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from buddy.core.exchange import TriggerBy
from buddy.core.market import ZERO, OrderSide

from ..orders import HeldPosition, Kind, Status, VenueIncome, VenueOrder, VenueTrade
from ..protocol import text

STATUS = {
    Status.NEW: "NEW",
    Status.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    Status.FILLED: "FILLED",
    Status.CANCELED: "CANCELLED",
    Status.EXPIRED: "EXPIRED",
    Status.REJECTED: "FAILED",
    Status.TRIGGERING: "NEW",
    Status.TRIGGERED: "NEW",
    Status.FINISHED: "FILLED",
}


def market_id(symbol: str) -> str:
    """BTC/USDT:USDT → BTC-USDT."""
    return symbol.partition(":")[0].replace("/", "-")


def working_type(trigger_by: TriggerBy) -> str:
    return "MARK_PRICE" if trigger_by is TriggerBy.MARK else "CONTRACT_PRICE"


def kind(o: VenueOrder) -> str:
    """Stops that may open something are its TRIGGER orders."""
    return o.wish.note.get("type", o.wish.kind.value)


def placed(o: VenueOrder) -> dict[str, Any]:
    """The answer to an order: it tells neither status nor fills."""
    wish = o.wish
    return {
        "order": {
            "orderId": o.id,
            "orderID": str(o.id),
            "symbol": market_id(wish.symbol),
            "positionSide": wish.position_side,
            "side": wish.order_side.value.upper(),
            "type": kind(o),
            "price": float(wish.price or ZERO),
            "quantity": float(o.quantity),
            "stopPrice": float(wish.trigger or ZERO),
            "workingType": working_type(wish.trigger_by),
            "clientOrderID": o.client_id,
            "clientOrderId": o.client_id,
            "timeInForce": wish.time_in_force,
            "priceRate": 0,
            "stopLoss": wish.note.get("stopLoss", ""),
            "takeProfit": wish.note.get("takeProfit", ""),
            "reduceOnly": wish.reduce_only,
            "activationPrice": 0,
            "closePosition": "true" if wish.closes_position else "",
            "stopGuaranteed": "",
        }
    }


def order(o: VenueOrder, leverage: str, fee: str, profit: str) -> dict[str, Any]:
    """One row as the vendor lists it, field by field."""
    wish = o.wish
    return {
        "symbol": market_id(wish.symbol),
        "orderId": o.id,
        "side": wish.order_side.value.upper(),
        "positionSide": wish.position_side,
        "type": kind(o),
        "origQty": text(o.quantity),
        "price": text(wish.price),
        "executedQty": text(o.filled),
        "avgPrice": text(o.average),
        "cumQuote": text(o.value),
        "stopPrice": text(wish.trigger) if wish.trigger else "",
        "profit": profit,
        "commission": fee,
        "status": STATUS[o.status],
        "time": o.time,
        "updateTime": o.updated,
        "clientOrderId": o.client_id,
        "leverage": f"{leverage}X",
        "takeProfit": _attached(wish.note.get("takeProfit", "")),
        "stopLoss": _attached(wish.note.get("stopLoss", "")),
        "advanceAttr": 0,
        "positionID": 0,
        "takeProfitEntrustPrice": 0,
        "stopLossEntrustPrice": 0,
        "orderType": "",
        "workingType": working_type(wish.trigger_by),
        "onlyOnePosition": wish.position_side == "BOTH",
        "reduceOnly": wish.reduce_only,
        "stopGuaranteed": "",
        "triggerOrderId": 0,
    }


def _attached(told: str) -> Any:
    empty = {"type": "", "quantity": 0, "stopPrice": 0, "price": 0, "workingType": "", "stopGuaranteed": ""}
    return told or empty


def fill(t: VenueTrade) -> dict[str, Any]:
    """Without an id and without a side, as recorded."""
    when = datetime.fromtimestamp(t.time / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "filledTm": when.replace("+00:00", "Z"),
        "filledTime": when.replace("+00:00", "Z"),
        "volume": text(t.quantity),
        "price": text(t.price),
        "amount": text(t.price * t.quantity),
        "commission": text(-t.fee),
        "currency": "USDT",
        "orderId": str(t.order_id),
        "liquidatedPrice": text(t.price) if t.forced == "liquidation" else "0.00",
        "liquidatedMarginRatio": "0.00",
        "workingType": "MARK_PRICE",
        "symbol": market_id(t.symbol),
        "type": "",
    }


def fill_2(t: VenueTrade) -> dict[str, Any]:
    """The other list of executions tells more."""
    return fill(t) | {
        "tradeId": str(t.id),
        "side": t.order_side.value.upper(),
        "positionSide": t.position_side,
        "role": "maker" if t.maker else "taker",
        "qty": text(t.quantity),
        "quoteQty": text(t.price * t.quantity),
        "realisedPNL": text(t.realised),
    }


def income(row: VenueIncome) -> dict[str, Any]:
    kinds = {"COMMISSION": "TRADING_FEE"}
    return {
        "symbol": market_id(row.symbol) if row.symbol else "",
        "incomeType": kinds.get(row.kind, row.kind),
        "income": text(row.amount),
        "asset": row.asset,
        "info": row.kind.replace("_", " ").title(),
        "time": row.time,
        "tranId": str(row.id),
        "tradeId": str(row.trade_id or row.id),
    }


def position(held: HeldPosition, realised: str) -> dict[str, Any]:
    long = held.quantity > 0
    return {
        "positionId": f"{held.updated}{held.symbol.partition('/')[0]}",
        "symbol": market_id(held.symbol),
        "currency": "USDT",
        "positionAmt": text(abs(held.quantity)),
        "availableAmt": text(abs(held.quantity)),
        "positionSide": "LONG" if long else "SHORT",
        "isolated": held.margin_mode == "isolated",
        "avgPrice": text(held.entry),
        "initialMargin": text(held.margin),
        "margin": text(held.margin + held.unrealised),
        "leverage": int(held.leverage),
        "unrealizedProfit": text(held.unrealised),
        "realisedProfit": realised,
        "liquidationPrice": float(held.liquidation or ZERO),
        "pnlRatio": "0",
        "maxMarginReduction": "0.0000",
        "riskRate": "0",
        "markPrice": text(held.mark),
        "positionValue": text(abs(held.value)),
        "onlyOnePosition": held.position_side == "BOTH",
        "createTime": held.updated,
        "updateTime": held.updated,
    }


KINDS = {
    "MARKET": Kind.MARKET,
    "LIMIT": Kind.LIMIT,
    "STOP_MARKET": Kind.STOP_MARKET,
    "STOP": Kind.STOP,
    "TAKE_PROFIT_MARKET": Kind.TAKE_PROFIT_MARKET,
    "TAKE_PROFIT": Kind.TAKE_PROFIT,
}


def triggered_kind(name: str, order_side: OrderSide, *, rises: bool) -> Kind:
    """A TRIGGER order waits for its price from wherever the price is now."""
    stop = (order_side is OrderSide.BUY) is rises
    if name == "TRIGGER_LIMIT":
        return Kind.STOP if stop else Kind.TAKE_PROFIT
    return Kind.STOP_MARKET if stop else Kind.TAKE_PROFIT_MARKET

"""Orders, executions and the like as Bybit writes them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from buddy.core.exchange import TriggerBy
from buddy.core.market import ZERO

from ..orders import HeldPosition, Kind, Status, VenueIncome, VenueOrder, VenueTrade
from ..protocol import text

INDEX = {"BOTH": 0, "LONG": 1, "SHORT": 2}
TIME_IN_FORCE = {"GTX": "PostOnly"}


def market_id(symbol: str) -> str:
    """BTC/USDT:USDT → BTCUSDT."""
    return symbol.partition(":")[0].replace("/", "")


def order_id(number: int) -> str:
    return str(UUID(int=number))


def order_number(name: str) -> int:
    """The number of an order id; -1 for one that is none of ours."""
    try:
        return UUID(name).int
    except ValueError:
        return -1


def status(o: VenueOrder) -> str:
    waits = o.wish.kind.is_conditional and not o.triggered
    match o.status:
        case Status.NEW:
            return "Untriggered" if waits else "New"
        case Status.TRIGGERING | Status.TRIGGERED:
            return "Triggered"
        case Status.PARTIALLY_FILLED:
            return "PartiallyFilled"
        case Status.FILLED | Status.FINISHED:
            return "Filled"
        case Status.REJECTED:
            return "Rejected"
        case _:
            return "Deactivated" if waits else "PartiallyFilledCanceled" if o.filled else "Cancelled"


def stop_type(o: VenueOrder) -> str:
    if not o.wish.kind.is_conditional:
        return ""
    if "attached" not in o.wish.note:
        return "Stop"
    part = "" if o.wish.closes_position or o.wish.note["attached"] != "position" else "Partial"
    return part + ("TakeProfit" if o.wish.kind.takes_profit else "StopLoss")


def order(o: VenueOrder, fee: str) -> dict[str, Any]:
    """One row as the vendor lists it, field by field: long, but without a branch to follow."""
    wish = o.wish
    trigger = wish.trigger is not None
    return {
        "category": "linear",
        "orderId": order_id(o.id),
        "orderLinkId": o.client_id,
        "blockTradeId": "",
        "symbol": market_id(wish.symbol),
        "price": text(wish.price),
        "qty": text(o.quantity),
        "side": wish.order_side.value.capitalize(),
        "isLeverage": "",
        "positionIdx": INDEX[wish.position_side],
        "orderStatus": status(o),
        "cancelType": "CancelByUser" if o.status is Status.CANCELED and not o.reason else "UNKNOWN",
        "rejectReason": "EC_PostOnlyWillTakeLiquidity" if o.reason == "post_only" else "EC_NoError",
        "avgPrice": text(o.average) if o.filled else "",
        "leavesQty": text(o.quantity - o.filled) if o.status.is_open else "0",
        "leavesValue": "0",
        "cumExecQty": text(o.filled),
        "cumExecValue": text(o.value),
        "cumExecFee": fee,
        "cumFeeDetail": {"USDT": fee} if o.filled else {},
        "timeInForce": TIME_IN_FORCE.get(wish.time_in_force, wish.time_in_force) if wish.price else "IOC",
        "orderType": "Limit" if wish.kind.executed_as is Kind.LIMIT else "Market",
        "stopOrderType": stop_type(o),
        "orderIv": "",
        "triggerPrice": text(wish.trigger) if trigger else "",
        "takeProfit": wish.note.get("takeProfit", ""),
        "stopLoss": wish.note.get("stopLoss", ""),
        "tpslMode": "Full" if wish.closes_position else "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": (1 if wish.rises else 2) if trigger else 0,
        "triggerBy": ("MarkPrice" if wish.trigger_by is TriggerBy.MARK else "LastPrice") if trigger else "",
        "lastPriceOnCreated": "",
        "reduceOnly": wish.reduce_only,
        "closeOnTrigger": wish.closes_position,
        "placeType": "",
        "smpType": "None",
        "createType": _created_by(o),
        "createdTime": str(o.time),
        "updatedTime": str(o.updated),
    }


def _created_by(o: VenueOrder) -> str:
    if o.forced:
        return "CreateByLiq" if o.forced == "liquidation" else "CreateByAdl_PassThrough"
    if "attached" in o.wish.note:
        return "CreateByTakeProfit" if o.wish.kind.takes_profit else "CreateByStopLoss"
    return "CreateByUser"


def execution(t: VenueTrade, o: VenueOrder | None) -> dict[str, Any]:
    """One row as the vendor lists it, field by field."""
    value = t.price * t.quantity
    return {
        "category": "linear",
        "symbol": market_id(t.symbol),
        "orderId": order_id(t.order_id),
        "orderLinkId": t.client_id,
        "side": t.order_side.value.capitalize(),
        "orderPrice": text(t.price if o is None else o.wish.price or t.price),
        "orderQty": text(t.quantity if o is None else o.quantity),
        "leavesQty": text(ZERO if o is None else o.quantity - o.filled),
        "createType": "CreateByUser" if o is None else _created_by(o),
        "orderType": "Limit" if t.maker else "Market",
        "stopOrderType": "UNKNOWN" if o is None else stop_type(o) or "UNKNOWN",
        "execFee": text(t.fee),
        "execId": order_id(t.id),
        "execPrice": text(t.price),
        "execQty": text(t.quantity),
        "execType": {"liquidation": "BustTrade", "adl": "AdlTrade"}.get(t.forced, "Trade"),
        "execValue": text(value),
        "execTime": str(t.time),
        "feeCurrency": "USDT",
        "isMaker": t.maker,
        "feeRate": text(t.fee / value),
        "closedSize": text(t.quantity if t.realised else ZERO),
        "execPnl": text(t.realised),
        "markPrice": text(t.price),
        "indexPrice": "",
        "underlyingPrice": "",
        "seq": t.id,
    }


def funding(row: VenueIncome) -> dict[str, Any]:
    """Funding is an execution; paid funding is a positive fee."""
    return {
        "category": "linear",
        "symbol": market_id(row.symbol),
        "orderId": order_id(row.id),
        "orderLinkId": "",
        "side": "Buy",
        "orderType": "UNKNOWN",
        "stopOrderType": "UNKNOWN",
        "execFee": text(-row.amount),
        "execId": order_id(row.id),
        "execPrice": "0",
        "execQty": "0",
        "execType": "Funding",
        "execValue": "0",
        "execTime": str(row.time),
        "feeCurrency": "USDT",
        "isMaker": False,
        "feeRate": "0.0001",
        "closedSize": "0",
        "seq": row.id,
    }


def position(
    symbol: str, held: HeldPosition | None, leverage: str, protection: dict[str, str], *, dual: bool = False
) -> dict[str, Any]:
    """One row as the vendor lists it, field by field; also where nothing is held, then without a side.

    `dual`: the account is in hedge mode.
    """
    long = held is not None and held.quantity > 0
    return {
        "category": "linear",
        "positionIdx": int(dual) if held is None else INDEX[held.position_side],
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": market_id(symbol),
        "side": "" if held is None else "Buy" if long else "Sell",
        "size": text(ZERO if held is None else abs(held.quantity)),
        "avgPrice": text(ZERO if held is None else held.entry),
        "entryPrice": text(ZERO if held is None else held.entry),
        "positionValue": "" if held is None else text(abs(held.value)),
        "tradeMode": 0,
        "autoAddMargin": 0,
        "positionStatus": "Normal",
        "leverage": leverage,
        "markPrice": text(ZERO if held is None else held.mark),
        "liqPrice": "" if held is None or held.liquidation is None else text(held.liquidation),
        "bustPrice": "",
        "positionIM": "" if held is None else text(held.margin),
        "positionMM": "" if held is None else text(held.maintenance),
        "positionBalance": text(ZERO if held is None else held.margin),
        "takeProfit": protection.get("TakeProfit", ""),
        "stopLoss": protection.get("StopLoss", ""),
        "trailingStop": "0",
        "tpslMode": "Full",
        "unrealisedPnl": "" if held is None else text(held.unrealised),
        "curRealisedPnl": "0",
        "cumRealisedPnl": "0",
        "adlRankIndicator": 2,
        "createdTime": str(0 if held is None else held.updated),
        "updatedTime": str(0 if held is None else held.updated),
        "seq": 1,
    }

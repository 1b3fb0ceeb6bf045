"""Orders, executions and the like as Binance writes them."""

from __future__ import annotations

from typing import Any

from buddy.core.exchange import TriggerBy
from buddy.core.market import OrderSide

from ..orders import HeldPosition, Kind, VenueIncome, VenueOrder, VenueTrade
from ..protocol import text


def market_id(symbol: str) -> str:
    """BTC/USDT:USDT → BTCUSDT."""
    return symbol.partition(":")[0].replace("/", "")


def side(order_side: OrderSide) -> str:
    return order_side.value.upper()


def client_id(o: VenueOrder) -> str:
    """The venue's own orders are told by theirs."""
    return {"liquidation": f"autoclose-{o.time}", "adl": "adl_autoclose"}.get(o.forced, o.client_id)


def working_type(trigger_by: TriggerBy) -> str:
    return "MARK_PRICE" if trigger_by is TriggerBy.MARK else "CONTRACT_PRICE"


def order(o: VenueOrder) -> dict[str, Any]:
    wish = o.wish
    return {
        "orderId": o.id,
        "symbol": market_id(wish.symbol),
        "status": o.status.value,
        "clientOrderId": client_id(o),
        "price": text(wish.price),
        "avgPrice": text(o.average),
        "origQty": text(o.quantity),
        "executedQty": text(o.filled),
        "cumQty": text(o.filled),
        "cumQuote": text(o.value),
        "timeInForce": wish.time_in_force,
        "type": "LIQUIDATION" if o.forced else wish.kind.value,
        "reduceOnly": wish.reduce_only,
        "closePosition": wish.closes_position,
        "side": side(wish.order_side),
        "positionSide": wish.position_side,
        "stopPrice": "0",
        "workingType": working_type(wish.trigger_by),
        "priceProtect": False,
        "origType": wish.kind.value,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": o.time,
        "updateTime": o.updated,
    }


def algo(o: VenueOrder, child: VenueOrder | None) -> dict[str, Any]:
    """A conditional order as the vendor lists it, field by field; `child` is what it became."""
    wish = o.wish
    return {
        "algoId": o.id,
        "clientAlgoId": o.client_id,
        "algoType": "CONDITIONAL",
        "orderType": wish.kind.value,
        "symbol": market_id(wish.symbol),
        "side": side(wish.order_side),
        "positionSide": wish.position_side,
        "timeInForce": wish.time_in_force,
        "quantity": text(o.quantity),
        "algoStatus": o.status.value,
        "actualOrderId": "" if child is None else str(child.id),
        "actualPrice": "0.00000" if child is None else text(child.average),
        "actualQty": "0.00000" if child is None else text(child.filled),
        "actualType": "" if child is None else child.wish.kind.value,
        "triggerPrice": text(wish.trigger),
        "price": text(wish.price),
        "icebergQuantity": None,
        "tpTriggerPrice": "0.000",
        "tpPrice": "0.000",
        "slTriggerPrice": "0.000",
        "slPrice": "0.000",
        "tpOrderType": "",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": working_type(wish.trigger_by),
        "priceMatch": "NONE",
        "closePosition": wish.closes_position,
        "priceProtect": False,
        "reduceOnly": wish.reduce_only,
        "createTime": o.time,
        "updateTime": o.updated,
        "triggerTime": o.triggered,
        "goodTillDate": 0,
    }


def trade(t: VenueTrade) -> dict[str, Any]:
    buys = t.order_side is OrderSide.BUY
    return {
        "symbol": market_id(t.symbol),
        "id": t.id,
        "orderId": t.order_id,
        "side": side(t.order_side),
        "price": text(t.price),
        "qty": text(t.quantity),
        "realizedPnl": text(t.realised),
        "quoteQty": text(t.price * t.quantity),
        "commission": text(t.fee),
        "commissionAsset": t.fee_asset,
        "time": t.time,
        "positionSide": t.position_side,
        "buyer": buys,
        "maker": t.maker,
    }


def income(row: VenueIncome) -> dict[str, Any]:
    return {
        "symbol": market_id(row.symbol) if row.symbol else "",
        "incomeType": row.kind,
        "income": text(row.amount),
        "asset": row.asset,
        "time": row.time,
        "info": row.kind if row.trade_id is None else str(row.trade_id),
        "tranId": row.id,
        "tradeId": "" if row.trade_id is None else str(row.trade_id),
    }


def position_risk(held: HeldPosition) -> dict[str, Any]:
    """Version 3, which tells neither the leverage nor the margin mode."""
    isolated = held.margin_mode == "isolated"
    return {
        "symbol": market_id(held.symbol),
        "positionSide": held.position_side,
        "positionAmt": text(held.quantity),
        "entryPrice": text(held.entry),
        "breakEvenPrice": text(held.entry),
        "markPrice": text(held.mark),
        "unRealizedProfit": text(held.unrealised),
        "liquidationPrice": text(held.liquidation),
        "isolatedMargin": text(held.margin + held.unrealised) if isolated else "0",
        "notional": text(held.value),
        "marginAsset": "USDT",
        "isolatedWallet": text(held.margin) if isolated else "0",
        "initialMargin": text(abs(held.value) / held.leverage),
        "maintMargin": text(held.maintenance),
        "positionInitialMargin": text(abs(held.value) / held.leverage),
        "openOrderInitialMargin": "0",
        "adl": 1,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": held.updated,
    }


def account_position(held: HeldPosition) -> dict[str, Any]:
    isolated = held.margin_mode == "isolated"
    return {
        "symbol": market_id(held.symbol),
        "positionSide": held.position_side,
        "positionAmt": text(held.quantity),
        "unrealizedProfit": text(held.unrealised),
        "isolatedMargin": text(held.margin + held.unrealised) if isolated else "0",
        "notional": text(held.value),
        "isolatedWallet": text(held.margin) if isolated else "0",
        "initialMargin": text(abs(held.value) / held.leverage),
        "maintMargin": text(held.maintenance),
        "updateTime": held.updated,
    }


CONDITIONAL = frozenset(kind.value for kind in Kind if kind.is_conditional) | {"TRAILING_STOP_MARKET"}

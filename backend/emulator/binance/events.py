"""Stream events as Binance writes them."""

from __future__ import annotations

from typing import Any

from buddy.core.market import ZERO

from ..events import AccountChanged, Event, LeverageChanged, OrderChanged
from ..ledger import Ledger
from ..orders import VenueOrder
from ..prices import INTERVALS, SymbolPrices
from ..protocol import text
from .shapes import client_id, market_id, side, working_type


def of_account(event: Event, ledger: Ledger) -> dict[str, Any]:
    match event:
        case OrderChanged():
            return _algo(event, ledger) if event.order.wish.kind.is_conditional else _order(event)
        case AccountChanged():
            return _account(event)
        case LeverageChanged():
            change = {"s": market_id(event.symbol), "l": int(event.leverage)}
            return {"e": "ACCOUNT_CONFIG_UPDATE", "E": event.time, "T": event.time, "ac": change}


def _order(event: OrderChanged) -> dict[str, Any]:
    """One event as the vendor documents it, field by field."""
    o, trade = event.order, event.trade
    wish = o.wish
    body = {
        "s": market_id(wish.symbol),
        "c": client_id(o),
        "S": side(wish.order_side),
        "o": "LIQUIDATION" if o.forced else wish.kind.value,
        "f": wish.time_in_force,
        "q": text(o.quantity),
        "p": text(wish.price),
        "ap": text(o.average),
        "sp": "0",
        "x": "CALCULATED" if o.forced else event.execution,
        "X": o.status.value,
        "i": o.id,
        "l": text(trade.quantity if trade else ZERO),
        "z": text(o.filled),
        "L": text(trade.price if trade else ZERO),
        "T": trade.time if trade else event.time,
        "t": trade.id if trade else 0,
        "b": "0",
        "a": "0",
        "m": trade.maker if trade else False,
        "R": wish.reduce_only,
        "wt": working_type(wish.trigger_by),
        "ot": wish.kind.value,
        "ps": wish.position_side,
        "cp": wish.closes_position,
        "rp": text(trade.realised if trade else ZERO),
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
    }
    if trade:
        body |= {"N": trade.fee_asset, "n": text(trade.fee)}
    return {"e": "ORDER_TRADE_UPDATE", "E": event.time, "T": body["T"], "o": body}


def _algo(event: OrderChanged, ledger: Ledger) -> dict[str, Any]:
    o = event.order
    wish, child = o.wish, ledger.orders.get(o.child or 0)
    body = {
        "caid": o.client_id,
        "aid": o.id,
        "at": "CONDITIONAL",
        "o": wish.kind.value,
        "s": market_id(wish.symbol),
        "S": side(wish.order_side),
        "ps": wish.position_side,
        "f": wish.time_in_force,
        "q": text(o.quantity),
        "X": o.status.value,
        "ai": "" if child is None else str(child.id),
        "tp": text(wish.trigger),
        "p": text(wish.price),
        "V": "EXPIRE_MAKER",
        "wt": working_type(wish.trigger_by),
        "pm": "NONE",
        "cp": wish.closes_position,
        "pP": False,
        "R": wish.reduce_only,
        "tt": o.triggered,
        "gtd": 0,
        "rm": _failure(o),
    }
    if child is not None:
        body |= {"ap": text(child.average), "aq": text(child.filled), "act": child.wish.kind.value}
    return {"e": "ALGO_UPDATE", "T": event.time, "E": event.time, "o": body}


def _failure(o: VenueOrder) -> str:
    return {"": "", "reduce_only": "Reduce Only reject", "margin": "Margin is insufficient"}.get(o.reason, o.reason)


def _account(event: AccountChanged) -> dict[str, Any]:
    held, wallet = event.position, text(event.wallet)
    body: dict[str, Any] = {
        "m": event.reason,
        "B": [{"a": "USDT", "wb": wallet, "cw": wallet, "bc": "0" if event.reason == "ORDER" else text(event.change)}],
        "P": [],
    }
    if held is not None:
        body["P"] = [
            {
                "s": market_id(held.symbol),
                "pa": text(held.quantity),
                "ep": text(held.entry),
                "bep": text(held.entry),
                "cr": "0",
                "up": text(held.unrealised),
                "mt": held.margin_mode,
                "iw": text(held.margin) if held.margin_mode == "isolated" else "0",
                "ps": held.position_side,
            }
        ]
    return {"e": "ACCOUNT_UPDATE", "E": event.time, "T": event.time, "a": body}


def of_market(stream: str, symbol: str, prices: SymbolPrices, now: int) -> dict[str, Any] | None:
    """What a market stream (`btcusdt@markPrice@1s`) says now; None for streams there are none of."""
    kind = stream.partition("@")[2]
    name = market_id(symbol)
    if kind.startswith("kline_") and kind.removeprefix("kline_") in INTERVALS:
        return _kline(kind.removeprefix("kline_"), name, prices, now)
    if kind.startswith("markPrice"):
        return {
            "e": "markPriceUpdate",
            "E": now,
            "s": name,
            "p": text(prices.mark_price),
            "i": text(prices.mark_price),
            "P": text(prices.mark_price),
            "r": text(prices.funding_rate),
            "T": prices.next_funding,
        }
    if kind == "bookTicker":
        bid, ask = text(prices.bid), text(prices.ask)
        return {"e": kind, "u": now, "E": now, "T": now, "s": name, "b": bid, "B": "10", "a": ask, "A": "10"}
    if kind == "aggTrade":
        return {
            "e": kind, "E": now, "s": name, "a": now, "p": text(prices.last), "q": "0.001", "f": now, "l": now,
            "T": prices.time, "m": False,
        }  # fmt: skip
    return _ticker(kind, name, prices, now) if kind in ("miniTicker", "ticker") else None


def _ticker(kind: str, name: str, prices: SymbolPrices, now: int) -> dict[str, Any]:
    day = prices.day()
    said = {
        "e": "24hrMiniTicker" if kind == "miniTicker" else "24hrTicker",
        "E": now,
        "s": name,
        "c": text(prices.last),
        "o": text(day.open),
        "h": text(day.high),
        "l": text(day.low),
        "v": text(day.volume),
        "q": text(day.volume * day.close),
    }
    if kind == "miniTicker":
        return said
    change = day.close - day.open
    percent = f"{change / day.open * 100:.3f}"
    more = {"p": text(change), "P": percent, "w": said["c"], "Q": "0.001", "O": day.time, "C": now, "F": 1, "L": 2}
    return said | more | {"n": 2}


def _kline(interval: str, name: str, prices: SymbolPrices, now: int) -> dict[str, Any]:
    length = INTERVALS[interval]
    row = prices.running(length, now)
    candle = {
        "t": row.time, "T": row.time + length - 1, "s": name, "i": interval, "f": 1, "L": 2, "o": text(row.open),
        "c": text(row.close), "h": text(row.high), "l": text(row.low), "v": text(row.volume), "n": 2, "x": False,
        "q": "0", "V": "0", "Q": "0", "B": "0",
    }  # fmt: skip
    return {"e": "kline", "E": now, "s": name, "k": candle}

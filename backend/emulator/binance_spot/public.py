"""What Binance tells everybody on spot: markets and their filters, prices, candles, the time."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from buddy.core.market import ZERO, Instrument

from ..binance import public as futures
from ..binance.shapes import market_id
from ..params import Params
from ..prices import INTERVALS, SymbolPrices
from ..refusals import Reason, Refused, VenueError
from ..spot_account import STOPS_PER_SYMBOL
from .routes import Desk, route
from .shapes import KINDS, figure


@route("GET", "/api/v3/ping")
def ping(desk: Desk, p: Params) -> Any:
    return {}


@route("GET", "/api/v3/time")
def time(desk: Desk, p: Params) -> Any:
    return {"serverTime": desk.venue.now()}


@route("GET", "/api/v3/exchangeInfo", weight=20)
def exchange_info(desk: Desk, p: Params) -> Any:
    wanted = _wanted(desk, p)
    return {
        "timezone": "UTC",
        "serverTime": desk.venue.now(),
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
        ],
        "exchangeFilters": [],
        "symbols": [_market(each) for symbol, each in desk.venue.instruments.items() if symbol in wanted],
    }


def _market(instrument: Instrument) -> dict[str, Any]:
    return {
        "symbol": market_id(instrument.symbol),
        "status": "TRADING" if instrument.active else "BREAK",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": sorted(KINDS),
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(instrument),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"],
    }


def _filters(instrument: Instrument) -> list[dict[str, Any]]:
    tick, lot = figure(instrument.tick_size), figure(instrument.lot_size)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
        {
            "filterType": "LOT_SIZE",
            "minQty": figure(instrument.min_quantity),
            "maxQty": figure(instrument.max_quantity),
            "stepSize": lot,
        },
        {"filterType": "ICEBERG_PARTS", "limit": 100},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": figure(ZERO),
            "maxQty": figure(instrument.market_max_quantity),
            "stepSize": figure(ZERO),
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": figure(instrument.min_notional),
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": 20},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": STOPS_PER_SYMBOL},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10},
    ]


@route("GET", "/api/v3/ticker/24hr", weight=2, for_all=80)
def ticker(desk: Desk, p: Params) -> Any:
    return _each(desk, p, _ticker)


def _ticker(symbol: str, prices: SymbolPrices) -> dict[str, Any]:
    day = prices.day()
    change = day.close - day.open
    return {
        "symbol": market_id(symbol),
        "priceChange": figure(change),
        "priceChangePercent": f"{change / day.open * 100:.3f}",
        "weightedAvgPrice": figure(day.close),
        "prevClosePrice": figure(day.open),
        "lastPrice": figure(prices.last),
        "lastQty": "0.00100000",
        "bidPrice": figure(prices.bid),
        "bidQty": "10.00000000",
        "askPrice": figure(prices.ask),
        "askQty": "10.00000000",
        "openPrice": figure(day.open),
        "highPrice": figure(day.high),
        "lowPrice": figure(day.low),
        "volume": figure(day.volume),
        "quoteVolume": figure(day.volume * day.close),
        "openTime": day.time,
        "closeTime": prices.time,
        "firstId": 1,
        "lastId": 2,
        "count": 2,
    }


@route("GET", "/api/v3/ticker/bookTicker", weight=2, for_all=4)
def book_ticker(desk: Desk, p: Params) -> Any:
    return _each(desk, p, _book)


def _book(symbol: str, prices: SymbolPrices) -> dict[str, Any]:
    bid, ask, many = figure(prices.bid), figure(prices.ask), "10.00000000"
    return {"symbol": market_id(symbol), "bidPrice": bid, "bidQty": many, "askPrice": ask, "askQty": many}


@route("GET", "/api/v3/ticker/price", weight=2, for_all=4)
def price(desk: Desk, p: Params) -> Any:
    return _each(desk, p, lambda symbol, at: {"symbol": market_id(symbol), "price": figure(at.last)})


def _each(desk: Desk, p: Params, shape: Any) -> Any:
    """One symbol's, or a list: of those asked for in `symbols`, or of all."""
    if p.has("symbol"):
        return desk.each(p, shape)
    return [shape(symbol, desk.venue.prices[symbol]) for symbol in _wanted(desk, p)]


def _wanted(desk: Desk, p: Params) -> list[str]:
    if p.has("symbol"):
        return [desk.symbol(p)]
    if not p.has("symbols"):
        return list(desk.venue.instruments)
    try:
        return [desk.symbol(Params({"symbol": name})) for name in json.loads(p.text("symbols"))]
    except (ValueError, TypeError):
        raise Refused(Reason.PARAMETER_MALFORMED, "symbols") from None


@route("GET", "/api/v3/klines", weight=2)
def klines(desk: Desk, p: Params) -> Any:
    symbol, interval = desk.symbol(p), p.text("interval")
    if interval not in INTERVALS:
        raise VenueError(-1120, "Invalid interval.")
    length, end = INTERVALS[interval], p.whole("endTime")
    rows = desk.venue.prices[symbol].candles(
        length, p.whole("startTime"), desk.venue.now() if end is None else end, p.limit(500, 1000)
    )
    return [futures.kline(row, length, figure) for row in rows]


@route("GET", "/api/v3/depth", weight=5)
def depth(desk: Desk, p: Params) -> Any:
    prices = desk.venue.prices[desk.symbol(p)]
    many = figure(Decimal(10))
    return {
        "lastUpdateId": desk.venue.now(),
        "bids": [[figure(prices.bid), many]],
        "asks": [[figure(prices.ask), many]],
    }

"""What Binance tells everybody: markets, prices, candles, the time."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from buddy.core.market import Candle, Instrument

from ..params import Params
from ..prices import INTERVALS, SymbolPrices
from ..protocol import text
from ..refusals import VenueError
from ..rules import decimals
from .routes import Desk, route
from .shapes import market_id

ORDER_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]


@route("GET", "/fapi/v1/ping")
def ping(desk: Desk, p: Params) -> Any:
    return {}


@route("GET", "/fapi/v1/time")
def time(desk: Desk, p: Params) -> Any:
    return {"serverTime": desk.venue.now()}


@route("GET", "/fapi/v1/exchangeInfo")
def exchange_info(desk: Desk, p: Params) -> Any:
    return {
        "timezone": "UTC",
        "serverTime": desk.venue.now(),
        "futuresType": "U_MARGINED",
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
        ],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_market(instrument) for instrument in desk.venue.listed()],
    }


def _market(instrument: Instrument) -> dict[str, Any]:
    """One row as the vendor lists it, field by field."""
    tick, lot = text(instrument.tick_size), text(instrument.lot_size)
    return {
        "symbol": market_id(instrument.symbol),
        "pair": market_id(instrument.symbol),
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING" if instrument.active else "SETTLING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base,
        "quoteAsset": instrument.quote,
        "marginAsset": instrument.settle,
        "pricePrecision": decimals(instrument.tick_size),
        "quantityPrecision": decimals(instrument.lot_size),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "10000000", "tickSize": tick},
            _lots("LOT_SIZE", instrument, instrument.max_quantity),
            _lots("MARKET_LOT_SIZE", instrument, instrument.market_max_quantity),
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 100},
            {"filterType": "MIN_NOTIONAL", "notional": text(instrument.min_notional)},
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1.05", "multiplierDown": "0.95", "multiplierDecimal": "4"},
        ],
        "orderTypes": ORDER_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "lotSize": lot,
    }


def _lots(name: str, instrument: Instrument, most: Decimal | None) -> dict[str, str]:
    return {
        "filterType": name,
        "minQty": text(instrument.min_quantity),
        "maxQty": text(most),
        "stepSize": text(instrument.lot_size),
    }


@route("GET", "/fapi/v1/ticker/24hr")
def ticker(desk: Desk, p: Params) -> Any:
    return desk.each(p, _ticker)


def _ticker(symbol: str, prices: SymbolPrices) -> dict[str, Any]:
    day = prices.day()
    change = day.close - day.open
    return {
        "symbol": market_id(symbol),
        "priceChange": text(change),
        "priceChangePercent": f"{change / day.open * 100:.3f}",
        "weightedAvgPrice": text(day.close),
        "lastPrice": text(prices.last),
        "lastQty": "0.001",
        "openPrice": text(day.open),
        "highPrice": text(day.high),
        "lowPrice": text(day.low),
        "volume": text(day.volume),
        "quoteVolume": text(day.volume * day.close),
        "openTime": day.time,
        "closeTime": prices.time,
        "firstId": 1,
        "lastId": 2,
        "count": 2,
    }


@route("GET", "/fapi/v1/ticker/bookTicker", weight=2)
def book_ticker(desk: Desk, p: Params) -> Any:
    return desk.each(p, _book)


def _book(symbol: str, prices: SymbolPrices) -> dict[str, Any]:
    return {
        "symbol": market_id(symbol),
        "bidPrice": text(prices.bid),
        "bidQty": "10",
        "askPrice": text(prices.ask),
        "askQty": "10",
        "time": prices.time,
    }


@route("GET", "/fapi/v1/ticker/price")
@route("GET", "/fapi/v2/ticker/price")
def price(desk: Desk, p: Params) -> Any:
    return desk.each(p, lambda symbol, at: {"symbol": market_id(symbol), "price": text(at.last), "time": at.time})


@route("GET", "/fapi/v1/premiumIndex")
def premium_index(desk: Desk, p: Params) -> Any:
    return desk.each(p, _premium)


def _premium(symbol: str, prices: SymbolPrices) -> dict[str, Any]:
    return {
        "symbol": market_id(symbol),
        "markPrice": text(prices.mark_price),
        "indexPrice": text(prices.mark_price),
        "estimatedSettlePrice": text(prices.mark_price),
        "lastFundingRate": text(prices.funding_rate),
        "interestRate": "0.00010000",
        "nextFundingTime": prices.next_funding,
        "time": prices.time,
    }


@route("GET", "/fapi/v1/fundingRate")
def funding_rates(desk: Desk, p: Params) -> Any:
    """Those that were paid, the oldest first from `startTime` on, or the newest."""
    symbol, start, limit = desk.symbol(p), p.whole("startTime"), p.limit(100, 1000)
    prices = desk.venue.prices[symbol]
    paid = [(time, rate) for time, rate in sorted(prices.settled.items()) if time >= (start or 0)]
    return [
        {
            "symbol": market_id(symbol),
            "fundingRate": text(rate),
            "fundingTime": time,
            "markPrice": text(prices.mark_price),
        }
        for time, rate in (paid[-limit:] if start is None else paid[:limit])
    ]


@route("GET", "/fapi/v1/klines", weight=5)
def klines(desk: Desk, p: Params) -> Any:
    symbol, interval = desk.symbol(p), p.text("interval")
    if interval not in INTERVALS:
        raise VenueError(-1120, "Invalid interval.")
    length, end = INTERVALS[interval], p.whole("endTime")
    rows = desk.venue.prices[symbol].candles(
        length, p.whole("startTime"), desk.venue.now() if end is None else end, p.limit(500, 1500)
    )
    return [kline(row, length, text) for row in rows]


def kline(row: Candle, length: int, figure: Callable[[Decimal], str]) -> list[Any]:
    prices = [figure(number) for number in row[1:6]]
    return [row.time, *prices, row.time + length - 1, figure(row.volume * row.close), 1, "0", "0", "0"]


@route("GET", "/fapi/v1/depth", weight=2)
def depth(desk: Desk, p: Params) -> Any:
    prices = desk.venue.prices[desk.symbol(p)]
    now = desk.venue.now()
    return {
        "lastUpdateId": now,
        "E": now,
        "T": now,
        "bids": [[text(prices.bid), "10"]],
        "asks": [[text(prices.ask), "10"]],
    }

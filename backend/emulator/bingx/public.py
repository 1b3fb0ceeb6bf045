"""What BingX tells everybody: contracts, prices, candles, the time."""

from __future__ import annotations

from typing import Any

from buddy.core.market import Instrument

from ..params import Params
from ..prices import INTERVALS, SymbolPrices
from ..protocol import text
from ..refusals import Reason, Refused
from ..rules import decimals
from .routes import Desk, route
from .shapes import market_id


@route("GET", "/openApi/swap/v2/server/time")
def server_time(desk: Desk, p: Params) -> Any:
    return {"serverTime": desk.venue.now()}


@route("GET", "/openApi/swap/v2/quote/contracts")
def contracts(desk: Desk, p: Params) -> Any:
    return [_contract(instrument, desk) for instrument in desk.venue.listed()]


def _contract(instrument: Instrument, desk: Desk) -> dict[str, Any]:
    open_ = "true" if instrument.active else "false"
    return {
        "contractId": "100",
        "symbol": market_id(instrument.symbol),
        "size": text(instrument.lot_size),
        "quantityPrecision": decimals(instrument.lot_size),
        "pricePrecision": decimals(instrument.tick_size),
        "feeRate": 0.0005,
        "makerFeeRate": 0.0002,
        "takerFeeRate": 0.0005,
        "tradeMinLimit": 0,
        "tradeMinQuantity": float(instrument.min_quantity),
        "tradeMinUSDT": float(instrument.min_notional),
        "maxLongLeverage": int(instrument.max_leverage),
        "maxShortLeverage": int(instrument.max_leverage),
        "currency": instrument.settle,
        "asset": instrument.base,
        "status": 1 if instrument.active else 25,
        "apiStateOpen": open_,
        "apiStateClose": open_,
        "ensureTrigger": True,
        "triggerFeeRate": "0.00020000",
        "brokerState": True,
        "launchTime": 1586275200000,
        "maintainTime": 0,
        "offTime": 0,
        "displayName": market_id(instrument.symbol),
    }


@route("GET", "/openApi/cswap/v1/market/contracts")
def inverse_contracts(desk: Desk, p: Params) -> Any:
    return []


@route("GET", "/openApi/spot/v1/common/symbols")
def spot_symbols(desk: Desk, p: Params) -> Any:
    return {"symbols": []}


@route("GET", "/openApi/swap/v2/quote/ticker")
def ticker(desk: Desk, p: Params) -> Any:
    return desk.each(p, _ticker)


def _ticker(symbol: str, prices: SymbolPrices) -> dict[str, Any]:
    day = prices.day()
    change = day.close - day.open
    return {
        "symbol": market_id(symbol),
        "priceChange": text(change),
        "priceChangePercent": f"{change / day.open * 100:.2f}",
        "lastPrice": text(prices.last),
        "lastQty": "0.001",
        "highPrice": text(day.high),
        "lowPrice": text(day.low),
        "volume": text(day.volume),
        "quoteVolume": text(day.volume * day.close),
        "openPrice": text(day.open),
        "openTime": day.time,
        "closeTime": prices.time,
        "askPrice": text(prices.ask),
        "askQty": "10",
        "bidPrice": text(prices.bid),
        "bidQty": "10",
    }


@route("GET", "/openApi/swap/v2/quote/bookTicker")
def book_ticker(desk: Desk, p: Params) -> Any:
    symbol = desk.symbol(p)
    prices = desk.venue.prices[symbol]
    told = {
        "symbol": market_id(symbol),
        "bid_price": float(prices.bid),
        "bid_qty": 10,
        "ask_price": float(prices.ask),
        "ask_qty": 10,
        "lastUpdateId": prices.time,
        "time": prices.time,
    }
    return {"book_ticker": told}


@route("GET", "/openApi/swap/v2/quote/premiumIndex")
def premium_index(desk: Desk, p: Params) -> Any:
    return desk.each(p, _premium)


def _premium(symbol: str, prices: SymbolPrices) -> dict[str, Any]:
    return {
        "symbol": market_id(symbol),
        "markPrice": text(prices.mark_price),
        "indexPrice": text(prices.mark_price),
        "lastFundingRate": text(prices.funding_rate),
        "fundingIntervalHours": 8,
        "nextFundingTime": prices.next_funding,
        "updateTime": prices.time,
    }


@route("GET", "/openApi/swap/v3/quote/klines")
@route("GET", "/openApi/swap/v2/quote/klines")
def klines(desk: Desk, p: Params) -> Any:
    """Newest first."""
    symbol, interval = desk.symbol(p), p.text("interval")
    if interval not in INTERVALS:
        raise Refused(Reason.PARAMETER_MALFORMED, "interval")
    end = p.whole("endTime")
    rows = desk.venue.prices[symbol].candles(
        INTERVALS[interval], p.whole("startTime"), desk.venue.now() if end is None else end, p.limit(500, 1440)
    )
    return [
        dict(zip(("open", "close", "high", "low", "volume", "time"), (*_numbers(row), row.time), strict=True))
        for row in reversed(rows)
    ]


def _numbers(row: Any) -> list[str]:
    return [text(number) for number in (row.open, row.close, row.high, row.low, row.volume)]


@route("GET", "/openApi/swap/v2/quote/depth")
def depth(desk: Desk, p: Params) -> Any:
    prices = desk.venue.prices[desk.symbol(p)]
    return {"T": prices.time, "bids": [[text(prices.bid), "10"]], "asks": [[text(prices.ask), "10"]]}

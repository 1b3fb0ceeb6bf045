"""What Bybit tells everybody: instruments, prices, candles, the time."""

from __future__ import annotations

from typing import Any

from buddy.core.market import ZERO, Candle, Instrument

from ..params import Params
from ..prices import SymbolPrices
from ..protocol import text
from ..refusals import Reason, Refused
from ..rules import decimals
from .routes import Desk, route
from .shapes import market_id

INTERVALS = {
    "1": 60_000, "3": 180_000, "5": 300_000, "15": 900_000, "30": 1_800_000, "60": 3_600_000, "120": 7_200_000,
    "240": 14_400_000, "360": 21_600_000, "720": 43_200_000, "D": 86_400_000, "W": 604_800_000,
}  # fmt: skip


@route("GET", "/v5/market/time")
def server_time(desk: Desk, p: Params) -> Any:
    now = desk.venue.now()
    return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}


@route("GET", "/v5/market/instruments-info")
def instruments(desk: Desk, p: Params) -> Any:
    """Linear ones; of the others there are none."""
    category = p.text("category")
    wanted = category == "linear" and not p.has("status")
    rows = [_instrument(each) for each in desk.venue.listed()] if wanted else []
    return {"category": category, "list": rows, "nextPageCursor": ""}


def _instrument(instrument: Instrument) -> dict[str, Any]:
    tick, lot = text(instrument.tick_size), text(instrument.lot_size)
    return {
        "symbol": market_id(instrument.symbol),
        "contractType": "LinearPerpetual",
        "status": "Trading" if instrument.active else "Closed",
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "settleCoin": instrument.settle,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(decimals(instrument.tick_size)),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": text(instrument.max_leverage), "leverageStep": "0.01"},
        "priceFilter": {"minPrice": tick, "maxPrice": "10000000", "tickSize": tick},
        "lotSizeFilter": {
            "maxOrderQty": text(instrument.max_quantity),
            "minOrderQty": text(instrument.min_quantity),
            "qtyStep": lot,
            "postOnlyMaxOrderQty": text(instrument.max_quantity),
            "maxMktOrderQty": text(instrument.market_max_quantity),
            "minNotionalValue": text(instrument.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "copyTrading": "none",
        "upperFundingRate": "0.005",
        "lowerFundingRate": "-0.005",
        "isPreListing": False,
    }


@route("GET", "/v5/market/tickers")
def tickers(desk: Desk, p: Params) -> Any:
    symbol = desk.any_symbol(p)
    rows = [ticker(each, prices) for each, prices in desk.venue.prices.items() if symbol in (None, each)]
    return {"category": "linear", "list": rows}


def ticker(symbol: str, prices: SymbolPrices) -> dict[str, Any]:
    day = prices.day()
    return {
        "symbol": market_id(symbol),
        "lastPrice": text(prices.last),
        "indexPrice": text(prices.mark_price),
        "markPrice": text(prices.mark_price),
        "prevPrice24h": text(day.open),
        "price24hPcnt": f"{day.close / day.open - 1:.6f}",
        "highPrice24h": text(day.high),
        "lowPrice24h": text(day.low),
        "prevPrice1h": text(day.open),
        "openInterest": "1",
        "openInterestValue": text(prices.last),
        "turnover24h": text(day.volume * day.close),
        "volume24h": text(day.volume),
        "fundingRate": text(prices.funding_rate),
        "nextFundingTime": str(prices.next_funding),
        "basisRate": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "ask1Size": "10",
        "bid1Price": text(prices.bid),
        "ask1Price": text(prices.ask),
        "bid1Size": "10",
    }


@route("GET", "/v5/market/kline")
def klines(desk: Desk, p: Params) -> Any:
    """Newest first."""
    symbol, interval = desk.symbol(p), p.text("interval")
    if interval not in INTERVALS:
        raise Refused(Reason.PARAMETER_MALFORMED, "interval")
    end = p.whole("end")
    rows = desk.venue.prices[symbol].candles(
        INTERVALS[interval], p.whole("start"), desk.venue.now() if end is None else end, p.limit(200, 1000)
    )
    return {"symbol": market_id(symbol), "category": "linear", "list": [_kline(row) for row in reversed(rows)]}


def _kline(row: Candle) -> list[str]:
    return [str(row.time), *(text(number) for number in row[1:6]), text(row.volume * row.close)]


@route("GET", "/v5/market/orderbook")
def orderbook(desk: Desk, p: Params) -> Any:
    symbol = desk.symbol(p)
    prices = desk.venue.prices[symbol]
    book = {"b": [[text(prices.bid), "10"]], "a": [[text(prices.ask), "10"]]}
    return {"s": market_id(symbol), **book, "ts": prices.time, "u": prices.time}


@route("GET", "/v5/market/funding/history")
def funding_history(desk: Desk, p: Params) -> Any:
    symbol = desk.symbol(p)
    prices = desk.venue.prices[symbol]
    row = {
        "symbol": market_id(symbol),
        "fundingRate": text(prices.funding_rate),
        "fundingRateTimestamp": str(prices.next_funding - 28_800_000),
    }
    return {"category": "linear", "list": [row]}


@route("GET", "/v5/market/risk-limit")
def risk_limits(desk: Desk, p: Params) -> Any:
    symbol = desk.any_symbol(p)
    rows = [
        {
            "id": number,
            "symbol": market_id(each),
            "riskLimitValue": text(tier.notional_cap or 10**9),
            "maintenanceMargin": text(tier.maintenance_rate),
            "initialMargin": text(1 / tier.max_leverage),
            "isLowestRisk": int(number == 1),
            "maxLeverage": text(tier.max_leverage),
            "mmDeduction": text(tier.maintenance_amount or ZERO),
        }
        for each, instrument in desk.venue.instruments.items()
        if symbol in (None, each)
        for number, tier in enumerate(instrument.tiers, start=1)
    ]
    return {"category": "linear", "list": rows, "nextPageCursor": ""}

"""Live prices of coins through the unmodified client: what a paper account on spot is shown and walks along."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.cache import cache

from buddy.core.market import Candle
from buddy.exchanges.ccxt_public import public_market
from buddy.exchanges.market_data import fetching
from buddy.exchanges.market_data.live import LivePrices
from buddy.exchanges.market_data.source import UnknownSymbol

from .stand_in_venue import MINUTE, StandInVenue, running

D = Decimal
NOON = 1_795_262_400_000


def coin(base: str, quote: str, **more: Any) -> dict[str, Any]:
    return {
        "symbol": base + quote, "status": "TRADING", "baseAsset": base, "quoteAsset": quote, "baseAssetPrecision": 8,
        "quotePrecision": 8, "isSpotTradingAllowed": True, "permissions": [], "permissionSets": [["SPOT"]],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "120.5", "stepSize": "0.00000000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "maxNotional": "9000000"},
        ],
        **more,
    }  # fmt: skip


def pair(base: str, quote: str, **more: Any) -> dict[str, Any]:
    return {
        "altname": base + quote, "wsname": f"{base}/{quote}", "base": base, "quote": quote, "pair_decimals": 2,
        "lot_decimals": 8, "ordermin": "0.0001", "costmin": "0.5", "tick_size": "0.01", "status": "online",
        "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]], "leverage_buy": [2, 3, 10], "leverage_sell": [2, 3, 10], **more,
    }  # fmt: skip


BINANCE = {"symbols": [coin("BTC", "USDT"), coin("ETH", "BTC"), coin("OLD", "USDT", status="BREAK")]}
KRAKEN = {
    "/AssetPairs": {
        "error": [],
        "result": {
            "XXBTZUSD": pair("XXBT", "ZUSD", altname="XBTUSD", pair_decimals=2, tick_size="0.1"),
            "XETHZEUR": pair("XETH", "ZEUR", altname="ETHEUR"),
            "XLTCZUSD": pair("XLTC", "ZUSD", altname="LTCUSD", status="cancel_only"),
        },
    },
    "/Assets": {
        "error": [],
        "result": {"XXBT": {"altname": "XBT", "decimals": 10}, "ZUSD": {"altname": "USD", "decimals": 4}},
    },
}  # fmt: skip


@pytest.fixture
def venue(settings: Any, store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInVenue]:
    """A stand-in venue, and this process a worker."""
    cache.clear()
    public_market.cache_clear()
    monkeypatch.setattr(fetching.Place, "is_worker", True)
    with running() as stand_in:
        settings.EXCHANGE_TRANSPORT_BASE = stand_in.base
        stand_in.told = {"/api/v3/exchangeInfo": BINANCE, **KRAKEN}
        yield stand_in
    public_market.cache_clear()


def test_coins_for_the_accounts_currency_are_offered_and_nothing_else(venue):
    (told,) = LivePrices("binance-spot").instruments()
    assert (told.symbol, told.base, told.quote, told.settle) == ("BTC/USDT", "BTC", "USDT", "USDT")
    assert (told.spot, told.linear, told.contract_size, told.max_leverage, told.tiers) == (True, True, 1, 1, ())
    assert (told.tick_size, told.lot_size, told.min_quantity, told.min_notional) == (D("0.01"), D("1e-5"), D("1e-5"), 5)
    assert venue.asked == [("api.binance.com", "/api/v3/exchangeInfo")]


def test_kraken_tells_a_price_step_of_its_own(venue):
    (told,) = LivePrices("kraken-spot").instruments()
    assert (told.symbol, told.settle, told.spot, told.max_leverage) == ("BTC/USD", "USD", True, 1)
    assert (told.tick_size, told.lot_size, told.min_quantity) == (D("0.1"), D("1e-8"), D("0.0001"))
    assert told.min_notional == D("0.5")


def test_perpetuals_are_not_spot(venue):
    assert not any(told.spot for told in LivePrices("binance").instruments())
    with pytest.raises(UnknownSymbol):
        LivePrices("binance-spot").instrument("BTC/USDT:USDT")


def test_prices_and_candles_are_the_spot_markets(venue):
    source = LivePrices("binance-spot")
    venue.go("64000.12")
    venue.candle(NOON, "100.1", "101.25", "99.5", "100.7", "12.5")
    with time_machine.travel((NOON + MINUTE - 1) / 1000, tick=False):
        assert source.quote("BTC/USDT").last == D("64000.12")
        (row,) = source.candles("BTC/USDT", "1m", None, None, 1).rows
    assert row == Candle(NOON, *map(D, ("100.1", "101.25", "99.5", "100.7", "12.5")))
    assert {place for place in venue.asked if "Info" not in place[1]} == {
        ("api.binance.com", "/api/v3/ticker/24hr"),
        ("api.binance.com", "/api/v3/klines"),
    }


def test_krakens_candles_and_price_are_read_as_they_are(venue):
    rows = [[NOON // 1000, "100.1", "101.2", "99.5", "100.7", "100.5", "12.5", 9]]
    price = {"c": ["100.7", "0.1"], "b": ["100.6", "1", "1"], "a": ["100.8", "1", "1"], "o": "98.1", "h": ["1", "1"],
             "l": ["1", "1"], "v": ["1", "1"], "p": ["1", "1"], "t": [1, 1]}  # fmt: skip
    venue.told |= {"/OHLC": {"error": [], "result": {"XXBTZUSD": rows, "last": 1}}}
    venue.told |= {"/Ticker": {"error": [], "result": {"XXBTZUSD": price}}}
    source = LivePrices("kraken-spot")
    with time_machine.travel((NOON + MINUTE - 1) / 1000, tick=False):
        quote = source.quote("BTC/USD")
        (row,) = source.candles("BTC/USD", "1m", None, None, 1).rows
    assert (quote.last, quote.bid, quote.ask) == (D("100.7"), D("100.6"), D("100.8"))
    assert row == Candle(NOON, *map(D, ("100.1", "101.2", "99.5", "100.7", "12.5")))


def test_coins_pay_no_funding_and_nobody_asks_for_it(venue):
    assert LivePrices("binance-spot").funding("BTC/USDT", NOON, NOON + 24 * 60 * MINUTE) == []
    assert not venue.asked

"""A venue on loopback that speaks Binance's public protocol, or what it is told, to run the real client against."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

MINUTE = 60_000


def market(base: str, tick: str, lot: str, minimum: str, **more: Any) -> dict[str, Any]:
    digits = [len(step.rstrip("0").partition(".")[2]) for step in (tick, lot)]
    return {
        "symbol": f"{base}USDT", "pair": f"{base}USDT", "contractType": "PERPETUAL", "deliveryDate": 4133404800000,
        "status": "TRADING", "baseAsset": base, "quoteAsset": "USDT", "marginAsset": "USDT",
        "pricePrecision": digits[0], "quantityPrecision": digits[1], "baseAssetPrecision": 8, "quotePrecision": 8,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "1000", "stepSize": lot},
            {"filterType": "MARKET_LOT_SIZE", "minQty": lot, "maxQty": "120", "stepSize": lot},
            {"filterType": "MIN_NOTIONAL", "notional": minimum},
        ],
        **more,
    }  # fmt: skip


class StandInVenue:
    """What it answers is what the test put in; `asked` is what it was asked."""

    def __init__(self) -> None:
        self.markets = [market("BTC", "0.10", "0.001", "100"), market("OLD", "0.01", "1", "5", status="SETTLING")]
        self.candles: dict[int, list[str]] = {}
        self.last, self.change = "64000.10", "1.25"
        self.settled: dict[int, str] = {}
        """Funding rates by time, and of the one to come time and rate."""
        self.to_come = (0, "0.0001")
        self.told: dict[str, Any] = {}
        """What paths with these ends answer instead."""
        self.fails: int | None = None
        self.asked: list[tuple[str, str]] = []
        self.base = ""

    def candle(self, time: int, *prices: str) -> None:
        """Open, high, low, close and volume of the minute that opens at `time`."""
        self.candles[time] = list(prices)

    def answer(self, path: str, query: dict[str, str]) -> Any:
        if (end := next((end for end in self.told if path.endswith(end)), None)) is not None:
            return self.told[end]
        if path.endswith("/exchangeInfo"):
            return {"timezone": "UTC", "symbols": self.markets}
        if path.endswith("/ticker/24hr"):
            return {
                "symbol": query["symbol"],
                "lastPrice": self.last,
                "priceChangePercent": self.change,
                "closeTime": 1,
            }
        if path.endswith("/klines"):
            return self._klines(query)
        if path.endswith("/premiumIndex"):
            when, rate = self.to_come
            return {"symbol": query["symbol"], "lastFundingRate": rate, "nextFundingTime": when, "time": 1}
        if path.endswith("/fundingRate"):
            rows = [(when, rate) for when, rate in sorted(self.settled.items()) if when >= int(query["startTime"])]
            return [{"symbol": query["symbol"], "fundingRate": rate, "fundingTime": when} for when, rate in rows]
        raise LookupError(path)

    def _klines(self, query: dict[str, str]) -> list[list[Any]]:
        begin, limit = int(query.get("startTime", 0)), int(query["limit"])
        times = sorted(time for time in self.candles if time >= begin)[:limit]
        return [[time, *self.candles[time], time + MINUTE - 1, "1", 1, "1", "1", "0"] for time in times]


@contextmanager
def running() -> Iterator[StandInVenue]:
    venue = StandInVenue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            venue.asked.append((self.headers["Host"], parts.path))
            status, body = venue.fails or 200, b"<html>Service unavailable</html>"
            if not venue.fails:
                body = json.dumps(
                    venue.answer(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})
                ).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    venue.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield venue
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

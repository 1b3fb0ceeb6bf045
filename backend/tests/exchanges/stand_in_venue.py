"""Binance's public prices as its stand-in tells them, with a past and figures of the test's own, on loopback."""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from buddy.core.market import Candle, Instrument
from emulator.account_books import Habits
from emulator.binance.protocol import Binance
from emulator.binance_spot.protocol import BinanceSpot
from emulator.instruments import PERPETUALS, coin_of, perpetual
from emulator.prices import SymbolPrices
from emulator.protocol import Call
from emulator.venue import Venue

MINUTE = 60_000


class StandInVenue:
    """One bitcoin, as a perpetual and as a coin; `asked` is what it was asked."""

    def __init__(self) -> None:
        bitcoin, _ = PERPETUALS["BTC/USDT:USDT"]
        gone = replace(perpetual("OLD", "0.01", "1", "5", "1000", "120"), active=False)
        self.prices = SymbolPrices(Decimal("64000.10"), 0, bitcoin.tick_size)
        self.dialects = (
            Binance(self._venue(Binance.habits, bitcoin, gone)),
            BinanceSpot(self._venue(BinanceSpot.habits, coin_of(bitcoin))),
        )
        self.told: dict[str, Any] = {}
        """What paths with these ends answer instead."""
        self.fails: int | None = None
        self.asked: list[tuple[str, str]] = []
        self.base = ""

    def _venue(self, habits: Habits, *instruments: Instrument) -> Venue:
        venue = Venue("stand-in", habits=habits)
        venue.instruments = {each.symbol: each for each in instruments}
        venue.prices = dict.fromkeys(venue.instruments, self.prices)
        return venue

    def candle(self, time: int, *prices: str) -> None:
        """Open, high, low, close and volume of the minute that opens at `time`."""
        rows = self.prices.minutes
        place = bisect_left(rows, time, key=lambda row: row.time)
        same = place < len(rows) and rows[place].time == time
        rows[place : place + same] = [Candle(time, *map(Decimal, prices))]

    def go(self, price: str) -> None:
        """It stands there, whatever its candles say."""
        self.prices.last = Decimal(price)

    def announce(self, time: int, rate: str) -> None:
        """The next funding."""
        self.prices.time, self.prices.funding_rate = time - 1, Decimal(rate)

    def settle(self, rates: dict[int, str]) -> None:
        """The funding that was paid."""
        self.prices.settled = {time: Decimal(rate) for time, rate in rates.items()}

    def answer(self, call: Call) -> tuple[int, Any]:
        if (end := next((end for end in self.told if call.path.endswith(end)), None)) is not None:
            return 200, self.told[end]
        (dialect,) = [each for each in self.dialects if call.path.startswith(each.paths)]
        answer = dialect.answer(call)
        return answer.status, answer.data


@contextmanager
def running() -> Iterator[StandInVenue]:
    venue = StandInVenue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            venue.asked.append((self.headers["Host"], path))
            status, body = venue.fails or 200, "<html>Service unavailable</html>"
            if not venue.fails:
                status, data = venue.answer(Call("GET", path, query, "", dict(self.headers)))
                body = json.dumps(data)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

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

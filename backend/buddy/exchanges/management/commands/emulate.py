"""`manage.py emulate binance`: a stand-in venue on this machine, to try the real client against."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from buddy.core.errors import CouldNotRead
from buddy.core.market import TIMEFRAMES, Candle

from ...clock import read_speed
from ...market_data import recordings
from ...market_data.replay import ReplayedPrices
from ...market_data.simulated import SimulatedPrices
from ...market_data.source import PriceSource
from ...wall import wall

HISTORY = 1_000
"""Candles that lie behind when it starts."""
NOTICE = """{names} on {base}, with {prices}; key "{key}", secret "{secret}", {wallet} USDT. All of it is make-believe.

To trade here, start the product with
    EXCHANGE_TRANSPORT_BASE={base}
and connect a testnet account with that key and secret. A hand on the market and on the trader's account:
    curl -d '{{"symbol": "{symbol}", "price": "{price}"}}' {base}/_control/{venue}/set_price
    curl -d '{{"key": "{key}"}}' {base}/_control/{venue}/books
    curl {base}/_control/        tells all that can be done
Stop with Ctrl-C.
"""


class Command(BaseCommand):
    help = "Run stand-in venues that speak the venues' own protocols, for development and tests."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        try:
            from emulator.server import DIALECTS
        except ModuleNotFoundError:
            raise CommandError("The stand-in venues are not part of this installation.") from None

        parser.add_argument("venues", nargs="+", choices=[*DIALECTS], help="whose protocols")
        parser.add_argument("--port", type=int, default=8800)
        parser.add_argument("--prices", default="simulated", help="simulated, or replay:FILE in the replay folder")
        parser.add_argument("--speed", default="1", help="how fast a replay runs, for example 60")
        parser.add_argument("--seed", type=int, default=1, help="of the simulated prices")
        parser.add_argument("--key", default="key")
        parser.add_argument("--secret", default="secret")
        parser.add_argument("--wallet", default="10000")

    def handle(self, *args: Any, **options: Any) -> None:
        from emulator.feed import Source

        try:
            prices, clock = _prices(options)
            symbols = [instrument.symbol for instrument in prices.instruments()]
            history = {symbol: _history(prices, symbol) for symbol in symbols}
        except CouldNotRead as trouble:
            raise CommandError(str(trouble)) from None
        source = Source(prices.instruments(), history, _news(prices, symbols, clock))
        try:
            asyncio.run(self._serve(source, prices.label, options))
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        except OSError as trouble:
            raise CommandError(
                f"Port {options['port']} cannot be used: {trouble.strerror}. Name another: --port."
            ) from None

    async def _serve(self, source: Any, label: str, options: dict[str, Any]) -> None:
        from emulator import feed
        from emulator.handle import start
        from emulator.server import Server

        server = Server()
        venues = [server.protocols[name].venue for name in options["venues"]]
        for venue in venues:
            feed.take_over(venue, source)
            venue.open_account(options["key"], options["secret"], wallet=Decimal(options["wallet"]))
        runner = await start(server, options["port"])
        self._tell(runner.addresses[0], venues[0].prices, label, options)
        try:
            await feed.run(venues, source)
        finally:
            await runner.cleanup()

    def _tell(self, address: tuple[str, int], prices: dict[str, Any], label: str, options: dict[str, Any]) -> None:
        symbol = next(iter(prices))
        said = NOTICE.format(
            names=" and ".join(options["venues"]),
            base=f"http://{address[0]}:{address[1]}",
            prices=label,
            symbol=symbol,
            price=prices[symbol].last,
            venue=options["venues"][0],
            **{name: options[name] for name in ("key", "secret", "wallet")},
        )
        self.stdout.write(said)
        self.stdout.flush()


def _prices(options: dict[str, Any]) -> tuple[PriceSource, Callable[[], int]]:
    """The source and its clock. A replay begins where enough of it lies behind."""
    kind, _, name = options["prices"].partition(":")
    if kind == "simulated":
        return SimulatedPrices(options["seed"]), wall
    speed = read_speed(options["speed"])
    if kind != "replay" or speed is None or speed == "max":
        raise CommandError("--prices is simulated or replay:FILE, --speed a number.")
    found = recordings.load(Path(settings.REPLAY_DIR), name)
    begin = max(int(each.times[min(HISTORY, len(each.times) // 2)]) for each in found)
    started = wall()

    def clock() -> int:
        return begin + int((wall() - started) * Decimal(speed))

    return ReplayedPrices(found, clock), clock


def _history(prices: PriceSource, symbol: str) -> list[Candle]:
    """Candles up to now, moved to the wall's time in whole minutes."""
    shortest = min(prices.timeframes(symbol), key=TIMEFRAMES.__getitem__)
    rows = prices.candles(symbol, shortest, None, None, HISTORY).rows
    ahead = (wall() - prices.now()) // 60_000 * 60_000
    return [row._replace(time=row.time + ahead) for row in rows]


def _news(prices: PriceSource, symbols: list[str], clock: Callable[[], int]) -> Callable[[], Iterator[Any]]:
    """What traded since the last time."""
    after = clock()

    def news() -> Iterator[Any]:
        nonlocal after
        until = max(after, prices.horizon(at_work=True))
        since, after = after, until
        for step in prices.path(symbols, since, until):
            yield step.symbol, step.played

    return news

"""From an execution at a venue to the moved stop that the venue has accepted, and what listening to venues weighs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from emulator.handle import Hand, running
from scripts.bootstrap import BACKEND
from scripts.supervisor import Stack

from .figures import Figure, percentile
from .looks import SYMBOL, product
from .serving import Visitor, cpu_seconds, resident_kb, stack

TRADES = 20
POLLED = 10
BREATH = 4.0
"""Seconds between trades: one after the other without a rest would use up what the venue allows to be asked."""
ACCOUNTS = 50
MOST_KB = 250_000
PATIENCE = 60.0
START = Decimal(64_000)
OVERLOOKED = 30.0
"""Seconds for which 50 idle connections are watched."""


def measure() -> Iterator[Figure]:
    yield from moved_stops()
    yield from listening()


def moved_stops() -> Iterator[Figure]:
    """The whole product against a stand-in Binance; the times are the venue's own."""
    with stack(demo="binance") as ours:
        assert ours.demo is not None
        desk = Desk(ours, Hand(ours.demo.base, "binance"))
        hinted = [desk.fill_to_moved_stop() for _ in range(TRADES)]
        ours.leave_out("stream")
        polled = [desk.fill_to_moved_stop() for _ in range(POLLED)]
    for name, walls in (("with the stream", hinted), ("poll alone", polled)):
        p50, p99 = statistics.median(walls), percentile(walls, 0.99)
        goal = "p99 ≤ 3 s" if name == "poll alone" else "p99 ≤ 1 s"
        yield Figure(f"venue fill → moved stop accepted, {name}: p50", p50, "ms")
        met = p99 <= (3000 if name == "poll alone" else 1000)
        yield Figure(f"venue fill → moved stop accepted, {name}: p99", p99, "ms", goal=goal, met=met)


class Desk:
    """Somebody who trades at the stand-in, again and again."""

    def __init__(self, ours: Stack, venue: Hand) -> None:
        assert ours.demo is not None
        self.venue, self.key = venue, ours.demo.key
        venue.hold_prices()
        self.visitor = Visitor(ours.port)
        self.visitor.sign_up()
        key = {"api_key": self.key, "secret": ours.demo.secret}
        wanted = {"name": "Bench", "mode": "testnet", "venue": "binance", "key": key}
        self.account = self.visitor.call("POST", "/api/v1/accounts", wanted)["id"]

    def fill_to_moved_stop(self) -> float:
        """Milliseconds from the first target's execution to the new stop, as the venue dates them."""
        self.venue.set_price(SYMBOL, str(START), jump=True)
        time.sleep(BREATH)
        self._until(lambda: Decimal(self._quote()["last"]) == START)
        trade = self.visitor.call("POST", "/api/v1/trades", {"account": self.account, "plan": plan()})["id"]
        self._until(lambda: len(self._open("conditional")) == 1 and len(self._open("orders")) == 2)
        (old,) = self._open("conditional")
        self.venue.set_price(SYMBOL, str(START + 110))
        self._until(lambda: any(each["id"] != old["id"] for each in self._open("conditional")))
        new = next(each for each in self._open("conditional") if each["id"] != old["id"])
        filled = self.venue.books(self.key)["trades"][-1]
        self._until(lambda: len(self._open("conditional")) == 1)
        self.venue.set_price(SYMBOL, str(START - 300))
        self._until(lambda: self.visitor.call("GET", f"/api/v1/trades/{trade}")["status"] == "closed")
        return float(new["time"] - filled["time"])

    def _quote(self) -> Any:
        """What the desk believes; it keeps prices for a moment."""
        return self.visitor.call("GET", f"/api/v1/instruments/quote?account={self.account}&symbol={SYMBOL}")

    def _open(self, kind: str) -> list[Any]:
        return [order for order in self.venue.books(self.key)[kind] if order["status"] == "NEW"]

    def _until(self, so: Callable[[], bool]) -> None:
        _until(so, 0.05)


def plan() -> dict[str, Any]:
    return {
        "symbol": SYMBOL,
        "entries": [{"kind": "market"}],
        "stop": {"price": str(START - 1000)},
        "take_profits": [
            {"price": str(START + 100), "share": "0.5"},
            {"price": str(START + 2000), "share": "0.5"},
        ],
        "risk": {"percent": "0.5"},
        "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "entry"}},
    }


def listening() -> Iterator[Figure]:
    """`manage.py stream` over no account, one, and many; nothing happens at any of them."""
    with product() as user, running() as venues:
        os.environ["EXCHANGE_TRANSPORT_BASE"] = venues.base
        with process() as idle:
            nothing = resident_kb(idle)
        open_accounts(user, venues.binance, 1)
        with process() as one:
            _until(lambda: connected(venues.binance) == 1)
            time.sleep(2)
            library = resident_kb(one)
        open_accounts(user, venues.binance, ACCOUNTS - 1)
        with process() as many:
            _until(lambda: connected(venues.binance) == 1 + ACCOUNTS)
            time.sleep(2)
            all_of_them, before = resident_kb(many), cpu_seconds(many)
            time.sleep(OVERLOOKED)
            busy = (cpu_seconds(many) - before) / OVERLOOKED
    each = (all_of_them - library) / (ACCOUNTS - 1)
    yield Figure("stream: memory without accounts", nothing / 1000, "MB")
    goal = "≤ 250 MB"
    yield Figure(
        f"stream: memory, {ACCOUNTS} accounts", all_of_them / 1000, "MB", goal=goal, met=all_of_them <= 250_000
    )
    yield Figure("stream: memory per account", each, "kB")
    yield Figure(f"stream: CPU, {ACCOUNTS} quiet accounts", busy * 100, "% of a core")


@contextmanager
def process() -> Iterator[int]:
    from django.core.cache import cache

    from buddy.exchanges.stream import PULSE

    cache.delete(PULSE)
    command = [sys.executable, "manage.py", "stream"]
    with subprocess.Popen(command, cwd=BACKEND) as running_one:  # noqa: S603  ourselves
        try:
            _until(lambda: cache.get(PULSE) is not None)
            yield running_one.pid
        finally:
            running_one.terminate()


def open_accounts(user: Any, venue: Hand, many: int) -> None:
    from buddy.exchanges.models import Account, Credentials, Keys

    for number in range(many):
        keys = Keys(f"bench-key-{many}-{number:03}", f"bench-secret-{many}-{number:03}")
        venue.open_account(keys.api_key, keys.secret)
        account = Account.objects.create(
            owner=user, name=keys.api_key, mode="testnet", price_source="live", venue="binance"
        )
        row = Credentials(account=account, in_use=True)
        row.keep(keys)
        row.save()


def connected(venue: Hand) -> int:
    """How many listen keys were ever asked for."""
    return sum(method == "POST" and path.endswith("listenKey") for method, path, _ in venue.requests())


def _until(so: Callable[[], bool], glance: float = 0.1) -> None:
    deadline = time.monotonic() + PATIENCE
    while not so():
        if time.monotonic() > deadline:
            raise RuntimeError("It did not come to that.")
        time.sleep(glance)

"""From an execution at a venue to the moved stop that the venue has accepted, and what listening to venues weighs."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emulator.handle import Hand, running
from scripts.bootstrap import BACKEND

from .figures import Figure, percentile
from .looks import SYMBOL, product
from .serving import cpu_seconds, resident_kb, stack
from .venue_desk import START, VenueDesk, until

TRADES = 20
POLLED = 10
BREATH = 4.0
"""Seconds between trades: one after the other without a rest would use up what the venue allows to be asked."""
ACCOUNTS = 50
MOST_KB = 250_000
OVERLOOKED = 30.0
"""Seconds for which 50 idle connections are watched."""


def measure() -> Iterator[Figure]:
    yield from moved_stops()
    yield from listening()


def moved_stops() -> Iterator[Figure]:
    """The whole product against a stand-in Binance; the times are the venue's own."""
    with stack(demo="binance") as ours:
        desk = VenueDesk(ours)
        hinted = [fill_to_moved_stop(desk) for _ in range(TRADES)]
        ours.leave_out("stream")
        polled = [fill_to_moved_stop(desk) for _ in range(POLLED)]
    for name, walls in (("with the stream", hinted), ("poll alone", polled)):
        p50, p99 = statistics.median(walls), percentile(walls, 0.99)
        goal = "p99 ≤ 3 s" if name == "poll alone" else "p99 ≤ 1 s"
        yield Figure(f"venue fill → moved stop accepted, {name}: p50", p50, "ms")
        met = p99 <= (3000 if name == "poll alone" else 1000)
        yield Figure(f"venue fill → moved stop accepted, {name}: p99", p99, "ms", goal=goal, met=met)


def fill_to_moved_stop(desk: VenueDesk) -> float:
    """Milliseconds from the first target's execution to the new stop, as the venue dates them."""
    desk.start_over(BREATH)
    trade = desk.open(plan())
    until(lambda: len(desk.resting("conditional")) == 1 and len(desk.resting("orders")) == 2)
    (old,) = desk.resting("conditional")
    desk.venue.set_price(SYMBOL, str(START + 110))
    until(lambda: any(each["id"] != old["id"] for each in desk.resting("conditional")))
    new = next(each for each in desk.resting("conditional") if each["id"] != old["id"])
    filled = desk.books()["trades"][-1]
    until(lambda: len(desk.resting("conditional")) == 1)
    desk.venue.set_price(SYMBOL, str(START - 300))
    until(lambda: desk.is_closed(trade))
    return float(new["time"] - filled["time"])


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
            until(lambda: connected(venues.binance) == 1)
            time.sleep(2)
            library = resident_kb(one)
        open_accounts(user, venues.binance, ACCOUNTS - 1)
        with process() as many:
            until(lambda: connected(venues.binance) == 1 + ACCOUNTS)
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
            until(lambda: cache.get(PULSE) is not None)
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

"""What a look costs: empty, with five open trades, and from a price that fills a target to the stop at break-even."""

from __future__ import annotations

import os
import statistics
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scripts.stores import Valkey

from .figures import Figure, in_turn, percentile
from .serving import timed

SYMBOL, START, MINUTE = "BTC/USDT:USDT", 1_750_000_020_000, 60_000
TRADES = 60
CYCLE = ("100000 100000 100000 100000", "100000 100600 100000 100550", "100550 100550 99900 100000")
"""Open, high, low, close: quiet, the first target is touched, back through break-even."""


@contextmanager
def product(database: str = "") -> Iterator[Any]:
    """The product in this process, with somebody who trades: on SQLite or another `database`, and its own Valkey."""
    with tempfile.TemporaryDirectory(prefix="buddy-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        valkey = Valkey(folder, socket=folder / "valkey.sock", durable=False)
        valkey.start()
        os.environ |= {"ENV_FILE": os.devnull, "DATA_DIR": name, "REDIS_URL": valkey.url, "LOG_LEVEL": "ERROR"}
        os.environ["DJANGO_SETTINGS_MODULE"] = "buddy.settings"
        if database:
            os.environ["DATABASE_URL"] = database
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        from buddy.users.models import User

        try:
            yield User.objects.create_user("bench@example.org", uuid.uuid4().hex)
        finally:
            connections.close_all()
            valkey.stop()


def measure() -> Iterator[Figure]:
    with product() as user:
        yield from looks(user)
        yield from moved(user)


def looks(user: Any) -> Iterator[Figure]:
    from buddy.exchanges.models import Account
    from buddy.trading.watcher import look

    empty = Account.objects.create(owner=user, name="Empty", seed=7)
    busy = Account.objects.create(owner=user, name="Busy", seed=7, opening_balance=1_000_000, max_open_trades=9)
    five_trades(busy)
    look(empty.pk), look(busy.pk)
    query = Account.objects.filter(pk=empty.pk)
    limit = "five primary-key reads"
    for name, account in (("look: nothing to do", empty), ("look: 5 open trades", busy)):
        cpu, read = in_turn(
            lambda a=account: [look(a.pk) for _ in range(20)], lambda: [query.get() for _ in range(20 * 5)]
        )
        yield Figure(name, cpu / 20 * 1e6, "µs", cpu / read, limit)


def five_trades(account: Any) -> None:
    from buddy.exchanges.connect import source_for
    from buddy.trading import executor

    for instrument in source_for(account).instruments():
        price = source_for(account).quote(instrument.symbol).last
        stop, target = instrument.round_price(price * 7 / 10), instrument.round_price(price * 13 / 10)
        plan = {"symbol": instrument.symbol, "entries": [{"kind": "market"}], "stop": {"price": f"{stop:f}"}}
        plan |= {"take_profits": [{"price": f"{target:f}"}], "risk": {"percent": "1"}}
        executor.open_trade(account, plan)


def moved(user: Any) -> Iterator[Figure]:
    """The whole way of a fill: seen, booked, new stop placed, old one cancelled, all of it committed."""
    from buddy.exchanges.models import Account
    from buddy.trading.watcher import look

    account = Account.objects.create(
        owner=user, name="Replay", price_source="replay", replay_file=recording(), replay_speed="1"
    )
    walls = []
    for number in range(TRADES):
        at = START + number * len(CYCLE) * MINUTE
        show(account, at + MINUTE)
        trade = opened(account)
        show(account, at + 2 * MINUTE)
        walls.append(timed(lambda: look(account.pk, wait=5)))
        assert trade.orders.filter(role="stop", status="open").get().reason == "break_even"
        show(account, at + 3 * MINUTE)
        look(account.pk, wait=5)
    p50, p99 = statistics.median(walls), percentile(walls, 0.99)
    goal = "p99 ≤ 50 ms beyond the price source"
    yield Figure("price → stop moved: p50", p50, "ms", p50 / 50, "the goal's 50 ms")
    yield Figure("price → stop moved: p99", p99, "ms", p99 / 50, "the goal's 50 ms", goal, p99 <= 50)


def recording() -> str:
    from django.conf import settings

    folder = Path(settings.REPLAY_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row.split() for _ in range(TRADES + 1) for row in CYCLE]
    lines = ["time,open,high,low,close,volume"]
    for number, row in enumerate(rows):
        moment = datetime.fromtimestamp((START + number * MINUTE) / 1000, UTC).isoformat()
        lines.append(",".join([moment, *row, "1"]))
    (folder / "BTCUSDT_1m.csv").write_text("\n".join(lines) + "\n")
    return "BTCUSDT_1m.csv"


def show(account: Any, moment: int) -> None:
    """The replay's clock shows `moment` (milliseconds) now."""
    from buddy.exchanges.clock import set_clock

    set_clock(account, moment)
    account.save(update_fields=["clock_wall", "clock_time"])


def opened(account: Any) -> Any:
    from buddy.trading import executor

    plan = {
        "symbol": SYMBOL,
        "entries": [{"kind": "market"}],
        "stop": {"price": "99000"},
        "take_profits": [{"price": "100500", "share": "0.5"}, {"price": "102000", "share": "0.5"}],
        "risk": {"percent": "1"},
        "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "entry"}},
    }
    return executor.open_trade(account, plan)

"""A worker's round over a thousand accounts with five open trades each, on Postgres: how long, how much, how heavy."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scripts.bootstrap import BACKEND
from scripts.stores import Postgres

from .figures import Figure
from .looks import five_trades, product
from .serving import cpu_seconds, resident_kb
from .venue_desk import until

ACCOUNTS, TRADES = 1000, 5
ROUNDS = 2
PATIENCE = 240.0
GOAL = 10.0
"""Seconds per round, for one worker on one core."""


def measure() -> Iterator[Figure]:
    postgres = Postgres()
    postgres.start()
    try:
        with product(postgres.url) as user:
            fill(user)
            yield Figure("round: queries per look, 5 open trades", queries_per_look(), "")
            yield from rounds()
    finally:
        postgres.stop()


def rounds() -> Iterator[Figure]:
    with worker() as pid:
        walk()  # the first one reads plans and markets that are kept from then on
        before, start = cpu_seconds(pid), time.perf_counter()
        for _ in range(ROUNDS):
            walk()
        wall, cpu = (time.perf_counter() - start) / ROUNDS, (cpu_seconds(pid) - before) / ROUNDS
        heavy = resident_kb(pid) / 1000
    what = f"round: {ACCOUNTS:,} accounts × {TRADES} open trades"
    yield Figure(what, wall, "s", wall / GOAL, "the goal", f"≤ {GOAL:.0f} s", wall <= GOAL)
    yield Figure(f"{what}: CPU of the worker", cpu, "s")
    yield Figure("looks per second and worker, 5 open trades", ACCOUNTS / wall, "/s")
    yield Figure(f"{what}: memory of the worker", heavy, "MB")


def walk() -> None:
    """One round, until every account has been looked at since it was asked for."""
    from django.utils import timezone

    from buddy.exchanges.models import Account
    from buddy.trading.tasks import watch_all

    moment = timezone.now()
    watch_all.apply_async(expires=PATIENCE)  # a machine that is slow to begin is no reason to leave it out
    until(lambda: not Account.objects.exclude(good_look_at__gt=moment).exists(), 0.05, PATIENCE)


@contextmanager
def worker() -> Iterator[int]:
    """A worker alone, without beat: it looks when it is told to."""
    from django.core.cache import cache

    from buddy.health import WORKER_KEY

    cache.delete(WORKER_KEY)
    command = [sys.executable, "-m", "celery", "--app", "buddy", "worker", "--pool", "threads", "--concurrency", "4"]
    command += ["--queues", "watch", "--without-gossip", "--without-mingle", "--loglevel", "ERROR"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=BACKEND, stdout=quiet, stderr=quiet) as process:  # noqa: S603  ourselves
        try:
            until(lambda: cache.get(WORKER_KEY) is not None)
            yield process.pid
        finally:
            process.terminate()


def queries_per_look() -> int:
    from django.db import connection

    from buddy.exchanges.models import Account
    from buddy.trading.watcher import look

    account = Account.objects.order_by("pk").first()
    assert account is not None
    look(account.pk)
    asked: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        look(account.pk)
    return len(asked)


def fill(user: Any) -> None:
    """One account trades through the product; the others are its copies, under names of their own."""
    from buddy.exchanges.models import Account, PaperBook
    from buddy.trading.models import Fill, Order, Trade
    from buddy.trading.watcher import look

    first = Account.objects.create(
        owner=user, name="0", seed=7, opening_balance=1_000_000, max_open_trades=9, max_open_risk_percent=50
    )
    five_trades(first)
    look(first.pk)
    trades, orders = list(first.trades.order_by("pk")), list(first.orders.order_by("pk"))
    fills, books = list(first.fills.order_by("pk")), PaperBook.objects.get(account=first)
    assert len(trades) == TRADES
    assert all(trade.status == "open" for trade in trades)
    accounts = Account.objects.bulk_create(
        [copy(first, name=str(number), is_main=False) for number in range(1, ACCOUNTS)]
    )
    trade_of = copies(Trade, [copy(row, account=a) for a in accounts for row in trades], trades)
    order_of = copies(
        Order,
        [
            copy(row, account=a, trade=trade_of[a.pk, row.trade_id], client_id=renamed(row.client_id, a.pk))
            for a in accounts
            for row in orders
        ],
        orders,
    )
    Fill.objects.bulk_create(
        copy(row, account=a, trade=trade_of[a.pk, row.trade_id], order=order_of[a.pk, row.order_id])
        for a in accounts
        for row in fills
    )
    text, names = json.dumps(books.state), [order.client_id for order in orders]
    PaperBook.objects.bulk_create(copy(books, account=a, state=state_of(text, names, a.pk)) for a in accounts)


def copy(row: Any, **changes: Any) -> Any:
    """A new row with the same values but these."""
    values = {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key
    }
    for name in changes:
        values.pop(name, None), values.pop(f"{name}_id", None)
    return type(row)(**values, **changes)


def copies(model: Any, made: list[Any], of: list[Any]) -> dict[tuple[int, int], Any]:
    """Writes them; by account and the number of the row that each is a copy of."""
    rows = model.objects.bulk_create(made)
    return {(row.account_id, of[at % len(of)].pk): row for at, row in enumerate(rows)}


def renamed(client_id: str, number: int) -> str:
    return f"{client_id[:-5]}{number:05}"


def state_of(text: str, names: list[str], number: int) -> Any:
    for name in names:
        text = text.replace(name, renamed(name, number))
    return json.loads(text)

"""Preview and open-trade over HTTP, signed in: CPU of the web process, p50 and p99; and sixteen connections at once."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from scripts.stores import free_port
from scripts.supervisor import Stack

from .figures import Figure, percentile
from .serving import Visitor, cpu_seconds, stack, timed

REQUESTS, ROUNDS = 150, 4
PEER_TICKET = {"equity": "10000", "percent": "1", "entry": "64000", "stop": "62720"}


class Measured(NamedTuple):
    """Per request: CPU of the server and wall times, milliseconds."""

    cpu: float
    walls: list[float]


def measure() -> Iterator[Figure]:
    with stack() as ours, peer() as (peer_pid, peer_port):
        visitor = Visitor(ours.port)
        visitor.sign_up()
        account = visitor.call("POST", "/api/v1/accounts/practice")["id"]
        plan = plan_on(visitor, account)
        bare = Visitor(peer_port)
        bare.call("GET", "/enter")
        previews, bares = [], []
        for _ in range(ROUNDS):
            body = {"account": account, "plan": plan}
            previews.append(loop(ours.pid("web"), lambda b=body: visitor.call("POST", "/api/v1/plans/preview", b)))
            bares.append(loop(peer_pid, lambda: bare.call("POST", "/size", PEER_TICKET)))
        yield from told("preview", previews, bares)
        yield from told("open trade", [opened(ours, visitor, account, plan) for _ in range(ROUNDS)], bares)
        yield sixteen(ours.port, visitor, {"account": account, "plan": plan})


def loop(pid: int, work: Callable[[], Any], count: int = REQUESTS) -> Measured:
    before = cpu_seconds(pid)
    walls = [timed(work) for _ in range(count)]
    return Measured((cpu_seconds(pid) - before) * 1000 / count, walls)


def told(name: str, ours: list[Measured], peer_runs: list[Measured]) -> Iterator[Figure]:
    cpu, other = statistics.median(m.cpu for m in ours), statistics.median(m.cpu for m in peer_runs)
    walls = [wall for m in ours for wall in m.walls]
    p50, p99 = statistics.median(walls), percentile(walls, 0.99)
    against = "plain DRF view, session, CSRF, one query"
    yield Figure(f"{name}: CPU", cpu, "ms", cpu / other, against, "≤ 1.7 ms", cpu <= 1.7)
    peer_walls = [wall for m in peer_runs for wall in m.walls]
    yield Figure(f"{name}: p50", p50, "ms", p50 / statistics.median(peer_walls), against, "≤ 2 ms", p50 <= 2)
    yield Figure(f"{name}: p99", p99, "ms", p99 / percentile(peer_walls, 0.99), against, "≤ 5 ms", p99 <= 5)


def opened(ours: Stack, visitor: Visitor, account: int, plan: dict[str, Any], count: int = 8) -> Measured:
    """Trades opened one after the other; each is cancelled again outside the clock."""
    cpu, walls = 0.0, []
    for _ in range(count):
        before = cpu_seconds(ours.pid("web"))
        found: dict[str, Any] = {}
        walls.append(
            timed(lambda f=found: f.update(visitor.call("POST", "/api/v1/trades", {"account": account, "plan": plan})))
        )
        cpu += cpu_seconds(ours.pid("web")) - before
        visitor.call("POST", f"/api/v1/trades/{found['id']}/cancel")
    return Measured(cpu * 1000 / count, walls)


def sixteen(port: int, visitor: Visitor, body: dict[str, Any]) -> Figure:
    """Previews from sixteen connections at once."""

    def visit() -> list[float]:
        other = Visitor(port)
        other.cookies = dict(visitor.cookies)
        return [timed(lambda: other.call("POST", "/api/v1/plans/preview", body)) for _ in range(40)]

    start = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        walls = [wall for one in pool.map(lambda _: visit(), range(16)) for wall in one]
    rate = len(walls) / (time.perf_counter() - start)
    return Figure("preview: 16 connections", rate, "requests/s", goal="≥ 600 /s", met=rate >= 600)


def plan_on(visitor: Visitor, account: int) -> dict[str, Any]:
    """A limit far below the price, three targets."""
    rows = visitor.call("GET", f"/api/v1/instruments?account={account}&q=BTC")["results"]
    price, tick = Decimal(rows[0]["price"]), Decimal(rows[0]["tick_size"])

    def at(factor: str) -> str:
        return str((price * Decimal(factor)).quantize(tick))

    return {
        "symbol": rows[0]["symbol"],
        "entries": [{"kind": "limit", "price": at("0.9")}],
        "stop": {"price": at("0.88")},
        "take_profits": [{"price": at(f), "share": s} for f, s in (("0.92", "0.5"), ("0.94", "0.3"), ("0.96", "0.2"))],
        "risk": {"percent": "1"},
        "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "costs"}},
    }


@contextmanager
def peer() -> Iterator[tuple[int, int]]:
    """The bare view, served as ours is; its process id and port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="buddy-peer-") as folder:
        command = [sys.executable, "-m", "uvicorn", "bench.plain:application", "--port", str(port), "--no-access-log"]
        words = {**os.environ, "PLAIN_DB": str(Path(folder) / "peer.sqlite3")}
        process = subprocess.Popen([*command, "--log-level", "error"], env=words)  # noqa: S603  our own command
        try:
            wait_for(port)
            yield process.pid, port
        finally:
            process.terminate()
            process.wait()


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            Visitor(port).call("GET", "/enter")
        except (OSError, RuntimeError):
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("The peer did not start.")

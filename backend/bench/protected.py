"""From an entry's execution to the stop that protects it, where the venue attaches one to the entry and where not.

Both moments are the venue's own. Everything is real but the venue; with a fault on, one thing goes wrong with the first
stop that is sent, or with what is read, or the worker is killed as the entry fills.
"""

from __future__ import annotations

import os
import signal
import statistics
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from .figures import Figure, percentile
from .looks import SYMBOL
from .serving import stack
from .venue_desk import START, VenueDesk, until

STREAMED, POLLED, FAULTED = 12, 6, 2
BREATH = 1.5
"""Seconds between trades: one after the other without a rest would use up what the venue allows to be asked."""
KILLED = "worker killed"
PLACING = {"binance": "/fapi/v1/algoOrder", "bybit": "/v5/order/create"}
HOLDING = {"binance": "*positionRisk", "bybit": "/v5/position/list"}
WITH_STREAM, BY_POLL, WITH_FAULT = 3000, 3000, 10_000
"""Goals, milliseconds."""
ATTACHED = 20
"""An attached stop is there in the very call in which the entry executes; meanwhile the stand-in's clock goes on."""


def measure() -> Iterator[Figure]:
    for venue in ("bybit", "binance"):
        with stack(demo=venue) as ours:
            yield from at_venue(VenueDesk(ours), is_attached=venue == "bybit")


def at_venue(desk: VenueDesk, is_attached: bool) -> Iterator[Figure]:
    how = "attached" if is_attached else "unattached"
    usual, disturbed = (ATTACHED, ATTACHED) if is_attached else (WITH_STREAM, WITH_FAULT)
    yield from told(f"{how}, with the stream", [gap(desk) for _ in range(STREAMED)], usual)
    faulty = {name: [gap(desk, name) for _ in range(FAULTED)] for name in (*faults(desk), KILLED)}
    for name, gaps in faulty.items():
        yield worst(f"{how}, {name}", gaps, disturbed)
    if not is_attached:
        desk.ours.leave_out("stream")
        yield from told(f"{how}, poll alone", [gap(desk) for _ in range(POLLED)], BY_POLL)


def told(how: str, gaps: list[float], goal: int) -> Iterator[Figure]:
    name = f"fill → protected, {how}"
    yield Figure(f"{name}: p50", statistics.median(gaps), "ms")
    p99 = percentile(gaps, 0.99)
    yield Figure(f"{name}: p99", p99, "ms", goal=said("p99", goal), met=p99 <= goal)
    yield Figure(f"{name}: max", max(gaps), "ms")


def worst(how: str, gaps: list[float], goal: int) -> Figure:
    found = max(gaps)
    return Figure(
        f"fill → protected, {how}: max of {len(gaps)}", found, "ms", goal=said("max", goal), met=found <= goal
    )


def said(what: str, goal: int) -> str:
    return f"{what} ≤ {goal // 1000} s" if goal > ATTACHED else "none (the same call of the stand-in)"


def faults(desk: VenueDesk) -> dict[str, dict[str, Any]]:
    """What goes wrong once, by its name."""
    stop = {"method": "POST", "path": PLACING[desk.venue.venue]}
    return {
        "reply of the stop lost": {"kind": "drop_after", **stop},
        "503 to the stop": {"kind": "status_before", **stop},
        "429 to the stop": {"kind": "rate_limit", "seconds": 1, **stop},
        "stale positions": {"kind": "stale", "method": "GET", "path": HOLDING[desk.venue.venue], "seconds": 10},
    }


def gap(desk: VenueDesk, fault: str = "") -> float:
    """Milliseconds for which what had entered had no stop, from its entry until it was all out at its target."""
    desk.start_over(BREATH)
    before = everything(desk.books())
    trade = desk.open(plan())
    until(lambda: len(desk.resting("orders")) == 1)
    if fault in faults(desk):
        desk.venue.fault(**faults(desk)[fault])
    desk.venue.set_price(SYMBOL, str(START - 60))
    if fault == KILLED:
        os.kill(desk.ours.pid("worker"), signal.SIGKILL)
    until(lambda: target_rests(desk) or desk.is_closed(trade))
    desk.venue.set_price(SYMBOL, str(START + 110))
    until(lambda: desk.is_closed(trade))
    desk.venue.clear_faults()
    return float(naked(everything(desk.books())[len(before) :], desk.books()["trades"]))


def everything(books: Any) -> list[Any]:
    """All orders there ever were, by the time they were placed."""
    return sorted((*books["orders"], *books["conditional"]), key=lambda order: (order["time"], order["id"]))


def target_rests(desk: VenueDesk) -> bool:
    orders = everything(desk.books())
    return any(each["wish"]["kind"] == "LIMIT" and is_exit(each) and each["status"] == "NEW" for each in orders)


def is_exit(order: Any) -> bool:
    return order["wish"]["order_side"] == "sell"


def naked(orders: list[Any], trades: list[Any]) -> int:
    """Of one trade: the milliseconds between its first execution and its last in which no stop for all of it rested."""
    ids = {order["id"] for order in orders} | {order["child"] for order in orders}
    own = [trade for trade in trades if trade["order_id"] in ids]
    held = sum(Decimal(trade["quantity"]) for trade in own if trade["order_side"] == "buy")
    covered, end = own[0]["time"], own[-1]["time"]
    total = 0
    for since, till in sorted(lives(orders, held, end)):
        total += max(0, min(since, end) - covered)
        covered = max(covered, till)
    return total + max(0, end - covered)


def lives(orders: list[Any], held: Decimal, end: int) -> Iterator[tuple[int, int]]:
    """From when to when each stop for all that is held rested."""
    for order in orders:
        asked = order["wish"]["quantity"]
        if order["wish"]["kind"] == "STOP_MARKET" and (asked is None or Decimal(asked) >= held):
            yield order["time"], end if order["status"] == "NEW" else order["updated"]


def plan() -> dict[str, Any]:
    return {
        "symbol": SYMBOL,
        "entries": [{"kind": "limit", "price": str(START - 50)}],
        "stop": {"price": str(START - 1000)},
        "take_profits": [{"price": str(START + 100)}],
        "risk": {"percent": "0.5"},
    }

"""kill -9 of the worker, of beat and of the web in the middle of a trade: it ends exactly as worked out beforehand."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scripts.stores import free_port
from scripts.supervisor import Stack
from tests.faults.browserless import Desk
from tests.flow.oracle import Bar, Wanted, walk

pytestmark = [pytest.mark.processes, pytest.mark.slow]

START = datetime(2025, 6, 15, 13, 10, tzinfo=UTC)
SPEED = "600"
"""Ten candles a second."""
ROWS = [
    *[("100500", "100500", "100500", "100500")] * 150,
    ("100500", "100500", "99900", "100200"),
    *[("100200", "100200", "100200", "100200")] * 40,
    ("100200", "101100", "100200", "101050"),
    *[("101050", "101050", "101050", "101050")] * 40,
    ("101050", "101050", "99900", "99950"),
    *[("99950", "99950", "99950", "99950")] * 20,
]
"""The entry at 100000 after 15 s, funding (16:00) 2 s later, the first target after 2 s more, break-even 4 s later."""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    replays = tmp_path / "replays"
    replays.mkdir()
    lines = ["time,open,high,low,close,volume"]
    for number, row in enumerate(ROWS):
        lines.append(",".join([datetime.fromtimestamp(START.timestamp() + 60 * number, UTC).isoformat(), *row, "1"]))
    (replays / "killed_BTCUSDT_1m.csv").write_text("\n".join(lines) + "\n")
    words = {"ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "buddy.settings", "REPLAY_DIR": str(replays)}
    stack = Stack(tmp_path, free_port(), words=words)
    stack.start()
    stack.wait_until_healthy()
    yield stack
    stack.stop()


def kill(stack: Stack, *names: str) -> None:
    for name in names:
        os.kill(stack.pid(name), signal.SIGKILL)


def wait_for(desk: Desk, trade: int, so: Callable[[Any], bool], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not so(told := desk.get(f"trades/{trade}")):
        assert time.monotonic() < deadline, told
        time.sleep(0.2)
    return told


def wanted(desk: Desk, account: int) -> Wanted:
    (instrument,) = desk.get(f"instruments?account={account}&q=btc")["results"]
    entry, stop, *targets = (Decimal(price) for price in ("100000", "99000", "101000", "102000", "103000"))
    shares = (Decimal("0.4"), Decimal("0.3"), Decimal("0.3"))
    lot, tick = Decimal(instrument["lot_size"]), Decimal(instrument["tick_size"])
    return Wanted(1, entry, stop, (targets[0], targets[1], targets[2]), shares, Decimal(100), lot, tick)


PLAN = {
    "symbol": "BTC/USDT:USDT",
    "entries": [{"kind": "limit", "price": "100000"}],
    "stop": {"price": "99000"},
    "take_profits": [
        {"price": "101000", "share": "0.4"},
        {"price": "102000", "share": "0.3"},
        {"price": "103000", "share": "0.3"},
    ],
    "risk": {"money": "100"},
    "rules": {"break_even": {"after": {"take_profit": 1}}},
}


def test_kills_in_the_middle_of_a_trade_change_nothing_about_its_end(stack: Stack) -> None:
    desk = Desk(stack.url)
    desk.sign_up()
    replay = {"name": "Replay", "price_source": "replay", "replay_file": "killed_BTCUSDT_1m.csv", "replay_speed": SPEED}
    account = desk.post("accounts", replay)["id"]
    trade = desk.post("trades", {"account": account, "plan": PLAN})["id"]
    kill(stack, "worker")
    wait_for(desk, trade, lambda told: told["status"] == "open")
    kill(stack, "beat", "web")
    wait_for(desk, trade, lambda told: told["ladder"][1]["status"] == "filled")
    kill(stack, "worker", "web", "beat")
    told = wait_for(desk, trade, lambda told: told["status"] == "closed", seconds=90)
    begin = int(START.timestamp()) * 1000
    bars = [Bar(begin + 60_000 * number, *map(Decimal, row)) for number, row in enumerate(ROWS)]
    expected = walk(wanted(desk, account), bars)
    assert told["exit_reason"] == expected.outcome == "break_even"
    figures = [Decimal(told[name]) for name in ("entered", "gross", "fees", "funding", "net")]
    assert figures == [expected.quantity, expected.gross, expected.fees, expected.funded, expected.net]
    assert len(expected.funding) == len(told["funding_rows"]) == 1
    assert len([order for order in told["orders"] if order["role"] == "entry"]) == 1
    assert [order["status"] for order in told["orders"] if order["status"] in ("open", "unknown", "intended")] == []

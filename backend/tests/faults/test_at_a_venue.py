"""Real processes and a stand-in Binance: a key is saved, a trade is made by a worker, and no file holds a secret."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.handle import Hand, running
from scripts.stores import free_port
from scripts.supervisor import Stack
from tests.faults.browserless import Desk

pytestmark = [pytest.mark.processes, pytest.mark.slow]

BTC = "BTC/USDT:USDT"
KEY = {"api_key": "canary-api-key-Bq7", "secret": "canary-api-secret-Wm2"}
PLAN = {
    "symbol": BTC,
    "entries": [{"kind": "market"}],
    "stop": {"price": "62720"},
    "take_profits": [{"price": "65000", "share": "0.5"}, {"price": "66500", "share": "0.5"}],
    "risk": {"percent": "1"},
    "leverage": 5,
}


@pytest.fixture
def binance() -> Iterator[Hand]:
    with running() as venues:
        venues.binance.open_account(KEY["api_key"], KEY["secret"], wallet="5000")
        venues.binance.set_price(BTC, "64000")
        yield venues.binance


@pytest.fixture
def stack(tmp_path: Path, binance: Hand) -> Iterator[Stack]:
    words = {"ENV_FILE": os.devnull, "EXCHANGE_TRANSPORT_BASE": binance.base, "LOG_LEVEL": "DEBUG"}
    words |= {"DATABASE_URL": "", "REDIS_URL": ""}  # all of it in its own folder, where every file is looked through
    stack = Stack(tmp_path, free_port(), words=words)
    stack.start()
    stack.wait_until_healthy()
    yield stack
    stack.stop()


def test_a_trade_at_a_venue_from_key_to_close(stack: Stack, binance: Hand, tmp_path: Path) -> None:
    desk = Desk(stack.url)
    desk.sign_up()
    account = desk.post("accounts", {"name": "Demo", "mode": "testnet", "venue": "binance", "key": KEY})
    assert (account["equity"], account["key"]["last4"]) == ("5000", "-Bq7")
    preview = desk.post("plans/preview", {"account": account["id"], "plan": PLAN})
    assert (preview["denials"], preview["faults"]) == ([], [])
    trade = desk.post("trades", {"account": account["id"], "plan": PLAN})
    assert (trade["status"], trade["held"]) == ("open", preview["possible"]["quantity"])
    told = desk.post(f"trades/{trade['id']}/close", {"share": "1"})
    assert (told["status"], told["exit_reason"]) == ("closed", "manual")
    assert desk.post(f"accounts/{account['id']}/check", {})["connection"]["trouble"] == ""
    stack.stop()
    assert holding(tmp_path, {"name": "Demo"})  # it would be found
    assert holding(tmp_path, KEY) == []


def holding(folder: Path, secrets: dict[str, str]) -> list[str]:
    """The files that hold a secret: database, store, logs, whatever lies there."""
    words = [secret.encode() for secret in secrets.values()]
    return [str(path) for path in folder.rglob("*") if path.is_file() and _holds(path.read_bytes(), words)]


def _holds(content: bytes, words: list[Any]) -> bool:
    return any(word in content for word in words)

"""`make run`'s supervisor, with the real processes: what it starts, it keeps running and takes away again."""

from __future__ import annotations

import io
import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.serving import Visitor
from scripts.stores import DidNotStart, free_port
from scripts.supervisor import Stack, alone, empty

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.xdist_group("processes")]
OWN = {"ENV_FILE": os.devnull, "DATABASE_URL": "", "REDIS_URL": "", "LOG_LEVEL": "INFO"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    started = Stack(tmp_path_factory.mktemp("data"), free_port(), words=OWN)
    started.start()
    started.wait_until_healthy()
    yield started
    started.stop()


def page(stack: Stack, path: str) -> bytes:
    with urllib.request.urlopen(f"{stack.url}{path}", timeout=10) as answer:
        return bytes(answer.read())


def until(true: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_every_part_says_that_it_is_well(stack: Stack) -> None:
    found = json.loads(page(stack, "/health"))
    assert found["status"] == "ok"
    assert all(part["ok"] for part in found["parts"].values())


def test_one_port_serves_the_pages_and_the_sign_in(stack: Stack) -> None:
    assert b"<title>" in page(stack, "/") or b"<!doctype html" in page(stack, "/").lower()
    assert json.loads(page(stack, "/_allauth/browser/v1/config"))["status"] == 200


def test_all_data_lies_in_the_one_folder(stack: Stack) -> None:
    assert {"buddy.sqlite3", "valkey", "secrets", "logs"} <= {path.name for path in stack.data.iterdir()}


@pytest.mark.parametrize("name", ["web", "worker", "beat", "watchdog", "stream", "valkey"])
def test_a_killed_part_comes_back(stack: Stack, name: str) -> None:
    before = stack.pid(name)
    os.kill(before, signal.SIGKILL)
    until(lambda: stack.pid(name) != before)
    stack.wait_until_healthy()
    assert not is_alive(before)


def test_a_killed_part_comes_back_also_when_nobody_reads_what_is_said(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make run | tee log`, and tee is gone."""

    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Gone())
    before = stack.pid("beat")
    os.kill(before, signal.SIGKILL)
    until(lambda: stack.pid("beat") != before)
    stack.wait_until_healthy()


def test_a_demo_is_a_venue_to_trade_at(tmp_path: Path) -> None:
    """An account connected with the keys that the demo tells, a trade there, and its stop resting at the venue."""
    words = {**OWN, "EXCHANGE_TRANSPORT_BASE": "http://203.0.113.1", "LIVE_TRADING": "true", "SITE_URL": "https://a.b"}
    one = Stack(tmp_path, free_port(), words=words, demo="binance")
    one.start()
    try:
        assert one.demo is not None
        one.wait_until_healthy()
        someone = Visitor(one.port)
        someone.sign_up()
        key = {"api_key": one.demo.key, "secret": one.demo.secret}
        account = someone.call(
            "POST", "/api/v1/accounts", {"name": "Demo", "mode": "testnet", "venue": "binance", "key": key}
        )
        assert all(word in one.demo.notice for word in key.values())
        quote = someone.call("GET", f"/api/v1/instruments/quote?account={account['id']}&symbol=BTC/USDT:USDT")
        stop = str(int(float(quote["last"]) * 0.97))
        plan = {"symbol": "BTC/USDT:USDT", "entries": [{"kind": "market"}], "stop": {"price": stop}}
        plan |= {"take_profits": [{"price": str(int(float(quote["last"]) * 1.05))}], "risk": {"percent": "1"}}
        trade = someone.call("POST", "/api/v1/trades", {"account": account["id"], "plan": plan})
        found = someone.call("GET", f"/api/v1/trades/{trade['id']}")
        assert found["status"] == "open"
        assert {order["role"] for order in found["orders"] if order["status"] == "open"} == {"stop", "take_profit"}
    finally:
        one.stop()


def test_a_demo_of_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DidNotStart, match="binance"):
        Stack(tmp_path, free_port(), words=OWN, demo="nowhere")


def test_a_new_demo_begins_with_nothing_but_its_lock(tmp_path: Path) -> None:
    held = alone(tmp_path)
    (tmp_path / "buddy.sqlite3").touch()
    (tmp_path / "secrets").mkdir()
    empty(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".running"]
    del held


def test_a_folder_belongs_to_one_supervisor(tmp_path: Path) -> None:
    held = alone(tmp_path)
    with pytest.raises(SystemExit, match="already runs"):
        alone(tmp_path)
    del held


def test_nothing_is_left_when_it_stops(tmp_path: Path) -> None:
    one = Stack(tmp_path, free_port(), words=OWN)
    one.start()
    pids = [one.pid(name) for name in one.parts]
    one.stop()
    assert not any(is_alive(pid) for pid in pids)

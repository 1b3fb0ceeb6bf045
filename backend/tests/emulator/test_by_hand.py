"""`manage.py emulate`: a stand-in venue as a process of its own, its prices from a recording."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from subprocess import PIPE, Popen
from urllib.request import urlopen

import pytest

from emulator.handle import ControlError, Hand, StandIn

from .clients import connect
from .conftest import BTC

BEGAN = 1_700_000_000
COMMAND = [sys.executable, "manage.py", "emulate", "binance", "--port", "0", "--speed", "6000"]


@pytest.mark.processes
def test_a_recording_is_traded_through_the_real_client(tmp_path):
    rows = [f"{BEGAN + 60 * n},{30_000 + n},{30_000 + n},{30_000 + n},{30_000 + n},1" for n in range(1_000)]
    (tmp_path / "BTCUSDT_1m.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows]))
    settings = {"REPLAY_DIR": str(tmp_path), "DATA_DIR": str(tmp_path), "ENV_FILE": "/dev/null"}
    command = [*COMMAND, "--prices", "replay:BTCUSDT_1m.csv"]
    root = Path(__file__).parents[2]
    with Popen(command, stdout=PIPE, text=True, cwd=root, env=os.environ | settings) as process:
        told = process.stdout.readline()  # type: ignore[union-attr]
        base = re.search(r"http://\S+?:\d+", told)[0]  # type: ignore[index]
        client = connect("binanceusdm", base, "key", "secret")
        client.create_order(BTC, "market", "buy", 0.01)
        first = float(client.fetch_my_trades(BTC)[0]["price"])
        assert 30_500 <= first < 31_000
        assert float(client.fetch_ohlcv(BTC, "1m", limit=500)[0][4]) < first
        hand = Hand(base, "binance")
        while float(hand.price(BTC)["last"]) == first:
            pass
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=20)[0]
    assert "recorded prices" in told
    assert rest.endswith("Stopped.\n")


def test_the_control_tells_what_it_can_do(stand_in: StandIn):
    with urlopen(f"{stand_in.base}/_control/") as response:
        told = json.load(response)
    assert told["venues"] == ["binance", "binance-spot", "bingx", "bybit"]
    assert told["operations"]["fund"] == "Funding is paid now."


def test_what_a_venue_cannot_do_is_said(stand_in: StandIn, key: str):
    venue = stand_in.binance
    venue.open_account(key, "secret")
    with pytest.raises(ControlError, match="Nothing of BTC/USDT:USDT is held"):
        venue.close(key, BTC)
    with pytest.raises(ControlError, match="would_trigger"):
        venue.place(key, BTC, "buy", "0.01", kind="STOP_MARKET", trigger="60000")
    with pytest.raises(ControlError, match="A key has no pocket"):
        venue.change_key(key, pocket=1)
    with pytest.raises(ControlError, match="unknown: 'nobody'"):
        venue.books("nobody")

"""Instruments, candles and quotes over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import time_machine

from buddy.core.errors import CouldNotRead
from buddy.exchanges.market_data.live import LivePrices
from buddy.exchanges.models import Account

BTC = "BTC/USDT:USDT"
NOON = 1_795_262_400
FIVE = ["BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT", "XRP/USDT:USDT", "DOGE/USDT:USDT"]


@pytest.fixture
def account(alice: Any) -> Account:
    return Account.objects.create(owner=alice, name="Paper", seed=1, taker_fee=Decimal("0.0004"))


def ask(api: Any, account: Account, path: str = "", **query: Any) -> Any:
    return api.get(f"/api/v1/instruments{path}", {"account": account.pk, **query})


def faults(answer: Any, field: str) -> dict[str, str]:
    assert answer.status_code == 400, answer.content
    return dict(answer.json()["errors"][field][0])


def test_the_simulated_market_has_five_perpetuals_at_a_price(api, account):
    rows = ask(api, account).json()["results"]
    assert [row["symbol"] for row in rows] == FIVE
    assert all(Decimal(row["price"]) > 0 and Decimal(row["change_24h"]) is not None for row in rows)


def test_an_instrument_tells_its_steps_and_the_accounts_own_fees(api, account):
    (row,) = ask(api, account, q="btc").json()["results"]
    assert row | {"price": None, "change_24h": None} == {
        "symbol": BTC, "base": "BTC", "quote": "USDT", "settle": "USDT", "tick_size": "0.1", "lot_size": "0.001",
        "min_quantity": "0.001", "min_notional": "50", "contract_size": "1", "linear": True, "spot": False,
        "max_leverage": "125", "maker_fee": "0.0002", "taker_fee": "0.0004", "price": None, "change_24h": None,
    }  # fmt: skip


def test_searching_is_case_blind_and_may_find_nothing(api, account):
    assert len(ask(api, account, q="usdt").json()["results"]) == 5
    assert ask(api, account, q="pepe").json()["results"] == []
    assert len(ask(api, account, limit=2).json()["results"]) == 2


def test_candles_come_as_rows_of_exact_strings(api, account):
    with time_machine.travel(NOON + 30, tick=False):
        told = ask(api, account, "/candles", symbol=BTC, timeframe="1m", limit=2).json()
    assert (told["symbol"], told["timeframe"], told["source"], told["complete"]) == (BTC, "1m", "simulated", True)
    first, second = told["candles"]
    assert [first[0], second[0]] == [(NOON - 60) * 1000, NOON * 1000]
    assert all(isinstance(number, str) for number in first[1:])
    assert len(first) == 6


def test_a_window_of_candles_may_be_asked_for(api, account):
    window = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-01T02:00:00Z"}
    rows = ask(api, account, "/candles", symbol=BTC, timeframe="15m", **window).json()["candles"]
    assert len(rows) == 8
    assert rows[0][0] == 1_793_491_200_000


def test_the_default_is_500_candles_of_15_minutes(api, account):
    told = ask(api, account, "/candles", symbol=BTC).json()
    assert (told["timeframe"], len(told["candles"])) == ("15m", 500)


def test_a_quote_is_the_last_candles_close(api, account):
    with time_machine.travel(NOON + 31, tick=False):
        quote = ask(api, account, "/quote", symbol=BTC).json()
        rows = ask(api, account, "/candles", symbol=BTC, timeframe="1m", limit=1).json()["candles"]
    assert (quote["last"], quote["time"]) == (rows[0][4], "2026-11-21T12:00:30Z")


@pytest.mark.parametrize("path", ["/quote", "/candles"])
def test_an_unknown_symbol_is_a_field_error(api, account, path):
    assert faults(ask(api, account, path, symbol="PEPE/USDT:USDT"), "symbol")["code"] == "unknown_symbol"
    assert faults(ask(api, account, path), "symbol")["code"] == "required"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"timeframe": "7m"}, "timeframe"),
        ({"limit": 0}, "limit"),
        ({"limit": 100_000}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-99-01T00:00:00Z"}, "to"),
    ],
)
def test_a_wrong_question_names_its_field(api, account, query, field):
    assert faults(ask(api, account, "/candles", **({"symbol": BTC} | query)), field)["cure"]


@pytest.mark.parametrize(
    "window",
    [
        {"from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"},
        {"from": "2999-01-01T00:00:00Z"},
    ],
)
def test_an_empty_window_has_no_candles(api, account, window):
    answer = ask(api, account, "/candles", symbol=BTC, **window)
    assert (answer.status_code, answer.json()["candles"]) == (200, [])


@pytest.mark.parametrize("window", [{"to": "1970-01-01T00:10:00Z"}, {"from": "0001-01-01T00:00:00Z"}])
def test_the_ends_of_time_break_nothing(api, account, window):
    assert ask(api, account, "/candles", symbol=BTC, timeframe="1d", limit=3, **window).status_code in (200, 400)


@pytest.mark.parametrize("wrong", ["x", "", "0", "-1", "99999999999999999999999"])
def test_an_account_that_is_none_is_an_error_and_no_crash(api, account, wrong):
    assert api.get("/api/v1/instruments", {"account": wrong}).status_code in (400, 404)


def test_prices_that_cannot_be_read_are_said_to_be_so(api, account, monkeypatch):
    def unreachable(*_: Any, **__: Any) -> None:
        raise CouldNotRead("Binance cannot be reached.")

    monkeypatch.setattr(LivePrices, "_known", unreachable)
    Account.objects.filter(pk=account.pk).update(price_source="live")
    for path in ("", "/quote", "/candles"):
        answer = ask(api, account, path, symbol=BTC)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.json()["detail"] == "Binance cannot be reached."


def test_a_replay_offers_only_candles_it_can_make(api, alice, settings, tmp_path):
    rows = "".join(f"{1_748_736_000 + n * 300},1,1,1,1\n" for n in range(12))
    (tmp_path / "BTCUSDT_5m.csv").write_text("time,open,high,low,close\n" + rows)
    settings.REPLAY_DIR = tmp_path
    fields = {"name": "R", "price_source": "replay", "replay_file": "BTCUSDT_5m.csv", "replay_speed": "max"}
    replay = Account.objects.get(pk=api.post("/api/v1/accounts", fields).json()["id"])
    fault = faults(ask(api, replay, "/candles", symbol=BTC, timeframe="1m"), "timeframe")
    assert fault["cure"] == "Choose one of: 5m, 15m, 30m, 1h, 2h, 4h, 1d."

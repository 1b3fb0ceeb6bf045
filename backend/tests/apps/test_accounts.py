"""Accounts over HTTP: made, changed, halted, archived; never somebody else's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.exchanges.wall import wall
from buddy.trading.models import Trade
from tests.conftest import client_of

ACCOUNTS = "/api/v1/accounts"
BEGIN = 1_748_736_000_000
"""2025-06-01 00:00 UTC."""


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    rows = "".join(f"{BEGIN + n * 60_000},{100 + n},{101 + n},{99 + n},{100 + n}.5,1\n" for n in range(60))
    (tmp_path / "BTCUSDT_1m.csv").write_text("time,open,high,low,close,volume\n" + rows)
    settings.REPLAY_DIR = tmp_path
    return tmp_path


def make(api: Any, **fields: Any) -> dict[str, Any]:
    answer = api.post(ACCOUNTS, {"name": "Desk", "price_source": "simulated", **fields})
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def replay(api: Any, **fields: Any) -> dict[str, Any]:
    return make(api, **{"name": "Replay", "price_source": "replay", "replay_file": "BTCUSDT_1m.csv", **fields})


def refused(answer: Any, field: str) -> str:
    """The code of the one fault at `field`; each fault says how to mend it."""
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    (fault,) = answer.json()["errors"][field]
    assert fault["message"]
    assert fault["cure"]
    return str(fault["code"])


def working_trade(account: Account) -> Trade:
    return Trade.objects.create(
        owner=account.owner, account=account, symbol="BTC/USDT:USDT", side="long", first_plan={}, plan={},
        quantities=[], asked_risk=Decimal(100), first_stop=Decimal(1),
    )  # fmt: skip


def test_practising_is_one_call(api):
    answer = api.post(f"{ACCOUNTS}/practice")
    told = answer.json()
    assert answer.status_code == 201
    assert (told["name"], told["mode"], told["price_source"], told["is_main"]) == (
        "Practice",
        "paper",
        "simulated",
        True,
    )
    assert (told["equity"], told["free"], told["opening_balance"]) == ("10000", "10000", "10000")
    assert told["label"] == "Paper · simulated prices"
    assert (told["open_risk"], told["open_trades"], told["connection"]["state"]) == ("0", 0, "ok")
    assert (told["maker_fee"], told["taker_fee"], told["slippage"]) == ("0.0002", "0.0005", "0.0002")


def test_practising_twice_is_the_same_account(api):
    first, second = (api.post(f"{ACCOUNTS}/practice") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]


@pytest.mark.django_db(transaction=True)
def test_many_clicks_at_once_practise_once(alice):
    def click(_: int) -> int:
        try:
            return int(client_of(alice).post(f"{ACCOUNTS}/practice").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(click, range(12)))
    assert sorted(set(codes)) in ([200, 201], [201])
    assert Account.objects.count() == 1


def test_numbers_come_back_exactly_as_they_went_in(api):
    asked = {"taker_fee": "0.00045", "slippage": "0", "max_risk_percent": "2.5"}
    told = make(api, opening_balance="12345.678901234567890123", **asked)
    assert told["opening_balance"] == "12345.678901234567890123"
    assert told["equity"] == "12345.678901234567890123"
    assert {name: told[name] for name in asked} == asked


def test_the_first_account_is_the_main_one_and_another_can_take_over(api):
    first, second = make(api), make(api, name="Second")
    assert (first["is_main"], second["is_main"]) == (True, False)
    assert api.post(f"{ACCOUNTS}/{second['id']}/main").json()["is_main"]
    assert [row["is_main"] for row in api.get(ACCOUNTS).json()["results"]] == [False, True]


def test_a_name_is_used_once_per_user(api, bobs_api):
    make(api)
    assert refused(api.post(ACCOUNTS, {"name": "Desk", "price_source": "simulated"}), "name") == "unique"
    make(bobs_api)
    other = make(api, name="Other")
    assert refused(api.patch(f"{ACCOUNTS}/{other['id']}", {"name": "Desk"}), "name") == "unique"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 61),
        ("price_source", "oracle"),
        ("opening_balance", "0"),
        ("opening_balance", "NaN"),
        ("opening_balance", "1e400"),
        ("opening_balance", "ten"),
        ("opening_balance", []),
        ("taker_fee", "0.5"),
        ("slippage", "-0.1"),
        ("max_leverage", 0),
        ("max_leverage", 126),
        ("max_risk_percent", "101"),
        ("max_open_trades", "many"),
        ("seed", -1),
        ("seed", 10**30),
        ("replay_speed", "warp"),
        ("replay_speed", "NaN"),
        ("replay_speed", "0"),
    ],
)
def test_every_wrong_field_is_named_with_its_cure(api, field, value):
    refused(api.post(ACCOUNTS, {"name": "Desk", "price_source": "simulated"} | {field: value}), field)
    assert not Account.objects.exists()


@pytest.mark.parametrize("body", [[], "x", 7, None, {"price_source": {}}, {"name": {"a": 1}}])
def test_no_body_breaks_it(api, body):
    assert api.post(ACCOUNTS, body).status_code == 400


def test_live_prices_need_a_venue_we_know(api):
    fields = {"name": "Live", "price_source": "live", "venue": "mtgox"}
    assert refused(api.post(ACCOUNTS, fields), "venue") == "unknown_venue"


def test_a_live_account_that_was_never_read_says_so(api):
    told = make(api, name="Live", price_source="live", venue="binance")
    assert told["connection"]["state"] == "never"
    assert told["label"] == "Paper · live prices of Binance"


def test_changes_are_kept_and_only_those(api):
    told = make(api)
    changed = api.patch(
        f"{ACCOUNTS}/{told['id']}", {"name": "Renamed", "max_risk_percent": "1.5", "seed": 99, "state": "halted"}
    )
    expected = told | {"name": "Renamed", "max_risk_percent": "1.5"}
    assert changed.json() | {"clock": None} == expected | {"clock": None}


def test_halting_and_resuming_are_told_once(api, alice):
    pk = make(api)["id"]
    for _ in range(2):
        assert api.post(f"{ACCOUNTS}/{pk}/halt").json()["state"] == "halted"
    assert api.post(f"{ACCOUNTS}/{pk}/resume", {"state": "reducing"}).json()["state"] == "reducing"
    assert api.post(f"{ACCOUNTS}/{pk}/resume").json()["state"] == "active"
    kinds = list(Event.objects.filter(owner=alice, account_id=pk).values_list("kind", flat=True))
    assert kinds == ["account_opened", "account_halted", "account_resumed", "account_resumed"]
    refused(api.post(f"{ACCOUNTS}/{pk}/resume", {"state": "halted"}), "state")


def test_an_account_with_a_working_trade_is_not_archived(api):
    pk = make(api)["id"]
    trade = working_trade(Account.objects.get(pk=pk))
    answer = api.delete(f"{ACCOUNTS}/{pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "working_trades")
    Trade.objects.filter(pk=trade.pk).update(status="closed")
    assert api.delete(f"{ACCOUNTS}/{pk}").status_code == 204


def test_archiving_hides_the_account_frees_its_name_and_passes_the_main_one_on(api):
    first, second = make(api), make(api, name="Second")
    assert api.delete(f"{ACCOUNTS}/{first['id']}").status_code == 204
    assert api.get(f"{ACCOUNTS}/{first['id']}").status_code == 404
    assert [row["id"] for row in api.get(ACCOUNTS).json()["results"]] == [second["id"]]
    assert api.get(f"{ACCOUNTS}/{second['id']}").json()["is_main"]
    assert make(api)["id"] != first["id"]
    assert Account.objects.count() == 3


def test_somebody_elses_account_does_not_exist(api, bobs_api, stranger):
    pk = make(api)["id"]
    calls = [
        ("get", ""),
        ("patch", ""),
        ("delete", ""),
        *(("post", f"/{verb}") for verb in ("main", "check", "halt", "resume")),
    ]
    for verb, path in calls:
        assert getattr(bobs_api, verb)(f"{ACCOUNTS}/{pk}{path}").status_code == 404
        assert getattr(stranger, verb)(f"{ACCOUNTS}/{pk}{path}").status_code == 401
    for path in ("instruments", "instruments/quote", "instruments/candles"):
        assert bobs_api.get(f"/api/v1/{path}?account={pk}&symbol=BTC/USDT:USDT").status_code == 404
    assert bobs_api.get(ACCOUNTS).json() == {"results": [], "next": None}
    assert Account.objects.get(pk=pk).state == "active"


def test_checking_remembers_what_the_source_said(api, folder):
    told = replay(api)
    assert api.post(f"{ACCOUNTS}/{told['id']}/check").json()["connection"]["state"] == "ok"
    (folder / "BTCUSDT_1m.csv").unlink()
    connection = api.post(f"{ACCOUNTS}/{told['id']}/check").json()["connection"]
    assert connection["state"] == "waiting"
    assert "no recording named BTCUSDT_1m.csv" in connection["trouble"]
    assert connection["good_look_at"] < connection["looked_at"]


def test_an_account_whose_recording_is_gone_is_still_shown(api, folder):
    told = replay(api)
    (folder / "BTCUSDT_1m.csv").unlink()
    (row,) = api.get(ACCOUNTS).json()["results"]
    assert (row["equity"], row["clock"], row["connection"]["state"]) == (told["equity"], None, "waiting")


def test_a_replay_begins_where_it_is_told_and_shows_its_clock(api, folder):
    told = replay(api, replay_start="2025-06-01T00:30:00Z", replay_speed="max")
    assert (told["clock"], told["replay_ends"]) == ("2025-06-01T00:30:00Z", "2025-06-01T01:00:00Z")
    assert replay(api, name="Begin", replay_speed="max")["clock"] == "2025-06-01T00:00:00Z"


@pytest.mark.parametrize("start", ["2025-05-31T23:59:59Z", "2025-06-01T01:00:00Z", "2030-01-01T00:00:00Z"])
def test_a_start_outside_the_recording_is_refused(api, folder, start):
    fields = {"name": "R", "price_source": "replay", "replay_file": "BTCUSDT_1m.csv", "replay_start": start}
    answer = api.post(ACCOUNTS, fields)
    assert refused(answer, "replay_start") == "outside_recording"
    assert "2025-06-01 00:00 to 2025-06-01 01:00" in str(answer.json()["errors"])


@pytest.mark.parametrize("name", ["", "nothing.csv", "../BTCUSDT_1m.csv", "/etc/passwd", "a\x00b"])
def test_an_unknown_recording_is_refused(api, folder, name):
    answer = api.post(ACCOUNTS, {"name": "R", "price_source": "replay", "replay_file": name})
    assert answer.status_code == 400
    assert not Account.objects.exists()


def test_a_replays_clock_runs_at_its_speed_and_keeps_its_time_when_that_changes(api, folder):
    pk = replay(api, replay_speed="60")["id"]
    Account.objects.filter(pk=pk).update(clock_wall=wall() - 10_000)
    assert api.get(f"{ACCOUNTS}/{pk}").json()["clock"].startswith("2025-06-01T00:10:0")
    slowed = api.patch(f"{ACCOUNTS}/{pk}", {"replay_speed": "×1"}).json()
    assert slowed["clock"].startswith("2025-06-01T00:10:0")
    assert slowed["replay_speed"] == "1"


def test_the_recordings_on_offer_are_listed(api, folder):
    (folder / "broken.csv").write_text("nonsense")
    assert api.get("/api/v1/replays").json() == {
        "results": [
            {
                "file": "BTCUSDT_1m.csv",
                "symbol": "BTC/USDT:USDT",
                "timeframe": "1m",
                "from": "2025-06-01T00:00:00Z",
                "to": "2025-06-01T01:00:00Z",
                "candles": 60,
            }
        ],
        "next": None,
    }


def test_without_a_replay_folder_nothing_is_on_offer(api, settings, tmp_path):
    settings.REPLAY_DIR = tmp_path / "none"
    assert api.get("/api/v1/replays").json()["results"] == []

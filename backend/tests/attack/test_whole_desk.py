"""Against the real processes, a real Postgres and a venue: a hundred at once, and secrets through every flow."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from buddy.redact import STRUCK

from .breaking import MARK
from .stack import BTC, Heard, Trader, Whole, around, whole_desk

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.xdist_group("processes")]

MOST = 5
ACCOUNTS, TRADES = "/api/v1/accounts", "/api/v1/trades"
PASSWORD, WRONG_PASSWORD = "canary-password-Qm71x", "canary-wrong-password-Ks93x"
KEY = {"api_key": "canaryApiKey7Hq2Vt5Rb8", "secret": "canarySecretZx81Nw4Lp6", "passphrase": "canaryPhraseLw5Jd9"}
FRESH = {"api_key": "canaryFreshKey4Tz8Mc1", "secret": "canaryFreshSecret9Gy2Bv7", "passphrase": ""}
LAST = {"api_key": "canaryLastKey6Wn3Xe", "secret": "canaryLastSecret2Lb5Rc", "passphrase": ""}
REFUSED = {"api_key": "canaryUnknownKey3Fs6Dn", "secret": "canaryUnknownSecret8Ha", "passphrase": ""}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole_desk(tmp_path_factory.mktemp("desk")) as whole:
        yield whole


# --- a hundred at once ------------------------------------------------------------------------------------------------


@pytest.fixture
def trader(desk: Whole) -> Trader:
    trader = Trader(desk.stack.url)
    trader.sign_up_as(f"{uuid.uuid4().hex}@example.org", PASSWORD)
    return trader


@pytest.fixture
def venue_key(desk: Whole) -> str:
    key = f"storm-{uuid.uuid4().hex}"
    desk.hand.open_account(key, "storm-secret", "1000000")
    return key


@pytest.fixture
def account(trader: Trader, venue_key: str) -> int:
    """At the venue, where at most five trades may run."""
    key = {"api_key": venue_key, "secret": "storm-secret"}
    return opened(trader, {"name": "Storm", "mode": "testnet", "venue": "binance", "key": key, "max_open_trades": MOST})


def opened(trader: Trader, asked: dict[str, Any]) -> int:
    status, told = trader.ask("POST", ACCOUNTS, asked)
    assert status == 201, told
    return int(told["id"])


def wish(trader: Trader, account: int, **changes: Any) -> dict[str, Any]:
    status, told = trader.ask("GET", f"/api/v1/instruments/quote?account={account}&symbol={quote(BTC)}")
    assert status == 200, told
    return {"account": account, "plan": around(told["last"], **changes)}


def at_once(trader: Trader, body: Any, keys: list[str]) -> list[tuple[int, Any]]:
    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda key: trader.ask("POST", TRADES, body, key), keys))


def entries_at_the_venue(desk: Whole, venue_key: str) -> int:
    return sum(order["wish"]["order_side"] == "buy" for order in desk.hand.books(venue_key)["orders"])


def test_a_hundred_equal_posts_with_one_key_are_one_order(
    desk: Whole, trader: Trader, account: int, venue_key: str
) -> None:
    body = wish(trader, account)
    told = at_once(trader, body, ["one-key"] * 100)
    assert set(Counter(status for status, _ in told)) <= {201, 409}
    assert len({answer["id"] for status, answer in told if status == 201}) == 1, str(
        [answer["errors"] for _, answer in told if answer.get("errors")]
    )[:600]
    again = trader.ask("POST", TRADES, body, "one-key")
    other = trader.ask("POST", TRADES, wish(trader, account, risk={"percent": "1"}), "one-key")
    assert again in told
    assert (other[0], other[1]["code"]) == (422, "idempotency_key_reused")
    assert desk.count(f"SELECT count(*) FROM trading_trade WHERE account_id = {account}") == 1
    assert entries_at_the_venue(desk, venue_key) == 1


def test_a_hundred_posts_with_keys_of_their_own_are_as_many_wishes_as_the_limits_allow(
    desk: Whole, trader: Trader, account: int, venue_key: str
) -> None:
    told = at_once(trader, wish(trader, account), [f"key-{number}" for number in range(100)])
    count = Counter(status for status, _ in told)
    assert set(count) <= {201, 409, 422, 503}, [answer for status, answer in told if status >= 500][:2]
    made = desk.count(f"SELECT count(*) FROM trading_trade WHERE account_id = {account}")
    assert count[201] == made == entries_at_the_venue(desk, venue_key) == MOST


# --- canaries ---------------------------------------------------------------------------------------------------------


def echoing(*secrets: str) -> str:
    """What a venue might say, with everything in it that it was sent."""
    return " ".join(f"apiKey={secret} X-MBX-APIKEY: {secret} signature={secret}" for secret in secrets)


def ways_to_fail(said: str) -> list[dict[str, Any]]:
    return [
        {"kind": "refuse", "code": -1000, "message": said},
        {"kind": "garbage", "body": f"<html>{said}</html>"},
        {"kind": "echo", "status": 400},
        {"kind": "echo", "status": 200},
        {"kind": "echo", "status": 502},
        {"kind": "status_before", "status": 500, "body": said},
        {"kind": "status_after", "status": 503, "body": said},
        {"kind": "truncated"},
        {"kind": "drop_after"},
        {"kind": "refuse", "code": -2015, "message": said},
    ]


def everything_goes_wrong(desk: Whole, trader: Trader, account: int, key: dict[str, str]) -> None:
    """Each way for a venue to fail, while the key is checked, the account looked at and a trade wished."""
    body = wish(trader, account)
    for how in ways_to_fail(echoing(*key.values())):
        desk.hand.fault(**how, key=key["api_key"])
        trader.ask("POST", f"{ACCOUNTS}/{account}/check", {})
        trader.ask("POST", TRADES, body)
        assert desk.hand.faults_waiting() == 0, f"{how['kind']} was not met"
        desk.hand.clear_faults()


def test_no_secret_comes_out_anywhere(desk: Whole) -> None:
    heard = Heard(desk.stack.words["REDIS_URL"])
    trader, stranger = Trader(desk.stack.url), Trader(desk.stack.url)
    trader.sign_up_as("canary@example.org", PASSWORD)
    stranger.ask("GET", "/_allauth/browser/v1/config")
    stranger.ask("POST", "/_allauth/browser/v1/auth/login", {"email": "canary@example.org", "password": WRONG_PASSWORD})
    desk.hand.open_account(KEY["api_key"], KEY["secret"], "1000000")
    desk.hand.add_key(FRESH["api_key"], FRESH["secret"], of=KEY["api_key"])
    account = opened(trader, {"name": "Canary", "mode": "testnet", "venue": "binance", "key": KEY})
    everything_goes_wrong(desk, trader, account, KEY)
    for key in (REFUSED, FRESH, {**FRESH, "secret": KEY["secret"]}, {**FRESH, "api_key": [KEY["api_key"]]}):
        trader.ask("PUT", f"{ACCOUNTS}/{account}/key", key)
    for page in ("accounts", "events", "trades", "journal", "health", f"accounts/{account}"):
        trader.ask("GET", f"/api/v1/{page}")
    desk.hand.change_key(FRESH["api_key"], active=False)
    trader.ask("POST", f"{ACCOUNTS}/{account}/check", {})
    everything_breaks(desk, trader, account)
    heard.stop()
    secrets = {*KEY.values(), *FRESH.values(), *LAST.values(), *REFUSED.values(), PASSWORD, WRONG_PASSWORD} - {""}
    secrets |= {trader.cookie("sessionid"), trader.cookie("csrftoken"), *own_secrets(desk), *signatures(desk)}
    places = {"answers": "\n".join(trader.answers + stranger.answers), "store": desk.in_store()}
    places |= {"commands to the store": "\n".join(heard.said), **desk.rows(), **desk.written()}
    assert "watch_all" in places["commands to the store"]
    assert "probe_key" in places["commands to the store"]
    assert [(place, secret[:14]) for place, text in places.items() for secret in secrets if secret in text] == []


WHERE = {
    "web": ["look_up", "a thread", "an object"],
    "worker": ["keys", "a thread", "an object"],
    "stream": ["_wanted", "a thread", "an object"],
    "watchdog": ["a thread", "an object"],
    "beat": ["a thread", "an object"],
}
"""Which defect each process must have told of, uncaught or not, for the search to mean anything."""


def everything_breaks(desk: Whole, trader: Trader, account: int) -> None:
    """Defects, in every process, with secrets in their variables and their words."""
    with desk.broken():
        trader.ask("POST", f"{ACCOUNTS}/{account}/check", {})
        trader.ask("PUT", f"{ACCOUNTS}/{account}/key", LAST)
        status, _ = trader.ask("GET", "/api/v1/live")
        assert status == 500
        deadline = time.monotonic() + 60
        while missing := [(part, what) for part in WHERE for what in WHERE[part] if not heard_of(desk, part, what)]:
            assert time.monotonic() < deadline, missing
            time.sleep(0.2)


def heard_of(desk: Whole, part: str, what: str) -> bool:
    said = [line for line in desk.log(part).splitlines() if f"{what} {MARK}" in line]
    return any(STRUCK in line for line in said)


def signatures(desk: Whole) -> set[str]:
    """Of every request that reached the venue: whoever has one can repeat that request for some seconds."""
    found = {str(params["signature"]) for _, _, params in desk.hand.requests() if "signature" in params}
    assert found
    return found


def own_secrets(desk: Whole) -> set[str]:
    """The desk's own: what signs its cookies and what seals its keys."""
    kept = [path for path in (desk.stack.data / "secrets").rglob("*") if path.is_file()]
    assert len(kept) >= 2
    return {path.read_text().strip() for path in kept}

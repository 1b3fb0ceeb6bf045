"""Testnet and live accounts over HTTP: a key is sealed, probed before it is used, and never told again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from buddy.core.errors import CouldNotRead, KeyRefused
from buddy.core.exchange import KeyInfo, PositionMode
from buddy.events.models import Event
from buddy.exchanges import key_rounds, probing, venue_accounts
from buddy.exchanges.key_standing import key_denials
from buddy.exchanges.models import Account, Credentials, Keys, VenueFacts
from buddy.exchanges.views import KeyThrottle
from buddy.trading.models import Order
from tests.exchanges.scripted_venue import ScriptedVenue, at_hand

from .test_accounts import ACCOUNTS, refused, working_trade
from .test_users import AUTH, PASSWORD, Browser

KEY = {"api_key": "canary-api-key-7Hq2", "secret": "canary-secret-Zx81kPq"}
LIVE = "I trade with real money on {}"


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch, store: str) -> Iterator[ScriptedVenue]:
    with at_hand(monkeypatch) as found:
        yield found


def ask(api: Any, **fields: Any) -> Any:
    return api.post(ACCOUNTS, {"name": "Demo", "mode": "testnet", "venue": "binance", "key": KEY, **fields})


def opened(api: Any, **fields: Any) -> dict[str, Any]:
    answer = ask(api, **fields)
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def in_use(told: dict[str, Any]) -> Credentials:
    return Credentials.objects.get(account_id=told["id"], in_use=True)


def kinds(account_id: int) -> list[str]:
    return list(Event.objects.filter(account_id=account_id).values_list("kind", flat=True))


def nothing_is_kept() -> bool:
    return not (Account.objects.exists() or Credentials.objects.exists() or VenueFacts.objects.exists())


# --- opening ----------------------------------------------------------------------------------------------------------


def test_a_testnet_account_tells_what_its_venue_said(api, venue):
    told = opened(api)
    assert (told["mode"], told["venue"], told["label"], told["currency"]) == (
        "testnet",
        "binance",
        "Testnet · Binance",
        "USDT",
    )
    assert (told["equity"], told["free"], told["opening_balance"]) == ("5100.5", "4000.125", "5000.25")
    key = told["key"]
    assert (key["can_trade"], key["can_withdraw"], key["ip_bound"]) == ("yes", "no", "yes")
    assert (key["last4"], key["trouble"], key["refused_at"], key["expires_at"]) == ("7Hq2", "", None, None)
    facts = told["venue_facts"]
    assert (facts["clock_offset_ms"], facts["position_mode"], facts["wallet"]) == (120, "one_way", "5000.25")
    assert facts["symbols"] == ["COIN/USDT:USDT", "OTHER/USDT:USDT"]
    assert told["connection"]["state"] == "ok"
    assert venue.shown == [("binance", "testnet", Keys(KEY["api_key"], KEY["secret"]))]
    assert kinds(told["id"]) == ["account_opened", "key_saved"]


def test_where_the_whole_account_has_one_margin_mode_plans_that_name_none_follow_it(api, venue):
    assert opened(api)["margin_mode"] == "isolated"
    venue.one_margin_mode = "cross"
    assert opened(api, name="Other", key=KEY | {"api_key": "another-canary-key"})["margin_mode"] == "cross"


@pytest.mark.parametrize(("where", "code"), [({}, "required"), ({"venue": ""}, "blank"), ({"venue": "mtgox"}, "venue")])
def test_an_account_at_no_venue_is_refused_by_that_field(api, venue, where, code):
    answer = api.post(ACCOUNTS, {"name": "Somewhere", "mode": "testnet", "key": KEY, **where})
    assert refused(answer, "venue") == code
    assert not Account.objects.exists()


def test_no_answer_ever_holds_a_key(api, venue):
    told = opened(api)
    answers = [api.get(ACCOUNTS), api.get(f"{ACCOUNTS}/{told['id']}"), api.get("/api/v1/events")]
    answers += [api.post(f"{ACCOUNTS}/{told['id']}/check"), api.put(f"{ACCOUNTS}/{told['id']}/key", KEY)]
    for answer in answers:
        assert answer.status_code == 200, answer.content
        assert "canary" not in answer.content.decode()


def test_a_key_that_may_withdraw_is_refused_and_forgotten(api, venue):
    venue.rights = KeyInfo(can_trade=True, can_withdraw=True)
    answer = ask(api)
    assert refused(answer, "key.api_key") == "key_can_withdraw"
    assert "without that right at Binance" in answer.json()["errors"]["key.api_key"][0]["cure"]
    assert nothing_is_kept()


def test_a_key_that_may_not_trade_is_refused(api, venue):
    venue.rights = KeyInfo(can_trade=False, can_withdraw=False)
    assert refused(ask(api), "key.api_key") == "key_cannot_trade"
    assert nothing_is_kept()


def test_a_key_the_venue_does_not_accept_is_refused_with_its_words(api, venue):
    venue.fails = KeyRefused("Binance: Invalid API-key, IP, or permissions for action.")
    answer = ask(api)
    assert refused(answer, "key.api_key") == "key_refused"
    assert "Invalid API-key, IP" in answer.content.decode()
    assert nothing_is_kept()


@pytest.mark.parametrize("error", [CouldNotRead("Binance cannot be reached."), ValueError("odd canary-secret-Zx81kPq")])
def test_a_probe_that_fails_is_no_safe_key(api, venue, error):
    venue.fails = error
    answer = ask(api)
    assert (answer.status_code, answer.json()["code"]) == (503, "key_unchecked")
    assert "canary" not in answer.content.decode()
    assert nothing_is_kept()


def test_what_the_venue_cannot_tell_is_called_that_and_never_safe(api, venue):
    venue.rights = KeyInfo(can_trade=None, can_withdraw=None, ip_bound=None)
    key = opened(api)["key"]
    assert {key[name] for name in ("can_trade", "can_withdraw", "ip_bound")} == {"cannot_tell"}


def test_without_a_worker_nothing_is_kept(api, venue, monkeypatch):
    monkeypatch.setattr(venue_accounts, "WAIT", 0.1)
    monkeypatch.setattr(venue_accounts.Place, "is_worker", False)
    assert ask(api).json()["code"] == "key_unchecked"
    assert nothing_is_kept()


def test_a_worker_that_comes_too_late_finds_nothing_to_do(api, venue):
    probing.probe(12345)
    assert venue.shown == []


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"venue": "kucoin"}, "venue", "venue"),
        ({"venue": "mtgox"}, "venue", "venue"),
        ({"key": None}, "key", "null"),
        ({"key": {"api_key": "only"}}, "key.secret", "required"),
        ({"key": {**KEY, "secret": ""}}, "key.secret", "blank"),
        ({"venue": "okx"}, "key.passphrase", "required"),
        ({"venue": "bitget", "key": {**KEY, "passphrase": ""}}, "key.passphrase", "required"),
        ({"mode": "real"}, "mode", "invalid_choice"),
        ({"position_mode": "both"}, "position_mode", "invalid_choice"),
    ],
)
def test_every_wrong_field_is_named(api, venue, fields, field, code):
    assert refused(ask(api, **fields), field) == code
    assert nothing_is_kept()
    assert venue.shown == []


def test_a_paper_account_still_needs_its_prices(api):
    assert refused(api.post(ACCOUNTS, {"name": "Paper"}), "price_source") == "required"


def test_a_venue_account_needs_a_key(api, venue):
    answer = api.post(ACCOUNTS, {"name": "Demo", "mode": "testnet", "venue": "binance"})
    assert refused(answer, "key") == "required"


def test_a_name_is_used_once_also_while_its_key_is_probed(api, venue, monkeypatch):
    opened(api)
    assert refused(ask(api), "name") == "unique"
    probe = probing.probe

    def meanwhile(number: int) -> None:
        probe(number)
        api.post(ACCOUNTS, {"name": "Second", "price_source": "simulated"})

    monkeypatch.setattr(probing, "probe", meanwhile)
    another = {**KEY, "api_key": "canary-another-key-Ab9d"}
    assert refused(ask(api, name="Second", key=another), "name") == "unique"
    assert Credentials.objects.count() == 1


def test_nobody_sees_an_account_whose_key_is_being_probed(api, alice, venue, monkeypatch):
    seen: list[Any] = []
    probe = probing.probe

    def look(number: int) -> None:
        seen.extend(api.get(ACCOUNTS).json()["results"])
        probe(number)

    monkeypatch.setattr(probing, "probe", look)
    opened(api)
    assert seen == []


def test_venues_say_what_they_offer(api, settings):
    told = api.get("/api/v1/venues").json()
    rows = {row["id"]: row for row in told["results"]}
    assert {name for name, row in rows.items() if "live" in row["modes"]} == {
        "binance", "bingx", "bybit", "okx", "bitget", "kraken", "binance-spot", "kraken-spot",
    }  # fmt: skip
    assert rows["kraken-spot"]["modes"] == ["paper", "live"]
    assert {name for name, row in rows.items() if row["needs_passphrase"]} == {"okx", "bitget"}
    assert (rows["kraken"]["settle"], told["live_trading"]) == ("USD", False)
    assert told["sentence"] == "I trade with real money on {name}"


# --- real money -------------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(db: None, venue: ScriptedVenue, settings: Any) -> Browser:
    """Somebody who has just signed in, on a desk that allows real money."""
    settings.LIVE_TRADING = True
    found = Browser()
    found.sign_up("new@example.org")
    found.send("delete", f"{AUTH}/auth/session")
    found.sign_in("new@example.org")
    return found


def live(browser: Browser, **fields: Any) -> Any:
    body = {"name": "Real", "mode": "live", "venue": "bybit", "key": KEY, "sentence": LIVE.format("Real"), **fields}
    return browser.send("post", ACCOUNTS, body)


def test_real_money_needs_the_switch_the_sentence_and_a_fresh_sign_in(browser, settings):
    told = live(browser)
    assert told.status_code == 201, told.content
    assert (told.json()["mode"], told.json()["label"]) == ("live", "Live · Bybit")


def test_with_the_switch_off_no_live_account_is_made(browser, settings, venue):
    settings.LIVE_TRADING = False
    answer = live(browser)
    assert (answer.status_code, answer.json()["code"]) == (409, "live_trading_off")
    assert "LIVE_TRADING=true" in answer.json()["errors"]["mode"][0]["cure"]
    assert nothing_is_kept()
    assert venue.shown == []


@pytest.mark.parametrize("typed", ["", "i trade with real money on Real", "I trade with real money on Other"])
def test_any_other_sentence_is_none(browser, typed):
    answer = live(browser, sentence=typed)
    assert refused(answer, "sentence") == "sentence"
    assert "I trade with real money on Real" in answer.json()["errors"]["sentence"][0]["cure"]


def test_an_old_sign_in_must_be_confirmed_first(browser):
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        answer = live(browser)
        assert (answer.status_code, answer.json()["code"]) == (403, "sign_in_again")
        assert "reauthenticate" in answer.json()["errors"]["request"][0]["cure"]
        assert nothing_is_kept()
        assert browser.send("post", f"{AUTH}/auth/reauthenticate", {"password": PASSWORD}).status_code == 200
        assert live(browser).status_code == 201


def test_letting_a_live_account_trade_again_needs_the_same(browser, settings):
    pk = live(browser).json()["id"]
    assert browser.send("post", f"{ACCOUNTS}/{pk}/halt", {}).json()["state"] == "halted"
    assert refused(browser.send("post", f"{ACCOUNTS}/{pk}/resume", {}), "sentence") == "sentence"
    assert browser.send("post", f"{ACCOUNTS}/{pk}/resume", {"state": "reducing"}).json()["state"] == "reducing"
    typed = {"sentence": LIVE.format("Real")}
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert browser.send("post", f"{ACCOUNTS}/{pk}/resume", typed).json()["code"] == "sign_in_again"
    assert browser.send("post", f"{ACCOUNTS}/{pk}/resume", typed).json()["state"] == "active"
    settings.LIVE_TRADING = False
    assert browser.send("post", f"{ACCOUNTS}/{pk}/resume", typed).json()["code"] == "live_trading_off"


def test_another_key_for_real_money_needs_a_fresh_sign_in(browser):
    pk = live(browser).json()["id"]
    assert browser.send("put", f"{ACCOUNTS}/{pk}/key", KEY).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert browser.send("put", f"{ACCOUNTS}/{pk}/key", KEY).json()["code"] == "sign_in_again"


# --- another key ------------------------------------------------------------------------------------------------------


def test_another_key_takes_over_when_it_has_passed(api, venue):
    told = opened(api)
    fresh = {"api_key": "canary-another-key-Ab9d", "secret": "canary-another-secret"}
    answer = api.put(f"{ACCOUNTS}/{told['id']}/key", fresh)
    assert answer.json()["key"]["last4"] == "Ab9d"
    assert in_use(told).keys() == Keys(**fresh)
    assert Credentials.objects.count() == 1
    assert venue.shown[-1][2].api_key == fresh["api_key"]


def test_a_bad_new_key_leaves_the_old_one_in_use(api, venue):
    told = opened(api)
    venue.rights = KeyInfo(can_withdraw=True)
    assert refused(api.put(f"{ACCOUNTS}/{told['id']}/key", {**KEY, "secret": "x"}), "key.api_key") == "key_can_withdraw"
    assert in_use(told).keys().secret == KEY["secret"]
    assert Credentials.objects.count() == 1
    assert Account.objects.get(pk=told["id"]).state == "active"


def test_a_key_serves_one_account_only(api, bobs_api, venue):
    told = opened(api)
    assert refused(ask(api, name="Again"), "key.api_key") == "key_in_use"
    assert refused(ask(bobs_api), "key.api_key") == "key_in_use"
    assert opened(bobs_api, venue="bybit")["id"] != told["id"]
    assert api.delete(f"{ACCOUNTS}/{told['id']}").status_code == 204
    opened(bobs_api, name="Now free")


def test_a_key_of_another_account_is_refused_while_our_stops_rest(api, venue):
    told = opened(api)
    account = Account.objects.get(pk=told["id"])
    trade = working_trade(account)
    stop = {"role": "stop", "order_side": "sell", "kind": "stop_market", "quantity": 1, "trigger": 90, "status": "open"}
    Order.objects.create(account=account, trade=trade, symbol=trade.symbol, client_id="tbours", **stop)
    fresh = {**KEY, "api_key": "canary-another-key-Ab9d"}
    answer = api.put(f"{ACCOUNTS}/{told['id']}/key", fresh)
    assert refused(answer, "key.api_key") == "key_refused"
    assert "belongs to another account" in answer.content.decode()
    venue.known = {"tbours"}
    assert api.put(f"{ACCOUNTS}/{told['id']}/key", fresh).status_code == 200


def test_a_paper_account_takes_no_key(api, venue):
    pk = api.post(f"{ACCOUNTS}/practice").json()["id"]
    assert refused(api.put(f"{ACCOUNTS}/{pk}/key", KEY), "key") == "paper"


def test_an_archived_account_keeps_its_history_and_loses_its_key(api, venue):
    told = opened(api)
    assert api.delete(f"{ACCOUNTS}/{told['id']}").status_code == 204
    assert not Credentials.objects.exists()
    assert kinds(told["id"])


def test_asking_a_venue_is_not_done_without_end(api, venue, monkeypatch):
    monkeypatch.setattr(KeyThrottle, "rate", "3/min", raising=False)
    pk = opened(api)["id"]
    codes = [api.post(f"{ACCOUNTS}/{pk}/check").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert api.put(f"{ACCOUNTS}/{pk}/key", KEY).status_code == 429


# --- what comes of a probe --------------------------------------------------------------------------------------------


def test_checking_tells_what_is_so_now(api, venue):
    told = opened(api)
    venue.mode, venue.offset = PositionMode.HEDGE, -900
    checked = api.post(f"{ACCOUNTS}/{told['id']}/check").json()
    assert (checked["venue_facts"]["position_mode"], checked["venue_facts"]["clock_offset_ms"]) == ("hedge", -900)
    venue.fails = CouldNotRead("Binance cannot be reached.")
    checked = api.post(f"{ACCOUNTS}/{told['id']}/check").json()
    assert checked["connection"]["trouble"] == checked["key"]["trouble"] == "Binance cannot be reached."
    assert checked["key"]["can_withdraw"] == "no"  # as last told, with the time of that beside it
    assert checked["key"]["tried_at"] > checked["key"]["probed_at"]


def test_a_key_in_use_that_may_withdraw_halts_the_account_once(api, venue):
    told = opened(api)
    venue.rights = KeyInfo(can_trade=True, can_withdraw=True)
    for _ in range(2):
        probing.probe(in_use(told).pk)
    assert Account.objects.get(pk=told["id"]).state == "halted"
    assert kinds(told["id"]).count("key_can_withdraw") == 1
    event = Event.objects.get(kind="key_can_withdraw")
    assert "may withdraw money" in event.text
    assert "at Binance" in event.data["cure"]


def test_an_account_that_is_halted_already_is_told_of_it_as_well(api, venue):
    told = opened(api)
    api.post(f"{ACCOUNTS}/{told['id']}/halt")
    venue.rights = KeyInfo(can_trade=True, can_withdraw=True)
    for _ in range(2):
        probing.probe(in_use(told).pk)
    assert kinds(told["id"]).count("key_can_withdraw") == 1
    api.post(f"{ACCOUNTS}/{told['id']}/resume")
    probing.probe(in_use(told).pk)
    assert Account.objects.get(pk=told["id"]).state == "halted"
    assert kinds(told["id"]).count("key_can_withdraw") == 2


def test_a_failed_probe_changes_no_right(api, venue):
    told = opened(api)
    venue.fails = CouldNotRead("away")
    probing.probe(in_use(told).pk)
    row = in_use(told)
    assert (row.can_withdraw, row.trouble, row.refused_at) == (False, "away", None)


def test_the_end_of_a_key_is_told_14_7_and_1_days_ahead_and_when_it_has_come(api, venue):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        venue.rights = KeyInfo(True, False, True, int((start + timedelta(days=30)).timestamp() * 1000))
        told = opened(api)
    days = []
    for hour in range(15 * 24, 31 * 24, 12):
        with time_machine.travel(start + timedelta(hours=hour), tick=False):
            before = kinds(told["id"]).count("key_expires")
            key_rounds.make_round(lambda _: None)
            if kinds(told["id"]).count("key_expires") > before:
                days.append(30 - hour / 24)
    assert days == [14, 7, 1, 0]
    texts = list(Event.objects.filter(kind="key_expires").order_by("pk").values_list("text", flat=True))
    assert "ends on 2026-03-31 00:00 UTC" in texts[0]
    assert "has ended" in texts[-1]


def test_a_key_saved_late_is_told_once_not_three_times(api, venue):
    venue.rights = KeyInfo(True, False, True, int((timezone.now() + timedelta(hours=5)).timestamp() * 1000))
    told = opened(api)
    probing.probe(in_use(told).pk)
    assert kinds(told["id"]).count("key_expires") == 1


def test_the_round_probes_daily_and_after_trouble_hourly(api, venue):
    told = opened(api)
    start = timezone.now()

    def due_after(**passed: int) -> bool:
        with time_machine.travel(start + timedelta(**passed)):
            return key_rounds.make_round(lambda _: None) == 1

    assert not due_after(hours=23)
    assert due_after(hours=25)
    with time_machine.travel(start + timedelta(hours=25)):
        venue.fails = CouldNotRead("away")
        probing.probe(in_use(told).pk)
    assert not due_after(hours=25, minutes=30)
    assert due_after(hours=26, minutes=30)


def test_what_was_given_up_is_forgotten_and_nothing_else(api, alice, venue):
    told = opened(api)
    Account.objects.create(owner=alice, name="gone", mode="testnet", archived_at=timezone.now())
    draft = Account.objects.create(owner=alice, name="draft", mode="testnet", archived_at=timezone.now(), is_draft=True)
    for account in (draft, Account.objects.get(pk=told["id"])):
        row = Credentials(account=account)
        row.keep(Keys("k", "s"))
        row.save()
    key_rounds.forget_given_up()
    assert Account.objects.count() == 3
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        key_rounds.forget_given_up()
    assert set(Account.objects.values_list("name", flat=True)) == {"Demo", "gone"}
    assert [row.pk for row in Credentials.objects.all()] == [in_use(told).pk]


# --- entries ----------------------------------------------------------------------------------------------------------


def denied(account_id: int) -> set[str]:
    return {denial.code for denial in key_denials(Account.objects.get(pk=account_id))}


def test_the_ticket_says_that_the_key_is_refused(api, venue, settings):
    settings.EXCHANGE_TRANSPORT_BASE = "http://127.0.0.1:1"
    told = opened(api)
    venue.fails = KeyRefused("no")
    api.post(f"{ACCOUNTS}/{told['id']}/check")
    plan = {"symbol": "BTC/USDT:USDT", "side": "long", "entries": [{"kind": "limit", "price": "100"}]}
    plan |= {"stop": {"price": "90"}, "risk": {"percent": "1"}}
    answer = api.post("/api/v1/plans/preview", {"account": told["id"], "plan": plan})
    assert answer.status_code == 200, answer.content
    assert {one["code"] for one in answer.json()["denials"]} == {"key_refused", "price_unreadable"}
    assert answer.json()["capital"]["equity"] == "5100.5"


def test_a_new_key_ends_the_trouble_of_the_old_one(api, venue):
    told = opened(api)
    venue.fails = KeyRefused("no")
    assert api.post(f"{ACCOUNTS}/{told['id']}/check").json()["connection"]["state"] == "waiting"
    venue.fails = None
    fresh = api.put(f"{ACCOUNTS}/{told['id']}/key", {**KEY, "api_key": "canary-another-key-Ab9d"}).json()
    assert (fresh["connection"]["state"], fresh["connection"]["trouble"], fresh["key"]["refused_at"]) == (
        "ok",
        "",
        None,
    )


def test_an_account_in_order_may_enter(api, venue):
    assert denied(opened(api)["id"]) == set()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"refused_at": datetime(2026, 1, 1, tzinfo=UTC)}, "key_refused"),
        ({"can_withdraw": True}, "key_can_withdraw"),
        ({"can_trade": False}, "key_cannot_trade"),
    ],
)
def test_a_key_out_of_order_denies_entries(api, venue, changes, code):
    told = opened(api)
    Credentials.objects.update(**changes)
    assert denied(told["id"]) == {code}


def test_another_position_mode_than_wanted_denies_entries(api, venue):
    venue.mode = PositionMode.HEDGE
    told = opened(api)
    assert denied(told["id"]) == {"position_mode"}
    api.patch(f"{ACCOUNTS}/{told['id']}", {"position_mode": "hedge"})
    assert denied(told["id"]) == set()


def test_with_the_switch_off_live_accounts_enter_nothing(browser, settings):
    pk = live(browser).json()["id"]
    assert denied(pk) == set()
    settings.LIVE_TRADING = False
    assert denied(pk) == {"live_trading_off"}

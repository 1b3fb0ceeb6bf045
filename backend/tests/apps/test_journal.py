"""The journal over HTTP: finding trades, and saying something about them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from buddy.journal.models import Entry, Setup, Tag

from .records import account_of, cancelled, closed, faults, still_open

JOURNAL = "/api/v1/journal"


@pytest.fixture
def account(alice: Any) -> Any:
    return account_of(alice)


def listed(api: Any, **query: Any) -> list[int]:
    answer = api.get(JOURNAL, query)
    assert answer.status_code == 200, answer.content
    return [row["trade"]["id"] for row in answer.json()["results"]]


def say(api: Any, trade: Any, **words: Any) -> Any:
    return api.patch(f"{JOURNAL}/{trade.pk}", words)


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_closed_trade_is_in_the_journal_before_a_word_is_said(api: Any, account: Any) -> None:
    trade = closed(account, "12.345678901234567")
    row = api.get(f"{JOURNAL}/{trade.pk}").json()
    assert row["trade"]["net"] == "12.345678901234567"
    assert row["trade"]["r"] == "0.12345678901234567"
    assert row["trade"]["closed_at"] == "2025-06-01T12:00:00Z"
    assert row["trade"]["simulated"] is True
    assert (row["notes"], row["setup"], row["tags"], row["screenshot"]) == ("", None, [], None)
    assert Entry.objects.count() == 0


def test_the_newest_close_comes_first(api: Any, account: Any) -> None:
    old, new, middle = closed(account, day=1), closed(account, day=3), closed(account, day=2)
    assert listed(api) == [new.pk, middle.pk, old.pk]


def test_pages_follow_each_other_without_gap_or_repeat(api: Any, account: Any) -> None:
    made = [closed(account, day=i // 3).pk for i in range(10)]  # three at the same instant
    found, query = [], {"limit": 4}
    while True:
        page = api.get(JOURNAL, query).json()
        found += [row["trade"]["id"] for row in page["results"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == sorted(made, key=lambda pk: (made.index(pk) // 3, pk), reverse=True)


def test_the_last_full_page_is_the_end(api: Any, account: Any) -> None:
    closed(account), closed(account)
    assert api.get(JOURNAL, {"limit": 2}).json()["next"] is None


def test_wins_losses_and_scratches_are_told_apart_exactly(api: Any, account: Any) -> None:
    win, loss = closed(account, "10.01"), closed(account, "-10.01")
    edge, below = closed(account, "10"), closed(account, "-9.99")  # |R| ≤ 0.1
    unknown = closed(account, "0.01", risk=None)
    assert set(listed(api, result="win")) == {win.pk, unknown.pk}
    assert set(listed(api, result="loss")) == {loss.pk}
    assert set(listed(api, result="scratch")) == {edge.pk, below.pk}


def test_a_page_of_rare_results_is_filled_from_further_back(api: Any, account: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("buddy.journal.listing.BATCH", 3)
    wins = [closed(account, "50" if i % 4 == 0 else "-50", day=i).pk for i in range(12)][::4]
    page = api.get(JOURNAL, {"result": "win", "limit": 2}).json()
    assert [row["trade"]["id"] for row in page["results"]] == wins[:0:-1]
    rest = api.get(JOURNAL, {"result": "win", "limit": 2, "cursor": page["next"]}).json()
    assert ([row["trade"]["id"] for row in rest["results"]], rest["next"]) == (wins[:1], None)


def test_filters_narrow_the_list(api: Any, alice: Any, account: Any) -> None:
    other = account_of(alice, "Other")
    a = closed(account, symbol="ETH/USDT:USDT", side="short", day=1)
    b = closed(other, day=5)
    assert listed(api, symbol="ETH/USDT:USDT") == [a.pk]
    assert listed(api, side="long") == [b.pk]
    assert listed(api, account=other.pk) == [b.pk]
    assert listed(api, to="2025-06-02") == [a.pk]  # the whole day
    assert listed(api, **{"from": "2025-06-06"}) == [b.pk]
    assert listed(api, **{"from": "2025-06-06T12:00:01Z"}) == []
    assert listed(api, symbol="", side="", result="") == [b.pk, a.pk]


def test_dates_are_days_where_the_user_lives(api: Any, alice: Any, account: Any) -> None:
    alice.time_zone = "Asia/Tokyo"
    alice.save()
    trade = closed(account, day=0.45)  # 22:48 UTC, already the second of June in Tokyo
    assert listed(api, **{"from": "2025-06-02", "to": "2025-06-02"}) == [trade.pk]
    assert listed(api, to="2025-06-01") == []


def test_cancelled_trades_have_a_list_of_their_own_and_all_shows_both(api: Any, account: Any) -> None:
    gone, done = cancelled(account), closed(account)
    assert listed(api) == [done.pk]
    assert listed(api, status="cancelled") == [gone.pk]
    assert set(listed(api, status="all")) == {gone.pk, done.pk}


def test_search_looks_into_notes_symbol_setup_and_tags_whatever_the_case(api: Any, alice: Any, account: Any) -> None:
    breakout, fomo = Setup.objects.create(owner=alice, name="Breakout"), Tag.objects.create(owner=alice, name="FOMO")
    noted, named, tagged = closed(account), closed(account, day=1), closed(account, symbol="SOL/USDT:USDT", day=2)
    say(api, noted, notes="Слишком рано вышел (50%_)")
    say(api, named, setup=breakout.pk)
    say(api, tagged, tags=[fomo.pk])
    assert listed(api, q="слишком РАНО") == [noted.pk]
    assert listed(api, q="(50%_)") == [noted.pk]
    assert listed(api, q="breakOUT") == [named.pk]
    assert listed(api, q="fomo") == [tagged.pk]
    assert listed(api, q="sol/") == [tagged.pk]
    assert listed(api, q=".*") == []
    assert listed(api, q="%") == [noted.pk]
    wordless = closed(account, symbol="XRP/USDT:USDT")
    assert listed(api, q="xrp") == [wordless.pk]


def test_setup_and_tag_filter_the_list(api: Any, alice: Any, account: Any) -> None:
    setup, tag = Setup.objects.create(owner=alice, name="A"), Tag.objects.create(owner=alice, name="B")
    a, b = closed(account), closed(account, day=1)
    say(api, a, setup=setup.pk)
    say(api, b, tags=[tag.pk])
    assert listed(api, setup=setup.pk) == [a.pk]
    assert listed(api, tag=tag.pk) == [b.pk]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"account": "x"}, "account"),
        ({"account": 10**30}, "account"),
        ({"side": "up"}, "side"),
        ({"from": "yesterday"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "2025-06-02", "to": "2025-05-01"}, "to"),
        ({"result": "draw"}, "result"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"cursor": "not a cursor"}, "cursor"),
        ({"cursor": "MjAyNS0wNi0wMX4x"}, "cursor"),  # without a time zone
        ({"q": "a\0b"}, "q"),
        ({"setup": "-1"}, "setup"),
    ],
)
def test_a_wrong_filter_is_named(api: Any, alice: Any, query: dict[str, Any], field: str) -> None:
    alice.time_zone = "Asia/Tokyo"
    alice.save()
    answer = api.get(JOURNAL, query)
    assert answer.status_code == 400
    assert list(faults(answer)) == [field]


def test_the_list_costs_the_same_number_of_queries_however_long_it_is(
    api: Any, alice: Any, account: Any, django_assert_max_num_queries: Any
) -> None:
    tag = Tag.objects.create(owner=alice, name="A")
    for day in range(8):
        say(api, closed(account, day=day), notes="x", tags=[tag.pk])
    with django_assert_max_num_queries(6):  # session, user, places, rows, tags
        assert len(listed(api)) == 8


# --- writing ----------------------------------------------------------------------------------------------------------


def test_fields_save_one_by_one_and_leave_the_others_alone(api: Any, alice: Any, account: Any) -> None:
    trade, setup = closed(account), Setup.objects.create(owner=alice, name="Breakout")
    tag = Tag.objects.create(owner=alice, name="A+")
    say(api, trade, notes="  Entered late.\n")
    say(api, trade, setup=setup.pk)
    row = say(api, trade, tags=[tag.pk]).json()
    assert row["notes"] == "  Entered late.\n"
    assert row["setup"] == {"id": setup.pk, "name": "Breakout"}
    assert row["tags"] == [{"id": tag.pk, "name": "A+"}]


def test_words_can_be_taken_back(api: Any, alice: Any, account: Any) -> None:
    trade, setup = closed(account), Setup.objects.create(owner=alice, name="Breakout")
    say(api, trade, notes="x", setup=setup.pk)
    row = say(api, trade, notes="", setup=None, tags=[]).json()
    assert (row["notes"], row["setup"], row["tags"]) == ("", None, [])


def test_facts_cannot_be_edited(api: Any, account: Any) -> None:
    trade = closed(account, "10")
    answer = api.patch(f"{JOURNAL}/{trade.pk}", {"notes": "kept?", "net": "1000", "trade": {"net": "1000"}, "owner": 7})
    assert answer.status_code == 400
    assert set(faults(answer)) == {"net", "trade", "owner"}
    trade.refresh_from_db()
    assert trade.net == Decimal(10)
    assert Entry.objects.count() == 0


def test_an_open_trade_can_be_written_about(api: Any, account: Any) -> None:
    trade = still_open(account)
    assert say(api, trade, notes="Watching the 4h close.").json()["notes"] == "Watching the 4h close."


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"notes": None}, "notes"),
        ({"notes": ["x"]}, "notes"),
        ({"notes": "x" * 50_001}, "notes"),
        ({"setup": "abc"}, "setup"),
        ({"setup": 10**30}, "setup"),
        ({"setup": True}, "setup"),
        ({"tags": "abc"}, "tags"),
        ({"tags": [1]}, "tags.0"),
        ({"tags": None}, "tags"),
    ],
)
def test_wrong_words_are_named_and_nothing_is_half_saved(api: Any, account: Any, words: Any, field: str) -> None:
    trade = closed(account)
    answer = say(api, trade, **{"notes": "half", **words})
    assert answer.status_code == 400
    assert [found for found in faults(answer) if found.startswith(field.split(".")[0])], answer.content
    assert Entry.objects.count() == 0


@pytest.mark.parametrize("body", ["[]", "1", "null", '"x"', "{", '{"notes": "\\ud800"}', '{"notes": "a\\u0000b"}'])
def test_any_other_body_is_refused(api: Any, account: Any, body: str) -> None:
    answer = api.patch(f"{JOURNAL}/{closed(account).pk}", body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    faults(answer)


# --- setups and tags --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["setups", "tags"])
def test_names_are_made_renamed_listed_and_deleted(api: Any, kind: str) -> None:
    first = api.post(f"/api/v1/{kind}", {"name": "  Zebra "})
    assert (first.status_code, first.json()["name"]) == (201, "Zebra")
    api.post(f"/api/v1/{kind}", {"name": "Apple"})
    assert [row["name"] for row in api.get(f"/api/v1/{kind}").json()["results"]] == ["Apple", "Zebra"]
    address = f"/api/v1/{kind}/{first.json()['id']}"
    assert api.patch(address, {"name": "zebra"}).json()["name"] == "zebra"
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


@pytest.mark.parametrize("kind", ["setups", "tags"])
def test_a_name_is_taken_whatever_its_case(api: Any, kind: str) -> None:
    api.post(f"/api/v1/{kind}", {"name": "Прорыв"})
    other = api.post(f"/api/v1/{kind}", {"name": "Other"}).json()["id"]
    again, renamed = (
        api.post(f"/api/v1/{kind}", {"name": "прорыв"}),
        api.patch(f"/api/v1/{kind}/{other}", {"name": "ПРОРЫВ"}),
    )
    for answer in (again, renamed):
        assert (answer.status_code, faults(answer)) == (409, {"name": ["duplicate"]})
        assert "Прорыв" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, None, ["a"]])
def test_a_name_must_be_a_name(api: Any, name: Any) -> None:
    answer = api.post("/api/v1/setups", {"name": name})
    assert answer.status_code == 400
    assert list(faults(answer)) == ["name"]


def test_a_deleted_setup_leaves_the_words(api: Any, account: Any) -> None:
    trade = closed(account)
    setup = api.post("/api/v1/setups", {"name": "A"}).json()["id"]
    say(api, trade, notes="kept", setup=setup)
    api.delete(f"/api/v1/setups/{setup}")
    row = api.get(f"{JOURNAL}/{trade.pk}").json()
    assert (row["notes"], row["setup"]) == ("kept", None)


# --- two users --------------------------------------------------------------------------------------------------------


def test_what_belongs_to_another_user_does_not_exist(api: Any, bobs_api: Any, alice: Any, account: Any) -> None:
    trade = closed(account)
    setup, tag = Setup.objects.create(owner=alice, name="A"), Tag.objects.create(owner=alice, name="B")
    say(api, trade, notes="mine")
    assert listed(bobs_api) == []
    assert listed(bobs_api, setup=setup.pk) == listed(bobs_api, tag=tag.pk) == listed(bobs_api, q="mine") == []
    requests = [
        bobs_api.get(f"{JOURNAL}/{trade.pk}"),
        say(bobs_api, trade, notes="theirs"),
        bobs_api.get(JOURNAL, {"account": account.pk}),
        bobs_api.get(f"/api/v1/setups/{setup.pk}"),
        bobs_api.patch(f"/api/v1/setups/{setup.pk}", {"name": "stolen"}),
        bobs_api.delete(f"/api/v1/setups/{setup.pk}"),
        bobs_api.delete(f"/api/v1/tags/{tag.pk}"),
    ]
    assert [answer.status_code for answer in requests] == [404] * len(requests)
    assert (Entry.objects.get().notes, Setup.objects.get().name, Tag.objects.count()) == ("mine", "A", 1)


def test_foreign_setups_and_tags_cannot_be_put_on_ones_own_trade(bobs_api: Any, alice: Any, bob: Any) -> None:
    trade = closed(account_of(bob))
    setup, tag = Setup.objects.create(owner=alice, name="A"), Tag.objects.create(owner=alice, name="B")
    answer = say(bobs_api, trade, setup=setup.pk, tags=[tag.pk])
    assert answer.status_code == 400
    assert set(faults(answer)) == {"setup", "tags"} or set(faults(answer)) == {"setup", "tags.0"}


def test_two_users_may_use_the_same_name(api: Any, bobs_api: Any) -> None:
    assert [one.post("/api/v1/tags", {"name": "A"}).status_code for one in (api, bobs_api)] == [201, 201]


@pytest.mark.parametrize(
    "address", ["journal", "journal/1", "journal/1/screenshot", "setups", "tags/1", "stats/summary"]
)
def test_a_stranger_is_asked_to_sign_in(stranger: Any, db: None, address: str) -> None:
    assert stranger.get(f"/api/v1/{address}").status_code == 401


def test_a_trade_number_beyond_any_database_is_simply_not_there(api: Any) -> None:
    assert api.get(f"{JOURNAL}/{10**30}").status_code == 404

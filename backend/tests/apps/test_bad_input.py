"""Junk against every route: never a 5xx, always a problem document, nothing half-saved."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .bobs_desk import Desk, furnish, plan_at, routes, rows

FEW = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
DEEP: Any = "bottom"
for _ in range(200):
    DEEP = [DEEP]
NUMBERS = ["1e999999", "1e-400", "-1", "0", "-0", "NaN", "Infinity", "1" * 400, "0.1e-30", " 1 ", "1_000", "٣", "0x10"]
TEXTS = ["", " ", "x" * 5000, "\ud800", "a\x00b", "‮💥", "../../etc/passwd", "'; DROP TABLE x;--", "2026-02-30", "null"]
MOMENTS = [
    "0001-01-01",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "10000-01-01",
    "2026-13-01T00:00Z",
    "7m",
    "16m",
]
CURSORS = [
    "cD0x",
    "cD0",
    "cj0xJnA9",
    "====",
    "bz0tMQ==",
    "bz05OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "cD0lMDA=",
    "MjAyNX4x",
    "cD3_",
]
SCALARS = [None, True, False, 0, -1, 2**31, 2**63, 2**64, 10**400, 1e308, 5e-324, -0.5, *NUMBERS, *TEXTS, *MOMENTS]
JUNK = st.one_of(
    st.sampled_from([*SCALARS, [], {}, [[]], [None], {"": None}, DEEP, {"id": 1}, ["x"] * 3000]),
    st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5),
)
WORDS = st.one_of(
    st.sampled_from([*NUMBERS, *TEXTS, *MOMENTS, *CURSORS, *map(str, (2**31, 2**63, 2**64))]), st.text(max_size=20)
)
KINDS = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/xml",
    "",
    "json",
    "application/json; charset=utf-7",
]
RAW = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"x"',
    b"1e999999",
    b"NaN",
    b"\xff\xfe{}",
    b'{"a":1e999999}',
    b'{"a":"\\u0000"}',
    b"[" * 9000,
]
KEYS = ["", " ", "x" * 101, "a\tb", "ключ", "\u200b", "💥", "a" * 100]


def bodies(desk: Desk) -> dict[str, Any]:
    """A right body for every route that writes: what follows breaks it."""
    plan = plan_at(desk.account)
    return {
        "POST accounts": {
            "name": "Another",
            "price_source": "simulated",
            "venue": "binance",
            "opening_balance": "1000",
            "maker_fee": "0.0002",
            "taker_fee": "0.0005",
            "slippage": "0",
            "max_leverage": 20,
            "max_risk_percent": "5",
            "max_open_risk_percent": "10",
            "max_open_trades": 3,
            "seed": 1,
            "replay_file": "",
            "replay_speed": "1",
            "replay_start": "2025-06-01T00:00:00Z",
        },
        "PATCH accounts/<pk>": {"name": "Mine", "maker_fee": "0", "max_leverage": 5, "replay_speed": "max"},
        "DELETE accounts/<pk>": {},
        "POST accounts/<pk>/check": {},
        "POST accounts/<pk>/halt": {},
        "POST accounts/<pk>/main": {},
        "POST accounts/<pk>/resume": {"state": "reducing"},
        "PUT accounts/<pk>/key": {"api_key": "k" * 20, "secret": "s" * 20, "passphrase": ""},
        "POST accounts/<pk>/foreign-positions/<key>/adopt": {"stop": {"price": "5000"}},
        "POST accounts/<pk>/foreign-positions/<key>/close": {},
        "POST accounts/<pk>/foreign-positions/<key>/ignore": {"on": True},
        "POST accounts/practice": {},
        "PATCH journal/<trade>": {"notes": "Good.", "setup": desk.setup.pk, "tags": [desk.tag.pk]},
        "DELETE journal/<trade>/screenshot": {},
        "POST journal/<trade>/screenshot": {"image": "none"},
        "PATCH me": {"theme": "dark", "time_zone": "Asia/Tokyo"},
        "POST plans/preview": {"account": desk.account.pk, "plan": plan},
        "POST plans/rehearse": {"account": desk.account.pk, "plan": plan, "timeframe": "1m", "minutes": 10},
        "POST setups": {"name": "Pullback"},
        "PATCH setups/<pk>": {"name": "Pullback"},
        "DELETE setups/<pk>": {},
        "POST tags": {"name": "news"},
        "PATCH tags/<pk>": {"name": "news"},
        "DELETE tags/<pk>": {},
        "POST trades": {"account": desk.account.pk, "plan": plan},
        "POST trades/<key>/break-even": {},
        "POST trades/<key>/cancel": {},
        "POST trades/<key>/close": {"share": "0.5"},
        "POST trades/<key>/end-by-word": {"price": "100", "sentence": "I end BTC/USDT:USDT by my word"},
        "POST trades/<key>/hands-off": {"on": True},
        "PATCH trades/<key>/plan": {"plan": plan},
    }


WRITING = sorted(route for route in routes() if not route.startswith("GET"))
CLAIMING = [
    "POST accounts/<pk>/foreign-positions/<key>/adopt",
    "POST accounts/<pk>/foreign-positions/<key>/close",
    "POST trades",
    "POST trades/<key>/close",
    "PATCH trades/<key>/plan",
]
ROW_OF = {"accounts": "account", "setups": "setup", "tags": "tag", "journal": "trade", "trades": "open"}
NUMBERS_OF_ROWS = [0, -1, 2**31, 2**63 - 1, 2**63, 10**30, "x", "%00", "1e3", "٣", "1%0a", "..%2f1"]


@pytest.fixture
def desk(alice: Any, tmp_path: Path, settings: Any) -> Desk:
    settings.MEDIA_ROOT = tmp_path
    return furnish(alice, "alices")


@pytest.fixture
def right(desk: Desk) -> dict[str, Any]:
    return bodies(desk)


@pytest.fixture
def before(desk: Desk) -> dict[str, Any]:
    return saved()


OF_A_LOOK = {"lease_owner", "lease_epoch", "lease_until", "cursor", "looked_at", "good_look_at", "trouble"}
OF_A_LOOK |= {"memory", "protected_since", "naked_since", "checked_at", "mismatch_since", "unwatched_since"}


def saved() -> dict[str, Any]:
    """All that was written for the trader: not the answers kept for repeats, nor what any look at the market notes."""
    kept = {label: found for label, found in rows().items() if label not in ("trading.IdempotentCall", BOOK)}
    return {label: [without(row, OF_A_LOOK) for row in found] for label, found in kept.items()}


BOOK = "exchanges.PaperBook"


def without(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def address(route: str, desk: Desk, number: Any = None) -> str:
    place, _, rest = route.partition(" ")[2].partition("/<")
    ours = desk.ids[ROW_OF[place]] if rest and number is None else number
    foreign = desk.ids["foreign"] if number is None else number
    rest = rest.partition(">")[2].replace("<key>", str(foreign))
    return f"/api/v1/{place}/{ours}{rest}" if "<" in route else f"/api/v1/{place}"


def send(api: Any, route: str, path: str, content: Any, kind: str = "application/json", key: str | None = None) -> Any:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Idempotency-Key": uuid.uuid4().hex if key is None else key}
    return api.generic(route.split(" ")[0], path, raw, kind, headers=headers)


def check(answer: Any, before: dict[str, Any]) -> None:
    """An answer, or a problem after which everything is as it was."""
    assert answer.status_code < 500, answer.content
    if answer.status_code < 400:
        return
    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert set(problem) == {"type", "title", "status", "detail", "code", "errors"}
    assert problem["status"] == answer.status_code
    for faults in problem["errors"].values():
        assert faults
        assert all(set(one) == {"message", "cure", "code"} and all(one.values()) for one in faults), faults
    assert saved() == before


def undone(work: Any) -> None:
    """Each example meets the desk as it was."""
    with transaction.atomic():
        work()
        transaction.set_rollback(True)


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside a body, and to the body itself."""
    yield path
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in inner:
        yield from places(value, (*path, key))


def broken(body: Any, path: tuple[Any, ...], junk: Any, how: str) -> Any:
    """The body with one value replaced or missing, or with a key too many."""
    if not path:
        return junk if how == "replace" else {**body, "surprise": junk}
    whole = copy.deepcopy(body)
    inside = whole
    for step in path[:-1]:
        inside = inside[step]
    if how == "drop":
        del inside[path[-1]]
    else:
        inside[path[-1]] = junk
    return whole


def test_every_writing_route_is_here(right: dict[str, Any]) -> None:
    assert set(right) == set(WRITING)


@pytest.mark.parametrize("route", WRITING)
@FEW
@given(choice=st.data())
def test_a_broken_body_is_refused_or_taken_whole(
    api: Any, desk: Any, right: Any, before: Any, route: str, choice: Any
) -> None:
    body = right[route]
    path = choice.draw(st.sampled_from(list(places(body))))
    sent = broken(body, path, choice.draw(JUNK), choice.draw(st.sampled_from(["replace", "replace", "drop"])))
    undone(lambda: check(send(api, route, address(route, desk), sent), before))


@pytest.mark.parametrize("route", WRITING)
def test_a_body_that_is_no_document_is_refused(api: Any, desk: Any, right: Any, before: Any, route: str) -> None:
    for raw in RAW:
        undone(lambda raw=raw: check(send(api, route, address(route, desk), raw), before))  # type: ignore[misc]
    for kind in KINDS:
        undone(lambda kind=kind: check(send(api, route, address(route, desk), right[route], kind), before))  # type: ignore[misc]


@pytest.mark.parametrize("route", sorted(route for route in routes() if "<" in route))
def test_a_number_that_is_none_is_not_found(api: Any, desk: Any, before: Any, route: str) -> None:
    for number in NUMBERS_OF_ROWS:
        answer = send(api, route, address(route, desk, number), {})
        check(answer, before)
        assert answer.status_code in (400, 404, 415, 422), number


@pytest.mark.parametrize("route", CLAIMING)
def test_a_strange_idempotency_key_is_refused_before_anything_else(
    api: Any, desk: Any, right: Any, before: Any, route: str
) -> None:
    for key in KEYS:
        undone(lambda key=key: check(send(api, route, address(route, desk), right[route], key=key), before))  # type: ignore[misc]


def queries() -> dict[str, list[str]]:
    schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return {
        path: [one["name"] for one in operations["get"]["parameters"] if one["in"] == "query"]
        for path, operations in schema["paths"].items()
        if "get" in operations and "{" not in path and operations["get"].get("parameters")
    }


NEEDED = {"symbol": "BTC/USDT:USDT", "year": "2025", "month": "6", "by": "setup"}
QUERIES = queries()


@pytest.mark.parametrize("path", sorted(QUERIES))
@settings(FEW, max_examples=20)
@given(choice=st.data())
def test_a_strange_query_is_refused_or_answered(api: Any, desk: Any, before: Any, path: str, choice: Any) -> None:
    query = {**NEEDED, "account": str(desk.account.pk)} if "instruments" in path or "stats" in path else {}
    query = {name: value for name, value in query.items() if name in QUERIES[path]}
    wrong = choice.draw(st.lists(st.sampled_from([*QUERIES[path], "surprise"]), min_size=1, max_size=2))
    query |= {name: choice.draw(WORDS) for name in wrong}
    encodable = {name: value.encode("utf-8", "surrogatepass") for name, value in query.items()}
    undone(lambda: check(api.get(path, encodable), before))

"""Whatever is sent, the answer is a problem document or an answer; never a 500, and nothing half-saved."""

from __future__ import annotations

import json
import uuid
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buddy.exchanges.models import Account
from buddy.trading.models import Order, Trade
from tests.apps.test_trades import account, around, price

__all__ = ["account", "price"]

pytestmark = pytest.mark.django_db(transaction=True)

ODD = st.sampled_from(
    [
        None,
        True,
        "",
        "x",
        "NaN",
        "Infinity",
        "-0",
        "1e400",
        "1e-400",
        "0x10",
        "٣",
        " 1 ",
        "1_0",
        "9" * 400,
        -1,
        0,
        10**30,
        1.5,
        [],
        {},
        [[]],
        {"price": {}},
        "\u0000",
        "\ud800",
        "<img onerror=x>",
        "BTC/USDT:USDT" * 20,
    ]
)
PATHS = [
    ("symbol",),
    ("side",),
    ("entries",),
    ("entries", 0),
    ("entries", 0, "kind"),
    ("entries", 0, "price"),
    ("entries", 0, "share"),
    ("stop",),
    ("stop", "price"),
    ("stop", "trigger_by"),
    ("take_profits",),
    ("take_profits", 1),
    ("take_profits", 0, "price"),
    ("take_profits", 0, "share"),
    ("risk",),
    ("risk", "percent"),
    ("risk", "money"),
    ("leverage",),
    ("margin_mode",),
    ("rules",),
    ("rules", "break_even"),
    ("rules", "trail"),
    ("cancel",),
    ("cancel", "after_minutes"),
    ("surprise",),
]
CHANGES = st.lists(st.tuples(st.sampled_from(PATHS), ODD), min_size=1, max_size=3)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def put(plan: Any, path: tuple[Any, ...], value: Any) -> None:
    """Set `value` deep in the plan, as far as the way there still exists."""
    for step in path[:-1]:
        if isinstance(plan, dict):
            plan = plan.setdefault(step, {})
        elif isinstance(plan, list) and isinstance(step, int) and step < len(plan):
            plan = plan[step]
        else:
            return
    if isinstance(plan, dict) or (isinstance(plan, list) and isinstance(path[-1], int) and path[-1] < len(plan)):
        plan[path[-1]] = value


def changed(price: Decimal, changes: list[tuple[tuple[Any, ...], Any]]) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(json.dumps(around(price)))
    for path, value in changes:
        put(plan, path, deepcopy(value))  # drawn twice it would lie within itself
    return plan


def send(api: Any, method: str, path: str, body: Any) -> Any:
    """As a hostile client would: any JSON there is, odd escapes included."""
    key = {"Idempotency-Key": uuid.uuid4().hex}
    text = body if isinstance(body, str) else json.dumps(body)
    return getattr(api, method)(f"/api/v1/{path}", text, content_type="application/json", headers=key)


def assert_is_an_answer(answer: Any) -> None:
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        problem = answer.json()
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert set(problem) == {"type", "title", "status", "detail", "code", "errors"}


@FEW
@given(changes=CHANGES)
def test_a_preview_answers_every_document(
    api: Any, account: Account, price: Decimal, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    answer = send(api, "post", "plans/preview", {"account": account.pk, "plan": changed(price, changes)})
    assert_is_an_answer(answer)


@FEW
@given(changes=CHANGES)
def test_an_opening_is_refused_or_whole(
    api: Any, account: Account, price: Decimal, changes: list[tuple[tuple[Any, ...], Any]]
) -> None:
    before = Trade.objects.count(), Order.objects.count()
    answer = send(api, "post", "trades", {"account": account.pk, "plan": changed(price, changes)})
    assert_is_an_answer(answer)
    if answer.status_code >= 400:
        assert (Trade.objects.count(), Order.objects.count()) == before


@pytest.mark.parametrize("path", ["plans/preview", "plans/rehearse", "trades"])
@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        "1",
        '"x"',
        "{}",
        "{",
        '{"account": "x"}',
        '{"account": 1e99, "plan": 1}',
        '{"account": -1}',
        '{"account": 9999999999999999999999, "plan": {}}',
        '{"account": [1], "plan": {}}',
        "[" * 10000,
        "nan",
        "\x00",
    ],
)
def test_no_body_is_too_strange(api: Any, account: Account, path: str, body: str) -> None:
    answer = send(api, "post", path, body)
    assert 400 <= answer.status_code < 500
    assert_is_an_answer(answer)


@pytest.mark.parametrize("share", ["0", "-1", "2", "NaN", "x", None, [], "1e-30", "0.0000000000000000001"])
def test_no_share_is_too_strange(api: Any, account: Account, price: Decimal, share: Any) -> None:
    trade = send(api, "post", "trades", {"account": account.pk, "plan": around(price)}).json()["id"]
    answer = send(api, "post", f"trades/{trade}/close", {"share": share})
    assert 400 <= answer.status_code < 500
    assert_is_an_answer(answer)
    assert Trade.objects.get(pk=trade).status == "open"


@pytest.mark.parametrize("query", ["account=x", "account=-1", "status=nonsense", "limit=x", "cursor=x", "limit=99999"])
@pytest.mark.parametrize("path", ["trades"])
def test_no_query_is_too_strange(api: Any, account: Account, path: str, query: str) -> None:
    assert_is_an_answer(api.get(f"/api/v1/{path}?{query}"))


@pytest.mark.parametrize("key", ["0", "99999999999999999999999", "x", "-1", "1.5"])
def test_no_trade_number_is_too_strange(api: Any, key: str) -> None:
    assert api.get(f"/api/v1/trades/{key}").status_code == 404
    assert send(api, "post", f"trades/{key}/cancel", {}).status_code == 404

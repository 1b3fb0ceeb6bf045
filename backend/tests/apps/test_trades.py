"""Plans and trades over HTTP, on a simulated account."""

from __future__ import annotations

import uuid
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.errors import CouldNotRead, InvalidPlan
from buddy.core.market import Instrument
from buddy.exchanges.connect import source_for
from buddy.exchanges.market_data.simulated import SimulatedPrices
from buddy.exchanges.models import Account
from buddy.exchanges.paper import PaperExchange, balance_of
from buddy.trading import books, examination
from buddy.trading import serializers as shapes
from buddy.trading.lease import Lease
from buddy.trading.ledger import Ledger
from buddy.trading.models import Order, Trade
from tests.apps.trading_rig import SYMBOL

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(alice: Any) -> Account:
    return Account.objects.create(owner=alice, name="Practice", is_main=True)


@pytest.fixture
def price(account: Account) -> Decimal:
    return source_for(account).quote(SYMBOL).last


def around(price: Decimal, **changes: Any) -> dict[str, Any]:
    """A market long with its stop 2 % below."""
    return {
        "symbol": SYMBOL,
        "entries": [{"kind": "market"}],
        "stop": {"price": str((price * Decimal("0.98")).quantize(Decimal(1)))},
        "take_profits": [
            {"price": str((price * Decimal("1.02")).quantize(Decimal(1)))},
            {"price": str((price * Decimal("1.04")).quantize(Decimal(1)))},
        ],
        "risk": {"percent": "1"},
    } | changes


def post(api: Any, path: str, body: Any = None, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    return api.post(f"/api/v1/{path}", body or {}, format="json", headers=headers)


def opened(api: Any, account: Account, plan: dict[str, Any]) -> dict[str, Any]:
    answer = post(api, "trades", {"account": account.pk, "plan": plan})
    assert answer.status_code == 201, answer.json()
    return dict(answer.json())


def test_a_preview_says_what_is_asked_and_what_is_possible(api: Any, account: Account, price: Decimal) -> None:
    answer = api.post("/api/v1/plans/preview", {"account": account.pk, "plan": around(price)}, format="json")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["side"], told["faults"], told["denials"]) == ("long", [], [])
    assert told["asked"] == {"risk": "100", "percent": "1"}
    assert Decimal(told["possible"]["loss_at_stop"]) <= 100
    assert_has_the_fields_of(shapes.PreviewSerializer(), told)


def test_a_price_that_has_left_the_plan_since_it_was_read_is_a_fault_of_the_stop(
    account: Account, price: Decimal
) -> None:
    source = source_for(account)
    found = examination.examine(account, around(price), source, balance_of(account))
    assert found.plan is not None
    assert found.instrument is not None
    assert found.quote is not None
    found.sizing = None
    fallen = replace(found.quote, last=price * Decimal("0.97"))
    examination._size(found, found.plan, found.instrument, fallen)
    with pytest.raises(InvalidPlan) as refused:
        found.insist()
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("stop.price", "stop_wrong_side")]


def test_a_preview_warns_of_a_trigger_that_the_price_has_passed(api: Any, account: Account, price: Decimal) -> None:
    passed = str((price * Decimal("0.995")).quantize(Decimal(1)))
    plan = around(price, entries=[{"kind": "trigger", "trigger": passed}])
    told = api.post("/api/v1/plans/preview", {"account": account.pk, "plan": plan}, format="json").json()
    assert [(warning["field"], warning["code"]) for warning in told["warnings"]] == [("entries.0", "at_once")]
    assert (told["faults"], told["denials"]) == ([], [])
    assert Decimal(told["entries"][0]["price"]) >= price * Decimal("0.999")


def test_a_preview_of_a_wrong_plan_names_every_fault(api: Any, account: Account, price: Decimal) -> None:
    plan = around(price, risk={"percent": "-1"}, colour="red")
    told = api.post("/api/v1/plans/preview", {"account": account.pk, "plan": plan}, format="json").json()
    assert {fault["field"] for fault in told["faults"]} >= {"risk.percent", "colour"}
    assert told["possible"] is None


def test_a_market_trade_is_open_and_protected_at_once(api: Any, account: Account, price: Decimal) -> None:
    told = opened(api, account, around(price))
    assert (told["status"], told["protected"]["state"], told["stop"]["order_status"]) == ("open", "protected", "open")
    assert [rung["status"] for rung in told["ladder"]] == ["filled", "open", "open"]
    assert_has_the_fields_of(shapes.TradeSerializer(), told)


def test_the_story_of_a_fill_says_its_price_to_the_tick(api: Any, account: Account, price: Decimal) -> None:
    told = api.get(f"/api/v1/trades/{opened(api, account, around(price))['id']}").json()
    filled = next(event for event in told["events"] if event["kind"] == "entry_filled")
    tick = source_for(account).instrument(SYMBOL).tick_size
    said = Decimal(filled["text"].removesuffix(".").rsplit(" at ", 1)[1])
    exact = Decimal(filled["data"]["price"])
    assert said % tick == 0
    assert said != exact
    assert abs(said - exact) <= tick / 2


@pytest.mark.parametrize("trouble", [CouldNotRead("no answer"), KeyError(SYMBOL)])
def test_an_execution_is_told_to_the_last_digit_where_the_tick_cannot_be_read(
    account: Account, price: Decimal, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> Instrument:
        raise trouble

    monkeypatch.setattr(PaperExchange, "instrument", silent)
    ledger = Ledger(account, PaperExchange(account, source_for(account)), Lease(account.pk, "a test", 1))
    assert ledger._instruments({SYMBOL}) == {}
    assert books.unbounded(SYMBOL).round_price(Decimal("104536.913202")) == Decimal("104536.913202")


def test_a_price_that_cannot_be_read_is_no_fault_of_the_plan(
    api: Any, account: Account, price: Decimal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing happened, and the same click may be made again."""
    plan, key = {"account": account.pk, "plan": around(price)}, uuid.uuid4().hex

    def silent(*_: object) -> object:
        raise CouldNotRead("Still waiting for the prices.")

    with monkeypatch.context() as patch:
        patch.setattr(SimulatedPrices, "quote", silent)
        answer = post(api, "trades", plan, key)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert not Trade.objects.exists()
    assert post(api, "trades", plan, key).status_code == 201


def test_the_whole_trade_has_its_orders_fills_and_events(api: Any, account: Account, price: Decimal) -> None:
    told = api.get(f"/api/v1/trades/{opened(api, account, around(price))['id']}").json()
    assert_has_the_fields_of(shapes.TradeDetailSerializer(), told)
    assert {order["role"] for order in told["orders"]} == {"entry", "stop", "take_profit"}
    assert [event["kind"] for event in told["events"]] == ["trade_opened", "entry_filled", "stop_placed"]


def test_closing_half_and_then_the_rest(api: Any, account: Account, price: Decimal) -> None:
    trade = opened(api, account, around(price))
    half = post(api, f"trades/{trade['id']}/close", {"share": "0.5"}).json()
    assert Decimal(half["held"]) == Decimal(trade["held"]) - Decimal(trade["held"]) // Decimal("0.002") * Decimal(
        "0.001"
    )
    assert half["protected"]["state"] == "protected"
    done = post(api, f"trades/{trade['id']}/close", {"share": "1"}).json()
    assert (done["status"], done["exit_reason"], done["held"]) == ("closed", "manual", "0")
    assert Decimal(done["net"]) == Decimal(done["gross"]) - Decimal(done["fees"]) + Decimal(done["funding"])


def test_a_waiting_entry_is_withdrawn(api: Any, account: Account, price: Decimal) -> None:
    far = str((price * Decimal("0.99")).quantize(Decimal(1)))
    trade = opened(api, account, around(price, entries=[{"price": far}]))
    assert (trade["status"], trade["protected"]["state"]) == ("pending", "waiting")
    done = post(api, f"trades/{trade['id']}/cancel").json()
    assert (done["status"], done["withdrawal"]) == ("cancelled", "manual")
    assert not Order.objects.filter(status="open").exists()


def test_an_amended_pending_plan_is_sized_again(api: Any, account: Account, price: Decimal) -> None:
    far = str((price * Decimal("0.99")).quantize(Decimal(1)))
    plan = around(price, entries=[{"price": far}])
    trade = opened(api, account, plan)
    plan["risk"] = {"percent": "0.5"}
    answer = api.patch(
        f"/api/v1/trades/{trade['id']}/plan", {"plan": plan}, format="json", headers={"Idempotency-Key": "amend"}
    )
    told = answer.json()
    assert answer.status_code == 200, told
    assert Decimal(told["asked_risk"]) == 50
    assert Decimal(told["quantity"]) < Decimal(trade["quantity"])
    resting = Order.objects.filter(status="open")
    assert [str(order.quantity) for order in resting] == [told["quantity"]]


def test_the_stop_of_an_open_trade_moves_with_its_plan(api: Any, account: Account, price: Decimal) -> None:
    plan = around(price)
    trade = opened(api, account, plan)
    plan["stop"] = {"price": str((price * Decimal("0.985")).quantize(Decimal(1)))}
    answer = api.patch(
        f"/api/v1/trades/{trade['id']}/plan", {"plan": plan}, format="json", headers={"Idempotency-Key": "amend"}
    )
    told = answer.json()
    assert answer.status_code == 200, told
    assert told["stop"] == {"price": plan["stop"]["price"], "kind": "manual", "order_status": "open"}
    assert [str(o.trigger) for o in Order.objects.filter(role="stop", status="open")] == [plan["stop"]["price"]]


def test_break_even_is_refused_while_the_price_is_not_past_it(api: Any, account: Account, price: Decimal) -> None:
    trade = opened(api, account, around(price))
    answer = post(api, f"trades/{trade['id']}/break-even")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_hands_off_leaves_the_orders_alone(api: Any, account: Account, price: Decimal) -> None:
    trade = opened(api, account, around(price))
    told = api.post(f"/api/v1/trades/{trade['id']}/hands-off", {"on": True}, format="json").json()
    assert told["hands_off"] is True
    assert Order.objects.filter(trade=trade["id"], status="open").count() == 3


def test_the_list_is_filtered_and_cut_into_pages(api: Any, account: Account, price: Decimal) -> None:
    first, second = (opened(api, account, around(price))["id"] for _ in range(2))
    page = api.get("/api/v1/trades?status=pending,open&limit=1").json()
    assert [row["id"] for row in page["results"]] == [second]
    rest = api.get(f"/api/v1/trades?status=pending,open&limit=1&cursor={page['next']}").json()
    assert [row["id"] for row in rest["results"]] == [first]
    assert api.get("/api/v1/trades?status=closed").json()["results"] == []


def test_a_denied_trade_says_why_and_leaves_no_order(api: Any, account: Account, price: Decimal) -> None:
    account.state = Account.State.HALTED
    account.save(update_fields=["state"])
    answer = post(api, "trades", {"account": account.pk, "plan": around(price)})
    assert (answer.status_code, answer.json()["code"]) == (409, "denied")
    assert not Trade.objects.exists()


@pytest.mark.parametrize("path", ["", "/plan", "/cancel", "/close", "/break-even", "/hands-off"])
def test_somebody_elses_trade_does_not_exist(
    api: Any, bobs_api: Any, account: Account, price: Decimal, path: str
) -> None:
    trade = opened(api, account, around(price))
    before = Trade.objects.values().get(pk=trade["id"])
    url, key = f"/api/v1/trades/{trade['id']}{path}", {"Idempotency-Key": uuid.uuid4().hex}
    bodies = {"/plan": {"plan": around(price)}, "/hands-off": {"on": True}}
    call = bobs_api.get if not path else bobs_api.patch if path == "/plan" else bobs_api.post
    answer = call(url) if not path else call(url, bodies.get(path, {}), format="json", headers=key)
    assert answer.status_code == 404
    assert Trade.objects.values().get(pk=trade["id"]) == before


def test_a_stranger_is_asked_to_sign_in(stranger: Any, account: Account) -> None:
    assert stranger.get("/api/v1/trades").status_code == 401
    assert stranger.post("/api/v1/plans/preview", {}, format="json").status_code == 401


def test_somebody_elses_account_cannot_be_traded_on(bobs_api: Any, account: Account, price: Decimal) -> None:
    body = {"account": account.pk, "plan": around(price)}
    assert post(bobs_api, "trades", body).status_code == 404
    assert bobs_api.post("/api/v1/plans/preview", body, format="json").status_code == 404
    assert not Trade.objects.exists()


def assert_has_the_fields_of(shape: Any, told: dict[str, Any], path: str = "") -> None:
    """The answer has exactly the fields that the schema promises, all the way down."""
    if path.split(".")[-1] in ("plan", "first_plan", "data"):
        return
    assert set(told) == set(shape.fields), path
    for name, field in shape.fields.items():
        value, child = told[name], getattr(field, "child", field)
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if isinstance(row, dict):
                assert_has_the_fields_of(child, row, f"{path}.{name}")


def test_a_rehearsal_plays_the_plan_over_the_last_candles(api: Any, account: Account, price: Decimal) -> None:
    plan = around(price, entries=[{"kind": "market"}], side="long")
    body = {"account": account.pk, "plan": plan, "timeframe": "5m", "minutes": 600}
    answer = api.post("/api/v1/plans/rehearse", body, format="json")
    assert answer.status_code in (200, 422), answer.json()
    if answer.status_code == 200:
        assert_has_the_fields_of(shapes.RehearsalSerializer(), answer.json())

"""Every reason to say no, all at once; and when the standing cannot be made out, no."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from buddy.core.errors import CouldNotRead, Denied
from buddy.exchanges.models import Account
from buddy.trading import gate
from buddy.trading.executor import amend_plan, open_trade
from buddy.trading.models import Trade
from buddy.trading.preview import preview
from tests.apps.test_trades import account, around, post, price

__all__ = ["account", "price"]

pytestmark = pytest.mark.django_db(transaction=True)


def codes(account: Account, plan: dict[str, Any]) -> set[str]:
    return {denial["code"] for denial in preview(account, plan)["denials"]}


def below(price: Decimal, part: str) -> str:
    return str((price * Decimal(part)).quantize(Decimal(1)))


def test_all_reasons_are_told_in_one_go(account: Account, price: Decimal) -> None:
    open_trade(account, around(price))
    account.state, account.max_open_trades = Account.State.REDUCING, 1
    account.save()
    plan = around(price, risk={"percent": "9.9"})
    assert codes(account, plan) >= {"reducing", "too_many_open", "risk_over_limit", "open_risk_over_limit"}


def test_the_opposite_side_of_a_working_trade_is_refused(account: Account, price: Decimal) -> None:
    open_trade(account, around(price))
    stop, target = below(price, "1.02"), below(price, "0.98")
    assert "symbol_busy" in codes(account, around(price, stop={"price": stop}, take_profits=[{"price": target}]))


def test_open_risk_is_what_the_working_trades_may_still_lose(account: Account, price: Decimal) -> None:
    trade = open_trade(account, around(price))
    assert gate.standing_summary(account) == {"open_trades": 1, "open_risk": trade.initial_risk}
    Trade.objects.update(memory={"tightest_stop": str(price), "stop_cause": "break_even"})
    assert gate.standing_summary(account)["open_risk"] == 0


def test_two_openings_at_once_do_not_both_pass_the_limit(account: Account, price: Decimal) -> None:
    account.max_open_trades = 1
    account.save()
    open_trade(account, around(price))
    with pytest.raises(Denied):
        open_trade(account, around(price))
    assert Trade.objects.count() == 1


def test_a_pending_trade_does_not_count_against_its_own_amendment(account: Account, price: Decimal) -> None:
    account.max_open_trades, account.max_open_risk_percent = 1, Decimal("1.2")
    account.save()
    plan = around(price, entries=[{"price": below(price, "0.99")}])
    trade = open_trade(account, plan)
    amended = amend_plan(trade, plan | {"risk": {"percent": "1.1"}})
    assert amended.asked_risk == Decimal(110)


def test_a_stop_may_not_be_loosened_beyond_the_limit(account: Account, price: Decimal) -> None:
    plan = around(price)
    trade = open_trade(account, plan)
    with pytest.raises(Denied) as refused:
        amend_plan(trade, plan | {"stop": {"price": below(price, "0.8")}})
    assert [denial.code for denial in refused.value.denials] == ["risk_over_limit"]  # type: ignore[attr-defined]
    trade.refresh_from_db()
    assert trade.plan_version == 1


def test_one_symbol_has_one_margin_mode(account: Account, price: Decimal) -> None:
    open_trade(account, around(price, risk={"percent": "0.2"}))
    assert "margin_mode_shared" in codes(account, around(price, margin_mode="cross"))


def test_without_a_price_nothing_is_opened(api: Any, account: Account, price: Decimal, monkeypatch: Any) -> None:
    def unreadable(*_: Any) -> Any:
        raise CouldNotRead("The venue does not answer.")

    monkeypatch.setattr("buddy.exchanges.market_data.simulated.SimulatedPrices.quote", unreadable)
    answer = post(api, "trades", {"account": account.pk, "plan": around(price, entries=[{"price": "1000"}])})
    assert 400 <= answer.status_code <= 503
    assert answer.status_code != 500
    assert not Trade.objects.exists()


def test_when_the_gate_itself_fails_nothing_is_opened(
    api: Any, account: Account, price: Decimal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("buddy.trading.gate.standing_of", broken)
    with pytest.raises(ZeroDivisionError):
        open_trade(account, around(price))
    assert not Trade.objects.exists()


def test_exits_do_not_ask_the_gate(api: Any, account: Account, price: Decimal, monkeypatch: pytest.MonkeyPatch) -> None:
    trade = open_trade(account, around(price))
    Account.objects.update(state=Account.State.HALTED)
    monkeypatch.setattr("buddy.trading.gate.standing_of", lambda *_, **__: 1 / 0)
    assert post(api, f"trades/{trade.pk}/close", {"share": "1"}).json()["status"] == "closed"


def test_the_account_page_shows_its_standing(api: Any, account: Account, price: Decimal) -> None:
    open_trade(account, around(price))
    told = api.get(f"/api/v1/accounts/{account.pk}").json()
    assert told["open_trades"] == 1
    assert 0 < Decimal(told["open_risk"]) <= 100

"""An account says no with every reason at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from buddy.core.market import Side
from buddy.core.plan import Plan
from buddy.core.risk import Limits, Standing, TradingState, denials, warnings

from .plans import D, plan
from .test_sizing import sized

LIMITS = Limits(max_leverage=20, max_risk_percent=D(5), max_open_risk_percent=D(10), max_open_trades=3)
STANDING = Standing(equity=D(10_000), free=D(10_000), price=D(64_100))


def reasons(wanted: Plan | None = None, limits: Limits = LIMITS, **standing: Any) -> set[str]:
    asked = wanted or plan()
    found = denials(asked, sized(asked), limits, replace(STANDING, **standing))
    assert all(denial.message and denial.cure for denial in found)
    return {denial.code for denial in found}


def test_a_sound_plan_is_allowed() -> None:
    assert reasons() == set()


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCING])
def test_nothing_is_opened_while_halted_or_reducing(state: TradingState) -> None:
    assert reasons(state=state) == {state.value}


def test_an_opposite_trade_on_the_symbol_is_denied_and_a_like_one_is_not() -> None:
    assert reasons(sides=frozenset({Side.SHORT})) == {"symbol_busy"}
    assert reasons(sides=frozenset({Side.LONG})) == set()


def test_too_many_open_trades_are_denied() -> None:
    assert reasons(open_trades=2) == set()
    assert reasons(open_trades=3) == {"too_many_open"}


def test_the_limit_itself_may_be_risked_and_no_more() -> None:
    assert reasons(plan(risk={"percent": "5"})) == set()
    assert reasons(plan(risk={"percent": "5.01"})) == {"risk_over_limit"}


def test_open_risk_counts_what_is_already_working() -> None:
    assert reasons(open_risk=D(900)) == set()
    assert reasons(open_risk=D("900.01")) == {"open_risk_over_limit"}


def test_an_unreadable_price_is_denied_with_its_trouble() -> None:
    found = denials(plan(), None, LIMITS, replace(STANDING, price=None, trouble="the venue does not answer"))
    assert [denial.code for denial in found] == ["price_unreadable"]
    assert "does not answer" in str(found[0])


@pytest.mark.parametrize(("price", "denied"), [("62720", {"beyond_stop"}), ("62720.1", set())])
def test_a_price_already_beyond_the_stop_is_denied(price: str, denied: set[str]) -> None:
    assert reasons(price=D(price)) == denied


def test_a_breakout_may_wait_with_the_price_beyond_its_stop() -> None:
    assert reasons(plan(entries=[{"kind": "trigger", "price": "64000"}]), price=D(60_000)) == set()


def test_the_accounts_leverage_is_a_limit_even_when_the_sizing_did_not_know_it() -> None:
    assert reasons(plan(leverage=21)) == {"leverage_over_maximum"}


def test_faults_of_the_size_are_denials_with_their_field() -> None:
    asked = plan()
    found = denials(asked, sized(asked, free=D(1)), LIMITS, STANDING)
    assert [(denial.code, denial.field) for denial in found if denial.code == "margin_short"] == [
        ("margin_short", "risk")
    ]


def test_every_reason_is_given_at_once() -> None:
    asked = plan(risk={"percent": "20"})
    found = reasons(asked, state=TradingState.HALTED, open_trades=9, sides=frozenset(Side), price=D(60_000))
    assert {"halted", "too_many_open", "symbol_busy", "beyond_stop", "risk_over_limit", "open_risk_over_limit"} <= found


def test_without_limits_only_the_state_can_deny() -> None:
    assert reasons(plan(risk={"percent": "50"}), Limits(), open_risk=D(10**6)) == set()


@pytest.mark.parametrize(
    ("entry", "stop", "price", "way"),
    [
        ({"kind": "trigger", "trigger": "64000"}, "63000", "64000", "at market"),
        ({"kind": "trigger", "trigger": "64000"}, "65000", "63999.9", "at market"),
        (
            {"kind": "trigger_limit", "trigger": "64000", "price": "64010"},
            "63000",
            "64005",
            "as a limit order at 64010",
        ),
    ],
)
def test_an_entry_whose_trigger_was_passed_is_named(entry: dict[str, str], stop: str, price: str, way: str) -> None:
    (warning,) = warnings(plan(side=None, entries=[entry], stop={"price": stop}, take_profits=[]), D(price))
    assert (warning.field, warning.code) == ("entries.0", "at_once")
    assert f"goes in {way} at once" in warning.message
    assert warning.cure


@pytest.mark.parametrize("entry", [{"kind": "market"}, {"price": "64000"}, {"kind": "trigger", "trigger": "64200"}])
def test_an_entry_that_does_what_it_says_is_no_warning(entry: dict[str, str]) -> None:
    assert warnings(plan(reference="64100", entries=[entry], take_profits=[]), D(64_100)) == []

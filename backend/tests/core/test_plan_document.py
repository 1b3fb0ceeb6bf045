"""A plan reads back as it was written, and a wrong one is refused with everything that is wrong with it."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.core.errors import InvalidPlan
from buddy.core.market import Side
from buddy.core.plan import EntryKind
from buddy.core.plan_document import equal_shares, read_plan

from .plans import BTC, D, document, documents, plan


def faults(changed: object, **options: Any) -> set[tuple[str, str]]:
    """(field, code) of all that is wrong."""
    with pytest.raises(InvalidPlan) as refused:
        read_plan(changed, BTC, **options)
    assert all(fault.message and fault.cure for fault in refused.value.faults)
    return {(fault.field, fault.code) for fault in refused.value.faults}


@given(documents())
def test_a_plan_reads_back_as_it_was_written(made: tuple[dict[str, Any], Decimal]) -> None:
    written, reference = made
    read = read_plan(written, BTC, reference_price=reference)
    assert read_plan(json.loads(json.dumps(read.document())), BTC, reference_price=reference) == read


@given(documents())
def test_a_side_left_out_is_told_from_the_stop(made: tuple[dict[str, Any], Decimal]) -> None:
    written, reference = made
    read = read_plan(written, BTC, reference_price=reference)
    without = {key: value for key, value in written.items() if key != "side"}
    assert read_plan(without, BTC, reference_price=reference) == read


def mirrored(written: dict[str, Any]) -> None:
    written["side"] = "short" if written["side"] == "long" else "long"


def set_at(*path: Any, to: Any) -> Any:
    def change(written: dict[str, Any]) -> None:
        place: Any = written
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return change


BREAKS = [
    (mirrored, "stop.price", "stop_wrong_side"),
    (set_at("symbol", to="DOGE"), "symbol", "other_symbol"),
    (set_at("side", to="up"), "side", "not_a_choice"),
    (set_at("stop", to=None), "stop", "missing"),
    (set_at("stop", "price", to="0"), "stop.price", "not_positive"),
    (set_at("stop", "price", to="-1"), "stop.price", "not_positive"),
    (set_at("stop", "price", to="1e300"), "stop.price", "too_large"),
    (set_at("stop", "price", to="NaN"), "stop.price", "not_a_number"),
    (set_at("stop", "price", to=float("inf")), "stop.price", "not_a_number"),
    (set_at("stop", "price", to=True), "stop.price", "not_a_number"),
    (set_at("stop", "price", to={"deep": [1]}), "stop.price", "not_a_number"),
    (set_at("stop", "price", to="20000.05"), "stop.price", "off_tick"),
    (set_at("stop", "prise", to="1"), "stop.prise", "unknown_key"),
    (set_at("stop", "trigger_by", to="index"), "stop.trigger_by", "not_a_choice"),
    (set_at("entries", to=[]), "entries", "missing"),
    (set_at("entries", to="market"), "entries", "not_a_list"),
    (set_at("entries", 0, to=7), "entries.0", "not_an_object"),
    (set_at("entries", 0, "kind", to="iceberg"), "entries.0.kind", "not_a_choice"),
    (set_at("entries", 0, to={"kind": "limit", "share": "1"}), "entries.0.price", "missing"),
    (set_at("entries", 0, to={"kind": "market", "price": "1", "share": "1"}), "entries.0.price", "not_used"),
    (set_at("entries", 0, to={"kind": "trigger_limit", "price": "30000"}), "entries.0.trigger", "missing"),
    (set_at("entries", 0, to={"trigger": "30000"}), "entries.0.trigger", "not_used"),
    (set_at("entries", 0, "share", to="0"), "entries.0.share", "not_positive"),
    (set_at("entries", 0, "share", to="1.5"), "entries.0.share", "too_large"),
    (set_at("take_profits", to=[{"price": "1", "share": "1"}, 5]), "take_profits.1", "not_an_object"),
    (set_at("take_profits", to=[{"share": "1"}]), "take_profits.0.price", "missing"),
    (set_at("take_profits", to=[{"price": "1", "share": "0.9"}]), "take_profits", "shares_sum"),
    (set_at("take_profits", to=[{"price": "1", "share": ".5"}, {"price": "2"}]), "take_profits.1.share", "missing"),
    (set_at("risk", to={}), "risk", "exactly_one"),
    (set_at("risk", to={"percent": "1", "money": "5"}), "risk", "exactly_one"),
    (set_at("risk", to={"percent": "101"}), "risk.percent", "too_large"),
    (set_at("risk", to={"money": "0.1234567890123456789"}), "risk.money", "too_precise"),
    (set_at("leverage", to="2.5"), "leverage", "not_a_whole_number"),
    (set_at("leverage", to=0), "leverage", "not_a_whole_number"),
    (set_at("margin_mode", to="portfolio"), "margin_mode", "not_a_choice"),
    (set_at("rules", to=[]), "rules", "not_an_object"),
    (set_at("rules", to={"step": "yes"}), "rules.step", "not_a_flag"),
    (set_at("rules", to={"break_even": {}}), "rules.break_even.after", "missing"),
    (set_at("rules", to={"break_even": {"after": {}}}), "rules.break_even.after", "exactly_one"),
    (
        set_at("rules", to={"break_even": {"after": {"take_profit": 9}}}),
        "rules.break_even.after.take_profit",
        "no_such_target",
    ),
    (set_at("rules", to={"trail": {"percent": "1", "atr": "2"}}), "rules.trail", "exactly_one"),
    (set_at("rules", to={"trail": {"percent": "100"}}), "rules.trail.percent", "too_large"),
    (set_at("rules", to={"trail": {"candles": 3, "timeframe": "7m"}}), "rules.trail.timeframe", "not_a_choice"),
    (set_at("rules", to={"close_after_minutes": "0"}), "rules.close_after_minutes", "not_positive"),
    (set_at("cancel", to={"at_take_profit": 20}), "cancel.at_take_profit", "no_such_target"),
    (set_at("cancel", to={"above": "0.1"}), "cancel.above", "cancel_wrong_side"),
    (set_at("cancel", to={"below": "999999"}), "cancel.below", "cancel_wrong_side"),
    (set_at("surprise", to=1), "surprise", "unknown_key"),
]


@given(documents(), st.sampled_from(BREAKS), st.sampled_from(BREAKS))
def test_every_break_is_named_with_its_field(made: Any, one: Any, other: Any) -> None:
    written, reference = deepcopy(made[0]), made[1]
    change, field, code = one
    change(written)
    assert (field, code) in faults(written, reference_price=reference)
    if field.partition(".")[0] != other[1].partition(".")[0] and mirrored not in (change, other[0]):
        other[0](written)
        found = faults(written, reference_price=reference)
        assert (field, code) in found or field.startswith(("rules", "cancel"))
        assert other[1:] in found or other[1].startswith(("rules", "cancel"))


def test_all_faults_are_named_at_once() -> None:
    wrong = document(stop={"price": "65000"}, leverage="x", risk={"percent": "-1"}, extra=1)
    assert faults(wrong) == {
        ("stop.price", "stop_wrong_side"),
        ("leverage", "not_a_whole_number"),
        ("risk.percent", "not_positive"),
        ("extra", "unknown_key"),
    }


@pytest.mark.parametrize("wrong", [None, 5, "plan", [], [{}], True])
def test_what_is_no_object_is_refused(wrong: object) -> None:
    assert faults(wrong) == {("", "not_an_object")}


def test_a_stop_at_the_entry_is_refused() -> None:
    assert ("stop.price", "stop_at_entry") in faults(document(stop={"price": "64000"}))
    assert ("stop.price", "stop_at_entry") in faults(document(side=None, stop={"price": "64000"}))


def test_targets_must_lie_beyond_the_entry_and_in_order() -> None:
    wrong = [{"price": "63000"}, {"price": "66000"}, {"price": "66000"}, {"price": "65000"}]
    assert faults(document(take_profits=wrong)) == {
        ("take_profits.0.price", "target_wrong_side"),
        ("take_profits.2.price", "target_order"),
        ("take_profits.3.price", "target_order"),
    }


def test_a_leg_that_adds_to_a_winner_may_lie_beyond_the_first_target() -> None:
    legs = [{"kind": "limit", "price": "64000"}, {"kind": "trigger", "price": "66000"}]
    assert plan(entries=legs, take_profits=[{"price": "65500"}, {"price": "67000"}]).entries[1].trigger == D(66000)


def test_a_market_entry_is_checked_at_the_price_of_now() -> None:
    at_market = document(entries=[{"kind": "market"}])
    assert ("stop.price", "stop_wrong_side") in faults(at_market, reference_price=D(62000))
    assert plan(entries=[{}], reference="64000").entries[0].kind is EntryKind.MARKET


def test_without_a_price_a_market_entry_needs_its_side() -> None:
    assert faults(document(side=None, entries=[{"kind": "market"}])) == {("side", "missing")}


def test_a_float_is_read_as_the_text_it_prints_as() -> None:
    assert plan(stop={"price": 62720.1}).stop_price == D("62720.1")


def test_a_near_miss_is_recognised() -> None:
    with pytest.raises(InvalidPlan, match='Did you mean "leverage"'):
        read_plan(document(leverag=5), BTC)


def test_the_stop_of_an_entered_trade_may_pass_its_entry() -> None:
    moved = document(stop={"price": "64500"})
    assert read_plan(moved, BTC, entered=True).side is Side.LONG
    beyond = document(stop={"price": "65000"})
    assert ("take_profits.0.price", "target_wrong_side") in faults(beyond, entered=True)


def test_left_out_shares_are_equal_parts() -> None:
    read = plan(take_profits=[{"price": "65000"}, {"price": "66000"}, {"price": "67000"}])
    assert sum(target.share for target in read.take_profits) == 1


@given(st.integers(1, 20))
def test_equal_shares_add_up_to_exactly_one(count: int) -> None:
    parts = equal_shares(count)
    assert sum(parts) == 1
    assert max(parts) - min(parts) < D("1E-10")


LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.sampled_from(["1", "1e9"])
JUNK = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))


@given(st.sampled_from(sorted(document() | {"rules": 0, "cancel": 0, "leverage": 0, "margin_mode": 0})), JUNK)
def test_junk_anywhere_is_a_named_fault_and_never_a_crash(key: str, junk: Any) -> None:
    with suppress(InvalidPlan):
        assert read_plan(document() | {key: junk}, BTC).symbol == BTC.symbol


@given(JUNK)
def test_junk_as_a_whole_is_refused(junk: Any) -> None:
    assert faults(junk)


def test_a_thousand_levels_of_nesting_are_just_not_a_number() -> None:
    nested: Any = "1"
    for _ in range(1000):
        nested = [nested]
    assert ("stop.price", "not_a_number") in faults(document(stop={"price": nested}))


@pytest.mark.parametrize("text", ["1_000", "٣", "0x10", "1e", "--1", "", " ", "1,5", "1" * 61, "Infinity", "sNaN"])
def test_what_only_looks_like_a_number_is_refused(text: str) -> None:
    assert ("risk.money", "not_a_number") in faults(document(risk={"money": text}))


def test_a_gigantic_integer_is_too_large_and_costs_no_time() -> None:
    assert ("risk.money", "too_large") in faults(document(risk={"money": 10**5000}))

"""What should rest, from facts alone: the plan, what executed, the market, the time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.core.costs import Costs
from buddy.core.exchange import Fill, Liquidity, OrderKind, Role
from buddy.core.market import Instrument, OrderSide
from buddy.core.plan_document import read_plan
from buddy.core.position import (
    Booked,
    Cause,
    Directives,
    Market,
    Memory,
    Position,
    Wish,
    Withdrawal,
    allocate,
    desired_orders,
    even_price,
    exit_cause,
    initial_risk,
    observed,
)

from .lives import COIN, at

D = Decimal
FREE = Costs()


def position(*, quantities: tuple[int, ...] = (10,), instrument: Instrument = COIN, **changes: Any) -> Position:
    """A long from 100, stop 98, a half out at 103 and at 106."""
    document: dict[str, Any] = {
        "symbol": instrument.symbol,
        "side": "long",
        "entries": [{"kind": "limit", "price": "100"}],
        "stop": {"price": "98"},
        "take_profits": [{"price": "103", "share": "0.5"}, {"price": "106", "share": "0.5"}],
        "risk": {"money": "20"},
    }
    plan = read_plan(document | changes, instrument, reference_price=D(100))
    return Position(plan, instrument, tuple(map(D, quantities)), costs=FREE, opened_time=at(0))


def booked(
    role: str, quantity: Any, price: Any, *, leg: int = 0, reason: str = "", minute: int = 0, fee: Any = 0
) -> Booked:
    side = OrderSide.BUY if role == "entry" else OrderSide.SELL
    numbers = [D(str(value)) for value in (price, quantity, fee)]
    fill = Fill(f"{role}{leg}{minute}{quantity}", "x", "c", COIN.symbol, side, *numbers, Liquidity.MAKER, at(minute))
    return Booked(fill, Role(role), leg, reason)


def market(last: Any, *, minute: int = 1, low: Any = None, high: Any = None) -> Market:
    prices = [None if price is None else D(str(price)) for price in (low, high)]
    return Market(D(str(last)), D(str(last)), at(minute), *prices)


def after(one: Position, *fills: Booked) -> Position:
    return replace(one, fills=(*one.fills, *fills))


def wished(one: Position, seen: Market, held: Any) -> dict[tuple[Role, int], Wish]:
    return {(wish.role, wish.leg): wish for wish in desired_orders(one, seen, D(str(held)))}


def stop_of(one: Position, *markets: Market) -> tuple[Decimal | None, Cause]:
    """Price and cause of the stop after seeing these, one after the other."""
    for seen in markets:
        one = observed(one, seen)
    stop = wished(one, markets[-1], one.held)[Role.STOP, 0]
    return stop.trigger, stop.reason


def test_before_anything_fills_only_the_entry_is_wished_for() -> None:
    orders = wished(position(), market(101), 0)
    assert set(orders) == {(Role.ENTRY, 0)}
    assert (orders[Role.ENTRY, 0].kind, orders[Role.ENTRY, 0].price) == (OrderKind.LIMIT, D(100))


def test_a_partly_filled_entry_is_protected_for_what_is_filled_and_goes_on() -> None:
    orders = wished(after(position(), booked("entry", 4, 100)), market(100), 4)
    assert (orders[Role.STOP, 0].quantity, orders[Role.ENTRY, 0].quantity) == (4, 6)
    assert [orders[Role.TAKE_PROFIT, leg].quantity for leg in (0, 1)] == [2, 2]


def test_every_exit_is_reduce_only_and_no_entry_is() -> None:
    for wish in desired_orders(after(position(), booked("entry", 4, 100)), market(100), D(4)):
        assert wish.reduce_only is (wish.role is not Role.ENTRY)


def test_the_last_target_takes_all_that_remains() -> None:
    one = after(position(quantities=(1,)), booked("entry", "0.7", 100))
    orders = wished(one, market(100), "0.7")
    assert [orders[Role.TAKE_PROFIT, leg].quantity for leg in (0, 1)] == [D("0.3"), D("0.4")]


def test_a_target_below_the_minimum_joins_the_next() -> None:
    coin = replace(COIN, min_quantity=D("0.5"))
    one = after(position(instrument=coin), booked("entry", "0.8", 100))
    orders = wished(one, market(100), "0.8")
    assert (Role.TAKE_PROFIT, 0) not in orders
    assert orders[Role.TAKE_PROFIT, 1].quantity == D("0.8")


def test_a_first_target_that_fills_withdraws_the_rest_of_the_entry() -> None:
    one = after(position(), booked("entry", 4, 100), booked("take_profit", 2, 103))
    assert (Role.ENTRY, 0) not in wished(one, market(103), 2)
    assert observed(one, market(103)).memory.withdrawn is Withdrawal.MISSED


def test_a_cancelled_target_is_not_a_target_hit() -> None:
    one = after(position(rules={"break_even": {"after": {"take_profit": 1}}}), booked("entry", 10, 100))
    one = replace(one, declined=frozenset([(Role.TAKE_PROFIT, 0)]))
    orders = wished(one, market(104), 10)
    assert orders[Role.STOP, 0].trigger == 98
    assert (Role.TAKE_PROFIT, 0) not in orders
    assert orders[Role.TAKE_PROFIT, 1].quantity == 5


def test_a_partly_filled_target_does_not_move_the_stop() -> None:
    one = position(rules={"break_even": {"after": {"take_profit": 1}, "cover": "entry"}})
    one = after(one, booked("entry", 10, 100), booked("take_profit", 3, 103))
    assert stop_of(one, market(103)) == (98, Cause.STOP_LOSS)
    assert stop_of(after(one, booked("take_profit", 2, 103, minute=1)), market(103)) == (100, Cause.BREAK_EVEN)


def test_break_even_that_covers_costs_earns_back_the_fees_of_what_is_left() -> None:
    """A half left, bought at 100 with 0.5 of fee: (500 + 0.25 … per coin 0.05) → (100 + 0.05) / (1 − 0.001)."""
    one = replace(
        after(position(), booked("entry", 10, 100, fee="0.5"), booked("take_profit", 5, 103)),
        costs=Costs(taker=D("0.001")),
    )
    assert even_price(one) == (D("100.05") / D("0.999")).quantize(D("1E-25"), rounding="ROUND_CEILING")


@given(
    st.sampled_from([1, -1]),
    st.decimals(1, 1000, places=1),
    st.decimals(0, 5, places=4),
    st.decimals(0, 5, places=4),
    st.integers(0, 99),
)
def test_a_stop_at_break_even_nets_nothing_less_than_zero_for_what_is_left(
    sign: int, price: Decimal, fee: Decimal, funding: Decimal, left: int
) -> None:
    stop, targets = (price / 2, []) if sign > 0 else (price * 2, [])
    side = "long" if sign > 0 else "short"
    wanted = read_plan(
        {
            "symbol": COIN.symbol,
            "side": side,
            "entries": [{"price": str(price)}],
            "stop": {"price": str(COIN.round_price(stop))},
            "take_profits": targets,
            "risk": {"quantity": "10"},
        },
        COIN,
    )
    taker = D("0.0005")
    whole = Position(wanted, COIN, (D(10),), costs=Costs(taker=taker), funding=-funding)
    entry = booked("entry", 10, price, fee=fee)
    entry = entry._replace(fill=replace(entry.fill, order_side=wanted.side.entry_order_side))
    gone = booked("take_profit", left, price)._replace(fill=replace(entry.fill, quantity=D(left) / 10, fee=D(0)))
    gone = gone._replace(fill=replace(gone.fill, order_side=wanted.side.exit_order_side))
    one = after(whole, entry, gone) if left else after(whole, entry)
    held, level = one.held, COIN.round_stop(wanted.side, even_price(one))
    if level > 0:
        paid = fee * held / 10 + funding + level * held * taker
        assert COIN.gross(wanted.side, price, level, held) >= paid - D("1E-18")


def test_a_stop_is_never_loosened_when_the_rule_would_put_it_lower() -> None:
    one = after(position(take_profits=[], rules={"trail": {"percent": "1"}}), booked("entry", 10, 100))
    one = observed(observed(one, market(100)), market(104, high=105))
    assert one.memory.tightest_stop == D("104.0")
    assert stop_of(replace(one, plan=position(take_profits=[]).plan), market(104)) == (D("104.0"), Cause.TRAILING_STOP)


def test_prices_from_before_the_entry_are_not_the_best_since_entry() -> None:
    one = observed(position(), market(101, high=120))
    one = observed(after(one, booked("entry", 10, 100)), market(100, low=90, high=120))
    assert (one.memory.best, one.memory.worst) == (100, 100)


def test_a_later_entry_makes_rules_of_r_count_anew() -> None:
    entries = [{"price": "100", "share": "0.5"}, {"price": "97", "share": "0.5"}]
    one = position(
        entries=entries, quantities=(5, 5), stop={"price": "96"}, rules={"break_even": {"after": {"r": "1"}}}
    )
    one = observed(after(one, booked("entry", 5, 100)), market(100))
    one = observed(one, market(101, high="102.9"))
    one = observed(after(one, booked("entry", 5, 97, leg=1)), market(97, low=97, high=101))
    assert stop_of(one, market(97)) == (96, Cause.STOP_LOSS), "102.9 is 1.8 R above the new average, but lies before it"


def test_a_rule_of_time_waits_until_its_stop_is_on_the_right_side_of_the_price() -> None:
    one = after(position(rules={"break_even": {"after": {"minutes": "5"}, "cover": "entry"}}), booked("entry", 10, 100))
    one = observed(one, market(100))
    assert stop_of(one, market(99, minute=6)) == (98, Cause.STOP_LOSS)
    assert stop_of(one, market("100.1", minute=7)) == (100, Cause.BREAK_EVEN)


def test_a_target_hit_and_lost_again_before_anyone_looked_leaves_at_once() -> None:
    """The rule began at a good price: beyond its stop now means that the stop was passed."""
    one = position(rules={"break_even": {"after": {"take_profit": 1}, "cover": "entry"}})
    one = after(one, booked("entry", 10, 100), booked("take_profit", 5, 103))
    assert stop_of(one, market(99)) == (100, Cause.BREAK_EVEN)


def test_a_stop_asked_for_by_hand_only_tightens() -> None:
    one = after(position(), booked("entry", 10, 100))
    tighter = replace(one, directives=Directives(stop_at=D(99), stop_cause=Cause.BREAK_EVEN))
    assert stop_of(tighter, market(101)) == (99, Cause.BREAK_EVEN)
    assert stop_of(replace(one, directives=Directives(stop_at=D(97))), market(101)) == (98, Cause.STOP_LOSS)


def test_an_amended_plan_may_loosen_the_stop() -> None:
    one = observed(after(position(), booked("entry", 10, 100)), market(100))
    looser = replace(one, plan=position(stop={"price": "97"}).plan, memory=one.memory.without_stop())
    assert stop_of(looser, market(100)) == (97, Cause.STOP_LOSS)


@pytest.mark.parametrize(
    ("cancel", "seen", "why"),
    [
        ({"above": "103"}, market(102, high=103), Withdrawal.MISSED),
        ({"below": "99"}, market(100, low=99), Withdrawal.INVALIDATED),
        ({"at_take_profit": 1}, market(102, high=103), Withdrawal.MISSED),
        ({"after_minutes": "5"}, market(101, minute=5), Withdrawal.EXPIRED),
        ({"above": "103"}, market(102, high="102.9"), None),
    ],
)
def test_an_entry_is_withdrawn_for_a_reason(cancel: dict[str, Any], seen: Market, why: Withdrawal | None) -> None:
    one = observed(observed(position(cancel=cancel), market(101)), seen)
    assert one.memory.withdrawn is why
    assert ((Role.ENTRY, 0) in wished(one, market(101), 0)) is (why is None)


def test_a_withdrawn_entry_stays_withdrawn_when_the_price_comes_back() -> None:
    one = observed(observed(position(cancel={"above": "103"}), market(101)), market(103))
    assert observed(one, market(101)).memory.withdrawn is Withdrawal.MISSED


def test_closing_wishes_for_no_targets_and_keeps_the_stop() -> None:
    one = replace(after(position(), booked("entry", 10, 100)), directives=Directives(reduce_to=D(0)))
    orders = wished(one, market(101), 10)
    assert set(orders) == {(Role.STOP, 0), (Role.CLOSE, 0)}
    assert (orders[Role.CLOSE, 0].quantity, orders[Role.CLOSE, 0].reason) == (10, Cause.MANUAL)


def test_a_part_closed_by_hand_leaves_the_targets_their_shares_of_the_rest() -> None:
    one = after(position(), booked("entry", 10, 100), booked("close", 4, 101, reason="manual"))
    orders = wished(one, market(101), 6)
    assert [orders[Role.TAKE_PROFIT, leg].quantity for leg in (0, 1)] == [3, 3]
    assert orders[Role.STOP, 0].quantity == 6


def test_sizes_follow_what_the_venue_says_is_held() -> None:
    orders = wished(after(position(), booked("entry", 10, 100)), market(101), 3)
    assert orders[Role.STOP, 0].quantity == 3
    assert sum(w.quantity for (role, _), w in orders.items() if role is Role.TAKE_PROFIT) == 3


def test_what_a_hand_took_away_is_missed_by_the_youngest_trade() -> None:
    assert allocate(D(7), [D(5), D(5)]) == [5, 2]
    assert allocate(D(12), [D(5), D(5)]) == [5, 5]
    assert allocate(D(12), [D(5)]) == [12]
    assert allocate(D(12), [D(0)]) == [0], "a position that was there before is not the trade's"


def test_what_may_be_a_trades_is_given_only_of_what_no_other_is_sure_of() -> None:
    assert allocate(D(5), [D(4), D(3)], [D(2), D(3)]) == [2, 3], "the first may hold two more than it knows"
    assert allocate(D(6), [D(4), D(3)], [D(2), D(3)]) == [3, 3]
    assert allocate(D(4), [D(4), D(3)], [D(2), D(3)]) == [2, 2]


@st.composite
def claims(draw: st.DrawFn) -> tuple[list[Decimal], list[Decimal]]:
    """What each of several trades may hold, and what of it is sure."""
    owned = draw(st.lists(st.integers(0, 9), min_size=2, max_size=5))
    return [D(most) for most in owned], [D(draw(st.integers(0, most))) for most in owned]


@given(st.integers(0, 50).map(D), claims())
def test_parts_of_a_position_are_no_more_than_there_is_and_no_less_than_is_sure(
    total: Decimal, claimed: tuple[list[Decimal], list[Decimal]]
) -> None:
    owned, sure = claimed
    parts = allocate(total, owned, sure)
    assert all(0 <= part <= most for part, most in zip(parts, owned, strict=True))
    assert sum(parts) == min(total, sum(owned))
    if total >= sum(sure):
        assert all(part >= least for part, least in zip(parts, sure, strict=True))


def test_the_initial_risk_is_frozen_by_the_first_exit() -> None:
    """|100 − 98| · 4 + 0.1 paid + 98 · 4 · (0.001 + 0.002) = 9.276; what enters later does not count."""
    one = replace(position(), costs=Costs(taker=D("0.001"), slippage=D("0.002")))
    one = after(
        one, booked("entry", 4, 100, fee="0.1"), booked("take_profit", 2, 103), booked("entry", 6, 99, minute=2)
    )
    assert initial_risk(one) == D("9.276")


def test_gross_is_exact_once_all_is_closed() -> None:
    one = after(position(), booked("entry", 3, "100.1"), booked("entry", 4, "100.2", minute=1))
    one = after(one, booked("take_profit", 2, 103), booked("stop", 5, 98, reason="stop_loss"))
    assert one.gross == 2 * 103 + 5 * 98 - 3 * D("100.1") - 4 * D("100.2")


def test_an_exit_that_is_not_ours_is_external() -> None:
    assert exit_cause(booked("close", 1, 100)) is Cause.EXTERNAL
    assert exit_cause(booked("stop", 1, 100, reason="trailing_stop")) is Cause.TRAILING_STOP


@given(st.one_of(st.none(), st.decimals(1, 9, places=3)), st.one_of(st.none(), st.sampled_from(Withdrawal)))
def test_memory_and_directives_survive_plain_json(price: Decimal | None, withdrawn: Withdrawal | None) -> None:
    memory = Memory(since=5, best=price, worst=price, tightest_stop=price, withdrawn=withdrawn, stop_cause=Cause.STEP)
    assert Memory.read(memory.document()) == memory
    directives = Directives(withdrawn, reduce_to=price, stop_at=price)
    assert Directives.read(directives.document()) == directives
    assert Directives.read(Directives(reduce_to=D(0)).document()).reduce_to == 0

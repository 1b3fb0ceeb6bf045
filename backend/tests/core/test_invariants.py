"""The invariants of a managed trade, after every look, whatever the market and a meddling hand do."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from buddy.core.costs import loss_at_stop
from buddy.core.errors import InvalidPlan
from buddy.core.exchange import OrderRef, Role
from buddy.core.manage import Working, step
from buddy.core.market import Side
from buddy.core.position import Memory
from buddy.core.simulated_market import Tick
from buddy.core.simulated_trade import SimulatedTrade
from buddy.core.simulator import SimulatedExchange
from buddy.core.sizing import size

from .lives import COIN, COSTS, documents, trade_on, walks

ZERO = Decimal(0)


def begun(document: dict[str, Any], first: Tick, slices: int | None = None) -> SimulatedTrade:
    """The trade, where the document can be carried out at all."""
    try:
        return trade_on(document, first, slices=slices)
    except InvalidPlan:
        assume(False)
        raise


def of_role(working: list[Working], role: Role) -> list[Working]:
    return [order for order in working if order.role is role]


def check(trade: SimulatedTrade) -> None:
    """Everything that must be true once a look is done."""
    working, held, side = trade.working(), trade.held, trade.position.side
    stops, targets = of_role(working, Role.STOP), of_role(working, Role.TAKE_PROFIT)
    holding = trade.exchange.books.holdings.get(trade.symbol)
    assert holding is None or holding.side is side, "I2: the position never crosses zero"
    assert sum((w.remaining for w in stops), ZERO) == held, "I1, I3: one stop covers all that is held, and no more"
    assert sum((w.remaining for w in targets), ZERO) <= held, "I3: targets are bounded by what is held"
    assert all(trade.exchange.orders[w.client_id].intent.reduce_only for w in [*stops, *targets]), "I2: exits reduce"
    price = trade.exchange.markets[trade.symbol].last
    untouched = [w.trigger for w in stops if w.trigger is not None and not w.filled]
    assert all(side.better(price, trigger) for trigger in untouched), "I10: a stop is a stop"
    if trade.position.exited and not held:
        assert not working, "I5: nothing of ours rests after the trade"
    assert held == trade.position.held, "I7: our fills and the exchange agree"


def check_second_look(trade: SimulatedTrade) -> None:
    market = trade.market()
    assert step(trade.position, trade.working(), market, trade.held) == [], "a second look changes nothing"


@settings(deadline=None)
@given(documents(), walks(), st.one_of(st.none(), st.integers(0, 1000)))
def test_the_invariants_hold_after_every_look(document: dict[str, Any], walk: list[Tick], slices: int | None) -> None:
    trade = begun(document, walk[0], slices)
    check(trade)
    for each in walk[1:]:
        trade.exchange.feed(trade.symbol, each)
        while not trade.exchange.run():
            tightest = trade.position.memory.tightest_stop
            trade.look()
            check(trade)
            check_second_look(trade)
            check_stop_is_not_looser(trade, tightest)
    event(f"exits: {len([b for b in trade.position.fills if b.role is not Role.ENTRY])}")


def check_stop_is_not_looser(trade: SimulatedTrade, before: Decimal | None) -> None:
    after = trade.position.memory.tightest_stop
    if before is not None and trade.held:
        assert after is not None
        assert not trade.position.side.better(before, after), "I9: a stop is never loosened"


@settings(deadline=None)
@given(documents(), walks(), st.integers(0, 1000), st.data())
def test_skipped_looks_and_a_meddling_hand_are_healed_by_the_next_look(
    document: dict[str, Any], walk: list[Tick], slices: int, data: st.DataObject
) -> None:
    trade = begun(document, walk[0], slices)
    for each in walk[1:]:
        trade.exchange.feed(trade.symbol, each)
        while not trade.exchange.run():
            if data.draw(st.booleans(), "skipped"):
                trade.exchange.watch({})
            else:
                trade.look()
                check(trade)
        if data.draw(st.integers(0, 4), "hand") == 0 and trade.exchange.orders:
            client_id = data.draw(st.sampled_from(sorted(trade.exchange.orders)), "cancelled")
            trade.exchange.cancel(OrderRef(trade.symbol, client_id))
    trade.look()
    check(trade)
    check_second_look(trade)


@settings(deadline=None)
@given(documents(), walks(), st.integers(0, 1000))
def test_a_trade_that_is_closed_leaves_exactly_nothing(document: dict[str, Any], walk: list[Tick], slices: int) -> None:
    trade = begun(document, walk[0], slices)
    trade.play(*walk[1:])
    trade.position = replace(trade.position, directives=replace(trade.position.directives, reduce_to=ZERO))
    trade.look()
    for number in range(20):
        trade.play(Tick(walk[-1].time + number + 1, walk[-1].price + Decimal(number % 2) / 10))
        trade.look()
    assert trade.held == ZERO == trade.position.held
    assert trade.exchange.books.wallet == Decimal(10_000) + trade.position.net
    assert trade.is_over


@settings(deadline=None)
@given(documents(), walks(), st.data())
def test_the_result_does_not_depend_on_how_often_one_looks(
    document: dict[str, Any], walk: list[Tick], data: st.DataObject
) -> None:
    often, seldom = begun(document, walk[0]), begun(document, walk[0])
    seldom.play(*walk[1:])
    for each in walk[1:]:
        often.play(each)
        for _ in range(data.draw(st.integers(0, 2), "extra looks")):
            often.look()
    assert [b.fill.price for b in often.position.fills] == [b.fill.price for b in seldom.position.fills]
    assert often.position.net == seldom.position.net


@settings(deadline=None)
@given(documents())
def test_the_planned_loss_is_never_more_than_was_asked(document: dict[str, Any]) -> None:
    trade = begun(document, Tick(1, Decimal(100)))
    plan = trade.position.plan
    figures = size(plan, COIN, equity=Decimal(10_000), free=Decimal(10_000), costs=COSTS, reference_price=Decimal(100))
    assert figures.loss_at_stop <= figures.asked_risk, "I8"
    bare = loss_at_stop(plan.side, COIN, figures.average_entry, plan.stop_price, figures.quantity, COSTS, ZERO)
    assert bare.price_loss >= 0
    assert plan.side in Side


@settings(deadline=None)
@given(documents(), walks(), st.data())
def test_a_restart_at_any_moment_changes_nothing(
    document: dict[str, Any], walk: list[Tick], data: st.DataObject
) -> None:
    steady, shaken = begun(document, walk[0]), begun(document, walk[0])
    steady.play(*walk[1:])
    shaken.exchange.feed(shaken.symbol, *walk[1:])
    while not shaken.exchange.run():
        if data.draw(st.booleans(), "restart"):
            restart(shaken)
        shaken.look()
    assert [b.fill for b in shaken.position.fills] == [b.fill for b in steady.position.fills]
    assert shaken.position.memory == steady.position.memory


def restart(trade: SimulatedTrade) -> None:
    """Only what is written down survives, as plain JSON."""
    state, instruments = json.loads(json.dumps(trade.exchange.to_state())), trade.exchange.instruments
    trade.exchange = SimulatedExchange.from_state(state, instruments, costs=COSTS)
    memory = Memory.read(json.loads(json.dumps(trade.position.memory.document())))
    trade.position = replace(trade.position, memory=memory)

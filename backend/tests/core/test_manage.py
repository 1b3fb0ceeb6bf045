"""The step: wishes minus working orders, in an order in which nothing is ever left without its stop."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from buddy.core.errors import OutcomeUnknown, Rejected
from buddy.core.exchange import OrderKind, OrderRef, OrderStatus, Role
from buddy.core.manage import Action, Cancel, Place, Working, carry_out, step
from buddy.core.position import Cause, Directives, Position, Wish

from .lives import tick, trade_on
from .test_position import after, booked, market, position

D = Decimal
TP1_EVEN = {"break_even": {"after": {"take_profit": 1}, "cover": "entry"}}


def working(role: str, quantity: Any, *, leg: int = 0, price: Any = None, trigger: Any = None, **more: Any) -> Working:
    kinds = {"stop": OrderKind.STOP_MARKET, "close": OrderKind.MARKET}
    numbers = {key: D(str(value)) for key, value in (("price", price), ("trigger", trigger)) if value is not None}
    kind = kinds.get(role, OrderKind.LIMIT)
    return Working(f"{role}{leg}{trigger}", Role(role), leg, kind, D(str(quantity)), **numbers, **more)


STOP = working("stop", 10, trigger=98)
TARGETS = [working("take_profit", 5, price=103), working("take_profit", 5, leg=1, price=106)]


def opened(**changes: Any) -> Position:
    return after(position(**changes), booked("entry", 10, 100))


def told(actions: list[Action]) -> list[str]:
    """Actions as words: what, role and leg."""
    return [
        f"{type(a).__name__.lower()} {_of(a).role.value} {_of(a).leg}"
        if _of(a).role is not Role.STOP
        else f"{type(a).__name__.lower()} stop"
        for a in actions
    ]


def _of(action: Action) -> Wish | Working:
    return action.wish if isinstance(action, Place) else action.working


def test_when_all_is_as_it_should_be_there_is_nothing_to_do() -> None:
    assert step(opened(), [STOP, *TARGETS], market(101), D(10)) == []


def test_a_stop_cancelled_by_hand_comes_back() -> None:
    assert told(step(opened(), TARGETS, market(101), D(10))) == ["place stop"]


def test_protection_comes_before_targets() -> None:
    assert told(step(opened(), [], market(101), D(10))) == ["place stop", "place take_profit 0", "place take_profit 1"]


def test_a_moved_stop_is_placed_before_the_old_one_is_cancelled() -> None:
    one = after(opened(rules=TP1_EVEN), booked("take_profit", 5, 103))
    assert told(step(one, [STOP, TARGETS[1]], market(103), D(5))) == ["place stop"]
    new = working("stop", 5, trigger=100)
    assert step(one, [STOP, new, TARGETS[1]], market(103), D(5)) == [Cancel(STOP, "replaced")]


def test_the_old_stop_stays_while_nobody_knows_whether_the_new_one_rests() -> None:
    one = after(opened(rules=TP1_EVEN), booked("take_profit", 5, 103))
    for status in (OrderStatus.UNKNOWN, OrderStatus.INTENDED):
        new = working("stop", 5, trigger=100, status=status)
        assert step(one, [STOP, new, TARGETS[1]], market(103), D(5)) == []


def test_a_price_beyond_the_stop_is_the_stop() -> None:
    actions = step(opened(), TARGETS, market(97), D(10))
    assert told(actions) == ["cancel take_profit 0", "cancel take_profit 1", "place close 0"]
    assert _of(actions[-1]).quantity == 10
    assert isinstance(actions[-1], Place)
    assert actions[-1].wish.reason is Cause.STOP_LOSS


def test_a_close_in_flight_is_not_sent_again() -> None:
    assert step(opened(), [working("close", 10, status=OrderStatus.UNKNOWN)], market(97), D(10)) == []


def test_a_stop_that_rests_is_left_to_the_venue_when_the_price_is_beyond_it() -> None:
    assert step(opened(), [STOP, *TARGETS], market(97), D(10)) == []


def test_to_close_targets_go_first_and_the_stop_last() -> None:
    one = replace(opened(), directives=Directives(reduce_to=D(0)))
    actions = step(one, [STOP, *TARGETS], market(101), D(10))
    assert told(actions) == ["cancel take_profit 0", "cancel take_profit 1", "place close 0"]
    flat = after(one, booked("close", 10, 101, reason="manual"))
    assert told(step(flat, [STOP], market(101), D(0))) == ["cancel stop"]


def test_targets_are_never_more_than_what_is_held_even_for_a_moment() -> None:
    """What is to be cancelled may fill first, so its room is not given away before it is known to be gone."""
    one = after(opened(), booked("close", 4, 101, reason="manual"))
    actions = step(one, [STOP, *TARGETS], market(101), D(6))
    assert told(actions) == ["place stop", "cancel take_profit 0", "cancel take_profit 1"]
    assert told(step(one, [working("stop", 6, trigger=98)], market(101), D(6)))[-2:] == [
        "place take_profit 0",
        "place take_profit 1",
    ]


def test_an_entry_whose_outcome_is_unknown_is_not_sent_again() -> None:
    entry = working("entry", 10, price=100, status=OrderStatus.UNKNOWN)
    assert step(position(), [entry], market(101), D(0)) == []


def test_an_amended_entry_is_placed_only_when_the_old_one_is_gone() -> None:
    old = working("entry", 10, price=99)
    assert told(step(position(), [old], market(101), D(0))) == ["cancel entry 0"]
    assert told(step(position(), [], market(101), D(0))) == ["place entry 0"]


def test_a_trigger_whose_price_has_passed_goes_in_at_market() -> None:
    one = position(entries=[{"kind": "trigger", "trigger": "101"}])
    (action,) = step(one, [], market(102), D(0))
    assert isinstance(action, Place)
    assert action.wish.kind is OrderKind.MARKET


def test_doubled_orders_are_thinned_to_one() -> None:
    twice = [STOP, STOP._replace(client_id="again"), *TARGETS, TARGETS[0]._replace(client_id="again")]
    assert told(step(opened(), twice, market(101), D(10))) == ["cancel stop", "cancel take_profit 0"]


class Refusing:
    """A desk that refuses the orders of one role, and remembers the others."""

    def __init__(self, role: Role, error: Exception) -> None:
        self.role, self.error, self.placed = role, error, list[Wish]()

    def place(self, wish: Wish) -> None:
        if wish.role is self.role:
            raise self.error
        self.placed.append(wish)

    def cancel(self, working: Working, reason: str) -> None: ...


def test_one_leg_that_fails_does_not_stop_the_others() -> None:
    desk = Refusing(Role.STOP, OutcomeUnknown("no answer"))
    failures = carry_out(step(opened(), [], market(101), D(10)), desk)
    assert [wish.role for wish in desk.placed] == [Role.TAKE_PROFIT, Role.TAKE_PROFIT]
    assert len(failures) == 1


def test_a_stop_refused_because_it_would_trigger_leaves_at_market_at_once() -> None:
    desk = Refusing(Role.STOP, Rejected("too late", "would_trigger"))
    assert carry_out(step(opened(take_profits=[]), [], market(101), D(10)), desk) == []
    (close,) = desk.placed
    assert (close.role, close.kind, close.quantity, close.trigger) == (Role.CLOSE, OrderKind.MARKET, D(10), None)


def test_a_stop_cancelled_by_hand_comes_back_at_the_exchange() -> None:
    wanted = {"entries": [{"kind": "market"}], "stop": {"price": "98"}, "risk": {"money": "20"}, "side": "long"}
    trade = trade_on(wanted, tick(0, 100))
    (stop,) = trade.exchange.orders
    trade.exchange.cancel(OrderRef(trade.symbol, stop))
    trade.look()
    assert [order.intent.trigger for order in trade.exchange.orders.values()] == [D(98)]


def test_a_target_cancelled_by_hand_stays_away() -> None:
    wanted = {
        "entries": [{"kind": "market"}],
        "stop": {"price": "98"},
        "take_profits": [{"price": "103", "share": "0.5"}, {"price": "106", "share": "0.5"}],
        "risk": {"money": "20"},
    }
    trade = trade_on(wanted, tick(0, 100))
    target = next(client_id for client_id in trade.exchange.orders if client_id.startswith("take_profit.0"))
    trade.exchange.cancel(OrderRef(trade.symbol, target))
    trade.look()
    assert not any(client_id.startswith("take_profit.0") for client_id in trade.exchange.orders)

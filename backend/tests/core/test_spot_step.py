"""The step on spot: slices that never overlap, room made before anything is placed, dust left where it lies."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from buddy.core.errors import OutcomeUnknown, Rejected, Temporary
from buddy.core.exchange import Exits, OrderKind, OrderRef, OrderStatus, Role
from buddy.core.manage import Action, Cancel, Place, Swap, Working, carry_out, step
from buddy.core.position import Booked, Cause, Directives, Position, Wish, desired_orders, even_price, target_done
from buddy.core.simulated_trade import SimulatedTrade
from buddy.core.spot import left_to_sell, sellable
from buddy.core.watching import interest

from .lives import OWNED, tick, trade_on
from .test_position import after, booked, market, position

D = Decimal
TP1_EVEN = {"break_even": {"after": {"take_profit": 1}, "cover": "entry"}}
PAIRED, SINGLE = Exits.PAIRED, Exits.SINGLE


def coins(**changes: Any) -> Position:
    """Ten bought at 100, stop 98, a half out at 103 and at 106."""
    return after(position(instrument=OWNED, **changes), booked("entry", 10, 100))


def few(quantity: Any, **changes: Any) -> Position:
    """The same of which only `quantity` has been bought, and no more will be."""
    withdrawn = Directives.read({"withdraw_entry": "manual"})
    return after(replace(position(instrument=OWNED, **changes), directives=withdrawn), booked("entry", quantity, 100))


def stop(quantity: Any, leg: int = 0, *, trigger: Any = 98, beside: Any = None, name: str = "") -> Working:
    return Working(
        name or f"stop{leg}@{trigger}",
        Role.STOP,
        leg,
        OrderKind.STOP_MARKET,
        D(str(quantity)),
        trigger=D(str(trigger)),
        beside=None if beside is None else D(str(beside)),
    )


def limit(quantity: Any, leg: int, price: Any) -> Working:
    return Working(f"limit{leg}", Role.TAKE_PROFIT, leg, OrderKind.LIMIT, D(str(quantity)), price=D(str(price)))


PAIRS = [stop(5, 1, beside=103), stop(5, 2, beside=106)]


def plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def text(wish: Wish) -> str:
    """`stop 1: 5 @ 98 | 103`: role, leg, quantity, trigger or price, the other half."""
    price = wish.trigger or wish.price
    words = f"{wish.role.value} {wish.leg}: {plain(wish.quantity)}"
    words += "" if price is None else f" @ {plain(price)}"
    return words if wish.beside is None else f"{words} | {plain(wish.beside)}"


def told(actions: Sequence[Action]) -> list[str]:
    lines = []
    for action in actions:
        if isinstance(action, Cancel):
            lines.append(f"cancel {action.working.client_id}")
        elif isinstance(action, Place):
            lines.append(text(action.wish))
        else:
            lines.append(f"{' '.join(each.client_id for each in action.gone)} → {text(action.wish)}")
    return lines


def wanted(one: Position, last: Any, held: Any, exits: Exits) -> list[str]:
    return [text(wish) for wish in desired_orders(one, market(last), D(str(held)), exits)]


def done(one: Position, working: Sequence[Working], last: Any, held: Any, exits: Exits = PAIRED) -> list[str]:
    return told(step(one, working, market(last), D(str(held)), exits))


# What should rest


def test_with_pairs_each_target_has_a_stop_of_its_own() -> None:
    assert wanted(coins(), 101, 10, PAIRED) == ["stop 1: 5 @ 98 | 103", "stop 2: 5 @ 98 | 106"]


def test_without_pairs_one_stop_rests_for_all() -> None:
    assert wanted(coins(), 101, 10, SINGLE) == ["stop 0: 10 @ 98"]


@pytest.mark.parametrize(("exits", "rest"), [(PAIRED, "stop 2: 5 @ 98 | 106"), (SINGLE, "stop 0: 5 @ 98")])
def test_a_target_that_is_reached_is_sold_by_a_limit_alone(exits: Exits, rest: str) -> None:
    assert wanted(coins(), 103, 10, exits) == [rest, "take_profit 0: 5 @ 103"]
    assert "take_profit 0: 5 @ 103" not in wanted(coins(), 102.9, 10, exits)


def test_what_no_target_takes_has_a_plain_stop() -> None:
    one = replace(coins(), declined=frozenset({(Role.TAKE_PROFIT, 0)}))
    assert wanted(one, 101, 10, PAIRED) == ["stop 2: 5 @ 98 | 106", "stop 0: 5 @ 98"]


def test_nothing_on_spot_asks_to_only_reduce() -> None:
    closing = replace(coins(), directives=Directives(reduce_to=D(3)))
    for one in (coins(), closing):
        assert not any(wish.reduce_only for wish in desired_orders(one, market(103), D(10), PAIRED))


def test_a_withheld_fee_is_not_there_to_be_sold() -> None:
    fill = replace(booked("entry", 10, 100, fee=1).fill, withheld=D("0.01"))
    one = replace(coins(), fills=(Booked(fill, Role.ENTRY),))
    assert (one.held, one.entered, one.filled(Role.ENTRY, 0)) == (D("9.99"), D("9.99"), 10)
    assert wanted(one, 101, one.held, PAIRED) == ["stop 1: 4.99 @ 98 | 103", "stop 2: 5 @ 98 | 106"]


def test_break_even_earns_back_a_withheld_fee_to_the_tick() -> None:
    """1000 paid for 9.99 coins: they earn it back at 1000 / 9.99 / (1 − 0.002)."""
    fill = replace(booked("entry", 10, 100, fee=1).fill, withheld=D("0.01"))
    one = replace(coins(), fills=(Booked(fill, Role.ENTRY),), costs=replace(coins().costs, taker=D("0.002")))
    price = even_price(one)
    assert abs(price * D("9.99") * D("0.998") - 1000) < D("1E-20")


def test_parts_too_small_to_be_sold_at_the_stop_join_the_next() -> None:
    """At least 5 must be sold: 0.05 coins at 98 are 4.9."""
    assert wanted(few("0.1"), 101, "0.1", PAIRED) == ["stop 2: 0.1 @ 98 | 106"]
    assert wanted(few("0.12"), 101, "0.12", PAIRED) == ["stop 1: 0.06 @ 98 | 103", "stop 2: 0.06 @ 98 | 106"]


@pytest.mark.parametrize("exits", [PAIRED, SINGLE])
def test_dust_is_left_where_it_lies(exits: Exits) -> None:
    assert wanted(few("0.04"), 101, "0.04", exits) == []
    assert done(few("0.04"), [], 101, "0.04", exits) == []
    assert done(few("0.04"), [limit("0.04", 0, 103)], 101, "0.04", exits) == ["cancel limit0"]


def test_few_coins_that_a_stop_is_still_selling_are_not_dust() -> None:
    """An order that rests is not asked for a minimum again."""
    one = after(coins(), booked("stop", "9.97", 98, reason="stop_loss"))
    half_done = stop(10)._replace(filled=D("9.97"), status=OrderStatus.PARTIAL)
    assert done(one, [half_done], 98, "0.03", SINGLE) == []
    assert done(one, [half_done], 99, "0.03", SINGLE) == []
    assert left_to_sell(OWNED, D("0.031"), half_done.remaining, D(98)) == D("0.03")
    assert left_to_sell(OWNED, D("0.031"), D(0), D(98)) == 0
    assert left_to_sell(OWNED, D("0.066"), D(0), D(98)) == D("0.06")


def test_coins_that_the_stop_could_not_sell_any_more_are_sold_while_they_can_be() -> None:
    """0.051 coins are 5.1 now and 4.998 at the stop; while more may come they wait for it."""
    assert wanted(few("0.055", stop={"price": "90"}), 101, "0.055", PAIRED) == ["close 0: 0.05"]
    waiting = after(position(instrument=OWNED, stop={"price": "90"}), booked("entry", "0.05", 100))
    assert wanted(waiting, 101, "0.05", PAIRED) == ["entry 0: 9.95 @ 100"]


def test_a_target_all_but_dust_filled_is_done() -> None:
    one = after(coins(), booked("take_profit", "4.97", 103))
    assert target_done(one, 1)
    assert not target_done(after(coins(), booked("take_profit", "4.9", 103)), 1)


@pytest.mark.parametrize(
    ("quantity", "price", "may_be_sold"), [("0.059", 100, "0.05"), ("0.05", 99, 0), ("0.019", 999, 0), (-1, 100, 0)]
)
def test_whole_lots_above_both_minimums_can_be_sold(quantity: Any, price: Any, may_be_sold: Any) -> None:
    assert sellable(OWNED, D(str(quantity)), D(price)) == D(may_be_sold)


# How it comes to rest


def test_when_all_is_as_it_should_be_nothing_is_done() -> None:
    assert done(coins(), PAIRS, 101, 10) == []
    assert done(coins(), [stop(10)], 101, 10, SINGLE) == []


def test_a_moved_stop_is_swapped_slice_by_slice() -> None:
    one = after(coins(rules=TP1_EVEN), booked("take_profit", 5, 103))
    assert done(one, [PAIRS[1]], 103, 5) == ["stop2@98 → stop 2: 5 @ 100 | 106"]
    trailing = replace(coins(), directives=Directives(stop_at=D(99)))
    assert done(trailing, PAIRS, 101, 10) == [
        "stop1@98 → stop 1: 5 @ 99 | 103",
        "stop2@98 → stop 2: 5 @ 99 | 106",
    ]


def test_the_rest_is_protected_before_a_reached_target_is_sold() -> None:
    """The room that a swap would leave is not counted on before it is there."""
    assert done(coins(), [stop(10)], 103, 10, SINGLE) == ["stop0@98 → stop 0: 5 @ 98"]
    assert done(coins(), [stop(5)], 103, 10, SINGLE) == ["take_profit 0: 5 @ 103"]
    assert done(coins(), PAIRS, 103, 10) == ["stop1@98 → take_profit 0: 5 @ 103"]


def test_a_limit_half_left_alone_is_kept_at_its_price_and_protected_again_below() -> None:
    one = after(coins(), booked("take_profit", 2, 103))
    working = [limit(5, 0, 103)._replace(filled=D(2)), PAIRS[1]]
    assert done(one, working, 103, 8) == []
    assert done(one, working, 102.9, 8) == ["limit0 → stop 1: 3 @ 98 | 103"]
    assert D("102.9") in interest(one, market(103), exits=PAIRED).levels


def test_without_pairs_the_targets_are_watched() -> None:
    assert interest(coins(), market(101), exits=SINGLE).levels == {D(103), D(106)}
    assert interest(coins(), market(101), exits=PAIRED).levels == frozenset()
    assert interest(coins(), market(101)).levels == frozenset()


def test_a_slice_grows_by_a_further_order_and_by_a_swap_where_that_would_be_too_small() -> None:
    one = after(position(instrument=OWNED), booked("entry", 6, 100))
    working = [stop(2, 1, beside=103), stop(2, 2, beside=106)]
    (first, second, _) = done(one, working, 101, 6)
    assert first == "stop 1: 1 @ 98 | 103"
    assert second == "stop2@98 → stop 2: 3 @ 98 | 106", "one stop more than slices at a time: venues take few"
    more = [*working, stop(1, 1, beside=103, name="more"), stop(1, 2, beside=106, name="again")]
    assert done(one, more, 101, 6)[:-1] == []
    a_little = after(one, booked("entry", "0.08", 100, minute=1))
    assert done(a_little, more, 101, "6.08")[:-1] == [
        "more → stop 1: 1.04 @ 98 | 103",
        "again → stop 2: 1.04 @ 98 | 106",
    ]


def test_free_coins_are_given_out_once_and_no_more_gives_way_than_must() -> None:
    old = stop(4, trigger=97, name="old")
    assert done(coins(), [old], 101, 10) == ["stop 1: 5 @ 98 | 103", "old → stop 2: 5 @ 98 | 106"]


def test_few_coins_that_are_left_at_the_end_join_the_last_slice() -> None:
    one = replace(few("5.04"), declined=frozenset({(Role.TAKE_PROFIT, 1)}))
    sold = after(one, booked("take_profit", "2.5", 103))
    assert wanted(sold, 101, "2.54", PAIRED) == ["stop 0: 2.54 @ 98"]
    half = after(few("5.04"), booked("take_profit", "2.5", 106, leg=1))
    assert wanted(half, 101, "2.54", PAIRED) == ["stop 1: 2.54 @ 98 | 103"]


def test_doubled_orders_are_thinned_to_one() -> None:
    assert done(coins(), [*PAIRS, PAIRS[0]._replace(client_id="again")], 101, 10) == ["cancel again"]


def test_a_stop_cancelled_by_hand_comes_back() -> None:
    assert done(coins(), [PAIRS[0]], 101, 10) == ["stop 2: 5 @ 98 | 106"]


def test_orders_of_which_nobody_knows_whether_they_rest_lock_their_coins_all_the_same() -> None:
    for status in (OrderStatus.UNKNOWN, OrderStatus.INTENDED):
        assert done(coins(), [each._replace(status=status) for each in PAIRS], 101, 10) == []


def test_stops_that_came_with_entries_are_not_made_one_before_there_are_many() -> None:
    """They grow with their entries for as long as these fill, which one in their place would not."""
    came = [stop(2, name=f"came{number}") for number in range(4)]
    assert done(coins(), came, 101, 10, SINGLE) == ["stop 0: 2 @ 98"]
    many = [*came, stop(1, name="own1"), stop("0.5", name="own2")]
    assert done(coins(), many, 101, 10, SINGLE) == ["own2 → stop 0: 1 @ 98"]


def test_to_close_all_each_slice_is_sold_before_the_next_gives_up_its_stop() -> None:
    one = replace(coins(), directives=Directives(reduce_to=D(0)))
    actions = step(one, PAIRS, market(101), D(10), PAIRED)
    assert told(actions) == ["stop1@98 → close 0: 5", "stop2@98 → close 0: 5"]
    backs = [action.back for action in actions if isinstance(action, Swap)]
    assert [text(back) for back in backs if back is not None] == ["stop 0: 5 @ 98", "stop 0: 5 @ 98"]
    assert done(one, [Working("out", Role.CLOSE, 0, OrderKind.MARKET, D(10))], 101, 10) == []


def test_coins_without_a_stop_leave_first_and_slices_too_small_to_be_sold_with_the_next() -> None:
    """The cancellation of a stop may fail, again and again: what has none does not wait for it."""
    one = replace(coins(), directives=Directives(reduce_to=D(0)))
    assert done(one, [PAIRS[0]], 101, 10) == ["close 0: 5"]
    assert done(one, [stop("9.99", 1)], 101, 10) == ["stop1@98 → close 0: 10"]
    small = [stop("0.01", 1), stop("9.99", 2)]
    assert done(one, small, 101, 10) == ["stop1@98 stop2@98 → close 0: 10"]
    assert done(one, [], 101, 10) == ["close 0: 10"]


def test_while_a_sale_is_in_doubt_no_other_slice_gives_up_its_stop() -> None:
    one = replace(coins(), directives=Directives(reduce_to=D(0)))
    sale = Working("out", Role.CLOSE, 0, OrderKind.MARKET, D(5), status=OrderStatus.UNKNOWN)
    assert done(one, [sale, PAIRS[1]], 101, 10) == []
    assert done(one, [sale._replace(status=OrderStatus.OPEN), PAIRS[1]], 101, 10) == ["stop2@98 → close 0: 5"]


def test_to_close_a_part_the_rest_is_protected_first() -> None:
    one = replace(coins(), directives=Directives(reduce_to=D(6)))
    assert done(one, PAIRS, 101, 10) == ["stop1@98 → stop 1: 3 @ 98 | 103", "stop2@98 → stop 2: 3 @ 98 | 106"]
    smaller = [stop(3, 1, beside=103), stop(3, 2, beside=106)]
    assert done(one, smaller, 101, 10) == ["close 0: 4"]


def test_what_is_freed_beside_a_stop_and_could_never_be_sold_alone_is_sold_with_the_rest() -> None:
    """To keep 4.96 of ten, a stop for 5 gives way to a smaller one: the 0.04 are worth less than the smallest order.

    They are free only if that has succeeded, so that a sale that is refused gives back a stop for the others alone."""
    one = replace(coins(), directives=Directives(reduce_to=D("4.96")))
    actions = step(one, [stop(5, name="a"), stop(5, name="b")], market(101), D(10), SINGLE)
    assert told(actions) == ["a → stop 0: 4.96 @ 98", "b → close 0: 5.04"]
    assert [action.back.quantity for action in actions if isinstance(action, Swap) and action.back] == [5]
    much = replace(coins(), directives=Directives(reduce_to=D("4.9")))
    assert done(much, [stop(5, name="a"), stop(5, name="b")], 101, 10, SINGLE)[-1] == "b → close 0: 5"


def test_parts_of_a_lot_stay_with_what_the_trader_keeps() -> None:
    """Of 9.999 coins 9.99 can be sold; to keep 4.995 of them 5 are sold, not 4.99."""
    one = replace(few("9.999"), directives=Directives(reduce_to=D("4.995")))
    assert wanted(one, 101, "9.99", SINGLE) == wanted(one, 101, "9.999", SINGLE) == ["stop 0: 4.99 @ 98", "close 0: 5"]


def test_a_part_too_small_to_be_protected_leaves_with_the_rest() -> None:
    one = replace(coins(), directives=Directives(reduce_to=D("0.04")))
    assert wanted(one, 101, 10, PAIRED) == ["close 0: 10"]


def test_when_nothing_is_held_everything_goes() -> None:
    assert done(coins(), [PAIRS[0], limit(5, 1, 106)], 101, 0) == ["cancel stop1@98", "cancel limit1"]


def test_hand_sold_coins_are_missed_by_the_further_targets() -> None:
    assert wanted(coins(), 101, 7, PAIRED) == ["stop 1: 5 @ 98 | 103", "stop 2: 2 @ 98 | 106"]


@pytest.mark.parametrize("exits", [PAIRED, SINGLE])
def test_a_price_beyond_a_stop_that_does_not_rest_is_the_stop(exits: Exits) -> None:
    (action,) = step(coins(), [], market(97), D(10), exits)
    assert told([action]) == ["close 0: 10"]
    assert isinstance(action, Place)
    assert action.wish.reason is Cause.STOP_LOSS


def test_what_rests_at_the_stop_is_left_to_the_venue_when_the_price_is_beyond_it() -> None:
    assert done(coins(), PAIRS, 97, 10) == []
    assert done(coins(), [PAIRS[0], stop(5, 2, trigger=96, beside=106)], 97, 10) == ["stop2@96 → close 0: 5"]


def test_nothing_enters_while_the_stop_is_passed() -> None:
    one = after(position(instrument=OWNED), booked("entry", 6, 100))
    assert done(one, [], 97, 6) == ["close 0: 6"]


# What becomes of it at a desk


class Telling:
    """A desk that remembers what it was asked, and refuses some of it."""

    def __init__(self, *, doubtful: Collection[str] = (), refuses: Collection[Role] = (), code: str = "other") -> None:
        self.doubtful, self.refuses, self.code, self.asked = doubtful, refuses, code, list[str]()
        self.no_pairs = False
        self.cut: BaseException | None = None
        """What happens to withdrawals."""
        self.trouble: Exception | None = None
        """What happens to sales at market."""

    def place(self, wish: Wish) -> None:
        self.asked.append(text(wish))
        if self.trouble is not None and wish.role is Role.CLOSE:
            raise self.trouble
        if wish.role in self.refuses or (self.no_pairs and wish.beside is not None):
            raise Rejected("no", self.code)

    def cancel(self, working: Working, reason: str) -> None:
        self.asked.append(f"cancel {working.client_id}")

    def withdraw(self, working: Working, reason: str) -> bool:
        self.asked.append(f"withdraw {working.client_id}")
        if self.cut is not None:
            raise self.cut
        return working.client_id not in self.doubtful


CLOSING = replace(coins(), directives=Directives(reduce_to=D(0)))


def test_nothing_is_placed_unless_all_in_the_way_is_certain_to_be_gone() -> None:
    desk = Telling(doubtful=["stop1@98"])
    assert carry_out(step(CLOSING, PAIRS, market(101), D(10), PAIRED), desk) == []
    assert desk.asked == ["withdraw stop1@98"], "and nothing more gives up its stop"


@pytest.mark.parametrize("trouble", [None, OutcomeUnknown("cut")])
def test_coins_under_no_stop_wait_for_no_cancellation_to_be_protected(trouble: Exception | None) -> None:
    """Of 10 coins 4 lie under an old stop that does not go, or of which nobody knows whether it did."""
    old = stop(4, trigger=97, name="old")
    desk = Telling(doubtful=["old"])
    desk.cut = trouble
    carry_out(step(coins(), [old], market(101), D(10), PAIRED), desk)
    assert desk.asked == ["stop 1: 5 @ 98 | 103", "withdraw old", "stop 2: 1 @ 98 | 106"]
    both = [stop(5, leg=1, beside=103, name="one"), stop(1, leg=2, beside=106, name="two")]
    desk.asked.clear()
    carry_out(step(coins(), [old, *both], market(101), D(10), PAIRED), desk)
    assert desk.asked == ["withdraw old"], "and what rests already does not give way to what cannot be placed"


def test_a_process_that_has_to_end_while_it_makes_room_places_nothing_more() -> None:
    desk = Telling()
    desk.cut = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        carry_out(step(coins(), [PAIRS[0], stop(4, trigger=97, name="old")], market(101), D(10), PAIRED), desk)
    assert desk.asked == ["withdraw old"]


def test_a_refused_close_gives_the_stop_back() -> None:
    desk = Telling(refuses=[Role.CLOSE])
    (failure,) = carry_out(step(CLOSING, PAIRS, market(101), D(10), PAIRED), desk)
    assert isinstance(failure.action, Swap)
    assert desk.asked == ["withdraw stop1@98", "close 0: 5", "stop 0: 5 @ 98"], "and the other slice keeps its own"


@pytest.mark.parametrize("trouble", [Temporary("busy"), OutcomeUnknown("cut")])
def test_a_sale_that_could_not_be_sent_gives_the_stop_back_and_one_in_doubt_frees_no_other(
    trouble: Exception,
) -> None:
    desk = Telling()
    desk.trouble = trouble
    (failure,) = carry_out(step(CLOSING, PAIRS, market(101), D(10), PAIRED), desk)
    assert failure.error is trouble
    back = ["stop 0: 5 @ 98"] if isinstance(trouble, Temporary) else []
    assert desk.asked == ["withdraw stop1@98", "close 0: 5", *back]


def test_instead_of_a_pair_that_is_refused_its_stop_protects() -> None:
    desk = Telling()
    desk.no_pairs = True
    assert carry_out(step(coins(), [PAIRS[1]], market(101), D(10), PAIRED), desk) == []
    assert desk.asked == ["stop 1: 5 @ 98 | 103", "stop 0: 5 @ 98"]


def test_a_pair_whose_stop_is_passed_leaves_at_market() -> None:
    desk = Telling(refuses=[Role.STOP], code="would_trigger")
    assert carry_out(step(coins(), [PAIRS[1]], market(101), D(10), PAIRED), desk) == []
    assert desk.asked == ["stop 1: 5 @ 98 | 103", "stop 0: 5 @ 98", "close 0: 5"]


# At the exchange

STORY = {
    "entries": [{"kind": "market"}],
    "stop": {"price": "95"},
    "take_profits": [{"price": p, "share": s} for p, s in (("105", "0.3"), ("110", "0.3"), ("115", "0.4"))],
    "risk": {"money": "50"},
    "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "costs"}},
}


def begun(exits: Exits, **about: Any) -> SimulatedTrade:
    return trade_on(STORY, tick(0, 100), instrument=OWNED, exits=exits, **about)


@pytest.mark.parametrize("exits", [PAIRED, SINGLE])
def test_a_whole_life_in_coins(exits: Exits) -> None:
    trade = begun(exits, stash=D(3))
    trade.play(*(tick(minute, price) for minute, price in enumerate((103, 105, 104, 110, 112, 99), 1)))
    left = trade.position.fills[1:]
    assert [b.fill.price for b in left[:2]] == [105, 110]
    assert [b.reason for b in left] == ["take_profit", "take_profit", "break_even"]
    assert trade.is_over
    dust = trade.position.held
    assert 0 < dust < OWNED.lot_size
    assert trade.exchange.books.coins == {"COIN": 3 + dust}
    assert trade.exchange.books.wallet - 10_000 == trade.position.net - trade.position.held_at_cost
    assert trade.position.net > 0


def test_a_pair_cancelled_by_hand_comes_back_whole() -> None:
    trade = begun(PAIRED)
    before = trade.working()
    trade.exchange.cancel(
        OrderRef(trade.symbol, next(c for c in trade.exchange.orders if c.startswith("take_profit.1")))
    )
    trade.look()
    assert {(w.leg, w.remaining, w.beside) for w in trade.working()} == {(w.leg, w.remaining, w.beside) for w in before}

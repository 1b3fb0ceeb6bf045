"""What must be true of a trade in coins after every look, with pairs and without, whatever market and hand do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from buddy.core.costs import PRECISE
from buddy.core.errors import InvalidPlan
from buddy.core.exchange import Exits, OrderRef, Role
from buddy.core.manage import step
from buddy.core.market import sellable
from buddy.core.position import level_of
from buddy.core.simulated_books import Resting
from buddy.core.simulated_market import Tick
from buddy.core.simulated_trade import SimulatedTrade

from .lives import EQUITY, OWNED, documents, trade_on, walks

KEPT = Decimal("1e-18")
"""Of a number, in both databases."""

D = Decimal
ZERO = D(0)
LONGS = documents(signs=(1,))
WAYS = st.sampled_from([Exits.PAIRED, Exits.SINGLE])
STASHES = st.sampled_from([ZERO, D("0.007"), D(50)])
SLICES = st.one_of(st.none(), st.integers(0, 1000))


def begun(document: dict[str, Any], first: Tick, exits: Exits, **about: Any) -> SimulatedTrade:
    """The trade, where the document can be carried out at all; without a stash there are no coins but its own."""
    try:
        return trade_on(document, first, instrument=OWNED, exits=exits, **about)
    except InvalidPlan:
        assume(False)
        raise


def coins_of(trade: SimulatedTrade) -> Decimal:
    return trade.exchange.books.coins.get(OWNED.base, ZERO)


def orders_of(trade: SimulatedTrade) -> Iterator[Resting]:
    yield from (*trade.exchange.orders.values(), *trade.exchange.closed.values())


def check(trade: SimulatedTrade, stash: Decimal) -> None:
    """Everything that must be true once a look is done."""
    assert coins_of(trade) == trade.position.held + stash, "our fills and the wallet agree, and the stash is untouched"
    assert trade.exchange.free_coins(trade.symbol) >= stash, "coins of the trader's own are not locked either"
    check_covered(trade)
    check_pairs(trade)
    check_cash(trade)


def check_covered(trade: SimulatedTrade) -> None:
    """All that can be sold is in the hands of stops, or of limits at targets that are reached."""
    selling = [order for order in trade.working() if order.role is not Role.ENTRY]
    market = trade.market()
    level = level_of(trade.position, market)
    covered = sum((order.remaining for order in selling), ZERO)
    left = OWNED.round_quantity(trade.held) - covered
    assert left >= 0, "never more is to be sold than is held"
    if market.last <= level.price:
        assert not sellable(OWNED, left, market.last), "what no stop sells right now is closed"
        return
    assert not left or not sellable(OWNED, trade.held, level.price), "all or dust"
    for order in selling:
        assert order.role in (Role.STOP, Role.TAKE_PROFIT)
        if order.role is Role.STOP and not order.filled:
            assert order.trigger == level.price, "a stop is where it belongs"
        if order.role is Role.TAKE_PROFIT:
            assert order.price is not None
            assert order.price <= market.last, "only a target that is reached has no stop"


def check_pairs(trade: SimulatedTrade) -> None:
    filled = {order.intent.client_id: order.filled for order in orders_of(trade)}
    for order in orders_of(trade):
        if order.intent.beside is not None:
            assert not (order.filled and filled[order.intent.beside.client_id]), "one half executes"


def check_cash(trade: SimulatedTrade) -> None:
    """The wallet is what the journal says, to the last digit that is kept of either: profit, less what the coins that
    are left have cost. An average need not end."""
    with localcontext(PRECISE):
        said = trade.position.net - trade.position.held_at_cost
        assert trade.exchange.books.wallet - EQUITY == said.quantize(KEPT)


def check_second_look(trade: SimulatedTrade) -> None:
    again = step(trade.position, trade.working(), trade.market(), trade.held, trade.exchange.exits)
    assert again == [], "a second look changes nothing"


@settings(deadline=None)
@given(LONGS, walks(), WAYS, STASHES, SLICES, st.booleans())
def test_the_invariants_of_coins_hold_after_every_look(
    document: dict[str, Any], walk: list[Tick], exits: Exits, stash: Decimal, slices: int | None, withholds: bool
) -> None:
    trade = begun(document, walk[0], exits, slices=slices, stash=stash, withholds=withholds)
    check(trade, stash)
    for each in walk[1:]:
        trade.exchange.feed(trade.symbol, each)
        while not trade.exchange.run():
            tightest = trade.position.memory.tightest_stop
            trade.look()
            check(trade, stash)
            check_second_look(trade)
            after = trade.position.memory.tightest_stop
            assert tightest is None or not trade.held or (after is not None and after >= tightest)
    event(f"exits: {len([b for b in trade.position.fills if b.role is not Role.ENTRY])}")
    event(f"over: {trade.is_over}")


@settings(deadline=None)
@given(LONGS, walks(), WAYS, STASHES, SLICES, st.data())
def test_skipped_looks_and_a_hand_that_cancels_and_sells_are_healed_by_the_next_look(
    document: dict[str, Any], walk: list[Tick], exits: Exits, stash: Decimal, slices: int | None, data: st.DataObject
) -> None:
    trade = begun(document, walk[0], exits, slices=slices, stash=stash)
    taken = ZERO
    for each in walk[1:]:
        trade.exchange.feed(trade.symbol, each)
        while not trade.exchange.run():
            if data.draw(st.booleans(), "skipped"):
                trade.exchange.watch({})
            else:
                trade.look()
                check_covered(trade)
        hand = data.draw(st.integers(0, 5), "hand")
        if hand == 0 and trade.exchange.orders:
            client_id = data.draw(st.sampled_from(sorted(trade.exchange.orders)), "cancelled")
            trade.exchange.cancel(OrderRef(trade.symbol, client_id))
        if hand == 1:
            taken += take_coins(trade, data.draw(st.integers(1, 4), "quarters"))
    trade.look()
    check_covered(trade)
    check_pairs(trade)
    check_second_look(trade)
    assert coins_of(trade) == trade.position.held + stash - taken
    assert trade.exchange.free_coins(trade.symbol) >= min(stash, coins_of(trade) - trade.held)


def take_coins(trade: SimulatedTrade, quarters: int) -> Decimal:
    """A hand frees some coins and takes them away: more than are free, the venue would not let it have."""
    for client_id in [c for c, o in trade.exchange.orders.items() if not o.intent.order_side.is_buy][:1]:
        trade.exchange.cancel(OrderRef(trade.symbol, client_id))
    taken = OWNED.round_quantity(trade.exchange.free_coins(trade.symbol) * quarters / 4)
    trade.exchange.books.coins[OWNED.base] = coins_of(trade) - taken
    return taken


@settings(deadline=None)
@given(LONGS, walks(), WAYS, STASHES, st.integers(0, 1000), st.sampled_from(["0", "0.3", "0.97"]))
def test_what_is_closed_leaves_nothing_but_dust(
    document: dict[str, Any], walk: list[Tick], exits: Exits, stash: Decimal, slices: int, share: str
) -> None:
    trade = begun(document, walk[0], exits, slices=slices, stash=stash)
    trade.play(*walk[1:])
    keep = trade.position.held * D(share)
    trade.position = replace(trade.position, directives=replace(trade.position.directives, reduce_to=keep))
    trade.look()
    check(trade, stash)
    if any(order.filled for order in trade.working()):
        return  # a stop that has triggered, or a limit at its price: the venue is selling
    assert trade.held <= keep or not sellable(OWNED, trade.held - keep, walk[-1].price)
    if not keep:
        assert not sellable(OWNED, trade.held, walk[-1].price)
        assert trade.is_over


@settings(deadline=None)
@given(LONGS, walks(), WAYS, st.data())
def test_the_result_in_coins_does_not_depend_on_how_often_one_looks(
    document: dict[str, Any], walk: list[Tick], exits: Exits, data: st.DataObject
) -> None:
    often, seldom = begun(document, walk[0], exits), begun(document, walk[0], exits)
    seldom.play(*walk[1:])
    for each in walk[1:]:
        often.play(each)
        for _ in range(data.draw(st.integers(0, 2), "extra looks")):
            often.look()
    assert [b.fill.price for b in often.position.fills] == [b.fill.price for b in seldom.position.fills]
    assert often.position.net == seldom.position.net

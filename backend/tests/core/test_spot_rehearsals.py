"""Rehearsals of coins: the same management over candles, with pairs and without."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from buddy.core.backtest import Rehearsal, Terms, opened, rehearse
from buddy.core.costs import Costs
from buddy.core.errors import InvalidPlan
from buddy.core.exchange import Exits
from buddy.core.intrabar import Intrabar
from buddy.core.market import Candle
from buddy.core.plan_document import read_plan
from buddy.core.rehearsal_report import report
from buddy.core.series import Series

from .lives import COSTS, OWNED, candle, candles, documents

D = Decimal
HALF = settings(deadline=None, max_examples=settings.default.max_examples // 2)
BUY: dict[str, Any] = {
    "symbol": OWNED.symbol,
    "entries": [{"kind": "limit", "price": "100"}],
    "stop": {"price": "98"},
    "take_profits": [{"price": "103", "share": "0.5"}, {"price": "106", "share": "0.5"}],
    "risk": {"quantity": "10"},
    "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "costs"}},
}
PATH = [candle(0, 101, 101, 99.5, 101), candle(1, 101, 103.2, 101, 103), candle(2, 103, 103, 99, 99)]


@pytest.mark.parametrize(("exits", "fee_rate"), [(Exits.PAIRED, "0.001"), (Exits.SINGLE, "0.002"), (None, "0.002")])
def test_the_figures_of_coins_worked_by_hand(exits: Exits | None, fee_rate: str) -> None:
    """9.99 of 10 stay: 4.99 leave at 103, as maker from a pair and as taker without one, 5 at break-even.

    That is 1000 / 9.99 / (1 − 0.002) = 100.3007…, up to the tick: 100.4.
    """
    terms = Terms(OWNED, Costs(D("0.001"), D("0.002")), D(10_000), exits=exits)
    position = rehearse(read_plan(BUY, OWNED), PATH, terms).position
    assert [(b.fill.quantity, b.fill.price) for b in position.fills] == [
        (10, 100),
        (D("4.99"), 103),
        (D("5.00"), D("100.4")),
    ]
    fees = 1 + D("4.99") * 103 * D(fee_rate) + 5 * D("100.4") * D("0.002")
    gross = D("4.99") * 3 + 5 * D("0.4")
    assert (position.fees, position.gross, position.net, position.held) == (fees, gross, gross - fees, 0)


def test_dust_stays_open_in_the_report_and_is_no_loss() -> None:
    terms = Terms(OWNED, Costs(D("0.001"), D("0.001")), D(10_000), exits=Exits.PAIRED)
    wanted = BUY | {"risk": {"quantity": "9.31"}, "rules": {}}
    told = report(rehearse(read_plan(wanted, OWNED), [*PATH, candle(3, 99, 99, 97, 97)], terms))
    assert told["open_quantity"] == "0.00069"
    assert [row["quantity"] for row in told["exits"]] == ["4.65", "4.65"]
    assert D(told["gross"]) == D("4.65") * 3 - D("4.65") * 2


@HALF
@given(
    documents(signs=(1,)),
    candles(),
    st.sampled_from(Intrabar),
    st.sampled_from([Exits.PAIRED, Exits.SINGLE]),
    st.sampled_from([None, {"percent": "2"}, {"candles": 2}, {"atr": "1.5"}]),
)
def test_leaping_equals_walking_with_coins(
    document: dict[str, Any], path: list[Candle], intrabar: Intrabar, exits: Exits, trail: dict[str, Any] | None
) -> None:
    wanted = document | {"symbol": OWNED.symbol}
    if trail is not None:
        wanted |= {"rules": wanted["rules"] | {"trail": trail}}
    leaping, walking = (begun(wanted, path, Terms(OWNED, COSTS, D(10_000), intrabar, exits=exits)) for _ in range(2))
    leaping.leap_through(Series(path))
    walking.walk_all(Series(path))
    one, other = leaping.trade.position, walking.trade.position
    assert [(b.fill.price, b.fill.time, b.reason) for b in one.fills] == [
        (b.fill.price, b.fill.time, b.reason) for b in other.fills
    ]
    assert (one.net, one.held, leaping.ambiguous) == (other.net, other.held, walking.ambiguous)


def begun(wanted: dict[str, Any], path: list[Candle], terms: Terms) -> Rehearsal:
    try:
        plan = read_plan(wanted, OWNED, reference_price=path[0].open)
        return Rehearsal(opened(plan, path[0], terms), terms.intrabar)
    except InvalidPlan:
        assume(False)
        raise

"""Rehearsals: what fills where, in which order of the extremes, and that leaping over quiet candles changes nothing."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from buddy.core.backtest import Played, Rehearsal, Terms, opened, rehearse
from buddy.core.costs import Costs
from buddy.core.errors import InvalidPlan
from buddy.core.intrabar import Intrabar
from buddy.core.market import Candle, Instrument
from buddy.core.plan import Plan
from buddy.core.plan_document import read_plan
from buddy.core.rehearsal_report import report, text
from buddy.core.series import Series

from .lives import COIN, COSTS, START, candle, candles, documents

D = Decimal
FREE = Costs()


def document(**changes: Any) -> dict[str, Any]:
    """A long at 100, stop at 98, half out at 103 and half at 106, risking 100."""
    whole: dict[str, Any] = {
        "symbol": COIN.symbol,
        "side": "long",
        "entries": [{"kind": "limit", "price": "100"}],
        "stop": {"price": "98"},
        "take_profits": [{"price": "103", "share": "0.5"}, {"price": "106", "share": "0.5"}],
        "risk": {"money": "100"},
    }
    return {key: value for key, value in (whole | changes).items() if value is not None}


def played(
    wanted: dict[str, Any], path: list[Candle], costs: Costs = FREE, intrabar: Intrabar = Intrabar.PESSIMISTIC
) -> Played:
    plan = read_plan(wanted, COIN, reference_price=path[0].open)
    return rehearse(plan, path, Terms(COIN, costs, D(10_000), intrabar))


def story(result: Played) -> list[tuple[int, str, str]]:
    """Minute, price and reason of every fill."""
    fills = result.position.fills
    return [((b.fill.time - START) // 60_000, text(b.fill.price), b.reason) for b in fills]


def test_a_limit_fills_at_its_price_when_touched() -> None:
    assert story(played(document(), [candle(0, 101, 102, 100, 101)])) == [(0, "100", "entry")]


def test_a_limit_fills_at_a_better_open() -> None:
    path = [candle(0, 101, 102, 100.5, 101), candle(1, 99.2, 101, 99, 100)]
    assert story(played(document(), path)) == [(1, "99.2", "entry")]


def test_a_market_entry_fills_at_the_open_of_the_first_candle() -> None:
    path = [candle(0, "100.7", 101, 100, 101)]
    assert story(played(document(entries=[{"kind": "market"}]), path)) == [(0, "100.7", "entry")]


def test_a_trigger_beyond_which_a_candle_opens_fills_at_that_open() -> None:
    wanted = document(entries=[{"kind": "trigger", "trigger": "101"}])
    path = [candle(0, 100, "100.5", "99.5", 100), candle(1, "101.4", 102, "101.2", 102)]
    assert story(played(wanted, path)) == [(1, "101.4", "entry")]


def test_a_stop_beyond_which_a_candle_opens_fills_at_that_open() -> None:
    path = [candle(0, 100, 101, 99.5, 100), candle(1, 97, 97.5, 96, 97)]
    assert story(played(document(), path)) == [(0, "100", "entry"), (1, "97", "stop_loss")]


def test_a_target_beyond_which_a_candle_opens_fills_at_that_better_open() -> None:
    path = [candle(0, 100, 101, 99.5, 100), candle(1, 104, 104.5, 103.5, 104)]
    assert story(played(document(), path))[1] == (1, "104", "take_profit")


def test_protection_is_live_from_the_instant_of_entry() -> None:
    path = [candle(0, 101, 101.5, 97, 97.2)]
    assert story(played(document(), path)) == [(0, "100", "entry"), (0, "98", "stop_loss")]


def test_the_stop_moves_to_break_even_within_the_candle_that_reaches_the_target() -> None:
    wanted = document(rules={"break_even": {"after": {"take_profit": 1}, "cover": "entry"}})
    path = [candle(0, 100, 101, 99.5, 101), candle(1, 101, 103.2, 99, 99.5)]
    assert story(played(wanted, path))[1:] == [(1, "103", "take_profit"), (1, "100", "break_even")]


def test_pessimistic_takes_the_order_that_leaves_less() -> None:
    path = [candle(0, 100, 101, 99.5, 101), candle(1, 101, 107, 97, 101)]
    worse, better = (played(document(), path, intrabar=each) for each in (Intrabar.PESSIMISTIC, Intrabar.OPTIMISTIC))
    assert [reason for *_, reason in story(worse)] == ["entry", "stop_loss"]
    assert [reason for *_, reason in story(better)] == ["entry", "take_profit", "take_profit"]
    assert worse.ambiguous == better.ambiguous == 1


def test_colour_goes_to_the_low_first_in_a_rising_candle() -> None:
    rising = [candle(0, 100, 101, 99.5, 100), candle(1, 100, 107, 97, 101)]
    falling = [candle(0, 100, 101, 99.5, 100), candle(1, 100, 107, 97, 99)]
    assert [reason for *_, reason in story(played(document(), rising, intrabar=Intrabar.COLOUR))][1] == "stop_loss"
    assert [reason for *_, reason in story(played(document(), falling, intrabar=Intrabar.COLOUR))][1] == "take_profit"


def test_what_is_still_open_at_the_end_stays_open() -> None:
    result = played(document(), [candle(0, 100, 101, 99.5, 100)])
    assert result.position.held == D(50)
    assert result.position.exited == 0


def test_an_entry_that_runs_to_the_cancel_price_is_missed() -> None:
    path = [candle(0, 101, 102, 100.5, 101), candle(1, 101, 103, 101, 103), candle(2, 100, 100, 99, 99)]
    result = played(document(cancel={"above": "103"}), path)
    assert story(result) == []
    assert result.position.memory.withdrawn == "missed"


def test_an_entry_expires_at_the_open_of_the_candle_in_which_its_time_is_up() -> None:
    path = [candle(0, 101, 102, 100.5, 101), candle(1, 101, 102, 100.5, 101), candle(2, 100, 100, 99, 99)]
    result = played(document(cancel={"after_minutes": "2"}), path)
    assert story(result) == []
    assert result.position.memory.withdrawn == "expired"


def test_time_is_up_at_the_open_of_a_candle() -> None:
    path = [candle(0, 100, 101, 99.5, 101), candle(1, 101, 102, 100.5, 101), candle(2, "100.7", 101, 99, 99)]
    result = played(document(rules={"close_after_minutes": "2"}), path)
    assert story(result) == [(0, "100", "entry"), (2, "100.7", "time")]


def test_a_percent_trail_follows_within_the_candle() -> None:
    wanted = document(take_profits=None, rules={"trail": {"percent": "2"}})
    path = [candle(0, 100, "100.5", "99.5", 100), candle(1, 100, 105, 100, "102.95")]
    assert story(played(wanted, path, intrabar=Intrabar.COLOUR)) == [(0, "100", "entry")]
    path = [candle(0, 100, "100.5", "99.5", 100), candle(1, 100, 105, 100, "102.9")]
    assert story(played(wanted, path, intrabar=Intrabar.COLOUR))[1] == (1, "102.9", "trailing_stop")


def test_a_trail_by_candles_goes_to_the_lowest_of_the_closed_ones() -> None:
    wanted = document(take_profits=None, rules={"trail": {"candles": 2}})
    path = [
        candle(0, 100, "100.5", "99.5", 100),
        candle(1, 100, 102, "99.8", 102),
        candle(2, 102, 104, "101.5", 104),
        candle(3, 104, 104, "99.7", 100),
        candle(4, 100, 100, 99, 99),
    ]
    assert story(played(wanted, path))[1] == (3, "99.8", "trailing_stop")


def test_step_moves_the_stop_to_the_target_before() -> None:
    thirds = [{"price": p, "share": s} for p, s in (("102", "0.3"), ("104", "0.3"), ("106", "0.4"))]
    path = [candle(0, 100, 101, 99.5, 101), candle(1, 103, 104.5, 103, 104), candle(2, 104, 104, 100, 100)]
    reasons = story(played(document(take_profits=thirds, rules={"step": True}), path))
    assert reasons[-1] == (2, "102", "step")


def test_the_figures_of_a_long_worked_by_hand() -> None:
    """Risk 100: per coin 2 + 100·0.0002 + 98·0.0005 = 2.069, so 48.3 lots of 0.1; TP1 24.1, the rest at break-even."""
    costs = Costs(D("0.0002"), D("0.0005"))
    wanted = document(rules={"break_even": {"after": {"take_profit": 1}, "cover": "costs"}})
    path = [candle(0, 101, 101, 99.5, 101), candle(1, 101, 103.2, 101, 103), candle(2, 103, 103, 99, 99)]
    position = played(wanted, path, costs).position
    assert [b.fill.quantity for b in position.fills] == [D("48.3"), D("24.1"), D("24.2")]
    # break-even: (100 + 100·0.0002) / (1 − 0.0005) = 100.0700…, up to the tick: 100.1
    assert position.fills[2].fill.price == D("100.1")
    fees = D("48.3") * 100 * D("0.0002") + D("24.1") * 103 * D("0.0002") + D("24.2") * D("100.1") * D("0.0005")
    gross = D("24.1") * 3 + D("24.2") * D("0.1")
    assert (position.fees, position.gross, position.net) == (fees, gross, gross - fees)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[dict[str, Any], list[Candle]]:
    return draw(documents()) | {"symbol": COIN.symbol}, draw(candles())


TRAILS = st.sampled_from([None, {"percent": "2"}, {"candles": 2}, {"atr": "1.5"}, {"candles": 1, "timeframe": "3m"}])


@settings(deadline=None)
@given(scenes(), st.sampled_from(Intrabar), TRAILS)
def test_leaping_equals_walking(
    scene: tuple[dict[str, Any], list[Candle]], intrabar: Intrabar, trail: dict[str, Any] | None
) -> None:
    wanted, path = scene
    if trail is not None:
        wanted = wanted | {"rules": wanted["rules"] | {"trail": trail}}
    terms = Terms(COIN, COSTS, D(10_000), intrabar)
    leaping, walking = (begun(wanted, path, terms) for _ in range(2))
    leaping.leap_through(Series(path))
    walking.walk_all(Series(path))
    one, other = leaping.trade.position, walking.trade.position
    assert [b.fill.price for b in one.fills] == [b.fill.price for b in other.fills]
    assert [(b.fill.time, b.reason, b.leg) for b in one.fills] == [(b.fill.time, b.reason, b.leg) for b in other.fills]
    assert (one.net, leaping.ambiguous) == (other.net, walking.ambiguous)
    assert one.memory.withdrawn == other.memory.withdrawn


def begun(wanted: dict[str, Any], path: list[Candle], terms: Terms) -> Rehearsal:
    try:
        plan = read_plan(wanted, COIN, reference_price=path[0].open)
        return Rehearsal(opened(plan, path[0], terms), terms.intrabar)
    except InvalidPlan:
        assume(False)
        raise


@settings(deadline=None)
@given(scenes())
def test_pessimistic_never_ends_above_optimistic_in_a_single_candle(scene: tuple[dict[str, Any], list[Candle]]) -> None:
    wanted, path = scene
    equities = {}
    for intrabar in Intrabar:
        rehearsal = begun(wanted, path[:1], Terms(COIN, COSTS, D(10_000), intrabar))
        rehearsal.walk_all(Series(path[:1]))
        equities[intrabar] = rehearsal.trade.exchange.equity
    assert equities[Intrabar.PESSIMISTIC] <= equities[Intrabar.COLOUR] <= equities[Intrabar.OPTIMISTIC]


def test_finer_candles_are_walked_where_they_cover_the_others() -> None:
    coarse = [candle(0, 100, 101, 99.5, 101), candle(5, 101, 107, 97, 101)]
    fine = [
        candle(5, 101, 107, 101, 107),
        *(candle(n, 107, 107, 107, 107) for n in (6, 7, 8)),
        candle(9, 107, 107, 97, 101),
    ]
    plan = read_plan(document(), COIN)
    result = rehearse(plan, coarse, Terms(COIN, FREE, D(10_000)), finer=fine)
    assert [reason for *_, reason in story(result)] == ["entry", "take_profit", "take_profit"]
    assert result.ambiguous == 0


def test_a_plan_that_cannot_be_sized_is_refused_with_its_faults() -> None:
    with pytest.raises(InvalidPlan) as refusal:
        played(document(risk={"money": "0.01"}), [candle(0, 100, 101, 99.5, 101)])
    assert refusal.value.faults


def test_leaping_equals_walking_on_real_candles() -> None:
    """A day of minutes, one trade after the other, with every kind of rule."""
    path = recorded(1_440)
    series, rules = Series(path), [{"break_even": {"after": {"take_profit": 1}}}, {"trail": {"percent": "0.4"}}]
    rules += [{"trail": {"atr": "4"}, "step": True}, {"trail": {"candles": 20}}, {"close_after_minutes": "90"}]
    begin, count = 0, 0
    while begin < len(path) - 1:
        plan = around(path[begin].open, rules[count % len(rules)], sign=1 if count % 3 else -1)
        leaping, walking = (Rehearsal(opened(plan, path[begin], REAL)) for _ in range(2))
        ended = leaping.leap_through(series, begin)
        walking.walk_all(series, begin=begin)
        one, other = (report(Played(each.trade.position, each.ambiguous, 0)) for each in (leaping, walking))
        assert one == other
        begin, count = ended + 1, count + 1
    assert count > 5


BTC = Instrument("BTC/USDT:USDT", "BTC", "USDT", "USDT", tick_size=D("0.1"), lot_size=D("0.001"))
REAL = Terms(BTC, COSTS, D(10_000), venue=False)
SHARED = Path(os.environ.get("SHARED_DIR", Path(__file__).resolve().parents[4] / "shared"))


def recorded(count: int) -> list[Candle]:
    """The first minutes of a real month."""
    file = SHARED / "market-data" / "binance_BTCUSDT_1m_202506_202507.parquet"
    if not file.exists():
        pytest.skip(f"no recorded candles at {file}")
    rows = pl.read_parquet(file).head(count).iter_rows()
    return [Candle(int(ts.timestamp() * 1000), *(D(repr(price)) for price in prices[:4])) for ts, *prices in rows]


def around(price: Decimal, rules: dict[str, Any], sign: int) -> Plan:
    """Half a percent of stop, targets at 0.4, 0.8 and 1.2 percent."""
    levels = [BTC.round_price(price * (1 + sign * D(part) / 1000)) for part in (-5, 4, 8, 12)]
    return read_plan(
        {
            "symbol": BTC.symbol,
            "side": "long" if sign > 0 else "short",
            "entries": [{"kind": "market"}],
            "stop": {"price": str(levels[0])},
            "take_profits": [{"price": str(level)} for level in levels[1:]],
            "risk": {"percent": "1"},
            "rules": rules,
        },
        BTC,
        reference_price=price,
    )

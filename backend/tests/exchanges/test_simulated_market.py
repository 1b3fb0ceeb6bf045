"""The simulated market: the same for ever, consistent with itself, and moving like a market."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy.core.market import TIMEFRAMES, Candle
from buddy.exchanges.market_data import simulated_market as market
from buddy.exchanges.market_data.perpetuals import PERPETUALS
from buddy.exchanges.market_data.simulated import SimulatedPrices
from buddy.exchanges.market_data.source import Quiet, UnknownSymbol

BTC = "BTC/USDT:USDT"
NOON = 1_795_262_400_000
"""2026-11-21 12:00 UTC."""
symbols = st.sampled_from(sorted(PERPETUALS))


def prices(now: int = NOON + 12_345, seed: int = 1) -> SimulatedPrices:
    return SimulatedPrices(seed, lambda: now)


def minutes(seed: int, symbol: str, days: int) -> np.ndarray:
    """One price a minute."""
    first = NOON // market.DAY
    return np.concatenate([market.day_of(seed, symbol, first + day).price[::30] for day in range(days)])


def test_the_same_seed_symbol_and_time_give_the_same_price_for_ever():
    assert market.price_at(1, BTC, NOON) == 605_215
    assert market.price_at(2, BTC, NOON) != market.price_at(1, BTC, NOON)


def test_a_price_does_not_depend_on_what_was_asked_before():
    alone = market.day_of.__wrapped__(7, BTC, 20_000).price
    market.day_of(7, BTC, 19_999)
    assert (market.day_of(7, BTC, 20_000).price == alone).all()


@pytest.mark.parametrize("symbol", sorted(PERPETUALS))
def test_days_join_without_a_jump(symbol):
    for day in range(20_600, 20_610):
        last, first = market.day_of(1, symbol, day).price[-1], market.day_of(1, symbol, day + 1).price[0]
        assert abs(first / last - 1) < 0.005


@given(symbols, st.sampled_from(sorted(TIMEFRAMES)), st.integers(0, 86_400_000), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_candles_of_every_length_add_up_from_the_ticks(symbol, timeframe, into_the_day, limit):
    source = prices(NOON + into_the_day)
    length = TIMEFRAMES[timeframe]
    for candle in source.candles(symbol, timeframe, None, None, limit).rows[-3:]:
        end = min(candle.time + length - market.TICK, source.now())
        ticks = [step.played.price for step in source.path([symbol], candle.time - 1, end)]
        assert candle[:5] == Candle(candle.time, ticks[0], max(ticks), min(ticks), ticks[-1])[:5]


@given(st.integers(0, 10**9), st.sampled_from(sorted(TIMEFRAMES)), st.integers(1, 60))
@settings(max_examples=40, deadline=None)
def test_candles_are_consecutive_and_end_with_the_running_one(offset, timeframe, limit):
    source, length = prices(NOON + offset), TIMEFRAMES[timeframe]
    rows = source.candles(BTC, timeframe, None, None, limit).rows
    assert len(rows) == limit
    assert [row.time for row in rows] == [rows[0].time + n * length for n in range(limit)]
    assert rows[-1].time == source.now() // length * length
    assert rows[-1].close == source.quote(BTC).last


def test_candles_stay_inside_what_was_asked():
    rows = prices().candles(BTC, "15m", NOON - 7_200_000, NOON - 3_600_000, 500).rows
    assert [rows[0].time, rows[-1].time, len(rows)] == [NOON - 7_200_000, NOON - 4_500_000, 4]


def test_the_history_reaches_back_two_months_and_more():
    rows = prices().candles(BTC, "1d", None, None, 90).rows
    assert len(rows) == 90
    assert all(row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high for row in rows)


@given(symbols, st.integers(0, 10**10))
@settings(max_examples=60, deadline=None)
def test_prices_lie_exactly_on_the_tick(symbol, offset):
    source = prices()
    price = source.quote(symbol, NOON - offset).last
    assert source.instrument(symbol).on_tick(price)
    assert isinstance(price, Decimal)


@pytest.mark.parametrize("symbol", sorted(PERPETUALS))
def test_volatility_clusters_and_returns_do_not(symbol):
    """As in real markets: a large move is followed by large moves, but its direction says nothing about the next."""
    returns = np.diff(np.log(minutes(1, symbol, 30)))
    size = np.abs(returns) - np.abs(returns).mean()
    for lag in (1, 5, 30):
        assert (size[lag:] * size[:-lag]).mean() / size.var() > 0.08
    assert abs((returns[1:] * returns[:-1]).mean() / returns.var()) < 0.05
    assert (returns**4).mean() / returns.var() ** 2 > 4, "tails are fatter than a normal's"


def test_days_differ_from_calm_to_wild():
    first = NOON // market.DAY
    ranges = [np.ptp(np.log(market.day_of(1, BTC, first + day).price)) for day in range(60)]
    assert max(ranges) > 3 * min(ranges)
    assert 0.01 < float(np.median(ranges)) < 0.12


def test_the_five_markets_move_together_but_not_alike():
    both = [np.diff(np.log(minutes(1, f"{base}/USDT:USDT", 5))) for base in ("BTC", "ETH")]
    assert 0.3 < np.corrcoef(*both)[0, 1] < 0.95


def test_prices_stay_within_reason_for_three_years():
    ends = [market.price_at(3, BTC, NOON + day * market.DAY) / 10 for day in range(0, 1095, 73)]
    assert 15_000 < min(ends) < max(ends) < 250_000


def test_quiet_stretches_come_as_one_candle_with_the_same_extremes():
    source = prices()
    begin, until = NOON - 3_600_000, NOON
    every = [step.played.price for step in source.path([BTC], begin, until)]
    low, high = min(every), max(every)
    quiet = Quiet(low - 1, high + 1, until + 1)
    (step,) = source.path([BTC], begin, until, quiet=lambda: quiet)
    assert (step.played.low, step.played.high, step.played.close, step.end) == (low, high, every[-1], until)


@given(st.integers(-200, 200), st.integers(-200, 200))
@settings(max_examples=40, deadline=None)
def test_what_touches_a_level_is_never_joined(below, above):
    source, begin, until = prices(), NOON - 1_800_000, NOON
    start = source.quote(BTC, begin).last
    quiet = Quiet(start - abs(below), start + abs(above), until + 1)
    steps = list(source.path([BTC], begin, until, quiet=lambda: quiet))
    for step in steps:
        if isinstance(step.played, Candle):
            assert quiet.low < step.played.low
            assert step.played.high < quiet.high
    loud = [s.played.price for s in source.path([BTC], begin, until) if not quiet.low < s.played.price < quiet.high]
    ticks = [s.played.price for s in steps if not isinstance(s.played, Candle)]
    assert [price for price in ticks if not quiet.low < price < quiet.high] == loud


def test_an_unknown_symbol_is_named():
    with pytest.raises(UnknownSymbol, match="PEPE"):
        prices().quote("PEPE/USDT:USDT")


def test_margin_tiers_are_continuous_at_each_cap():
    for each in PERPETUALS.values():
        for lower, upper in zip(each.instrument.tiers, each.instrument.tiers[1:], strict=False):
            cap = lower.notional_cap
            assert cap is not None
            below = cap * lower.maintenance_rate - lower.maintenance_amount
            assert below == cap * upper.maintenance_rate - upper.maintenance_amount


def test_funding_swings_around_the_base_rate_and_is_the_same_for_ever():
    month = [rate for symbol in PERPETUALS for rate in prices().funding(symbol, NOON - 30 * market.DAY, NOON)]
    assert len(month) == 5 * 90
    assert all(rate.time % (8 * market.HOUR) == 0 for rate in month)
    found = [rate.rate for rate in month]
    assert min(found) < 0 < Decimal("0.0001") < max(found)
    assert max(map(abs, found)) <= Decimal("0.0003")
    assert Decimal("0.00005") < sum(found) / len(found) < Decimal("0.00015")
    assert prices().funding(BTC, NOON, NOON + 4 * market.HOUR) == [(NOON + 4 * market.HOUR, Decimal("0.000146"))]
    assert prices(seed=2).funding(BTC, NOON, NOON + 4 * market.HOUR)[0].rate != Decimal("0.000146")


@given(symbols, st.integers(0, 10**6), st.integers(0, 10**9), st.integers(0, 10**9))
def test_funding_does_not_depend_on_the_window_asked_for(symbol, seed, first, second):
    begin, middle, end = NOON, NOON + min(first, second), NOON + max(first, second)
    source = prices(seed=seed)
    parts = [*source.funding(symbol, begin, middle), *source.funding(symbol, middle, end)]
    assert parts == list(source.funding(symbol, begin, end))

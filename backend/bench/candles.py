"""Candles per second through the shared core, always in a position: three targets, break-even after the first.

As soon as one trade has ended the next is opened at the open of the candle after. The same trades are walked candle by
candle on a part of the series: a speed counts only where both agree to the last digit. The limit is a bare loop
in floats that does the same comparisons and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from buddy.core.backtest import Played, Terms, rehearse
from buddy.core.costs import Costs
from buddy.core.market import Candle, Instrument
from buddy.core.plan_document import read_plan
from buddy.core.series import Series

from .figures import Figure, in_turn

RECORDING = "market-data/binance_BTCUSDT_5m_202403_202507.parquet"
TICK = Decimal("0.01")
CHECKED = 6000
INSTRUMENT = Instrument(
    "BTC/USDT:USDT", "BTC", "USDT", "USDT", tick_size=TICK, lot_size=Decimal("0.00001"), max_leverage=Decimal(125)
)
TERMS = Terms(INSTRUMENT, Costs(maker=Decimal("0.001"), taker=Decimal("0.001")), equity=Decimal(1_000_000), venue=False)


def measure() -> Iterator[Figure]:
    candles, origin = series()
    whole = Series(candles)
    trades = run(whole)
    assert run(Series(candles[:CHECKED])) == walked(candles[:CHECKED]), "the leap and the walk disagree"
    bars = [(float(c.open), float(c.high), float(c.low)) for c in candles]
    ours, limit = in_turn(lambda: run(whole), lambda: bare(bars), rounds=3)
    rate = len(candles) / ours
    name = f"candles/s, ladder, always in a position ({len(trades)} trades, {origin})"
    yield Figure(name, rate, "/s", ours / limit, "a bare float loop in Python", "≥ 100,000 /s", rate >= 100_000)


def series() -> tuple[Sequence[Candle], str]:
    """Recorded candles where they are, else a seeded random walk of the same length."""
    shared = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3] / "shared") / RECORDING
    if not shared.is_file():
        return random_walk(140_000), "random walk"
    import polars

    frame = polars.read_parquet(shared)
    columns = [frame[name].to_list() for name in ("open", "high", "low", "close")]
    times = frame["ts"].dt.epoch("ms").to_list()
    rows = zip(times, *columns, strict=True)
    return [Candle(time, *(Decimal(repr(price)) for price in prices)) for time, *prices in rows], "BTCUSDT 5m"


def random_walk(count: int) -> list[Candle]:
    moves = np.random.default_rng(1).normal(0, 0.001, (count, 4))
    candles, last = [], 60_000.0
    for number, (up, down, move, _) in enumerate(moves):
        close = last * (1 + move)
        high, low = max(last, close) * (1 + abs(up)), min(last, close) * (1 - abs(down))
        prices = (Decimal(f"{price:.2f}") for price in (last, high, low, close))
        candles.append(Candle(number * 300_000, *prices))
        last = float(f"{close:.2f}")
    return candles


def plan_at(price: Decimal) -> dict[str, Any]:
    def at(factor: str) -> str:
        return str((price * Decimal(factor)).quantize(TICK))

    return {
        "symbol": INSTRUMENT.symbol,
        "side": "long",
        "entries": [{"kind": "market"}],
        "stop": {"price": at("0.98")},
        "take_profits": [
            {"price": at(f), "share": s} for f, s in (("1.013", "0.3"), ("1.026", "0.3"), ("1.04", "0.4"))
        ],
        "risk": {"quantity": "1"},
        "rules": {"break_even": {"after": {"take_profit": 1}, "cover": "entry"}},
    }


def run(whole: Series) -> list[tuple[Decimal, Decimal]]:
    """Net and fees of every trade, one after the other."""
    told, begin = [], 0
    while begin < len(whole):
        played = once(whole, begin)
        told.append((played.position.net, played.position.fees))
        begin = played.ended + 1
    return told


def once(whole: Series, begin: int) -> Played:
    price = whole.candles[begin].open
    return rehearse(read_plan(plan_at(price), INSTRUMENT, reference_price=price), whole, TERMS, begin=begin)


def walked(candles: Sequence[Candle]) -> list[tuple[Decimal, Decimal]]:
    """The same, candle by candle: finer candles that are the candles themselves make every one be walked."""
    told, begin = [], 0
    while begin < len(candles):
        price = candles[begin].open
        plan = read_plan(plan_at(price), INSTRUMENT, reference_price=price)
        played = rehearse(plan, Series(candles[begin:]), TERMS, finer=candles[begin:])
        told.append((played.position.net, played.position.fees))
        begin += played.ended + 1
    return told


def bare(bars: Sequence[tuple[float, float, float]]) -> int:
    """One pass: enter, compare with stop and three targets, move the stop after the first."""
    count, held = 0, 0
    stop = entry = 0.0
    targets: list[float] = []
    for opening, high, low in bars:
        if not held:
            entry, held, count = opening, 3, count + 1
            stop, targets = entry * 0.98, [entry * 1.013, entry * 1.026, entry * 1.04]
        if low <= stop:
            held = 0
            continue
        while held and high >= targets[3 - held]:
            held -= 1
            stop = entry
    return count

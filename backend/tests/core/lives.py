"""Whole lives of trades on the simulated exchange: strategies for plans and paths, and a way to play them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from buddy.core.costs import Costs
from buddy.core.errors import InvalidPlan
from buddy.core.exchange import Exits
from buddy.core.market import Candle, Instrument
from buddy.core.plan_document import read_plan
from buddy.core.position import Position
from buddy.core.simulated_trade import SimulatedTrade
from buddy.core.simulator import SimulatedExchange, Tick
from buddy.core.sizing import size

from .plans import shares

D = Decimal
COIN = Instrument("COIN/USDT:USDT", "COIN", "USDT", "USDT", tick_size=D("0.1"), lot_size=D("0.1"))
OWNED = Instrument(
    "COIN/USDT",
    "COIN",
    "USDT",
    "USDT",
    tick_size=D("0.1"),
    lot_size=D("0.01"),
    min_quantity=D("0.02"),
    min_notional=D(5),
    spot=True,
)
COSTS = Costs(D("0.0002"), D("0.0005"), D("0.0003"))
EQUITY = D(10_000)
NOTHING = D(0)
MINUTE = 60_000
START = 1_699_999_200_000
"""A full hour."""


def at(minute: int) -> int:
    """The time of a minute, in milliseconds."""
    return START + minute * MINUTE


def candle(minute: int, open_: Any, high: Any, low: Any, close: Any) -> Candle:
    return Candle(at(minute), *(D(str(price)) for price in (open_, high, low, close)))


def tick(minute: int, price: Any) -> Tick:
    return Tick(at(minute), D(str(price)))


def trade_on(
    document: dict[str, Any],
    first: Tick | Candle,
    *,
    instrument: Instrument = COIN,
    costs: Costs = COSTS,
    slices: int | None = None,
    equity: Decimal = EQUITY,
    exits: Exits = Exits.REDUCE_ONLY,
    stash: Decimal = NOTHING,
    withholds: bool = True,
) -> SimulatedTrade:
    """The trade of a document, sized and looked at once, where the first step of the path begins.

    `stash`: coins of the trader's own in the same wallet.
    """
    price = first.price if isinstance(first, Tick) else first.open
    plan = read_plan({"symbol": instrument.symbol} | document, instrument, reference_price=price)
    figures = size(plan, instrument, equity=equity, free=equity, costs=costs, reference_price=price)
    if any(fault.code not in ("target_below_minimum",) for fault in figures.faults):
        raise InvalidPlan(figures.faults)
    exchange = SimulatedExchange(
        {instrument.symbol: instrument}, wallet=equity, costs=costs, slices=slices, exits=exits, withholds=withholds
    )
    exchange.books.coins = {instrument.base: stash} if stash else {}
    exchange.feed(instrument.symbol, first)
    exchange.set_up(instrument.symbol, figures.leverage, plan.margin_mode.value)
    position = Position(plan, instrument, figures.quantities, costs=costs, opened_time=first.time)
    trade = SimulatedTrade(exchange, position, base=MINUTE)
    trade.look()
    return trade


def price_of(tenths: int) -> str:
    return str(D(tenths) / 10)


@st.composite
def documents(draw: st.DrawFn, signs: Sequence[int] = (1, -1)) -> dict[str, Any]:
    """A plan about 100, long or short, with any rules."""
    sign = draw(st.sampled_from(signs))
    count = draw(st.integers(0, 3))
    targets = [1000 + sign * 20 * (n + 1) + sign * draw(st.integers(0, 15)) for n in range(count)]
    parts = draw(shares(count)) if count else []
    return {
        "side": "long" if sign > 0 else "short",
        "entries": draw(legs(sign)),
        "stop": {"price": price_of(1000 - sign * draw(st.integers(25, 60)))},
        "take_profits": [{"price": price_of(p), "share": s} for p, s in zip(targets, parts, strict=True)],
        "risk": {"money": str(draw(st.integers(1, 200)))},
        "rules": draw(rules(count)),
        "cancel": draw(cancels(sign, count)),
        "margin_mode": draw(st.sampled_from(["isolated", "cross"])),
    }


@st.composite
def legs(draw: st.DrawFn, sign: int) -> list[dict[str, Any]]:
    count = draw(st.integers(1, 3))
    made = []
    for share in draw(shares(count)):
        below, above = price_of(1000 - sign * draw(st.integers(0, 20))), price_of(1000 + sign * draw(st.integers(1, 8)))
        kinds = [
            {"kind": "market"},
            {"kind": "limit", "price": below},
            {"kind": "trigger", "trigger": above},
            {"kind": "trigger_limit", "trigger": above, "price": draw(st.sampled_from([below, above]))},
        ]
        made.append(draw(st.sampled_from(kinds)) | {"share": share})
    return made


@st.composite
def afters(draw: st.DrawFn, targets: int) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = [{"r": "0.7"}, {"percent": "1.3"}, {"minutes": str(draw(st.integers(1, 9)))}]
    kinds += [{"take_profit": n + 1} for n in range(targets)]
    return draw(st.sampled_from(kinds))


@st.composite
def rules(draw: st.DrawFn, targets: int) -> dict[str, Any]:
    chosen: dict[str, Any] = {"step": draw(st.booleans())}
    if draw(st.booleans()):
        cover = draw(st.sampled_from(["entry", "costs"]))
        chosen["break_even"] = {"after": draw(afters(targets)), "cover": cover}
    if draw(st.booleans()):
        trail = draw(st.sampled_from([{"percent": "1.5"}, {"percent": "4"}]))
        chosen["trail"] = trail | ({"after": draw(afters(targets))} if draw(st.booleans()) else {})
    if draw(st.booleans()):
        chosen["close_after_minutes"] = str(draw(st.integers(2, 30)))
    return chosen


@st.composite
def cancels(draw: st.DrawFn, sign: int, targets: int) -> dict[str, Any]:
    far, near = price_of(1000 + sign * draw(st.integers(10, 40))), price_of(1000 - sign * draw(st.integers(22, 40)))
    chosen: dict[str, Any] = {}
    if draw(st.booleans()):
        chosen["above" if sign > 0 else "below"] = far
    if draw(st.booleans()):
        chosen["below" if sign > 0 else "above"] = near
    if targets and draw(st.booleans()):
        chosen["at_take_profit"] = draw(st.integers(1, targets))
    if draw(st.booleans()):
        chosen["after_minutes"] = str(draw(st.integers(1, 20)))
    return chosen


@st.composite
def walks(draw: st.DrawFn, *, least: int = 3, most: int = 40) -> list[Tick]:
    """Ticks, two a minute, wandering about 100."""
    steps = draw(st.lists(st.integers(-25, 25), min_size=least, max_size=most))
    price, made = 1000, [Tick(START, D(100))]
    for number, move in enumerate(steps):
        price = max(800, min(1200, price + move))
        made.append(Tick(START + (number + 1) * MINUTE // 2, D(price) / 10))
    return made


@st.composite
def candles(draw: st.DrawFn, *, most: int = 25) -> list[Candle]:
    """Candles of a minute about 100, with gaps."""
    made, close = [], 1000
    for minute in range(draw(st.integers(2, most))):
        gap = draw(st.integers(-12, 12)) if draw(st.integers(0, 3)) == 0 else 0
        open_ = max(800, min(1200, close + gap))
        close = max(800, min(1200, open_ + draw(st.integers(-15, 15))))
        high = max(open_, close) + draw(st.integers(0, 12))
        low = min(open_, close) - draw(st.integers(0, 12))
        made.append(Candle(at(minute), *(D(price) / 10 for price in (open_, high, low, close))))
    return made

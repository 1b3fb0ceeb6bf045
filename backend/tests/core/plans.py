"""Instruments, and a strategy for every kind of valid plan document."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from buddy.core.market import Instrument, MarginTier
from buddy.core.plan import Plan
from buddy.core.plan_document import read_plan

D = Decimal
TIERS = (
    MarginTier(D(50_000), D("0.004"), D(0), D(125)),
    MarginTier(D(500_000), D("0.005"), D(50), D(100)),
    MarginTier(None, D("0.01"), D(2_550), D(50)),
)
BTC = Instrument(
    "BTC/USDT:USDT",
    "BTC",
    "USDT",
    "USDT",
    tick_size=D("0.1"),
    lot_size=D("0.001"),
    min_quantity=D("0.001"),
    min_notional=D(5),
    max_leverage=D(125),
    tiers=TIERS,
)
INVERSE = Instrument(
    "BTC/USD:BTC",
    "BTC",
    "USD",
    "BTC",
    tick_size=D("0.5"),
    lot_size=D(1),
    min_quantity=D(1),
    contract_size=D(100),
    linear=False,
)
SPOT = Instrument("BTC/USDT", "BTC", "USDT", "USDT", tick_size=D("0.01"), lot_size=D("0.00001"), spot=True)


def document(**changes: Any) -> dict[str, Any]:
    """A long at 64000 with two targets; a key changed to None is left out."""
    whole: dict[str, Any] = {
        "symbol": "BTC/USDT:USDT",
        "side": "long",
        "entries": [{"kind": "limit", "price": "64000"}],
        "stop": {"price": "62720"},
        "take_profits": [{"price": "65000", "share": "0.5"}, {"price": "66500", "share": "0.5"}],
        "risk": {"percent": "1"},
    }
    return {key: value for key, value in (whole | changes).items() if value is not None}


def plan(instrument: Instrument = BTC, reference: str | None = None, **changes: Any) -> Plan:
    changed = document(**({"symbol": instrument.symbol} | changes))
    return read_plan(changed, instrument, reference_price=None if reference is None else D(reference))


def shares(count: int) -> st.SearchStrategy[list[str]]:
    """Parts of a thousandth that add up to 1."""
    if count == 1:
        return st.just(["1"])
    cuts = st.lists(st.integers(1, 999), min_size=count - 1, max_size=count - 1, unique=True).map(sorted)
    edges = cuts.map(lambda inner: [0, *inner, 1000])
    return edges.map(lambda all_: [str(D(b - a) / 1000) for a, b in pairwise(all_)])


def ticks(price: int) -> str:
    return str(D(price) / 10)


@st.composite
def afters(draw: st.DrawFn, targets: int) -> dict[str, Any]:
    kinds = ["r", "percent", "minutes"] + (["take_profit"] if targets else [])
    kind = draw(st.sampled_from(kinds))
    return {kind: draw(st.integers(1, targets))} if kind == "take_profit" else {kind: str(draw(st.integers(1, 90)))}


@st.composite
def rules(draw: st.DrawFn, targets: int) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if draw(st.booleans()):
        cover = draw(st.sampled_from(["entry", "costs"]))
        chosen["break_even"] = {"after": draw(afters(targets)), "cover": cover}
    if draw(st.booleans()):
        kind = draw(st.sampled_from([{"percent": "1.5"}, {"atr": "2.5"}, {"candles": 20, "timeframe": "15m"}]))
        chosen["trail"] = kind | ({"after": draw(afters(targets))} if draw(st.booleans()) else {})
    if draw(st.booleans()):
        chosen |= {"step": True, "close_after_minutes": str(draw(st.integers(1, 10_000)))}
    return chosen


@st.composite
def entries(draw: st.DrawFn, sign: int, base: int) -> list[dict[str, Any]]:
    """Up to three legs within 100 ticks of `base` (ticks)."""
    count = draw(st.integers(1, 3))
    legs = []
    for share in draw(shares(count)):
        price, other = (ticks(base + sign * draw(st.integers(0, 100))) for _ in range(2))
        keys = draw(
            st.sampled_from(
                [
                    {"kind": "limit", "price": price},
                    {"kind": "trigger", "trigger": price},
                    {"kind": "trigger", "price": price},
                    {"kind": "trigger_limit", "trigger": price, "price": other},
                    {"kind": "market"},
                ]
            )
        )
        legs.append(keys | {"share": share})
    return legs


@st.composite
def documents(draw: st.DrawFn) -> tuple[dict[str, Any], Decimal]:
    """A valid document of any kind, and the reference price beside it."""
    side = draw(st.sampled_from(["long", "short"]))
    sign, base = (1 if side == "long" else -1), draw(st.integers(200_000, 900_000))
    steps = draw(st.lists(st.integers(1, 5000), max_size=4))
    prices = [base + sign * (101 + sum(steps[: n + 1])) for n in range(len(steps))]
    parts = draw(shares(len(prices))) if prices else []
    made: dict[str, Any] = {
        "symbol": BTC.symbol,
        "side": side,
        "entries": draw(entries(sign, base)),
        "stop": {"price": ticks(base - sign * draw(st.integers(1, 20_000)))},
        "take_profits": [{"price": ticks(p), "share": s} for p, s in zip(prices, parts, strict=True)],
        "risk": {draw(st.sampled_from(["percent", "money", "quantity"])): str(draw(st.integers(1, 100)))},
        "rules": draw(rules(len(prices))),
        "margin_mode": draw(st.sampled_from(["isolated", "cross"])),
    }
    if draw(st.booleans()):
        made |= {"leverage": draw(st.integers(1, 100)), "cancel": {"above": ticks(base + 6000), "after_minutes": "240"}}
    return made, D(ticks(base))

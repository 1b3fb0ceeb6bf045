"""The rehearsal equals a second one that was written from the plan's words alone and shares nothing with it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, note, reject, settings
from hypothesis import strategies as st

from buddy.core.errors import InvalidPlan
from buddy.trading.management.candle_rows import read_rows
from buddy.trading.management.rehearsal_request import play as rehearse
from buddy.trading.management.rehearsal_request import read_instrument, read_options

from .plans import shares
from .rehearsal_oracle import Oracle, play

D = Decimal
MINUTE = 60_000
START = 1_700_000_000_000
GRAIN = D("1E-12")
INSTRUMENT = {"tick_size": "0.01", "lot_size": "0.001"}


def price(ticks: int) -> str:
    return str(D(ticks) / 100)


@st.composite
def walks(draw: st.DrawFn) -> list[list[Any]]:
    """Candles around 100.00: quiet, wild, with gaps, some that only have one price."""
    at, rows = draw(st.integers(9800, 10200)), []
    for number in range(draw(st.integers(1, 12))):
        size = draw(st.sampled_from([0, 50, 300, 1500]))
        gap = draw(st.sampled_from([0, 0, 0, 100, 700]))
        open_ = max(at + draw(st.integers(-gap, gap)), 100)
        high = open_ + draw(st.integers(0, size))
        low = max(open_ - draw(st.integers(0, size)), 50)
        at = draw(st.integers(low, high))
        rows.append([START + number * 5 * MINUTE, *map(price, (open_, high, low, at)), "1"])
    return rows


@st.composite
def afters(draw: st.DrawFn, targets: int) -> dict[str, Any]:
    kind = draw(st.sampled_from(["r", "percent", "minutes", "take_profit"][: 4 if targets else 3]))
    values = {
        "r": st.sampled_from(["0.2", "0.5", "1", "2"]),
        "percent": st.sampled_from(["0.3", "1", "2.5"]),
        "minutes": st.sampled_from(["5", "7", "10", "20"]),
        "take_profit": st.integers(1, max(targets, 1)),
    }
    return {kind: draw(values[kind])}


@st.composite
def legs(draw: st.DrawFn, sign: int) -> list[dict[str, Any]]:
    made = []
    for share in draw(shares(draw(st.integers(1, 3)))):
        at, trigger = (price(10_000 + draw(st.integers(-300, 300))) for _ in range(2))
        kinds = [
            {"kind": "market"},
            {"kind": "limit", "price": at},
            {"kind": "trigger", "trigger": trigger},
            {"kind": "trigger_limit", "trigger": trigger, "price": at},
        ]
        made.append(draw(st.sampled_from(kinds)) | {"share": share})
    return made


@st.composite
def plans(draw: st.DrawFn, first: int) -> dict[str, Any]:
    """A plan around 100.00 that fits a market that opens at `first` ticks."""
    sign = draw(st.sampled_from([1, -1]))
    entries = draw(legs(sign))
    prices = [int(D(e[key]) * 100) for e in entries for key in ("price", "trigger") if key in e] + [first]
    worst, best = (min(prices), max(prices)) if sign > 0 else (max(prices), min(prices))
    targets, at = [], best
    for share in draw(st.integers(0, 3).flatmap(lambda n: shares(n) if n else st.just([]))):
        at += sign * draw(st.integers(1, 400))
        targets.append({"price": price(at), "share": share})
    lines = (max(prices), min(prices))
    return {
        "symbol": "BTC/USDT:USDT",
        "side": "long" if sign > 0 else "short",
        "entries": entries,
        "stop": {"price": price(worst - sign * draw(st.integers(1, 500)))},
        "take_profits": targets,
        "risk": {"quantity": draw(st.sampled_from(["1", "0.7", "2.345"]))},
        "rules": draw(stop_rules(len(targets))),
        "cancel": draw(cancels(len(targets), *lines)),
    }


@st.composite
def stop_rules(draw: st.DrawFn, targets: int) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    if draw(st.booleans()):
        cover = draw(st.sampled_from(["entry", "costs"]))
        rules["break_even"] = {"after": draw(afters(targets)), "cover": cover}
    if draw(st.booleans()):
        rules["trail"] = {"percent": draw(st.sampled_from(["0.5", "2", "5"]))}
        if draw(st.booleans()):
            rules["trail"]["after"] = draw(afters(targets))
    if draw(st.booleans()):
        rules["step"] = True
    if draw(st.integers(0, 3)) == 0:
        rules["close_after_minutes"] = draw(st.sampled_from(["5", "12", "30"]))
    return rules


@st.composite
def cancels(draw: st.DrawFn, targets: int, highest: int, lowest: int) -> dict[str, Any]:
    cancel: dict[str, Any] = {}
    if draw(st.booleans()):
        cancel["above"] = price(highest + draw(st.integers(1, 400)))
    if draw(st.booleans()):
        cancel["below"] = price(lowest - draw(st.integers(1, 400)))
    if targets and draw(st.booleans()):
        cancel["at_take_profit"] = draw(st.integers(1, targets))
    if draw(st.integers(0, 3)) == 0:
        cancel["after_minutes"] = draw(st.sampled_from(["5", "12", "30"]))
    return cancel


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], list[list[Any]], dict[str, str], bool]:
    candles = draw(walks())
    options = {
        "intrabar": draw(st.sampled_from(["pessimistic", "colour", "optimistic"])),
        "fee_maker": draw(st.sampled_from(["0", "0.0002"])),
        "fee_taker": draw(st.sampled_from(["0", "0.0005"])),
        "slippage": draw(st.sampled_from(["0", "0.001"])),
        "equity": "1000000",
    }
    return draw(plans(int(D(candles[0][1]) * 100))), candles, options, draw(st.booleans())


def expected(plan: dict[str, Any], candles: list[list[Any]], options: dict[str, str], rounds: bool) -> dict[str, Any]:
    tick, lot = (D("0.01"), D("0.001")) if rounds else (GRAIN, GRAIN)
    whole = D(plan["risk"]["quantity"])
    parts = [whole * D(entry["share"]) // lot * lot for entry in plan["entries"][:-1]]
    oracle = Oracle(
        plan,
        [*parts, whole - sum(parts, D(0))],
        maker=D(options["fee_maker"]),
        taker=D(options["fee_taker"]),
        slippage=D(options["slippage"]),
        tick=tick,
        lot=lot,
        opened=candles[0][0],
        price=D(candles[0][1]),
    )
    rows = [(row[0], D(row[1]), D(row[2]), D(row[3]), D(row[4])) for row in candles]
    end, ambiguous = play(oracle, rows, options["intrabar"])
    net = end.gross - end.fees
    return {
        "entries": merged(end.entries),
        "exits": merged(end.exits),
        "fees": close_to(end.fees),
        "gross": close_to(end.gross),
        "net": close_to(net),
        "initial_risk": close_to(end.risk),
        "r": close_to(net / end.risk) if end.entries else None,
        "open_quantity": close_to(end.held),
        "ambiguous_candles": ambiguous,
    }


def close_to(value: Decimal) -> Decimal:
    return round(value, 15)


def merged(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows with what one instant did in several slices for one reason added up."""
    sums: dict[tuple[Any, ...], Decimal] = {}
    for time, at, quantity, *why in rows:
        key = (time, close_to(at), *why)
        sums[key] = sums.get(key, D(0)) + quantity
    return [(*key, close_to(quantity)) for key, quantity in sums.items()]


def told(result: dict[str, Any]) -> dict[str, Any]:
    figures = ("fees", "gross", "net", "initial_risk", "r", "open_quantity")
    made: dict[str, Any] = {key: None if result[key] is None else close_to(D(result[key])) for key in figures}
    for name in ("entries", "exits"):
        rows = [(r["time"], D(r["price"]), D(r["quantity"]), r["reason"], r["order"]) for r in result[name]]
        made[name] = merged(rows)
    return made | {"ambiguous_candles": result["ambiguous_candles"]}


@given(cases())
@settings(deadline=None)
def test_a_rehearsal_is_what_the_words_of_the_plan_say(
    case: tuple[dict[str, Any], list[list[Any]], dict[str, str], bool],
) -> None:
    plan, candles, options, rounds = case
    instrument = None
    if rounds:
        names = {"symbol": plan["symbol"], "base": "BTC", "quote": "USDT", "settle": "USDT"}
        instrument = read_instrument(INSTRUMENT | names)
    try:
        result = told(rehearse(plan, read_rows(candles, "candles"), read_options(options), instrument))
    except InvalidPlan as invalid:
        if {fault.code for fault in invalid.faults} <= {"target_below_minimum", "quantity_below_minimum"}:
            reject()
        raise
    wanted = expected(plan, candles, options, rounds)
    note(f"{result}\n{wanted}")
    assert result == wanted

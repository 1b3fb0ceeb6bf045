"""Plans a trader may think of, about the price there is."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from buddy.core.market import Instrument, Side

D = Decimal


def document(dice: Random, market: Instrument, last: Decimal) -> dict[str, Any]:
    """A whole plan, mostly one that can be carried out."""
    side = dice.choice((Side.LONG, Side.SHORT))
    side = Side.LONG if market.spot else side
    count = dice.choice((0, 1, 1, 2, 2, 3))
    targets = sorted(dice.uniform(0.4, 2.5) for _ in range(count))
    made: dict[str, Any] = {
        "symbol": market.symbol,
        "side": side.value,
        "entries": _entries(dice, market, last, side),
        "stop": {"price": _price(market, last, -side.sign * dice.uniform(0.9, 2.5))},
        "take_profits": [
            {"price": _price(market, last, side.sign * (0.6 + far)), "share": share}
            for far, share in zip(targets, _shares(dice, count), strict=True)
        ],
        "risk": dice.choice(({"percent": "1"}, {"percent": "0.3"}, {"money": "40"}, {"money": "3"})),
        "margin_mode": dice.choice(("isolated", "isolated", "cross")),
        "rules": _rules(dice, count),
        "cancel": _cancel(dice, market, last, side, count),
    }
    if dice.random() < 0.1:
        made["stop"]["trigger_by"] = "mark"
    if market.spot:
        made["margin_mode"] = ""
    return {name: value for name, value in made.items() if value}


def stop_near(dice: Random, market: Instrument, last: Decimal, side: Side) -> str:
    """A price for a stop that the trader moves by hand."""
    return _price(market, last, -side.sign * dice.uniform(0.2, 2.5))


def _price(market: Instrument, last: Decimal, percent: float) -> str:
    return f"{market.round_price(last * (1 + D(f'{percent:.4f}') / 100)):f}"


def _shares(dice: Random, count: int) -> list[str]:
    if not count:
        return []
    parts = [D(dice.randint(1, 5)) for _ in range(count)]
    cut = [(part / sum(parts)).quantize(D("0.01")) for part in parts[:-1]]
    return [f"{part:f}" for part in (*cut, 1 - sum(cut, D(0)))]


def _entries(dice: Random, market: Instrument, last: Decimal, side: Side) -> list[dict[str, Any]]:
    count = dice.choice((1, 1, 1, 2, 3))
    return [_entry(dice, market, last, side) | {"share": share} for share in _shares(dice, count)]


def _entry(dice: Random, market: Instrument, last: Decimal, side: Side) -> dict[str, Any]:
    below = _price(market, last, -side.sign * dice.uniform(0.02, 0.7))
    above = _price(market, last, side.sign * dice.uniform(0.02, 0.5))
    return dice.choice(
        (
            {"kind": "market"},
            {"kind": "limit", "price": below},
            {"kind": "limit", "price": below},
            {"kind": "trigger", "trigger": above},
            {"kind": "trigger_limit", "trigger": above, "price": dice.choice((below, above))},
        )
    )


def _after(dice: Random, targets: int) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = [{"r": "0.5"}, {"percent": "0.6"}, {"minutes": str(dice.randint(1, 4))}]
    kinds += [{"take_profit": number + 1} for number in range(targets)]
    return dice.choice(kinds)


def _rules(dice: Random, targets: int) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if dice.random() < 0.45:
        chosen["break_even"] = {"after": _after(dice, targets), "cover": dice.choice(("entry", "costs"))}
    if dice.random() < 0.3:
        chosen["step"] = True
    if dice.random() < 0.35:
        trail = dice.choice(({"percent": "0.8"}, {"percent": "2"}, {"candles": 5, "timeframe": "1m"}, {"atr": "3"}))
        chosen["trail"] = trail | ({"after": _after(dice, targets)} if dice.random() < 0.5 else {})
    if dice.random() < 0.2:
        chosen["close_after_minutes"] = str(dice.choice((1, 2, 5, 60)))
    return chosen


def _cancel(dice: Random, market: Instrument, last: Decimal, side: Side, targets: int) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    with_us, against = ("above", "below") if side is Side.LONG else ("below", "above")
    if dice.random() < 0.25:
        chosen[with_us] = _price(market, last, side.sign * dice.uniform(0.6, 1.5))
    if dice.random() < 0.25:
        chosen[against] = _price(market, last, -side.sign * dice.uniform(0.8, 1.5))
    if targets and dice.random() < 0.25:
        chosen["at_take_profit"] = dice.randint(1, targets)
    if dice.random() < 0.3:
        chosen["after_minutes"] = str(dice.choice((1, 3, 30)))
    return chosen

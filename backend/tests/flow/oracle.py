"""What a trade must come to, worked out from the candles alone: no code of the product, no floats.

Only for candles in which at most one of the levels is touched, so that no opinion about the way through a candle is
needed; `walk` refuses others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

MAKER, TAKER, SLIPPAGE = Decimal("0.0002"), Decimal("0.0005"), Decimal("0.0002")


class Bar(NamedTuple):
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass
class Told:
    """The finished trade. `exits`: (price, quantity, fee), in order."""

    outcome: str = ""
    quantity: Decimal = Decimal(0)
    entry_bar: int = -1
    last_bar: int = -1
    exits: list[tuple[Decimal, Decimal, Decimal]] = field(default_factory=list)
    fees: Decimal = Decimal(0)
    gross: Decimal = Decimal(0)
    risk: Decimal = Decimal(0)
    stop: Decimal = Decimal(0)

    @property
    def net(self) -> Decimal:
        return self.gross - self.fees

    @property
    def r(self) -> Decimal:
        return self.net / self.risk


@dataclass(frozen=True)
class Wanted:
    """A limit entry, a stop, three targets, break-even with costs after the first; `sign`: 1 long, -1 short."""

    sign: int
    entry: Decimal
    stop: Decimal
    targets: tuple[Decimal, Decimal, Decimal]
    shares: tuple[Decimal, Decimal, Decimal]
    money: Decimal
    lot: Decimal
    tick: Decimal
    cancel_at: Decimal | None = None


def lots(value: Decimal, lot: Decimal) -> Decimal:
    return (value / lot).to_integral_value(rounding=ROUND_FLOOR) * lot


def quantity_for(wanted: Wanted) -> Decimal:
    per_coin = abs(wanted.entry - wanted.stop) + wanted.entry * MAKER + wanted.stop * (TAKER + SLIPPAGE)
    return lots(wanted.money / per_coin, wanted.lot)


def even(wanted: Wanted) -> Decimal:
    """The price at which the rest, sold as taker, pays its own entry fee and its exit fee; rounded towards profit."""
    exact = wanted.entry * (1 + wanted.sign * MAKER) / (1 - wanted.sign * TAKER)
    rounding = ROUND_CEILING if wanted.sign > 0 else ROUND_FLOOR
    return (exact / wanted.tick).to_integral_value(rounding=rounding) * wanted.tick


def touched(level: Decimal, bar: Bar) -> bool:
    return bar.low <= level <= bar.high


def one_of(levels: Sequence[Decimal], bar: Bar) -> Decimal | None:
    """The one level this bar touches."""
    hit = [level for level in levels if touched(level, bar)]
    assert len(hit) <= 1, f"more than one level in one bar: {hit}"
    return hit[0] if hit else None


def walk(wanted: Wanted, bars: Sequence[Bar]) -> Told:
    told = Told(quantity=quantity_for(wanted), stop=wanted.stop)
    first = _enter(wanted, bars, told)
    if first is None:
        return told
    told.fees += told.quantity * wanted.entry * MAKER
    distance = abs(wanted.entry - wanted.stop) * told.quantity
    told.risk = distance + told.fees + told.quantity * wanted.stop * (TAKER + SLIPPAGE)
    parts = [lots(told.quantity * share, wanted.lot) for share in wanted.shares[:2]]
    left = [*zip(wanted.targets, [*parts, told.quantity - sum(parts)], strict=True)]
    for number, bar in enumerate(bars[first + 1 :], first + 1):
        hit = one_of([told.stop, left[0][0]], bar)
        if hit is None:
            continue
        told.last_bar = number
        if hit == told.stop:
            _leave(wanted, told, told.stop * (1 - wanted.sign * SLIPPAGE), sum(q for _, q in left), TAKER)
            told.outcome = "stop_loss" if told.stop == wanted.stop else "break_even"
            return told
        price, part = left.pop(0)
        _leave(wanted, told, price, part, MAKER)
        told.stop = even(wanted)
        if not left:
            told.outcome = "take_profit"
            return told
    raise AssertionError("the trade did not end")


def _enter(wanted: Wanted, bars: Sequence[Bar], told: Told) -> int | None:
    watched = [wanted.entry] if wanted.cancel_at is None else [wanted.entry, wanted.cancel_at]
    for number, bar in enumerate(bars):
        hit = one_of(watched, bar)
        if hit is not None and hit == wanted.cancel_at:
            told.outcome, told.last_bar = "missed", number
            return None
        if hit is not None:
            assert one_of([wanted.entry, wanted.stop, *wanted.targets], bar) == wanted.entry
            told.entry_bar = number
            return number
    raise AssertionError("the entry was never touched")


def _leave(wanted: Wanted, told: Told, price: Decimal, quantity: Decimal, rate: Decimal) -> None:
    fee = price * quantity * rate
    told.exits.append((price, quantity, fee))
    told.fees += fee
    told.gross += wanted.sign * (price - wanted.entry) * quantity

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
FUNDING, EIGHT_HOURS = Decimal("0.0001"), 8 * 60 * 60 * 1000


class Bar(NamedTuple):
    time: int
    """When it opens, in milliseconds UTC."""
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass
class Told:
    """The finished trade. `exits`: (price, quantity, fee), in order; `funding`: (time, amount), paid is negative."""

    outcome: str = ""
    quantity: Decimal = Decimal(0)
    entry_bar: int = -1
    last_bar: int = -1
    exits: list[tuple[Decimal, Decimal, Decimal]] = field(default_factory=list)
    funding: list[tuple[int, Decimal]] = field(default_factory=list)
    fees: Decimal = Decimal(0)
    gross: Decimal = Decimal(0)
    risk: Decimal = Decimal(0)
    stop: Decimal = Decimal(0)

    @property
    def net(self) -> Decimal:
        return self.gross - self.fees + self.funded

    @property
    def funded(self) -> Decimal:
        return sum((amount for _, amount in self.funding), Decimal(0))

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


def even(wanted: Wanted, paid: Decimal, quantity: Decimal) -> Decimal:
    """The price at which the rest, `quantity` sold as taker, pays its own entry fee, its exit fee and all funding that
    was `paid`; rounded towards profit."""
    own = wanted.entry * (1 + wanted.sign * MAKER) + wanted.sign * max(paid, Decimal(0)) / quantity
    exact = own / (1 - wanted.sign * TAKER)
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
        if _fund(wanted, told, bars[number - 1], bar, sum(q for _, q in left)) and told.exits:
            _tighten(wanted, told, sum(q for _, q in left))
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
        if not left:
            told.outcome = "take_profit"
            return told
        _tighten(wanted, told, sum(q for _, q in left))
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


def _fund(wanted: Wanted, told: Told, before: Bar, bar: Bar, quantity: Decimal) -> bool:
    """Longs pay shorts at 00:00, 08:00 and 16:00 UTC, on what is held then at the price of then: `before`'s close."""
    first = before.time - before.time % EIGHT_HOURS + EIGHT_HOURS
    due = [(time, -wanted.sign * FUNDING * before.close * quantity) for time in range(first, bar.time + 1, EIGHT_HOURS)]
    told.funding += due
    return bool(due)


def _tighten(wanted: Wanted, told: Told, quantity: Decimal) -> None:
    """The stop at break-even; what has become cheaper since never loosens it."""
    closest = max if wanted.sign > 0 else min
    told.stop = closest(told.stop, even(wanted, -told.funded, quantity))


def _leave(wanted: Wanted, told: Told, price: Decimal, quantity: Decimal, rate: Decimal) -> None:
    fee = price * quantity * rate
    told.exits.append((price, quantity, fee))
    told.fees += fee
    told.gross += wanted.sign * (price - wanted.entry) * quantity

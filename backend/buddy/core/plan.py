"""The plan of one trade, checked and frozen. `core.plan_document.read_plan` makes one from JSON; nothing else should.

Prices are in quote currency, percentages are percent (`1.5` is 1.5 %), shares are fractions of 1, minutes are minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from .exchange import TriggerBy
from .market import ONE, Side


class EntryKind(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    TRIGGER = "trigger"
    """Market once `trigger` trades."""
    TRIGGER_LIMIT = "trigger_limit"
    """A limit at `price` once `trigger` trades."""


class Cover(StrEnum):
    """What a break-even stop must earn back."""

    ENTRY = "entry"
    """The bare average entry."""
    COSTS = "costs"
    """Fees and funding too, so that the trade nets zero."""


class MarginMode(StrEnum):
    ISOLATED = "isolated"
    CROSS = "cross"


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg of the way in; `share` is its part of the whole quantity."""

    kind: EntryKind
    price: Decimal | None = None
    trigger: Decimal | None = None
    share: Decimal = ONE

    def expected_price(self, reference_price: Decimal | None) -> Decimal | None:
        """Where this leg is expected to fill; a market leg at `reference_price`."""
        if self.price is not None:
            return self.price
        return self.trigger if self.trigger is not None else reference_price

    def is_past_trigger(self, side: Side, price: Decimal) -> bool:
        """Whether `price` is at the trigger or beyond it already: this leg then goes in at once."""
        return self.trigger is not None and not side.better(self.trigger, price)


@dataclass(frozen=True, slots=True)
class TakeProfit:
    """`share` of the whole entered quantity leaves at `price`."""

    price: Decimal
    share: Decimal = ONE


@dataclass(frozen=True, slots=True)
class After:
    """When a rule begins; exactly one is set.

    `r` and `percent` are a move of the price in our favour from the average entry, in units of the distance to the
    first stop and in percent; `take_profit` counts from 1; `minutes` since the first fill.
    """

    take_profit: int | None = None
    r: Decimal | None = None
    percent: Decimal | None = None
    minutes: Decimal | None = None


@dataclass(frozen=True, slots=True)
class BreakEven:
    after: After
    cover: Cover = Cover.COSTS


@dataclass(frozen=True, slots=True)
class Trail:
    """Exactly one: `percent` (of the best price), `atr` (multiples; 14 candles, Wilder) or `candles` (their extreme).

    Without `after` it trails from the first fill. `timeframe` None: the base candles.
    """

    percent: Decimal | None = None
    atr: Decimal | None = None
    candles: int | None = None
    after: After | None = None
    timeframe: str | None = None


@dataclass(frozen=True, slots=True)
class StopRules:
    """How the stop moves. `step`: after target n (n ≥ 2) it goes to the price of target n − 1."""

    break_even: BreakEven | None = None
    step: bool = False
    trail: Trail | None = None
    close_after_minutes: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CancelRules:
    """When what is unfilled of the entry is withdrawn.

    A price trades at or above `above`, at or below `below`, reaches the price of target `at_take_profit` (from 1), or
    `after_minutes` have passed since the trade was opened.
    """

    above: Decimal | None = None
    below: Decimal | None = None
    at_take_profit: int | None = None
    after_minutes: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """Exactly one: `percent` of equity, `money` in settle currency, or a fixed `quantity` in contracts."""

    percent: Decimal | None = None
    money: Decimal | None = None
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What the trader wants, whole. `leverage` None: the lowest that carries it."""

    symbol: str
    side: Side
    entries: tuple[Entry, ...]
    stop_price: Decimal
    risk: Risk
    take_profits: tuple[TakeProfit, ...] = ()
    trigger_by: TriggerBy = TriggerBy.LAST
    leverage: int | None = None
    margin_mode: MarginMode = MarginMode.ISOLATED
    rules: StopRules = field(default_factory=StopRules)
    cancel: CancelRules = field(default_factory=CancelRules)

    def document(self) -> dict[str, Any]:
        """The JSON document that reads back as this very plan."""
        whole = {
            "symbol": self.symbol,
            "side": self.side.value,
            "entries": [_entry(entry) for entry in self.entries],
            "stop": {"price": _text(self.stop_price), "trigger_by": self.trigger_by.value},
            "take_profits": [{"price": _text(t.price), "share": _text(t.share)} for t in self.take_profits],
            "risk": _present(percent=self.risk.percent, money=self.risk.money, quantity=self.risk.quantity),
            "margin_mode": self.margin_mode.value,
        }
        optional = {"leverage": self.leverage, "rules": _rules(self.rules), "cancel": _cancel(self.cancel)}
        return whole | {key: value for key, value in optional.items() if value}


def _text(value: Decimal) -> str:
    """Plain decimal text: no exponent, no needless zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _present(**values: Decimal | int | str | bool | dict[str, Any] | None) -> dict[str, Any]:
    """The values that are there, decimals as text."""
    there = {key: value for key, value in values.items() if value is not None}
    return {key: _text(value) if isinstance(value, Decimal) else value for key, value in there.items()}


def _entry(entry: Entry) -> dict[str, Any]:
    return _present(kind=entry.kind.value, price=entry.price, trigger=entry.trigger, share=entry.share)


def _after(after: After | None) -> dict[str, Any] | None:
    if after is None:
        return None
    return _present(take_profit=after.take_profit, r=after.r, percent=after.percent, minutes=after.minutes)


def _rules(rules: StopRules) -> dict[str, Any]:
    even, trail = rules.break_even, rules.trail
    return _present(
        break_even=None if even is None else {"after": _after(even.after), "cover": even.cover.value},
        step=True if rules.step else None,
        trail=None if trail is None else _trail(trail),
        close_after_minutes=rules.close_after_minutes,
    )


def _trail(trail: Trail) -> dict[str, Any]:
    return _present(
        percent=trail.percent,
        atr=trail.atr,
        candles=trail.candles,
        after=_after(trail.after),
        timeframe=trail.timeframe,
    )


def _cancel(cancel: CancelRules) -> dict[str, Any]:
    return _present(
        above=cancel.above,
        below=cancel.below,
        at_take_profit=cancel.at_take_profit,
        after_minutes=cancel.after_minutes,
    )

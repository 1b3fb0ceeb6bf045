"""The axes statistics are broken down by: which keys a trade has on each, and how a key is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from buddy.core.performance import ClosedTrade
from buddy.exchanges.models import Account
from buddy.trading.models import ExitReason, Trade

from .models import Entry

NONE = ""
"""The key of the trades that have nothing on an axis."""


@dataclass(frozen=True, slots=True)
class Axis:
    keys: Callable[[ClosedTrade], Iterable[str]]
    label: Callable[[str], str]


def by_symbol(owner_id: int) -> Axis:
    return Axis(lambda trade: [trade.symbol], str)


def by_side(owner_id: int) -> Axis:
    return Axis(lambda trade: [trade.side], str.capitalize)


def by_exit_reason(owner_id: int) -> Axis:
    names = {str(reason.value): str(reason.label) for reason in ExitReason}
    return Axis(lambda trade: [trade.exit_reason], lambda key: names.get(key, "Unknown"))


def by_account(owner_id: int) -> Axis:
    names = {str(key): name for key, name in Account.objects.filter(owner_id=owner_id).values_list("pk", "name")}
    of = dict(Trade.objects.filter(owner_id=owner_id).values_list("pk", "account_id"))
    return Axis(lambda trade: [str(of[trade.key])], lambda key: names[key])


def by_setup(owner_id: int) -> Axis:
    rows = Entry.objects.filter(trade__owner_id=owner_id, setup__isnull=False)
    return _by_words(rows.values_list("trade_id", "setup_id", "setup__name"), "No setup")


def by_tag(owner_id: int) -> Axis:
    rows = Entry.objects.filter(trade__owner_id=owner_id, tags__isnull=False)
    return _by_words(rows.values_list("trade_id", "tags", "tags__name"), "No tag")


def _by_words(rows: Iterable[Sequence[object]], nothing: str) -> Axis:
    keys: dict[object, list[str]] = {}
    names = {NONE: nothing}
    for trade, key, name in rows:
        keys.setdefault(trade, []).append(str(key))
        names[str(key)] = str(name)
    return Axis(lambda trade: keys.get(trade.key, [NONE]), lambda key: names[key])


AXES: dict[str, Callable[[int], Axis]] = {
    "symbol": by_symbol,
    "side": by_side,
    "setup": by_setup,
    "tag": by_tag,
    "exit_reason": by_exit_reason,
    "account": by_account,
}
OF_WORDS = ("setup", "tag")
"""Axes that change without a trade being closed."""

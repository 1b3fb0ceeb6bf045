"""What of a plan may become another while its trade works. Raises InvalidPlan with the fields that must stay."""

from __future__ import annotations

from collections.abc import Mapping

from buddy.core.errors import Fault, InvalidPlan
from buddy.core.exchange import Role
from buddy.core.market import ZERO
from buddy.core.plan import Plan
from buddy.core.position import Position


def with_side(document: object, position: Position) -> object:
    """A stop that has passed the entry no longer tells the side; the trade knows it."""
    if isinstance(document, Mapping) and document.get("side") is None:
        return {**document, "side": position.side.value}
    return document


def same_trade(old: Plan, new: Plan) -> None:
    if old.symbol != new.symbol:
        raise InvalidPlan([Fault("symbol", "A trade keeps its symbol.", f"Write {old.symbol}.", "symbol_changed")])
    if old.side != new.side:
        raise InvalidPlan([Fault("side", "A trade keeps its side.", f"Make it a {old.side} again.", "side_changed")])


def only_what_may_change(position: Position, plan: Plan) -> None:
    """What has entered is history: its entries, its risk, its leverage and its filled targets stay."""
    old, faults = position.plan, []
    for name in ("entries", "risk", "leverage", "margin_mode"):
        if getattr(old, name) != getattr(plan, name):
            message = f"The trade has entered: its {name.replace('_', ' ')} cannot change."
            cure = "Leave it as it is; open another trade for more."
            faults.append(Fault(name, message, cure, "already_entered"))
    for leg, target in enumerate(old.take_profits):
        done = position.filled(Role.TAKE_PROFIT, leg) > ZERO
        if done and (leg >= len(plan.take_profits) or plan.take_profits[leg] != target):
            cure = "Leave it where it is and change the others."
            faults.append(Fault(f"take_profits.{leg}", "This target has filled.", cure, "already_filled"))
    if faults:
        raise InvalidPlan(faults)

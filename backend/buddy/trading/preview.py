"""The ticket's answer: asked and possible, every fault and every denial, in plain JSON."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from buddy.core.errors import CouldNotRead, Fault
from buddy.core.exchange import Balance, Exits
from buddy.core.market import ZERO
from buddy.core.plan import Plan
from buddy.core.risk import warnings
from buddy.core.sizing import EntryFigure, Sizing, TargetFigure
from buddy.exchanges.connect import balance_of, known_balance, source_for
from buddy.exchanges.models import Account
from buddy.exchanges.venues import VENUES, Venue

from .examination import Examination, examine, takes_a_stop_along, waits_unattended
from .protection import NAKED_AT_MOST_MS
from .story import amount

AT_ONCE = "The stop rests at the exchange from the moment the entry fills."
SOON = "The stop is placed at the exchange as soon as the entry is seen to have filled, within seconds."
OR_ELSE = f"If it cannot, everything is closed at market within {NAKED_AT_MOST_MS // 1000} seconds, and you are told."
POSSIBLE: tuple[str, ...] = (
    "quantity",
    "notional",
    "margin",
    "leverage",
    "max_leverage",
    "average_entry",
    "loss_at_stop",
)
POSSIBLE += ("entry_fee", "exit_fee", "slippage", "liquidation_price")
PERCENT = Decimal("0.0001")


def preview(account: Account, document: object) -> dict[str, Any]:
    """Never writes and never raises for what is in the document: that is in the answer."""
    found = examine(account, document, source_for(account), _balance(account))
    plan, sizing = found.plan, found.sizing
    return {
        "side": plan.side.value if plan else None,
        "faults": [_fault(fault) for fault in found.faults],
        "warnings": [_fault(fault) for fault in _warnings(found, plan)] if plan else [],
        "denials": [{"code": d.code, "message": d.message, "cure": d.cure} for d in found.denials],
        "price": amount(found.quote.last) if found.quote else None,
        "asked": _asked(found, sizing) if sizing else None,
        "possible": _possible(found, plan, sizing) if plan and sizing else None,
        "entries": [_entry(entry) for entry in sizing.entries] if sizing else [],
        "targets": [_target(target, plan, sizing) for target in sizing.targets] if plan and sizing else [],
        "rr": _short(sizing.rr) if sizing else None,
        "best_case": amount(sizing.best_case) if sizing else None,
        "break_even_price": amount(sizing.break_even_price) if sizing and sizing.quantity else None,
        "stop_distance_percent": _distance(sizing.average_entry, plan.stop_price) if plan and sizing else None,
        "capital": {"equity": amount(found.balance.equity), "free": amount(found.balance.free)},
        "protection": f"{AT_ONCE if takes_a_stop_along(account) else SOON} {OR_ELSE}",
    }


def _fault(fault: Fault) -> dict[str, str]:
    return {"field": fault.field, "message": fault.message, "cure": fault.cure, "code": fault.code}


def _balance(account: Account) -> Balance:
    """As it is now, else as it was last read: a preview places nothing, and opening asks again."""
    try:
        return balance_of(account)
    except CouldNotRead:
        return known_balance(account)


def _warnings(found: Examination, plan: Plan) -> Iterator[Fault]:
    if found.quote is not None:
        yield from warnings(plan, found.quote.last)
    if waits_unattended(plan, found.account):
        hours = f"{(plan.cancel.after_minutes or ZERO) / 60:.0f}"
        message = f"{VENUES[found.account.venue].name} takes no stop along with an entry that waits: if it fills while "
        message += f"this desk is down, it has none until the desk is back. It is withdrawn after {hours} hours."
        cure = "Withdraw it sooner (cancel.after_minutes), or enter at market."
        yield Fault("cancel.after_minutes", message, cure, "waits_unattended")
    if found.account.is_spot:
        yield from _of_coins(plan, VENUES[found.account.venue])


def _of_coins(plan: Plan, venue: Venue) -> Iterator[Fault]:
    """A resting sale locks its coins, so that they cannot have a stop and something else at the same time."""
    if venue.exits is Exits.SINGLE and plan.take_profits:
        message = (
            f"{venue.name} takes no target beside a stop: only the stop rests at the exchange. Targets are sold by "
        )
        message += (
            "Trading Buddy when the price is there, and for that moment their coins have no stop. While this desk "
        )
        message += "is down no target is sold."
        yield Fault("take_profits", message, "Keep this desk running, or trade without targets.", "targets_by_desk")
    rules = plan.rules
    if rules.break_even or rules.step or rules.trail:
        what = "each part in turn has" if venue.exits is Exits.PAIRED else "the coins have"
        message = f"{venue.name} locks coins that are for sale: where the stop moves, the old one goes before the new "
        message += f"one comes, and {what} none for that moment."
        yield Fault("rules", message, "Leave the stop where it is if that is too long for you.", "stop_swapped")


def _asked(found: Examination, sizing: Sizing) -> dict[str, Any]:
    return {"risk": amount(sizing.asked_risk), "percent": _of_equity(found, sizing.asked_risk)}


def _of_equity(found: Examination, money: Decimal) -> str | None:
    equity = found.balance.equity
    return _short(money * 100 / equity) if equity > 0 else "0"


def _possible(found: Examination, plan: Plan, sizing: Sizing) -> dict[str, Any]:
    return {
        "risk": amount(sizing.loss_at_stop),
        "percent": _of_equity(found, sizing.loss_at_stop),
        **{name: amount(getattr(sizing, name)) for name in POSSIBLE},
        "leverage_chosen": plan.leverage is not None,
        "capped_by": sizing.capped_by,
    }


def _entry(entry: EntryFigure) -> dict[str, Any]:
    return {"price": amount(entry.price), "quantity": amount(entry.quantity), "fee": amount(entry.fee)}


def _target(target: TargetFigure, plan: Plan, sizing: Sizing) -> dict[str, Any]:
    return {
        "price": amount(target.price),
        "quantity": amount(target.quantity),
        "share": amount(target.share),
        "distance_percent": _distance(sizing.average_entry, target.price),
        "gross": amount(target.gross),
        "net": amount(target.net),
        "r": _short(target.r),
    }


def _distance(start: Decimal, end: Decimal) -> str | None:
    """Percent of the way between two prices, without a sign."""
    return _short(abs(end - start) * 100 / start) if start > ZERO else None


def _short(value: Decimal | None) -> str | None:
    """Four decimals are enough for a percentage or a ratio."""
    return None if value is None else amount(value.quantize(PERCENT))

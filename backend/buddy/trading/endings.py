"""How a trade begins and ends on its row: opened by its first fill, frozen by its last, or never entered at all.

Each change is a conditional UPDATE; its Event is written in the same transaction, by the one who won.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

from buddy.core.costs import PRECISE
from buddy.core.exchange import OrderStatus, Role
from buddy.core.market import ZERO
from buddy.core.position import Booked, Cause, Position, exit_cause, initial_risk
from buddy.prepared import Update

from .case import Case
from .figures import figures, kept
from .models import ExitReason, Order, Trade
from .moments import at
from .states import LIVE, WORKING
from .telling import WITHDRAWALS, hint, signed, tell, text

_PENDING = Update(lambda trade: Trade.objects.filter(pk=trade, status=Trade.Status.PENDING))
AHEAD_MS = 60_000
"""How long an entry may be told later than the exit that closed it."""

_WORKING = Update(lambda trade: Trade.objects.filter(pk=trade, status__in=WORKING))


def begin(case: Case) -> None:
    """The first fill makes a pending trade an open one."""
    first = case.position.first_fill_time
    if case.trade.status != Trade.Status.PENDING or first is None:
        return
    opened = {"status": Trade.Status.OPEN, "opened_at": at(first)}
    with case.lease.writing():
        if _PENDING(opened, trade=case.trade.pk):
            case.trade.status, case.trade.opened_at = Trade.Status.OPEN, at(first)
            hint(case.trade)


def freeze_risk(case: Case) -> None:
    """R is measured from what was entered when the entry was complete, or when the first exit filled."""
    position, trade = case.position, case.trade
    if trade.initial_risk is not None or not position.entered or case.doubts:
        return
    if position.exited or not case.entry_is_open:
        trade.initial_risk = kept(risk_so_far(position))
        with case.lease.writing():
            case.save("initial_risk")


def risk_so_far(position: Position) -> Decimal:
    """STATISTICS: initial risk, of what has entered until now."""
    with localcontext(PRECISE):
        return initial_risk(position) or ZERO


def end(case: Case) -> bool:
    """Finish what is over: closed when all that entered has left, cancelled when nothing can enter any more.

    Coins too few to be sold have stayed, and keep a trade only while more of them may come.
    """
    if case.held or case.owed or any(order.status in LIVE for order in case.orders):
        return False
    if (case.position.held and case.entry_is_open) or _exits_are_ahead(case):
        return False
    if case.position.entered:
        return _finish(case)
    return not case.entry_is_open and _call_off(case)


def _exits_are_ahead(case: Case) -> bool:
    """More has left than is known to have entered: what a hand added is told later than what closed it."""
    position, last = case.position, case.position.last_exit_time
    beyond = last is not None and not case.exits.is_spot and position.exited > position.entered
    return beyond and last is not None and case.market.time - last < AHEAD_MS


def _finish(case: Case) -> bool:
    trade, position = case.trade, case.position
    risk = trade.initial_risk if trade.initial_risk is not None else kept(risk_so_far(position))
    closed = position.last_exit_time or case.market.time
    frozen = figures(position, risk) | {
        "initial_risk": risk,
        "exit_reason": exit_reason(position),
        "closed_at": at(closed),
    }
    with case.lease.writing():
        ended = {"status": Trade.Status.CLOSED, "protected_since": None, "naked_since": None}
        if not _WORKING(ended | frozen, trade=trade.pk):
            return False
        _tell_closed(trade, frozen, closed, position)
        hint(trade)
    return True


def _tell_closed(trade: Trade, frozen: dict[str, Any], closed: int, position: Position) -> None:
    net, r = frozen["net"], frozen["r"]
    reason = ExitReason(frozen["exit_reason"]).label.lower()
    sentence = f"Closed ({reason}): {signed(net)} {trade.account.currency}"
    sentence += f", {signed(r)}R." if r is not None else "."
    told = {"net": text(net), "r": text(r) if r is not None else None, "exit_reason": reason}
    if position.held:
        left = f"{text(position.held)} {position.instrument.base}"
        sentence += f" {left}, too few to be sold, stay in the wallet at what they cost."
        told["left"] = text(position.held)
    tell(trade, "trade_closed", sentence, closed, **told)


def exit_reason(position: Position) -> ExitReason:
    """Why the last of it left."""
    exits = [b for b in position.fills if b.fill.order_side is position.side.exit_order_side]  # in order of time
    if not exits:
        return ExitReason.EXTERNAL
    return _reason(exits[-1])


def _reason(last: Booked) -> ExitReason:
    cause = exit_cause(last)
    return ExitReason.TRAILING_STOP if cause is Cause.STEP else ExitReason(cause.value)


def _call_off(case: Case) -> bool:
    trade, now = case.trade, case.market.time
    why = _withdrawal(case)
    with case.lease.writing():
        if not _PENDING({"status": Trade.Status.CANCELLED, "withdrawal": why, "closed_at": at(now)}, trade=trade.pk):
            return False
        tell(trade, "entry_withdrawn", f"The entry was withdrawn: {WITHDRAWALS[why]}.", now, withdrawal=why)
        hint(trade)
    return True


def _withdrawal(case: Case) -> str:
    if case.position.memory.withdrawn is not None:
        return case.position.memory.withdrawn.value
    entries = Order.objects.filter(trade=case.trade, role=Role.ENTRY)
    refused = entries.filter(status=OrderStatus.REJECTED).exists()
    return Trade.Withdrawal.REJECTED if refused else Trade.Withdrawal.MANUAL

"""What an account allows. A denial is an answer, not an exception, and all of them are given at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .errors import Fault
from .market import ZERO, Side
from .plan import Entry, EntryKind, Plan
from .sizing import Sizing

HUNDRED = Decimal(100)


class TradingState(StrEnum):
    ACTIVE = "active"
    REDUCING = "reducing"
    """Only exits."""
    HALTED = "halted"
    """No orders of ours but those that protect."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the trader allows; percentages of equity, None = no limit."""

    max_leverage: int | None = None
    max_risk_percent: Decimal | None = None
    max_open_risk_percent: Decimal | None = None
    max_open_trades: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How the account stands before this trade; money in settle currency.

    `open_risk`: what the working trades lose at their stops. `sides`: of the working trades on the plan's symbol.
    `price` None: the price source cannot be read, and `trouble` says why.
    """

    equity: Decimal
    free: Decimal
    state: TradingState = TradingState.ACTIVE
    open_trades: int = 0
    open_risk: Decimal = ZERO
    sides: frozenset[Side] = frozenset()
    price: Decimal | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Denial:
    """Why we refuse. `field` is the plan's field to mend, empty where it is the account."""

    code: str
    message: str
    cure: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.cure}"


def denials(plan: Plan, sizing: Sizing | None, limits: Limits, standing: Standing) -> list[Denial]:
    """Every reason against opening `plan`, none when it may be opened. `sizing` None: there was no price to size by."""
    found = [
        *_of_state(standing),
        *_of_symbol(plan, standing),
        *_of_price(plan, standing),
        *_of_count(limits, standing),
    ]
    if sizing is not None:
        found += _of_risk(sizing, limits, standing)
        found += _of_leverage(plan, sizing, limits)
        found += [Denial(fault.code, fault.message, fault.cure, fault.field) for fault in sizing.faults]
    return found


def _of_state(standing: Standing) -> Iterator[Denial]:
    if standing.state is TradingState.HALTED:
        yield Denial("halted", "The account is halted: nothing new is opened.", "Resume the account.")
    elif standing.state is TradingState.REDUCING:
        yield Denial("reducing", "The account only closes: nothing new is opened.", "Set the account to active.")


def _of_symbol(plan: Plan, standing: Standing) -> Iterator[Denial]:
    if plan.side.opposite in standing.sides:
        message = f"A {plan.side.opposite} trade works on {plan.symbol}: the two would close one another."
        yield Denial("symbol_busy", message, "Close that trade first, or use another account.", "symbol")


def _of_price(plan: Plan, standing: Standing) -> Iterator[Denial]:
    price, stop = standing.price, plan.stop_price
    if price is None:
        why = f": {standing.trouble}" if standing.trouble else ""
        yield Denial("price_unreadable", f"The price cannot be read{why}.", "Wait until it can be read.", "symbol")
    elif _enters_at_once(plan) and not plan.side.better(price, stop):
        message = f"The price, {price:f}, is already beyond the stop, {stop:f}: the trade would be stopped at once."
        yield Denial("beyond_stop", message, "Move the stop, or wait for the price to come back.", "stop.price")


def _enters_at_once(plan: Plan) -> bool:
    """Whether an entry would fill with the price beyond the stop; a breakout waits for it to come back."""
    return any(entry.kind in (EntryKind.MARKET, EntryKind.LIMIT) for entry in plan.entries)


def warnings(plan: Plan, price: Decimal) -> list[Fault]:
    """What may be opened but perhaps is not meant: entries whose trigger `price` has already passed."""
    return [
        Fault(f"entries.{index}", _already_passed(entry, price), "Choose another trigger if it is to wait.", "at_once")
        for index, entry in enumerate(plan.entries)
        if entry.is_past_trigger(plan.side, price)
    ]


def _already_passed(entry: Entry, price: Decimal) -> str:
    how = "at market" if entry.kind is EntryKind.TRIGGER else f"as a limit order at {entry.price:f}"
    return f"The price, {price:f}, has already passed the trigger, {entry.trigger:f}: this entry goes in {how} at once."


def _of_count(limits: Limits, standing: Standing) -> Iterator[Denial]:
    most = limits.max_open_trades
    if most is not None and standing.open_trades >= most:
        message = f"{standing.open_trades} trades are working, and {most} are allowed."
        yield Denial("too_many_open", message, "Close or cancel one, or raise the limit.")


def _of_risk(sizing: Sizing, limits: Limits, standing: Standing) -> Iterator[Denial]:
    """Of the risk that was asked for, even where less is possible."""
    risk, whole = sizing.asked_risk, sizing.asked_risk + standing.open_risk
    if (most := _money(limits.max_risk_percent, standing.equity)) is not None and risk > most:
        message = f"This risks {risk:.2f}, and one trade may risk {most:.2f} ({limits.max_risk_percent:f} %)."
        yield Denial("risk_over_limit", message, "Risk less, or raise the limit.", "risk")
    if (most := _money(limits.max_open_risk_percent, standing.equity)) is not None and whole > most:
        message = f"All open trades together would risk {whole:.2f}, and {most:.2f} is allowed."
        yield Denial("open_risk_over_limit", message, "Risk less, close a trade, or raise the limit.", "risk")


def _money(percent: Decimal | None, equity: Decimal) -> Decimal | None:
    return None if percent is None else max(equity, ZERO) * percent / HUNDRED


def _of_leverage(plan: Plan, sizing: Sizing, limits: Limits) -> Iterator[Denial]:
    """Only where the sizing did not know the limit and so could not say it."""
    most, said = limits.max_leverage, {fault.code for fault in sizing.faults}
    used = plan.leverage if plan.leverage is not None else sizing.leverage
    if most is not None and used > most and "leverage_over_maximum" not in said:
        message = f"The account allows a leverage of {most}×, and this uses {used}×."
        yield Denial("leverage_over_maximum", message, f"Use a leverage of at most {most}.", "leverage")

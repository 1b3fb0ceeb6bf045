"""A plan document against an account: what is wrong with it, what it would be, and every reason to deny it.

The ticket's preview and the opening of a trade ask here, so that they never differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from buddy.core.costs import Costs
from buddy.core.errors import CouldNotRead, Denied, Fault, InvalidPlan
from buddy.core.exchange import Balance, Quote
from buddy.core.market import Instrument
from buddy.core.plan import EntryKind, Plan
from buddy.core.plan_document import read_plan
from buddy.core.risk import Denial
from buddy.core.sizing import Sizing, size
from buddy.exchanges.market_data.source import PriceSource, UnknownSymbol
from buddy.exchanges.models import Account
from buddy.exchanges.venue_rows import RECIPES

from . import gate
from .books import costs_of, unbounded

WAITS_AT_MOST = Decimal(24 * 60)
"""Minutes, of an entry that would be without a stop if it filled while we are down."""


@dataclass(slots=True)
class Examination:
    """`plan` and `sizing` are there as far as the document allows; `denials` are all of them."""

    account: Account
    balance: Balance
    costs: Costs
    instrument: Instrument | None = None
    quote: Quote | None = None
    plan: Plan | None = None
    sizing: Sizing | None = None
    faults: list[Fault] = field(default_factory=list)
    denials: list[Denial] = field(default_factory=list)
    unread: CouldNotRead | None = None
    """Why the instrument or its price is not there. Nothing can be said of the plan then."""

    def insist(self) -> tuple[Plan, Sizing]:
        """The plan and its size, or InvalidPlan with all faults, or Denied with all reasons, or CouldNotRead."""
        if self.unread is not None:
            raise self.unread
        if self.faults or self.plan is None or self.sizing is None:
            raise InvalidPlan(self.faults)
        if self.denials:
            raise Denied(self.denials)
        return self.plan, self.sizing


def examine(
    account: Account, document: object, source: PriceSource, balance: Balance, *, amending: int | None = None
) -> Examination:
    """`amending`: the pending trade that this plan would replace; it does not count against itself."""
    found = Examination(account, balance, costs_of(account))
    _look_up(found, document, source)
    _read(found, document)
    if found.plan is not None and found.instrument is not None and found.quote is not None:
        _size(found, found.plan, found.instrument, found.quote)
    found.denials = gate.denials(account, found.plan, found.sizing, found.quote, balance, except_trade=amending)
    return found


def _look_up(found: Examination, document: object, source: PriceSource) -> None:
    """The instrument and its price, as far as they can be had."""
    symbol = document.get("symbol") if isinstance(document, Mapping) else None
    if not isinstance(symbol, str):
        return
    try:
        found.instrument = source.instrument(symbol)
        found.quote = source.quote(symbol)
    except UnknownSymbol:
        cure = "Choose one from the list of instruments."
        found.faults.append(Fault("symbol", f"{symbol[:40]} is not traded here.", cure, "unknown_symbol"))
    except CouldNotRead as trouble:
        found.quote, found.unread = None, trouble


def _read(found: Examination, document: object) -> None:
    instrument = found.instrument or _nameless(document)
    reference = found.quote.last if found.quote else None
    try:
        found.plan = read_plan(with_margin(document, found.account.margin_mode), instrument, reference_price=reference)
    except InvalidPlan as wrong:
        found.faults += wrong.faults


def with_margin(document: object, mode: str) -> object:
    """The document with the margin mode it means: its own, else `mode`."""
    if isinstance(document, Mapping) and document.get("margin_mode") is None:
        return {**document, "margin_mode": mode}
    return document


def bounded(plan: Plan, account: Account) -> Plan:
    """Where the venue takes no stop along with an entry, none of ours waits there for ever."""
    if plan.cancel.after_minutes is not None or not waits_unattended(plan, account):
        return plan
    return replace(plan, cancel=replace(plan.cancel, after_minutes=WAITS_AT_MOST))


def waits_unattended(plan: Plan, account: Account) -> bool:
    """Whether an entry may fill at the venue while this desk is down, with no stop until it is back."""
    return not takes_a_stop_along(account) and any(entry.kind is not EntryKind.MARKET for entry in plan.entries)


def takes_a_stop_along(account: Account) -> bool:
    """Whether an entry there has its stop from the moment it fills; a market of paper waits until it has."""
    recipe = RECIPES.get(account.venue)
    return account.is_paper or (recipe is not None and recipe.attaches_stop)


def _nameless(document: object) -> Instrument:
    """For a document whose symbol is missing or unknown: everything else in it is still checked."""
    symbol = document.get("symbol") if isinstance(document, Mapping) else None
    return unbounded(symbol if isinstance(symbol, str) else "")


def _size(found: Examination, plan: Plan, instrument: Instrument, quote: Quote) -> None:
    account = found.account
    try:
        found.sizing = size(
            plan,
            instrument,
            equity=found.balance.equity,
            free=found.balance.free,
            costs=found.costs,
            reference_price=quote.last,
            max_leverage=account.max_leverage,
        )
    except InvalidPlan as wrong:  # the price has left the plan since it was read
        found.faults += wrong.faults
    else:
        found.faults += found.sizing.faults

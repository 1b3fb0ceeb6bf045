"""What the prices of a plan must satisfy among themselves: ticks, sides, order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from .document import Place
from .errors import Fault
from .exchange import TriggerBy
from .market import ZERO, Instrument, Side
from .plan import CancelRules, EntryKind, MarginMode, Risk, StopRules

BREAKOUTS = (EntryKind.TRIGGER, EntryKind.TRIGGER_LIMIT)


@dataclass(slots=True)
class EntryDraft:
    """An entry as read; what could not be read is None. `price_key` is where its price was written."""

    place: Place
    kind: EntryKind | None
    price: Decimal | None
    trigger: Decimal | None
    price_key: str
    share: Decimal | None = None

    def expected(self, reference: Decimal | None) -> Decimal | None:
        if self.kind is EntryKind.MARKET:
            return reference
        return self.trigger if self.kind is EntryKind.TRIGGER else self.price


@dataclass(slots=True)
class TargetDraft:
    place: Place
    price: Decimal | None
    share: Decimal | None


@dataclass(slots=True)
class PlanDraft:
    """A plan as read, before its prices are compared."""

    symbol: str
    side: Side | None
    side_given: bool
    entries: list[EntryDraft]
    stop_price: Decimal | None
    trigger_by: TriggerBy
    targets: list[TargetDraft]
    risk: Risk
    leverage: int | None
    margin_mode: MarginMode
    rules: StopRules
    cancel: CancelRules

    def average_entry(self, reference: Decimal | None) -> Decimal | None:
        """The share-weighted price expected of the entries; None while any is unknown."""
        total = shares = ZERO
        for entry in self.entries:
            price = entry.expected(reference)
            if price is None or entry.share is None:
                return None
            total, shares = total + price * entry.share, shares + entry.share
        return total / shares if shares else None


def infer_side(draft: PlanDraft, reference: Decimal | None, faults: list[Fault]) -> Side | None:
    """The side as given; else a stop below the entry means long."""
    if draft.side is not None:
        return draft.side
    if reference is None and not draft.side_given and any(e.kind is EntryKind.MARKET for e in draft.entries):
        faults.append(Fault("side", "Without a price the side cannot be told.", 'Write "long" or "short".', "missing"))
    entry, stop = draft.average_entry(reference), draft.stop_price
    if entry is None or stop is None or entry == stop:
        return None
    return Side.LONG if stop < entry else Side.SHORT


def check_prices(
    draft: PlanDraft,
    side: Side | None,
    instrument: Instrument,
    reference: Decimal | None,
    faults: list[Fault],
    *,
    entered: bool,
) -> None:
    """Adds a fault for every price that is off the tick, on the wrong side or out of order."""
    faults.extend(_off_tick(draft, instrument))
    if not entered:
        faults.extend(_stop_faults(draft, side, reference))
        faults.extend(_cancel_faults(draft, reference))
    if side is not None:
        floor = draft.stop_price if entered else _target_floor(draft, side, reference)
        faults.extend(_target_faults(draft, side, floor, "the stop" if entered else "the entry"))


def _prices(draft: PlanDraft) -> Iterator[tuple[str, Decimal | None]]:
    for entry in draft.entries:
        yield entry.place.at("price"), entry.price
        yield entry.place.at(entry.price_key if entry.kind is EntryKind.TRIGGER else "trigger"), entry.trigger
    yield "stop.price", draft.stop_price
    for target in draft.targets:
        yield target.place.at("price"), target.price
    yield "cancel.above", draft.cancel.above
    yield "cancel.below", draft.cancel.below


def _off_tick(draft: PlanDraft, instrument: Instrument) -> Iterator[Fault]:
    for path, price in _prices(draft):
        if price is not None and not instrument.on_tick(price):
            down, up = instrument.round_price_down(price), instrument.round_price_up(price)
            nearest = f"{down:f} or {up:f}" if down > 0 else f"{up:f}"
            message = f"The price moves in steps of {instrument.tick_size:f}."
            yield Fault(path, message, f"Use {nearest}.", "off_tick")


def _stop_faults(draft: PlanDraft, side: Side | None, reference: Decimal | None) -> Iterator[Fault]:
    """At most one: the stop against the entry that contradicts it most."""
    stop = draft.stop_price
    expected = [price for entry in draft.entries if (price := entry.expected(reference)) is not None]
    if stop is None or not expected:
        return
    if stop in expected:
        message = f"The stop is at the entry, {stop:f}: the risk would be nothing and the quantity without end."
        yield Fault("stop.price", message, "Move the stop away from the entry.", "stop_at_entry")
    elif side is not None:
        nearest = min(expected) if side is Side.LONG else max(expected)
        if side.better(stop, nearest):
            where = "below" if side is Side.LONG else "above"
            message = f"The stop of a {side} must lie {where} every entry, and one is at {nearest:f}."
            cure = f"Move the stop {where} {nearest:f}, or make it a {side.opposite}."
            yield Fault("stop.price", message, cure, "stop_wrong_side")


def _target_floor(draft: PlanDraft, side: Side, reference: Decimal | None) -> Decimal | None:
    """What every target must beat: the average entry, and each leg that is filled as the price comes back to it.

    A triggered leg that adds to a winner may lie beyond the first target.
    """
    prices = [e.expected(reference) for e in draft.entries if e.kind not in BREAKOUTS]
    known = [price for price in (*prices, draft.average_entry(reference)) if price is not None]
    return None if not known else max(known) if side is Side.LONG else min(known)


def _target_faults(draft: PlanDraft, side: Side, floor: Decimal | None, what: str) -> Iterator[Fault]:
    where = "above" if side is Side.LONG else "below"
    previous: Decimal | None = None
    for number, target in enumerate(draft.targets, 1):
        price, path = target.price, target.place.at("price")
        if price is None:
            continue
        if floor is not None and not side.better(price, floor):
            message = f"The take-profit of a {side} must lie {where} {what}, {floor:f}."
            yield Fault(path, message, f"Move it {where} {floor:f}.", "target_wrong_side")
        elif previous is not None and not side.better(price, previous):
            message = f"Take-profit {number} must lie {where} the one before it, {previous:f}."
            yield Fault(path, message, f"Move it {where} {previous:f}, or change their order.", "target_order")
        previous = price if previous is None or side.better(price, previous) else previous


def _cancel_faults(draft: PlanDraft, reference: Decimal | None) -> Iterator[Fault]:
    """A line that the price must cross on its way to the entry would withdraw it every time."""
    prices = [price for e in draft.entries for price in (e.expected(reference), e.trigger) if price is not None]
    above, below = draft.cancel.above, draft.cancel.below
    if prices and above is not None and above <= max(prices):
        yield _cancel_fault("above", max(prices))
    if prices and below is not None and below >= min(prices):
        yield _cancel_fault("below", min(prices))


def _cancel_fault(where: str, entry: Decimal) -> Fault:
    message = f"This line must lie {where} every entry, and one is at {entry:f}: it would always be withdrawn."
    return Fault(f"cancel.{where}", message, f"Move it {where} {entry:f}.", "cancel_wrong_side")

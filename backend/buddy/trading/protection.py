"""Whether what is held is covered by a live stop, since when, and what happens when it cannot be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from buddy.core.exchange import OrderStatus, Role
from buddy.core.market import ZERO
from buddy.core.position import Cause, Withdrawal
from buddy.events.models import Event

from . import books, shut
from .case import Case
from .models import Order
from .moments import at, to_ms, wall_ms
from .states import ABSENT
from .telling import tell, text

NAKED_AT_MOST_MS = 10_000
"""Exchange time from the moment something is held without a live stop until it is closed at market."""
BACK_WITHIN_MS = 5_000
"""From the first reading after nobody could read or act: for so long a stop that was on its way is looked for."""
DOUBTED_AT_MOST_MS = 30_000
"""Of coins: longer than any list lags, so that a stop that was taken has been seen by then."""
REFUSALS_AT_MOST = 2
TOLD = "told_declined"
HARDLY = Decimal("0.001")
"""Of a price."""


def note_cover(case: Case) -> None:
    """Write down since when the position is, or is not, covered; say so when that changes."""
    trade, now = case.trade, case.market.time
    covered = case.held > 0 and case.is_safe
    since = (trade.protected_since or at(now)) if covered else None
    naked = None if covered or case.held <= 0 else (trade.naked_since or at(now))
    if (since, naked) == (trade.protected_since, trade.naked_since):
        return
    lost = trade.protected_since is not None and naked is not None and case.live_stop is None
    trade.protected_since, trade.naked_since = since, naked
    with case.lease.writing():
        case.save("protected_since", "naked_since")
        if lost:
            tell(trade, "protection_lost", "No stop rests for this position any more. It is being put back.", now)


def note_return(case: Case) -> None:
    """The stop is back in the same look that found it gone."""
    if case.trade.naked_since is not None and case.held > 0 and case.is_safe:
        was_lost = _was_told_lost(case)
        note_cover(case)
        if was_lost:
            tell(case.trade, "protection_restored", "The position is covered by a live stop again.", case.market.time)


def _was_told_lost(case: Case) -> bool:
    """Whether the last word about its protection was that it is gone: the first stop after an entry is no return."""
    told = Event.objects.filter(trade_id=case.trade.pk, kind__in=("protection_lost", "protection_restored"))
    return told.order_by("-id").values_list("kind", flat=True).first() == "protection_lost"


def mend(case: Case) -> bool:
    """What is held without a live stop: try a refused stop once more at once, then order all closed at market.

    True when there is something to do before the market may go on. Of coins a stop that came with their entry and is
    not listed yet is waited for, and so is for a while one of which nobody knows whether it arrived: sold at market,
    they would leave coins of the trader's own for it.
    """
    trade = case.trade
    if case.held <= 0 or case.is_safe or trade.naked_since is None or case.position.directives.reduce_to == ZERO:
        return False
    if case.awaited or shut.is_shut(case):
        return False
    waited, refusals = case.market.time - to_ms(trade.naked_since), _refusals(case)
    is_late = waited >= NAKED_AT_MOST_MS and not (_is_looked_for(case) or _is_in_doubt(case, waited))
    if is_late or refusals >= REFUSALS_AT_MOST:
        order_close(case, Cause.UNPROTECTED)
        return True
    return refusals > 0


def _is_in_doubt(case: Case, waited: int) -> bool:
    """Whether a stop of coins may rest unseen: it is sent again under its name as soon as it can arrive no more."""
    doubtful = [order for order in case.orders if order.role == Role.STOP and order.status == OrderStatus.UNKNOWN]
    return case.exits.is_spot and bool(doubtful) and waited < DOUBTED_AT_MOST_MS


def _is_looked_for(case: Case) -> bool:
    """A stop of an earlier look that died, or after which the venue was away: whether it arrived is known in a moment.

    Nothing is closed for the time in which nobody could do anything. One that was sent again has had its chance.
    """
    stops = [order for order in case.orders if order.role == Role.STOP and order.status == OrderStatus.UNKNOWN]
    earlier = [stop for stop in stops if stop.lease_epoch < case.lease.epoch and int(stop.raw.get("sends", 1)) == 1]
    missed = [int(stop.raw[ABSENT]) for stop in earlier if ABSENT in stop.raw]
    return any(wall_ms() - since < BACK_WITHIN_MS for since in missed)


def order_close(case: Case, cause: Cause) -> None:
    """Hold nothing from now on; the next step carries it out."""
    directives = replace(case.position.directives, reduce_to=ZERO, close_cause=cause)
    case.position = replace(case.position, directives=directives)
    case.trade.directives = directives.document()
    with case.lease.writing():
        case.save("directives")
        sentence = "NO STOP COULD BE PLACED: the position is closed at market now."
        tell(case.trade, "protection_lost", sentence, case.market.time, closing=True)


def _refusals(case: Case) -> int:
    since = case.trade.naked_since
    refused = Order.objects.filter(trade=case.trade, role=Role.STOP, status=OrderStatus.REJECTED)
    return refused.filter(closed_at__gte=since).count() if since else 0


def withdraw(case: Case, why: Withdrawal, sentence: str) -> None:
    """Keep a directive that takes the entry back, and say why."""
    directives = replace(case.position.directives, withdraw_entry=why)
    case.position = replace(case.position, directives=directives)
    case.trade.directives = directives.document()
    with case.lease.writing():
        case.save("directives")
        tell(case.trade, "notice", f"{sentence}: what is unfilled of it is withdrawn.", case.market.time)


def note_declined(case: Case) -> None:
    """Say once of each entry and target that a hand cancelled at the venue that it stays away."""
    for order in case.orders:
        if TOLD in order.raw or order.status == OrderStatus.REJECTED or not books.was_declined(order):
            continue
        if order.role == Role.ENTRY or case.held > 0:  # with nothing held the venue ends targets by itself
            _tell_declined(order, case)


def _tell_declined(order: Order, case: Case) -> None:
    what = "Target" if order.role == Role.TAKE_PROFIT else "Entry"
    rest = "What was unfilled of " if order.filled else ""
    name = f"{what.lower() if rest else what} {order.leg + 1}"
    sentence = f"{rest}{name} was cancelled on the exchange, not by this desk: it is not placed again."
    order.raw = order.raw | {TOLD: True}
    with case.lease.writing():
        order.save(update_fields=["raw"])
        tell(case.trade, "notice", sentence, case.market.time, role=order.role, leg=order.leg)


def note_dust(case: Case) -> None:
    """Say once that a part of what is held is no whole lot, since the lot has become larger."""
    left = case.held - case.protectable
    if left <= 0 or case.exits.is_spot or _was_told_of_dust(case):
        return
    lot = text(case.position.instrument.lot_size)
    sentence = f"{case.trade.symbol} is traded in lots of {lot} now: {text(left)} of what is held is less than one, and"
    sentence += " no order can be for it while the rest is held. It is closed after the rest."
    with case.lease.writing():
        tell(case.trade, "notice", sentence, case.market.time, dust=text(left))


def _was_told_of_dust(case: Case) -> bool:
    return Event.objects.filter(trade_id=case.trade.pk, kind="notice", data__has_key="dust").exists()


def note_unpaired(case: Case) -> None:
    """Say once of each target that the venue does not take beside a stop how it is sold instead."""
    for leg in sorted(case.position.unpaired):
        halves = [order for order in case.orders if order.paired_with_id and order.leg == leg]
        if any(TOLD in order.raw for order in halves):
            continue
        last = halves[-1]
        last.raw = last.raw | {TOLD: True}
        sentence = f"The exchange refuses target {leg + 1} beside the stop: its coins stay under the stop alone, and"
        with case.lease.writing():
            last.save(update_fields=["raw"])
            tell(case.trade, "notice", f"{sentence} this desk sells them when the price is there.", case.market.time)


def note_venue(case: Case) -> None:
    """Keep how the venue holds the position, where it tells; a liquidation price that hardly moves is not written."""
    there, kept = case.there, case.trade.at_venue
    if there is None or not there.margin_mode:
        return
    told = {
        "margin_mode": there.margin_mode,
        "leverage": None if there.leverage is None else text(there.leverage),
        "liquidation_price": None if there.liquidation_price is None else text(there.liquidation_price),
    }
    if _is_news(told, kept):
        case.trade.at_venue = told
        with case.lease.writing():
            case.save("at_venue")


def _is_news(told: dict[str, str | None], kept: dict[str, str | None]) -> bool:
    if any(told[name] != kept.get(name) for name in ("margin_mode", "leverage")):
        return True
    price, before = told["liquidation_price"], kept.get("liquidation_price")
    if price is None or before is None:
        return price != before
    return abs(Decimal(price) - Decimal(before)) > Decimal(before) * HARDLY

"""The look: read what is, say what should be, close the gap. Boot, recovery and every two seconds are the same look.

One writer per account (`lease`). Could not read: nothing is closed, sized or cancelled. Each trade, and each of its
orders, has its own error scope: what goes wrong with one never stops another.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from django.utils import timezone

from buddy.core.errors import ExchangeError, Temporary
from buddy.core.exchange import Exchange, OrderStatus, PositionMode, Reading, Role
from buddy.core.manage import Failure, carry_out, step
from buddy.core.position import Withdrawal, observed, with_its_stop
from buddy.core.watching import Watch, interest, merge
from buddy.exchanges import asking, pace
from buddy.exchanges.connect import connect
from buddy.exchanges.models import Account
from buddy.exchanges.probing import write_mode
from buddy.prepared import Update
from buddy.redact import redact

from . import added, canary, caution, endings, overdone, protection, settling, taken, unmanaged, unwatched
from .calm import is_calm
from .case import Case
from .cases import cases, remember_prices
from .desk import Desk
from .lease import Lease, LeaseLost, leased
from .ledger import Ledger
from .models import Order, Trade
from .moments import to_ms, wall_ms
from .states import LIVE
from .telling import hint, hint_account, tell_account

log = logging.getLogger(__name__)

STALE_MS = 30_000
"""An entry unsent this long after it was asked for is never sent (wall clock)."""
PATIENCE = (0.3, 0.7)
"""Seconds between readings of one look while an order's outcome is unknown, or its executions have not been told."""
_TRADES = Update(lambda trades, epoch: Trade.objects.filter(pk__in=trades, account__lease_epoch=epoch))

STEPS_AT_MOST = 12
NEVER_SENT = "never sent"
OWNERLESS = "its trade is over"


@runtime_checkable
class StandsStill(Protocol):
    """A market that is played back: after an event it waits until it is told, by symbol, what is waited for next."""

    def watch(self, watches: Mapping[str, Watch]) -> None: ...


@dataclass(slots=True)
class Looked:
    """What a look did. `behind`: the venue has more already; `trouble`: why it could not read; `seen`: trades.

    `waits`: something that was sent is not known yet, or executed and was not told yet. `calm`: nothing but an event
    of the venue would change anything. `traded`: orders were placed or cancelled, so that other money is free.
    """

    rounds: int = 0
    behind: bool = False
    trouble: str = ""
    acted: bool = False
    waits: bool = False
    calm: bool = False
    traded: bool = False
    seen: set[int] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)


def look(account_id: int, *, wait: float = 0.0, seconds: float = 1.5) -> Looked:
    """Look at one account until nothing changes, for about `seconds`. Raises LeaseHeld when another look runs."""
    with leased(account_id, wait) as lease:
        return look_under(lease, lease.account(), seconds=seconds)


def look_under(lease: Lease, account: Account, *, seconds: float = 1.5) -> Looked:
    """The same under a lease that is already held."""
    looked, until = Looked(), time.monotonic() + seconds
    kept: Temporary | None = None
    try:
        ledger = Ledger(account, connect(account), lease)
        pauses = list(PATIENCE)
        while _round(ledger, looked) or (looked.waits and pauses):
            if time.monotonic() >= until:
                break
            if looked.waits and pauses:
                time.sleep(pauses.pop(0))
    except LeaseLost:
        raise
    except Temporary as trouble:
        kept = trouble
        looked.trouble = redact(str(trouble))[:300] or "The exchange could not be read."
    _mark(lease, account, looked)
    _renew_money(account, looked)
    _set_pace(account, looked)
    unmanaged.note(account, kept)
    return looked


def _renew_money(account: Account, looked: Looked) -> None:
    """What is free is another sum than before the orders went out, and whoever shows it should ask again."""
    if looked.traded and not account.is_paper:
        asking.outdated(account)
        hint_account(account)


def _set_pace(account: Account, looked: Looked) -> None:
    """How soon the next look is due, where the venue tells what happens."""
    if looked.calm and not looked.trouble:
        pace.calm(account.pk)
    elif not account.is_paper:
        pace.restless(account.pk)


def _round(ledger: Ledger, looked: Looked) -> bool:
    """One reading and what follows from it; whether to read again at once."""
    proving = [] if ledger.account.is_paper else canary.open_rows(ledger.account.pk)
    ledger.also = {row.symbol for row in proving}
    reading = ledger.read()
    if not looked.rounds:
        write_mode(ledger.account, reading.position_mode)
    looked.rounds += 1
    looked.acted = looked.waits = False
    found = cases(ledger, reading)
    unwatched.note(ledger.lease, ledger.working, reading)
    remember_prices(ledger.lease, found)
    again: set[str] = set()
    for case in sorted(found, key=_turn):
        case.shields = not case.exits.is_spot and any(
            _is_beside(case, other) and _lacks_a_stop(other) for other in found
        )
        if _in_own_scope(case, ledger, looked):
            again.add(case.trade.symbol)
    _cancel_ownerless(ledger, found)
    looked.seen |= {case.trade.pk for case in found}
    _let_go(ledger.exchange, found, reading, again)
    looked.behind = reading.behind
    restless = bool(again) or reading.behind or looked.acted
    pending = restless or looked.waits or looked.failures
    looked.calm = not (pending or ledger.account.is_paper) and _is_calm(found, ledger)
    if not ledger.account.is_paper:
        canary.tend(ledger, reading, proving, quiet=not (restless or looked.waits) and _is_quiet(found, ledger))
    return restless


def _is_beside(case: Case, other: Case) -> bool:
    """Whether both are of one position, and the other is looked after here."""
    same = (case.trade.symbol, case.position.side) == (other.trade.symbol, other.position.side)
    return same and other is not case and not other.trade.hands_off


def _turn(case: Case) -> tuple[bool, bool]:
    """Who comes first: what locks more coins than it holds, which others lack; then what is held without a stop.

    What is still covered by the stop of another is so no longer after it.
    """
    return case.locked <= case.held, _has_time(case)


def _has_time(case: Case) -> bool:
    """False of what is held without a stop of its own: its stop comes before anything is cancelled."""
    return case.held <= 0 or case.is_safe


def _lacks_a_stop(case: Case) -> bool:
    """So it may, too, where the venue says that nothing is held of what has executed: its positions may lag."""
    return not _has_time(case) or (case.sure > max(case.held, case.stopped) and not case.attached)


def _is_quiet(found: Sequence[Case], ledger: Ledger) -> bool:
    """Nothing is in doubt, and nothing held without its stop: there is time for something that is no trade."""
    clear = all(not case.doubts and (case.held <= 0 or case.is_safe) for case in found)
    return clear and len(found) == len(ledger.working) and not ledger.ownerless()


def _is_calm(found: Sequence[Case], ledger: Ledger) -> bool:
    """Every working trade was seen, and none waits for a price or a time."""
    return len(found) == len(ledger.working) and not ledger.ownerless() and all(is_calm(case) for case in found)


def _in_own_scope(case: Case, ledger: Ledger, looked: Looked) -> bool:
    try:
        return _tend(case, ledger, looked)
    except LeaseLost:
        raise
    except Exception:  # one trade's defect must not leave the others without their stops
        log.exception("trade %s could not be looked after", case.trade.pk)
        return False


def _tend(case: Case, ledger: Ledger, looked: Looked) -> bool:
    """One trade, from what was read; True when something may have executed and must be read first."""
    endings.begin(case)
    if case.trade.symbol in ledger.outcomes.strange:  # it may have been sold already, by the stop that came with it
        looked.waits = True
        return False
    endings.freeze_risk(case)
    caution.note_doubt(case)
    protection.note_venue(case)
    _withdraw_what_may_not_enter(case, ledger)
    protection.note_cover(case)
    executed = False
    if not (case.trade.hands_off and (case.held or not case.position.entered)):
        executed = _act(case, ledger, looked)
    case.remember()
    if executed:
        return True
    if not case.trade.hands_off and protection.mend(case):
        return True
    if (
        settling.settle(case, ledger)
        or overdone.settle(case, ledger)
        or taken.settle(case, ledger)
        or added.settle(case, ledger)
    ):
        return True
    looked.waits |= bool(case.doubts or case.awaited) or case.trade.symbol in ledger.undecided
    looked.waits |= any(_is_unknown(order, ledger) for order in case.orders)
    if case.doubts:
        return False
    if not case.trade.hands_off:
        protection.note_declined(case)
        protection.note_dust(case)
        protection.note_unpaired(case)
    _drop_unsent(case, ledger)
    endings.freeze_risk(case)
    case.is_over = endings.end(case)
    return False


def _is_unknown(order: Order, ledger: Ledger) -> bool:
    return order.status == OrderStatus.UNKNOWN or order.pk in ledger.outcomes.unseen


def _act(case: Case, ledger: Ledger, looked: Looked) -> bool:
    """Close the gap until there is none; whether something may have executed."""
    desk = Desk(case, ledger)
    for _ in range(STEPS_AT_MOST):
        wanted = step(case.position, case.working, case.market, case.within_reach, case.exits)
        actions = caution.allowed(wanted, case, is_told_apart=case.trade.symbol not in ledger.undecided)
        if not actions:
            break
        looked.traded = True
        if case.held and not case.position.held:
            case.position = with_its_stop(case.position, case.market)
        case.remember()  # before it shows at the venue: who dies in between must not loosen the stop again
        failures = carry_out(actions, desk)
        looked.failures += failures
        _stop_if_lost(failures)
        looked.acted |= not failures
        case.refresh()
        hint(case.trade)
        if failures or desk.executed:
            break
    protection.note_return(case)
    return desk.executed


def _stop_if_lost(failures: Sequence[Failure]) -> None:
    for failure in failures:
        if isinstance(failure.error, LeaseLost):
            raise failure.error


def _withdraw_what_may_not_enter(case: Case, ledger: Ledger) -> None:
    """What the account's state, the time or a position that is nobody's forbids; also an entry that rests already."""
    if not case.entry_is_open or case.position.directives.withdraw_entry is not None:
        return
    if ledger.account.state != Account.State.ACTIVE:
        protection.withdraw(case, Withdrawal.MANUAL, "The account opens nothing now")
    elif _has_unsent_entry(case) and wall_ms() - to_ms(case.trade.wished_at) > STALE_MS:
        protection.withdraw(case, Withdrawal.STALE, "The entry could not be sent in time")
    elif _would_only_close(case, ledger):
        sentence = (
            "The account holds the other side, which no trade here accounts for, and the entry would only close it"
        )
        protection.withdraw(case, Withdrawal.MANUAL, sentence)
    else:
        return
    case.position = observed(case.position, case.market)


def _would_only_close(case: Case, ledger: Ledger) -> bool:
    one_way = ledger.account.position_mode == PositionMode.ONE_WAY
    return one_way and (case.trade.symbol, case.position.side.opposite) in ledger.nobodys


def _has_unsent_entry(case: Case) -> bool:
    sent = {
        order.leg for order in case.orders if order.role == Role.ENTRY and order.status in (*LIVE, OrderStatus.FILLED)
    }
    unsent = {order.leg for order in case.orders if order.role == Role.ENTRY and order.status == OrderStatus.INTENDED}
    position = case.position
    open_legs = {n for n, q in enumerate(position.quantities) if position.filled(Role.ENTRY, n) < q}
    return bool(open_legs - (sent - unsent) - {leg for role, leg in position.declined if role is Role.ENTRY})


def _drop_unsent(case: Case, ledger: Ledger) -> None:
    """Rows that were never sent and that no wish took up again."""
    wanted = step(case.position, case.working, case.market, case.within_reach, case.exits)
    for order in case.orders:
        if order.status == OrderStatus.INTENDED and not wanted:
            ledger.cancel(order, NEVER_SENT)


def _cancel_ownerless(ledger: Ledger, found: Sequence[Case]) -> None:
    """Nothing of ours rests without a working trade behind it (invariant I5), but for what a naked one lies under."""
    naked = [case for case in found if _lacks_a_stop(case) and not (case.exits.is_spot or case.trade.hands_off)]
    for order in ledger.ownerless():
        if order.role == Role.STOP and any(_would_stop(order, case) for case in naked):
            continue
        try:
            ledger.cancel(order, OWNERLESS)
        except LeaseLost:
            raise
        except ExchangeError as trouble:
            log.warning("order %s could not be taken back: %s", order.client_id, trouble)


def _would_stop(order: Order, case: Case) -> bool:
    return (order.symbol, order.order_side) == (case.trade.symbol, case.position.side.exit_order_side)


def _let_go(exchange: Exchange, found: Sequence[Case], reading: Reading, again: set[str]) -> None:
    """Tell a market that is played back what is waited for; it stands still where something must be read first."""
    if not isinstance(exchange, StandsStill):
        return
    waiting: dict[str, list[Watch]] = defaultdict(list)
    for case in found:
        rests = case.trade.hands_off or case.is_over
        waits = Watch() if rests else interest(case.position, case.market, exits=case.exits)
        waiting[case.trade.symbol].append(waits)
    exchange.watch({symbol: merge(waiting[symbol]) for symbol in reading.quotes if symbol not in again})


def _mark(lease: Lease, account: Account, looked: Looked) -> None:
    """When we last looked, whether we could read, and a word to the trader when that changed.

    Who has lost the account meanwhile has checked nothing: what it read is as old as that. Raises LeaseLost.
    """
    now = timezone.now()
    if looked.seen:
        _TRADES({"checked_at": now}, trades=sorted(looked.seen), epoch=lease.epoch)
    lease.leaving.update(
        {"looked_at": now, "trouble": looked.trouble} | ({} if looked.trouble else {"good_look_at": now})
    )
    if bool(looked.trouble) != bool(account.trouble):
        with lease.writing():
            sentence = (
                f"{account.name} waits: {looked.trouble}" if looked.trouble else f"{account.name} can be read again."
            )
            tell_account(account, "notice", sentence, wall_ms(), trouble=looked.trouble)
            hint_account(account)
    account.trouble = looked.trouble

"""What the trader does: each is a wish written in one transaction with its Event, followed at once by a look.

Nothing here calls the exchange to trade. A crash after the commit is finished by the next look; one before it never
happened. All of it runs under the account's lease, so two clicks can not pass the gate together.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from buddy.core.errors import CouldNotRead, Denied, Fault, InvalidPlan, KeyRefused
from buddy.core.exchange import Balance
from buddy.core.market import ONE, ZERO, Instrument, sellable
from buddy.core.plan import Plan
from buddy.core.plan_document import read_plan
from buddy.core.position import Cause, Directives, Memory, Position, Withdrawal, even_price
from buddy.core.sizing import Sizing
from buddy.core.stops import entry_is_open
from buddy.exchanges.connect import Glance, glance, source_for
from buddy.exchanges.key_standing import key_denials
from buddy.exchanges.market_data.source import PriceSource, UnknownSymbol
from buddy.exchanges.models import Account
from buddy.prepared import Select, insert

from . import books, gate
from .amendments import only_what_may_change, same_trade, with_side
from .claims import Claim
from .examination import Examination, examine, with_margin
from .handing import look_elsewhere, must_hand_over
from .lease import Lease, LeaseLost, leased, note_loss
from .models import Trade
from .moments import at
from .rounds import look_quietly
from .rows import Rows
from .states import WORKING
from .telling import hint, tell, tell_account, text
from .watcher import look_under

log = logging.getLogger(__name__)

_TRADE = Select(lambda trade: Trade.objects.filter(pk=trade))
LEASE_WAIT = 5.0
JUST_NOW = timedelta(seconds=5)
LOOK_SECONDS = 1.0
HANDS_OFF = (
    "This trade is left to your own hands, so nothing here would carry that out. Press “Manage again” first, or do it "
    "at the exchange."
)


class NotNow(Exception):
    """What was asked does not fit what the trade is now; the message says why and what would."""


@dataclass(slots=True)
class Bench:
    """Everything one action works with, while the account is ours."""

    lease: Lease
    account: Account
    exchange: Glance
    source: PriceSource
    owes_look: bool = False
    """It is a worker's, who needs the lease: it follows when this action has let go of it."""

    def now(self) -> int:
        return self.source.now()

    def look(self) -> None:
        """Carry the wish out. The wish is committed: whatever fails here is finished by the next look."""
        if must_hand_over(self.account):
            self.owes_look = True
            return
        try:
            look_under(self.lease, self.account, seconds=LOOK_SECONDS)
        except LeaseLost:
            note_loss(self.account.pk, "the look after an action")
        except Exception:
            log.exception("the look after an action on account %s failed", self.account.pk)


@contextmanager
def at_bench(account_id: int) -> Iterator[Bench]:
    """The account is ours inside; what was written there is carried out by a look."""
    with leased(account_id, LEASE_WAIT) as lease:
        account = lease.account()
        bench = Bench(lease, account, glance(account), source_for(account))
        yield bench
    if bench.owes_look:  # no look has ended while the account was ours, so a later one knows of the wish
        look_elsewhere(account_id, bench.account.looked_at)


def warm(account: Account) -> None:
    """Before the account is ours, for while it is nobody looks: a venue read just now, and its money at hand."""
    if account.is_paper:
        return
    seen = account.good_look_at
    if seen is None or timezone.now() - seen > JUST_NOW:
        _have_looked(account)
    if must_hand_over(account):
        with suppress(CouldNotRead):  # whoever needs it asks again, and hears why not
            glance(account).balance()


def _have_looked(account: Account) -> None:
    """What a hand has done at the venue since the last look is to be known before anything is entered."""
    if must_hand_over(account):
        look_elsewhere(account.pk, account.looked_at)
    else:
        look_quietly(account.pk)


def open_trade(account: Account, document: object, *, claim: Claim | None = None, source: str = "manual") -> Trade:
    """Size, ask the gate, write the wish and carry it out.

    Raises InvalidPlan, Denied or Temporary: then nothing happened.
    """
    warm(account)
    with at_bench(account.pk) as bench:
        found = examine(bench.account, document, bench.source, _money(bench))
        plan, sizing = _passed(found, bench)
        with transaction.atomic():
            bench.lease.keep()
            trade = _write(bench, plan, sizing, source, found.instrument)
            bind(claim, trade)
        bench.look()
    return again(trade)


def _money(bench: Bench) -> Balance:
    """Raises Denied with what the trader can mend where the key is known to be refused, else CouldNotRead."""
    try:
        return bench.exchange.balance()
    except KeyRefused:
        if denials := list(key_denials(bench.account)):
            raise Denied(denials) from None
        raise


def _passed(found: Examination, bench: Bench) -> tuple[Plan, Sizing]:
    try:
        return found.insist()
    except Denied as denied:
        reasons = [{"code": d.code, "message": d.message, "cure": d.cure} for d in found.denials]
        sentence = f"A trade was denied: {denied.denials[0]}"  # the others are in the data
        tell_account(bench.account, "denied", sentence, bench.now(), denials=reasons)
        raise


def _write(bench: Bench, plan: Plan, sizing: Sizing, source: str, instrument: Instrument | None) -> Trade:
    document, now = plan.document(), bench.now()
    trade = insert(
        Trade(
            owner_id=bench.account.owner_id,
            account=bench.account,
            symbol=plan.symbol,
            side=plan.side,
            source=source,
            first_plan=document,
            plan=document,
            quantities=[text(quantity) for quantity in sizing.quantities],
            leverage=sizing.leverage,
            margin_mode=plan.margin_mode,
            asked_risk=sizing.asked_risk,
            first_stop=plan.stop_price,
            contract_size=instrument.contract_size if instrument is not None else ONE,
            asked_at=at(now),
        )
    )
    quantity, risk = text(sizing.quantity), text(sizing.asked_risk)
    money = f"{sizing.asked_risk:.2f} {bench.account.currency}"
    sentence = f"{plan.side.value.capitalize()} {plan.symbol}: {quantity} wanted, {money} at risk."
    tell(trade, "trade_opened", sentence, now, quantity=quantity, risk=risk)
    hint(trade)
    return trade


def bind(claim: Claim | None, trade: Trade) -> None:
    """Inside the transaction of the effect: the key has had it."""
    if claim is not None:
        claim.bind(trade)


# --- changes of a working trade ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Work:
    """A working trade in hand, as its rows stand under the lease."""

    bench: Bench
    trade: Trade
    position: Position

    def save(self, claim: Claim | None, kind: str, sentence: str, **changes: Any) -> None:
        """The wish, its Event and the claim in one transaction."""
        for name, value in changes.items():
            setattr(self.trade, name, value)
        with transaction.atomic():
            self.bench.lease.keep()
            self.trade.save(update_fields=list(changes))
            tell(self.trade, kind, sentence, self.bench.now())
            hint(self.trade)
            bind(claim, self.trade)


@contextmanager
def _work(trade: Trade, *, though_hands_off: bool = False) -> Iterator[Work]:
    """The trade's rows under its account's lease; a look follows when the wish has been written.

    A wish that nobody would carry out is refused, unless it is for later (`though_hands_off`).
    """
    with at_bench(trade.account_id) as bench:
        fresh = again(trade)
        if fresh.status not in WORKING:
            raise NotNow("This trade is over.")
        if fresh.hands_off and not though_hands_off:
            raise NotNow(HANDS_OFF)
        with insisting_on_a_market():
            yield Work(bench, fresh, _position(bench, fresh))
        bench.look()


@contextmanager
def insisting_on_a_market() -> Iterator[None]:
    """Raises NotNow where the venue does not trade the symbol that is asked about."""
    try:
        yield
    except UnknownSymbol as unknown:
        raise NotNow(f"{unknown} What is held there is looked after again once it is.") from None


def _position(bench: Bench, trade: Trade) -> Position:
    return books.position_of(trade, bench.exchange.instrument(trade.symbol), Rows.of([trade]))


def withdraw_entry(trade: Trade, *, claim: Claim | None = None) -> Trade:
    """Take back what is unfilled of the entry; what has entered stays, protected."""
    with _work(trade) as work:
        if not _entry_is_open(work.position):
            raise NotNow("Nothing of the entry is waiting any more.")
        directives = replace(work.position.directives, withdraw_entry=Withdrawal.MANUAL)
        work.save(claim, "action", "You withdrew the entry.", directives=directives.document())
    return again(trade)


def close(trade: Trade, share: Decimal, *, claim: Claim | None = None) -> Trade:
    """Close `share` (0 < share ≤ 1) of what is held at market; the entry is withdrawn with it."""
    with _work(trade) as work:
        keep = _to_keep(work, share)
        directives = replace(work.position.directives, reduce_to=keep, close_cause=Cause.MANUAL)
        if _entry_is_open(work.position):
            directives = replace(directives, withdraw_entry=Withdrawal.MANUAL)
        what = "everything" if not keep else f"all but {text(keep)}"
        work.save(claim, "action", f"You closed {what} at market.", directives=directives.document())
    return again(trade)


def _to_keep(work: Work, share: Decimal) -> Decimal:
    held, instrument = work.position.held, work.position.instrument
    if not held:
        raise NotNow("Nothing is held. Withdraw the entry instead.")
    if instrument.spot and share < 1:
        held = instrument.round_quantity(held)
    part = instrument.round_quantity(held * share) if share < 1 else held
    if not part or not _can_leave(work, part):
        cure = f"Close a larger share of the {text(held)} that are held."
        raise InvalidPlan([Fault("share", "That is less than the smallest order.", cure, "share_too_small")])
    if not instrument.spot and ZERO < held - part < instrument.min_quantity:
        sentence = f"That leaves {text(held - part)}, less than the smallest order: no stop could protect it."
        raise InvalidPlan([Fault("share", sentence, "Close a smaller share, or everything.", "share_too_large")])
    return held - part


def _can_leave(work: Work, quantity: Decimal) -> bool:
    """Whether an order to close may be that small; of contracts a venue asks no least value then, and all of what is
    held may always try: where a hand has left less than the smallest order, there is no larger share."""
    instrument = work.position.instrument
    if not instrument.spot:
        return quantity >= min(instrument.min_quantity, work.position.held)
    return bool(sellable(instrument, quantity, work.bench.source.quote(instrument.symbol).last))


def break_even_now(trade: Trade, *, claim: Claim | None = None) -> Trade:
    """Move the stop to where costs are covered, now. A stop that is tighter already stays."""
    with _work(trade) as work:
        level = _even(work)
        directives = replace(work.position.directives, stop_at=level, stop_cause=Cause.BREAK_EVEN)
        work.save(
            claim, "action", f"You moved the stop to break-even ({text(level)}).", directives=directives.document()
        )
    return again(trade)


def _even(work: Work) -> Decimal:
    position = work.position
    if not position.held:
        raise NotNow("Nothing is held yet.")
    level = position.instrument.round_stop(position.side, even_price(position))
    last = work.bench.source.quote(work.trade.symbol).last
    if not position.side.better(last, level):
        raise NotNow(
            f"The price ({text(last)}) is not past break-even ({text(level)}): a stop there would close at once."
        )
    return level


def hands_off(trade: Trade, on: bool) -> Trade:
    """Stop (or take up again) managing a trade; recording goes on either way."""
    with _work(trade, though_hands_off=True) as work:
        sentence = "Hands off: its orders are yours now." if on else "This trade is managed again."
        if on != work.trade.hands_off:
            work.save(None, "action", sentence, hands_off=on, wished_at=timezone.now())
    return again(trade)


# --- the amended plan -------------------------------------------------------------------------------------------------


def amend_plan(trade: Trade, document: object, *, claim: Claim | None = None) -> Trade:
    """A new whole plan: sized again while nothing has entered, bound to what has happened afterwards."""
    warm(trade.account)
    with _work(trade, though_hands_off=True) as work:
        changes = _amended_open(work, document) if work.position.entered else _amended_pending(work, document)
        changes |= {"plan_version": work.trade.plan_version + 1, "wished_at": timezone.now()}
        with work.bench.lease.writing():
            books.forgive_declined(work.trade)
            later = " It will be carried out once the trade is managed again." if work.trade.hands_off else ""
            work.save(claim, "plan_amended", f"You changed the plan.{later}", **changes)
    return again(trade)


def _amended_pending(work: Work, document: object) -> dict[str, Any]:
    bench = work.bench
    if not _entry_is_open(work.position):
        raise NotNow("The entry is being withdrawn.")
    found = examine(bench.account, document, bench.source, _money(bench), amending=work.trade.pk)
    plan, sizing = _passed(found, bench)
    same_trade(work.position.plan, plan)
    return {
        "plan": plan.document(),
        "side": plan.side,
        "quantities": [text(quantity) for quantity in sizing.quantities],
        "leverage": sizing.leverage,
        "margin_mode": plan.margin_mode,
        "asked_risk": sizing.asked_risk,
        "first_stop": plan.stop_price,
        "memory": Memory().document(),
        "directives": Directives().document(),
    }


def _amended_open(work: Work, document: object) -> dict[str, Any]:
    position = work.position
    document = with_margin(with_side(document, position), position.plan.margin_mode)
    plan = read_plan(document, position.instrument, entered=True)
    same_trade(position.plan, plan)
    only_what_may_change(position, plan)
    gate.allow_targets(work.bench.account, work.trade, plan)
    changes: dict[str, Any] = {"plan": plan.document()}
    if plan.stop_price != position.plan.stop_price:
        equity, last = work.bench.exchange.balance().equity, work.bench.source.quote(plan.symbol).last
        gate.allow_stop(work.bench.account, position, equity, plan.stop_price, last)
        changes["directives"] = replace(position.directives, stop_at=None, stop_cause=Cause.STOP_LOSS).document()
    if plan.stop_price != position.plan.stop_price or plan.rules != position.plan.rules:
        changes["memory"] = position.memory.without_stop().document()
    return changes


def _entry_is_open(position: Position) -> bool:
    return position.directives.withdraw_entry is None and entry_is_open(position)


def again(trade: Trade) -> Trade:
    """The trade as its row says now."""
    found = _TRADE.first(trade=trade.pk)
    if found is None:
        raise Trade.DoesNotExist
    found.account = trade.account
    return found

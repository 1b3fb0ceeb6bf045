"""What a trade should hold and the venue does not list any more: a hand has closed it, sold it or taken it elsewhere.

An execution of a hand that was told before the entry that it closed, or before the wallet showed it, was booked as
nobody's, or as an entry of the other side; it is the trade's after all. For coins that left without any sale there is
no price: they leave the trade at what they cost, without profit or loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet

from buddy.core.exchange import Liquidity, Role
from buddy.core.market import ZERO, OrderSide

from . import adopted, booking, coins
from .case import Case
from .client_ids import new_client_id
from .figures import kept
from .ledger import Ledger
from .models import Fill, Trade
from .moments import at, to_ms, wall_ms
from .states import RESTING
from .telling import hint, tell, text

SURE_MS = 2_000
"""How much longer than reads may lag coins must be missing (wall clock)."""
UNSOLD_MS = 60_000
"""How long coins must be missing that no sale explains: a wallet may be told without them for a while."""
SAME = ("account", "order", "symbol", "order_side", "price", "liquidity", "liquidation", "from_record", "time", "raw")
"""Of the parts of an execution."""
TOLD_BEFORE = timedelta(minutes=1)
"""How long before they are missed their sale may have been told, and before a trade a hand's execution unheard of."""


def settle(case: Case, ledger: Ledger) -> bool:
    """Book what is missing for good as having left; True when anything was."""
    since, missing = case.trade.mismatch_since, case.missing
    if since is None or case.unread or case.held >= case.owed:
        return False
    waited = wall_ms() - to_ms(since)
    if waited < case.lag_ms + SURE_MS:
        return False
    if case.exits.is_spot:
        locked = _locked(case, ledger)
        if locked is None or case.position.held <= locked:
            return False
        if waited < UNSOLD_MS and _is_unexplained(case, ledger):
            return False
        missing = min(missing, case.position.held - locked)
    with case.lease.writing():
        left = list(_left(case, missing))
        left += _across(case, ledger, missing - sum((row.quantity for row in left), ZERO))
        for row in left:
            missing -= row.quantity
            tell_of(case, row, "Sold outside this desk" if case.exits.is_spot else "Closed outside this desk")
        if missing > 0 and case.exits.is_spot and waited >= UNSOLD_MS:
            left.append(_taken(case, missing))
            tell_of(case, left[-1], "Not in the wallet any more, and no sale of them is known; at their cost")
        hint(case.trade)
    return bool(left)


def _locked(case: Case, ledger: Ledger) -> Decimal | None:
    """Coins that our resting sales lock: they are there, whatever is listed of the wallet. None: one was not found."""
    sales = [order for order in case.orders if order.role != Role.ENTRY and order.status in RESTING]
    for order in sales:
        ledger.outcomes.look_up(order)
    if any(order.pk in ledger.outcomes.unseen for order in sales):
        return None
    here = {order.client_id for order in sales if order.status in RESTING}
    return sum((each.remaining for each in case.working if each.client_id in here), ZERO)


def _is_unexplained(case: Case, ledger: Ledger) -> bool:
    """Whether more coins are missing than hands have sold, who sell their own first: then the wallet is told wrong, or
    not all was sold."""
    trades = [each for each in ledger.working if each.symbol == case.trade.symbol]
    there = case.there.quantity if case.there is not None else ZERO
    missing = sum(booking.held_by(trades).values(), ZERO) - there
    sold = sum((row.quantity for row in _strangers(case)), ZERO)
    return missing >= sold + case.position.instrument.lot_size


def _left(case: Case, missing: Decimal) -> Iterator[Fill]:
    """Executions that were nobody's and closed, now the trade's, up to `missing` of them."""
    if not case.exits.is_spot:
        missing = min(missing, _beyond(case))
    for row in _strangers(case):
        if missing <= 0:
            return
        part = min(row.quantity, missing)
        if case.exits.is_spot:
            part = min(part, coins.held_since(Fill.objects.filter(trade=case.trade), row.time))
        if part > 0:
            missing -= part
            yield moved(row, case.trade, part)


def _across(case: Case, ledger: Ledger, missing: Decimal) -> Iterator[Fill]:
    """A hand's executions that were booked as entries of the other side, up to what the venue lists too little of it:
    they left this one, which a list still showed when they were told."""
    trade, other = case.trade, case.position.side.opposite
    holders = {each.pk: each for each in ledger.working if (each.symbol, each.side) == (trade.symbol, other)}
    if not holders:
        return
    held = booking.held_by([*holders.values()])
    nobodys = booking.nobodys(trade.account).get((trade.symbol, other), ZERO)
    lacking = sum(held.values(), ZERO) + nobodys - ledger.listed(trade.symbol, other)
    rows = Fill.objects.filter(trade__in=holders, order=None, order_side=case.position.side.exit_order_side)
    for row in rows.filter(time__gte=min(_begins(trade))).order_by("-time", "-id"):
        part = min(row.quantity, missing, lacking)
        if part <= 0:
            return
        missing, lacking = missing - part, lacking - part
        hint(holders[row.trade_id or 0])
        yield moved(row, trade, part)


def _beyond(case: Case) -> Decimal:
    """How much more of what is nobody's left this side than entered it: since the trade was asked for, and ever.

    What lay there before it came, and a hand has closed since, is no part of it, nor what a hand holds the other way.
    Of the minute before it counts what makes it more: what a hand opened then, and not what it closed.
    """
    trade, side = case.trade, case.position.side
    other_way = booking.nobodys(trade.account).get((trade.symbol, side.opposite), ZERO)
    ever, *lately = (-side.sign * adopted.nobodys_executions(trade, since) for since in (None, *_begins(trade)))
    return min(ever, max(lately)) - other_way


def _begins(trade: Trade) -> tuple[datetime, datetime]:
    """When it was asked for, and a little before: the gate may not have heard yet of what a hand did then."""
    asked: datetime = trade.asked_at or trade.created_at
    return asked, asked - TOLD_BEFORE


def _strangers(case: Case) -> QuerySet[Fill]:
    """Sales told shortly before the coins were missed; of contracts what came since the trade was asked for.

    The newest first: a hand that reversed the position while an entry of ours rested has opened what that entry closed
    then.
    """
    trade, side = case.trade, case.position.side
    rows = Fill.objects.filter(
        account=trade.account, symbol=trade.symbol, trade=None, order_side=side.exit_order_side
    ).order_by("time", "id")
    if case.exits.is_spot:
        return rows.filter(time__gte=_missed_since(case) - TOLD_BEFORE)
    return rows.filter(time__gte=min(_begins(trade))).reverse()


def _missed_since(case: Case) -> datetime:
    """By the account's clock."""
    assert case.trade.mismatch_since is not None
    return at(case.market.time - (wall_ms() - to_ms(case.trade.mismatch_since)))


def moved(row: Fill, trade: Trade | None, part: Decimal) -> Fill:
    """Make `part` of an execution this trade's: the whole row, or of one too large a row of its own with its share of
    the fee."""
    if part == row.quantity:
        row.trade = trade
        row.save(update_fields=["trade"])
        return row
    fee = kept(row.fee * part / row.quantity)
    row.quantity, row.fee = row.quantity - part, row.fee - fee
    row.save(update_fields=["quantity", "fee"])
    own = f"{row.fill_id}/t{trade.pk if trade is not None else 0}"[:64]
    before = Fill.objects.filter(account=row.account, fill_id=own).first()
    if before is not None:
        before.quantity, before.fee = before.quantity + part, before.fee + fee
        before.save(update_fields=["quantity", "fee"])
        return before
    values = {name: getattr(row, name) for name in SAME}
    return Fill.objects.create(trade=trade, fill_id=own, quantity=part, fee=fee, **values)


def _taken(case: Case, missing: Decimal) -> Fill:
    return Fill.objects.create(
        account=case.trade.account,
        trade=case.trade,
        fill_id=f"taken-{new_client_id()}",
        symbol=case.trade.symbol,
        order_side=OrderSide.SELL,
        price=kept(case.position.average_entry or case.market.last),
        quantity=missing,
        fee=ZERO,
        liquidity=Liquidity.TAKER,
        time=at(case.market.time),
        raw={"taken": True},
    )


def tell_of(case: Case, row: Fill, what: str) -> None:
    figures = {"price": text(row.price), "quantity": text(row.quantity), "leg": None}
    sentence = f"{what}: {text(row.quantity)} at {text(case.position.instrument.round_price(row.price))}."
    tell(case.trade, "external_fill", sentence, to_ms(row.time), **figures)

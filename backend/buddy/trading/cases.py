"""All working trades of an account as one reading shows them, and which part of the venue's positions each holds."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import OrderStatus, Reading, Refusal, Role
from buddy.core.market import TIMEFRAMES, ZERO, Candle
from buddy.core.plan import Trail
from buddy.core.position import Market, allocate, observed
from buddy.exchanges.connect import source_for
from buddy.exchanges.market_data.source import UnknownSymbol
from buddy.exchanges.models import Account
from buddy.prepared import Update

from . import attached, booking, books, foreign
from .absence import RECEIVE_WINDOW_MS
from .case import Case
from .lateness import Key, Lateness
from .lease import Lease
from .ledger import Ledger
from .models import Order, Trade
from .moments import at, to_ms, wall_ms
from .rows import Rows
from .states import REFUSED_AS

log = logging.getLogger(__name__)

CANDLES_FOR_ATR = 200
"""Wilder's average forgets its beginning well within this many."""
ALIKE_MS = 6_000
"""So that a stop of ours rests within the ten seconds of I1, where it is waited for in vain."""
LACKING_MS = 60_000
"""A list does not lack for longer what the venue finds by its name: then it is not that which hides a stop."""
PRICES_SEEN = {"best", "best_time", "worst", "worst_time", "reach"}
"""Of what is remembered, what a look only sees, whatever it does."""

_TRADE = Update(lambda trade: Trade.objects.filter(pk=trade))


def cases(ledger: Ledger, reading: Reading) -> list[Case]:
    """Every working trade of the account, oldest first, as this reading shows it."""
    trades, rows = ledger.working, ledger.rows
    made = [(trade, _in_own_scope(ledger, trade, reading, rows)) for trade in trades if trade.symbol in reading.quotes]
    found = [case for _, case in made if case is not None]
    unread = {trade.symbol for trade in trades} - {case.trade.symbol for case in found}
    unread |= {trade.symbol for trade, case in made if case is None}
    exits, lag = ledger.exchange.profile.exits, ledger.exchange.profile.settle_ms
    late = Lateness(ledger.account, reading, 0 if exits.is_spot else lag, _untold(found))
    ledger.nobodys = (
        {} if exits.is_spot else foreign.keep(ledger.lease, ledger.account, reading, _claims(found, unread), late)
    )
    ledger.outcomes.alone = _give_held(found, reading, ledger, unread, late)
    return found


def _claims(found: Sequence[Case], unread: set[str]) -> foreign.Claims:
    possible: dict[Key, Decimal] = defaultdict(Decimal)
    sure: dict[Key, Decimal] = defaultdict(Decimal)
    holding: dict[Key, list[bool]] = defaultdict(list)
    entering: dict[Key, Decimal] = defaultdict(Decimal)
    for case in found:
        key = (case.trade.symbol, case.position.side)
        possible[key] += case.possible
        sure[key] += case.sure
        holding[key].append(bool(case.possible))
        entering[key] += case.entering
    alone = {key for key, each in holding.items() if each == [True]}
    return foreign.Claims(possible, sure, alone, entering, unread)


def _untold(found: Sequence[Case]) -> Mapping[Key, Decimal]:
    """What has left, by the word of our orders alone."""
    untold: dict[Key, Decimal] = defaultdict(Decimal)
    for case in found:
        untold[case.trade.symbol, case.position.side] += case.unread_exits
    return untold


def _in_own_scope(ledger: Ledger, trade: Trade, reading: Reading, rows: Rows) -> Case | None:
    try:
        return _case(ledger, trade, reading, rows)
    except UnknownSymbol:  # its market was taken down after it had been read
        return None
    except Exception:  # one trade's defect must not leave the others without their stops
        log.exception("trade %s could not be made out", trade.pk)
        return None


def _case(ledger: Ledger, trade: Trade, reading: Reading, rows: Rows) -> Case:
    instrument = ledger.exchange.instrument(trade.symbol)
    position = books.position_of(trade, instrument, rows)
    trail = position.plan.rules.trail if position.held else None
    market = market_of(ledger.account, reading, trade.symbol, trail)
    orders, exits, position = rows.orders[trade.pk], ledger.exchange.profile.exits, observed(position, market)
    now = market._replace(low=None, high=None)  # has been seen: at the first fill it must not count afterwards either
    booked, lag = _booked(rows, trade), ledger.exchange.profile.settle_ms
    unseen = ledger.outcomes.unseen
    return Case(ledger.lease, trade, orders, position, now, booked=booked, exits=exits, lag_ms=lag, unseen=unseen)


def _booked(rows: Rows, trade: Trade) -> dict[int, Decimal]:
    booked: dict[int, Decimal] = defaultdict(Decimal)
    for fill in rows.fills[trade.pk]:
        if fill.order_id is not None:
            booked[fill.order_id] += fill.quantity
    shared = [o.pk for o in rows.orders[trade.pk] if o.role != Role.ENTRY and o.filled > booked[o.pk]]
    return booked | booking.told_of(shared)


def market_of(account: Account, reading: Reading, symbol: str, trail: Trail | None = None) -> Market:
    """The market of one symbol at the reading's moment, with candles only where a trail needs them."""
    quote = reading.quotes[symbol]
    low, high = reading.ranges.get(symbol, (None, None))
    needs = trail is not None and trail.percent is None
    candles = _candles(account, symbol, trail, reading.time) if needs and trail is not None else ()
    return Market(quote.last, quote.mark, reading.time, low, high, candles)


def _candles(account: Account, symbol: str, trail: Trail, now: int) -> Sequence[Candle]:
    """Closed candles up to `now`, oldest first; none while they cannot be read: then the stop stays where it is."""
    timeframe = trail.timeframe or "1m"
    try:
        answer = source_for(account).candles(symbol, timeframe, None, now, (trail.candles or CANDLES_FOR_ATR) + 1)
    except (CouldNotRead, UnknownSymbol):
        return ()
    return [candle for candle in answer.rows if candle.time + TIMEFRAMES[timeframe] <= now]


def _give_held(found: Sequence[Case], reading: Reading, ledger: Ledger, unread: set[str], late: Lateness) -> set[str]:
    """Share out what the venue says is held of each symbol among the trades that believe they hold it.

    What is nobody's stays out of it, and what only a late list still shows. On the symbols of `unread` trades nobody
    gets more than its own fills say, and of coins never: those beyond are the trader's own. Gives the symbols beside
    whose coins he has none.
    """
    alone = set[str]()
    total = {(position.symbol, position.side): position for position in reading.positions}
    groups: dict[Key, list[Case]] = defaultdict(list)
    for case in found:
        groups[case.trade.symbol, case.position.side].append(case)
    for key, group in groups.items():
        there = total.get(key)
        ours = max(there.quantity - ledger.nobodys.get(key, ZERO), ZERO) if there is not None else ZERO
        listed = _still_ours(ours, key, group, late)
        parts = _shared_out(listed, group)
        beside = listed - sum((case.position.held for case in group), ZERO)
        for case, part in zip(group, parts, strict=True):
            case.there = there
            case.missing = max(case.position.held - part, ZERO)
            own = key[0] in unread or case.exits.is_spot
            case.held = case.without_dust(min(part, case.claim)) if own else part
            if case.exits.is_spot:
                case.awaited = _awaited(case, beside, _waits_for(case, group, ledger))
                is_alone = len(group) == 1 and ZERO <= beside < case.position.instrument.lot_size
                alone |= {key[0]} if is_alone else set()
    return alone


def _shared_out(listed: Decimal, group: Sequence[Case]) -> list[Decimal]:
    """Coins that a sale locks are its trade's; the rest is shared out."""
    locked = [min(case.claim, case.locked) for case in group]
    if sum(locked, ZERO) > listed:  # the list of one of the two lags
        locked = [ZERO for _ in group]
    claims, sure = (
        [max(most - part, ZERO) for most, part in zip(each, locked, strict=True)]
        for each in ([case.claim for case in group], [case.sure for case in group])
    )
    rest = allocate(listed - sum(locked, ZERO), claims, sure)
    return [part + more for part, more in zip(locked, rest, strict=True)]


def _waits_for(case: Case, group: Sequence[Case], ledger: Ledger) -> int:
    """Milliseconds for which a stop that came with an entry may be listed late; longer while lists are known to lack.

    Where two trades have asked for one price it cannot be told for sure whose is whose, and one that has been replaced
    could be waited for in vain: there no longer than I1 allows.
    """
    is_alike = any(_asked(case) & _asked(other) for other in group if other is not case)
    most = LACKING_MS if ledger.outcomes.overlooked else case.lag_ms + RECEIVE_WINDOW_MS
    return min(most, ALIKE_MS) if is_alike else most


def _asked(case: Case) -> set[str]:
    return {order.raw["attached_stop"] for order in case.orders if "attached_stop" in order.raw}


def _awaited(case: Case, own: Decimal, most: int) -> Decimal:
    """See there, for at most so long (ms). The venue makes that stop with the execution.

    `own`: coins beside those of our trades. Without any the venue itself refuses a second stop beside the first, so
    that ours is tried at once: being refused for want of coins it waits.
    """
    since = _entered_at(case)
    if not case.held or since is None or (waited := case.market.time - since) >= most + LACKING_MS:
        return ZERO
    orders = (order for order in case.orders if order.role == Role.ENTRY)
    entries = [(each, max(each.filled, case.booked[each.pk])) for each in orders]
    if waited >= most:
        attached.miss(case.lease, case.trade, entries)
        return ZERO
    unlisted = attached.unlisted(case.trade, entries)
    if not unlisted or (ZERO <= own < case.position.instrument.lot_size and not _lacked_coins(case, since)):
        return ZERO
    return max(min(unlisted, case.held - case.locked), ZERO)


def _lacked_coins(case: Case, since: int) -> bool:
    lately = Order.objects.filter(trade=case.trade, role=Role.STOP, status=OrderStatus.REJECTED)
    return lately.filter(closed_at__gte=at(since), **{f"raw__{REFUSED_AS}": Refusal.MARGIN}).exists()


def _entered_at(case: Case) -> int | None:
    """When something entered last (ms, the venue's clock); of what is not told yet when it was missed."""
    if any(order.role == Role.ENTRY for order in case.unread):
        since = case.trade.mismatch_since
        return case.market.time - (0 if since is None else wall_ms() - to_ms(since))
    return max((booked.fill.time for booked in case.position.fills if booked.role is Role.ENTRY), default=None)


def _still_ours(listed: Decimal, key: Key, group: Sequence[Case], late: Lateness) -> Decimal:
    """What is listed, without what a trade has just left and the list still shows.

    Where an entry may have brought it that was not told yet, it is there: protecting too much costs nothing.
    """
    claimed = sum((case.claim for case in group), ZERO)
    surplus = listed - claimed
    if surplus <= sum((case.entering for case in group), ZERO) or not late.explains(key, surplus):
        return listed
    return claimed


def remember_prices(lease: Lease, found: Sequence[Case]) -> None:
    """What was merely seen of the market by several trades, in one transaction, before anything follows from it.

    Whatever else changes, and a single trade, is left to `Case.remember`.
    """
    seen = [(case.trade, document) for case in found if (document := _merely_seen(case)) is not None]
    if len(seen) < 2:
        return
    with lease.writing():
        for trade, document in seen:
            _TRADE({"memory": document}, trade=trade.pk)
    for trade, document in seen:
        trade.memory = document


def _merely_seen(case: Case) -> dict[str, Any] | None:
    """What is to be remembered, when it differs from what was by prices alone."""
    document, before = case.position.memory.document(), case.trade.memory
    different = {name for name in document | before if document.get(name) != before.get(name)}
    return document if different and different <= PRICES_SEEN else None

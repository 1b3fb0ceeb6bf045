"""The port with a memory: every order is written down before it is sent, every execution is booked once.

A crash between any two lines is finished by the next look: the row says what was wanted, its client id finds what
became of it. No network inside a transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from buddy.core import exchange as port
from buddy.core.errors import ExchangeError, OutcomeUnknown, Rejected, Temporary
from buddy.core.exchange import CancelOutcome, Exchange, OrderKind, OrderStatus, PositionMode, Reading, Refusal, Role
from buddy.core.market import ZERO, Instrument, OrderSide, Side
from buddy.core.position import Wish
from buddy.exchanges.models import Account
from buddy.prepared import Select, Update, insert

from . import adopted, booking, books, income, pairs, records, reopening, telling, told_late
from .absence import RECEIVE_WINDOW_MS
from .client_ids import new_client_id
from .coins import in_wallet
from .lease import Lease
from .models import Fill, Order, Trade
from .moments import to_ms, wall_ms
from .outcomes import Outcomes
from .rows import Rows
from .states import ASKED_TO_GO, LIVE, REFUSED_AS, WORKING

_TRADES = Select(lambda account: Trade.objects.filter(account_id=account, status__in=WORKING).order_by("id"))
_ENDED = Select(
    lambda owner, account, since: (
        Trade.objects.filter(owner_id=owner, account_id=account, closed_at__gte=since)
        .order_by()
        .values_list("symbol")
        .distinct()
    )
)
_INTENDED = Select(
    lambda trade, role, leg: Order.objects.filter(
        trade_id=trade, role=role, leg=leg, status=OrderStatus.INTENDED
    ).order_by("id")
)
_ORDER = Update(lambda order: Order.objects.filter(pk=order))

OUTLIVES = timedelta(minutes=5)
"""How long after a trade's end the venue is asked what rests there all the same, unless it could not be asked."""


class Ledger:
    """One look's way to the venue. `read` first; then `intend`, `send` and `cancel` go through the rows."""

    def __init__(self, account: Account, exchange: Exchange, lease: Lease) -> None:
        self.account = account
        self.exchange = exchange
        self.lease = lease
        self.outcomes = Outcomes(account, exchange, lease)
        self.nobodys: Mapping[tuple[str, Side], Decimal] = {}
        """What no trade of ours accounts for, by symbol and side, as of the last reading."""
        self.also: set[str] = set()
        """Symbols to read besides those of trades and their orders."""
        self.undecided: Set[str] = frozenset()
        """Symbols with executions that may be ours, as of the last reading, of which the order is not known yet."""
        self.working: list[Trade] = []
        """The trades worked on, oldest first, and the rows behind them, as of the last reading."""
        self.rows = Rows()
        self._last: Reading | None = None
        self._recorded: Mapping[int, str] = {}
        """Orders booked from their own record, with their symbols: their executions may still be told."""

    def read(self) -> Reading:
        """What the venue says now, booked. Raises CouldNotRead: then nothing may be concluded."""
        self._load()
        reading = self.exchange.read(self._symbols(), self.account.cursor)
        self.outcomes.clock = reading.time
        self.outcomes.strange.clear()
        reading = self._told_apart(reading)
        if reading.fills or reading.income or reading.cursor != self.account.cursor:
            self._book(reading)
        self.outcomes.note(self.rows, reading.orders)
        self._last = reading
        return reading

    def listed(self, symbol: str, side: Side) -> Decimal:
        """Contracts of it, as of the last reading."""
        return _there(self._last).get((symbol, side), ZERO) if self._last is not None else ZERO

    def book_records(self, fills: Sequence[port.Fill]) -> None:
        """Book what orders say of themselves as executions (`settling`). Once this account has been read."""
        assert self._last is not None
        self._book(replace(self._last, fills=fills, income=(), cursor=self.account.cursor))

    def _told_apart(self, reading: Reading) -> Reading:
        """The same, without executions of which it cannot be told yet whose they are; they are read again."""
        self.undecided = frozenset()
        known = {order.client_id for order in self.rows.all_orders()}
        strange = [fill for fill in reading.fills if fill.client_id not in known]
        new = booking.unbooked(self.account, strange) if strange else []
        ours = booking.orders_behind(self.account, new) if new else {}
        unnamed = [fill for fill in new if fill.fill_id not in ours]
        if not unnamed:
            return reading
        lies_beside = reading.position_mode is PositionMode.HEDGE or self.exchange.profile.exits.is_spot
        listed = reading.orders if lies_beside else None
        self.undecided = self.outcomes.name_strangers(self.rows, unnamed, listed)
        if not self.undecided:
            return reading
        decided = [fill for fill in reading.fills if fill.symbol not in self.undecided]
        return replace(reading, fills=decided, cursor=self.account.cursor)

    def _load(self) -> None:
        self.working = _TRADES.rows(account=self.account.pk)
        for trade in self.working:
            trade.account = self.account
        self._recorded = {} if self.account.is_paper else records.booked_from_records(self.account)
        self._take_rows()

    def _take_rows(self) -> None:
        self.rows = self.outcomes.rows = Rows.of(self.working, self.account)

    def _instruments(self, symbols: set[str]) -> dict[str, Instrument]:
        """What is executed is booked whether or not its instrument can be read: those that can."""
        found = {}
        for symbol in sorted(symbols):
            with suppress(ExchangeError, LookupError):
                found[symbol] = self.exchange.instrument(symbol)
        return found

    def _book(self, reading: Reading) -> None:
        told = {fill.symbol for fill in reading.fills} | {row.symbol for row in reading.income if row.symbol}
        instruments = self._instruments(told)
        named = {fill.symbol: instruments.get(fill.symbol) or books.unbounded(fill.symbol) for fill in reading.fills}
        entries = adopted.entries(self.account, {fill.symbol for fill in reading.fills}) if reading.fills else []
        known = booking.Known(adopted.known_until(entries), _there(reading))
        with transaction.atomic():
            self.lease.keep(cursor=reading.cursor)
            shares, coins = self.exchange.profile.protects_position, self._coins(reading)
            new = booking.book_fills(
                self.account,
                reading.fills,
                self.working,
                self._missing(reading),
                coins=coins,
                shares_stops=shares,
                known=known,
            )
            moved = income.book_income(self.account, reading.income)
            booking.refresh_filled(new)
            telling.tell_fills([fill for fill in new if fill.order_id not in self._recorded], self.working, named)
            touched = {pk for pk in {*(fill.trade_id for fill in new), *(row.trade_id for row in moved)} if pk}
            touched |= adopted.explain(entries, instruments) if any(fill.trade_id is None for fill in new) else set()
            over = touched - {trade.pk for trade in self.working}
            records.make_way_for_words(over, new)
            bought = over if coins is None else over & _buyers(new)
            reopened = reopening.reopen(bought, are_coins=coins is not None) if bought else set()
            if late := over - reopened:
                told_late.take_in(late, instruments)
            if new:
                telling.hint_account(self.account)
        self.account.cursor = reading.cursor
        if reopened:
            self._load()
        elif new or moved:
            self._take_rows()

    def _missing(self, reading: Reading) -> dict[tuple[str, Side], Decimal] | None:
        """Where longs and shorts lie side by side: how much less of each is there than our orders say.

        That is by their executions, and by what they say has executed and neither this reading nor another has told.
        """
        if reading.position_mode is not PositionMode.HEDGE:
            return None
        there, untold = _there(reading), self._untold(reading)
        missing: dict[tuple[str, Side], Decimal] = defaultdict(Decimal)
        held = booking.held_by(self.working)
        for trade in self.working:
            missing[trade.symbol, Side(trade.side)] += held[trade.pk] + untold[trade.pk]
        return {key: quantity - there.get(key, ZERO) for key, quantity in missing.items()}

    def _untold(self, reading: Reading) -> dict[int, Decimal]:
        """By trade what its orders have executed beyond that: what entered less what left."""
        untold: dict[int, Decimal] = defaultdict(Decimal)
        for order, more in self._executed_untold(reading):
            untold[order.trade_id] += more if order.role == Role.ENTRY else -more
        return untold

    def _executed_untold(self, reading: Reading) -> Iterator[tuple[Order, Decimal]]:
        """Orders with what of them has executed, and neither this reading nor another has told."""
        behind = booking.orders_behind(self.account, booking.unbooked(self.account, reading.fills))
        executed = [order for order in self.rows.all_orders() if order.filled]
        told = booking.told_of([order.pk for order in executed])
        for fill in reading.fills:
            if (order := behind.get(fill.fill_id)) is not None and order.pk in told:
                told[order.pk] += fill.quantity
        for order in executed:
            if order.filled > told[order.pk]:
                yield order, order.filled - told[order.pk]

    def _coins(self, reading: Reading) -> dict[str, Decimal] | None:
        """On spot, how many coins of each symbol lie in the wallet, whoever bought them, and what ours sold untold."""
        if not self.exchange.profile.exits.is_spot:
            return None
        coins = in_wallet(reading)
        for ours, more in self._executed_untold(reading) if reading.fills else ():
            if ours.role != Role.ENTRY:  # it has left the wallet, and is in our books still
                coins[ours.symbol] += more
        return coins

    def intend(self, trade: Trade, wish: Wish, asked_with: Mapping[str, str] | None = None) -> Order:
        """Write `wish` down and commit; the same wish that is proven never to have been sent keeps its id.

        `asked_with`: the protection that an entry takes along (`attached`). Whoever reads the row without an answer of
        the venue on it must take it as sent, so it says so before it is. A pair is two rows: this gives its stop.
        """
        raw = {"trigger_by": wish.trigger_by, "sent_at": wall_ms(), **(asked_with or {})}
        return self._unsent(trade, wish, raw) or self._intend(trade, wish, raw)

    def send(self, order: Order) -> None:
        """Send it, once, with the other half of a pair.

        Raises Rejected, Temporary (nothing happened) or OutcomeUnknown (the next read looks).
        """
        half = pairs.other_half(order, self.rows)
        try:
            state = self.exchange.place(books.intent_of(order, half))
        except Rejected as refusal:
            self._refused(order, half, refusal)
        except Temporary:
            self.outcomes.never_sent(order)
            raise
        except Exception as trouble:  # whatever is not a plain refusal may have reached the venue
            self.outcomes.doubt(order, *([half] if half else []))
            raise OutcomeUnknown(str(trouble)) from trouble
        else:
            self.outcomes.adopt(order, state)
            if half is not None:
                self.outcomes.adopt_half(half, order)

    def cancel(self, order: Order, reason: str) -> CancelOutcome:
        """Take an order back, with the other half of a pair; the reason is on the rows before the venue is asked."""
        both = pairs.together(order, self.rows)
        with transaction.atomic():
            self.lease.keep()
            for each in both:
                each.cancel_reason, each.raw = reason[:120], each.raw | {ASKED_TO_GO: wall_ms()}
                _ORDER({"cancel_reason": each.cancel_reason, "raw": each.raw}, order=each.pk)
        if order.status == OrderStatus.INTENDED:
            self.outcomes.close(*both, status=OrderStatus.CANCELLED)
            return CancelOutcome.NOT_FOUND
        outcome = self.exchange.cancel(books.ref_of(order))
        if outcome is CancelOutcome.CANCELLED:
            self.outcomes.close(*both, status=OrderStatus.CANCELLED)
        for each in both:
            if outcome is not CancelOutcome.CANCELLED or self._may_have_executed(each):
                self.outcomes.look_up(each)
        return outcome

    def withdraw(self, order: Order, reason: str) -> bool:
        """Take it back for what is to be sold instead; whether nothing of it has executed for sure that was not known.

        Only then are its coins free.
        """
        known = {each: each.filled for each in pairs.together(order, self.rows)}
        self.cancel(order, reason)
        return all(self.outcomes.is_over(each, filled) for each, filled in known.items())

    def _may_have_executed(self, order: Order) -> bool:
        """Whether part of a cancelled order may have executed since the reading, so that its fills are waited for."""
        return order.kind != OrderKind.STOP_MARKET and self.exchange.profile.settle_ms > 0

    def ownerless(self) -> list[Order]:
        """Orders of ours that may rest although their trade is over."""
        working = {trade.pk for trade in self.working}
        return [o for pk, orders in self.rows.orders.items() if pk not in working for o in orders if o.status in LIVE]

    def _symbols(self) -> list[str]:
        live = {order.symbol for orders in self.rows.orders.values() for order in orders if order.status in LIVE}
        expected = live | set(self._recorded.values()) | self.also | self._just_ended()
        return sorted({trade.symbol for trade in self.working} | expected)

    def _just_ended(self) -> set[str]:
        """Where something may outlive its trade: what the venue attached by itself, or what arrived there late."""
        if not (self.exchange.profile.attaches_stop or self.exchange.profile.settle_ms):
            return set()
        since = (self.account.good_look_at or timezone.now()) - OUTLIVES
        rows = _ENDED.rows(owner=self.account.owner_id, account=self.account.pk, since=since)
        return {symbol for (symbol,) in rows}

    # --- sending ---

    def _unsent(self, trade: Trade, wish: Wish, raw: dict[str, Any]) -> Order | None:
        """The same wish written down before and proven never to have reached the venue: its id is used again."""
        rows = _INTENDED.rows(trade=trade.pk, role=wish.role, leg=wish.leg)
        known = {row.pk: row for row in self.rows.orders[trade.pk]}  # those in hand learn of it, too
        same = next((row for row in (known.get(row.pk, row) for row in rows) if self._is(row, wish)), None)
        if same is None:
            return None
        raw |= {"sends": int(same.raw.get("sends", 1)) + 1}
        with transaction.atomic():
            self.lease.keep()
            for each in pairs.together(same, self.rows):
                each.raw = raw
                _ORDER({"lease_epoch": self.lease.epoch, "raw": raw}, order=each.pk)
        return same

    def _is(self, row: Order, wish: Wish) -> bool:
        """Whether a row that was never sent is this wish, with the same other half or none."""
        half = pairs.other_half(row, self.rows)
        if half is not None and half.status != OrderStatus.INTENDED:
            return False
        beside = half.price if half is not None else None
        return (*_figures(row), beside) == (*_figures(wish), wish.beside) and not row.is_attached

    def _intend(self, trade: Trade, wish: Wish, raw: dict[str, Any]) -> Order:
        with transaction.atomic():
            self.lease.keep()
            order = self._write(trade, wish, raw)
            rows = [order]
            if wish.beside is not None:
                rows.append(self._write(trade, pairs.limit_half(wish), raw, paired_with=order))
        self.rows.orders[trade.pk] += rows
        return order

    def _write(self, trade: Trade, wish: Wish, raw: dict[str, Any], paired_with: Order | None = None) -> Order:
        return insert(
            Order(
                account=self.account,
                trade=trade,
                client_id=new_client_id(),
                paired_with=paired_with,
                symbol=trade.symbol,
                role=wish.role,
                leg=wish.leg,
                order_side=wish.order_side,
                kind=wish.kind,
                quantity=wish.quantity,
                price=wish.price,
                trigger=wish.trigger,
                reduce_only=wish.reduce_only,
                reason=wish.reason,
                lease_epoch=self.lease.epoch,
                raw=raw,
            )
        )

    def _refused(self, order: Order, half: Order | None, refusal: Rejected) -> None:
        both = [order, half] if half is not None else [order]
        if refusal.code == Refusal.DUPLICATE:
            self.outcomes.is_there(*both)
            return
        if self._may_rest_unseen(order, refusal):
            self.outcomes.doubt(*both)
            raise OutcomeUnknown(str(refusal)) from refusal
        for each in both:
            each.refusal, each.raw = str(refusal)[:300], each.raw | {REFUSED_AS: refusal.code}
        with transaction.atomic():
            self.outcomes.close(*both, status=OrderStatus.REJECTED)
            telling.tell_refused(order, refusal, self.outcomes.clock)
        raise refusal

    def _may_rest_unseen(self, order: Order, refusal: Rejected) -> bool:
        """Whether a refusal says nothing of an earlier sending of the same stop: that may be listed late.

        Another one under another name would rest beside it, and of coins sell the trader's own. Where stops have no
        names, it is told by its figures when it comes, and taken back (`nameless`).
        """
        profile, sent_again = self.exchange.profile, int(order.raw.get("sends", 1)) > 1
        is_told_by_name = order.role == Role.STOP and (profile.names_stops or profile.exits.is_spot)
        age = wall_ms() - to_ms(order.created_at)
        late = age < profile.settle_ms + RECEIVE_WINDOW_MS
        return is_told_by_name and sent_again and late and refusal.code == Refusal.OTHER


def _buyers(fills: Sequence[Fill]) -> set[int | None]:
    """Trades that bought: of coins some may have stayed at a trade's end, too few to be sold, which reopens nothing."""
    return {fill.trade_id for fill in fills if fill.order_side == OrderSide.BUY}


def _figures(order: Order | Wish) -> tuple[object, ...]:
    return (order.order_side, order.kind, order.quantity, order.price, order.trigger, order.reduce_only)


def _there(reading: Reading) -> dict[tuple[str, Side], Decimal]:
    return {(position.symbol, position.side): position.quantity for position in reading.positions}

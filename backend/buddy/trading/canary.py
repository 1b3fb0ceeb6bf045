"""Canary orders: on every account that trades at a venue an order is placed, seen and cancelled, and the trader told.

A conditional order that enters, of the smallest size, half the price away: it lies in the book in which stops lie, and
is read by the calls that read them. It is no trade. Each look takes one step, from what is written in its row, so that
a process that dies between two steps leaves nothing that the next look does not see and take back.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from buddy.core.errors import CouldNotRead, ExchangeError, Rejected, Temporary
from buddy.core.exchange import OrderIntent, OrderState, OrderStatus, Quote, Reading, Refusal
from buddy.core.market import ZERO, Instrument, least_sellable
from buddy.exchanges.market_data.source import UnknownSymbol
from buddy.exchanges.venues import VENUES
from buddy.prepared import Select
from buddy.redact import redact

from . import canary_rows as rows
from .canary_rows import Canary
from .client_ids import new_client_id
from .lease import LeaseLost
from .ledger import Ledger
from .moments import wall_ms
from .states import DOUBTFUL
from .telling import hint_account, tell_account, text

log = logging.getLogger(__name__)

AWAY = (Decimal("1.5"), Decimal("1.15"))
"""Of the price: where the first one waits, and where the next after a refusal does. Some venues allow no trigger
further off than they think a price can go."""
BASES = ("XRP", "DOGE", "ADA", "LTC", "SOL", "ETH", "BTC")
"""Traded everywhere, with small minimums first. One that anything is held or waits on is passed over."""
LEVERAGE = Decimal(5)
"""Where an order has to say its margin mode, which then has to be set up."""
SENT_WITHIN = timedelta(minutes=5)
SEEN_WITHIN = timedelta(seconds=30)
CLOSED_AT_MOST = 5
RECEIVE_WINDOW = timedelta(seconds=5)
"""How long after it was sent a venue may still accept an order that it has not answered."""

_OPEN = Select(lambda account: Canary.objects.filter(account_id=account, over_at=None).order_by("id"))


def open_rows(account_id: int) -> list[Canary]:
    """Canaries of which something may rest; nearly always none."""
    return _OPEN.rows(account=account_id)


def tend(ledger: Ledger, reading: Reading, found: Sequence[Canary], *, quiet: bool) -> None:
    """One step of each, or a new one where it is due and all else is `quiet`. Its troubles are nobody else's."""
    try:
        for row in found:
            _Step(ledger, reading, row, quiet=quiet).take()
        if not found and quiet and rows.is_due(ledger.account):
            _choose(ledger, reading)
    except LeaseLost:
        raise
    except ExchangeError as trouble:
        log.warning("the proving order of account %s waits: %s", ledger.account.pk, redact(str(trouble)))
    except Exception:  # a proof must not stand in the way of what it is for
        log.exception("the proving order of account %s could not be tended", ledger.account.pk)


def _choose(ledger: Ledger, reading: Reading) -> None:
    """On a symbol that nothing else is on; its price is told with the next reading."""
    taken = rows.taken(ledger.account) | {position.symbol for position in reading.positions}
    instrument = _free(ledger, taken)
    with ledger.lease.writing():
        if instrument is not None:
            rows.begin(ledger.account, instrument.symbol)
        else:
            row = rows.begin(ledger.account, "")
            _end(ledger, row, "no market is free for it: something is held or waits on each that would do.")


def _free(ledger: Ledger, taken: set[str]) -> Instrument | None:
    venue = VENUES[ledger.account.venue]
    ending = "" if venue.exits.is_spot else f":{venue.settle}"
    for base in BASES:
        try:
            instrument = ledger.exchange.instrument(f"{base}/{venue.settle}{ending}")
        except UnknownSymbol:
            continue
        if instrument.active and instrument.symbol not in taken:
            return instrument
    return None


def _end(ledger: Ledger, row: Canary, why: str) -> None:
    """It is over; tell what came of it. Inside `lease.writing()`."""
    account, name = ledger.account, VENUES[ledger.account.venue].name
    rows.close(row, why)
    if why:
        sentence = f"{account.name}: no order could be proven at {name}: {why}"
        cure = f"Look at {name} whether orders can be placed and are shown there. It is tried again in an hour."
        tell_account(account, "order_unproven", sentence, wall_ms(), cure=cure, symbol=row.symbol)
    else:
        sentence = f"{account.name}: an order was placed at {name}, seen and cancelled."
        tell_account(account, "order_proved", sentence, wall_ms(), symbol=row.symbol)
    hint_account(account)


class _Step:
    """What is to be done next about one canary."""

    def __init__(self, ledger: Ledger, reading: Reading, row: Canary, *, quiet: bool) -> None:
        self.ledger, self.reading, self.row, self.quiet = ledger, reading, row, quiet
        self.exchange, self.lease = ledger.exchange, ledger.lease
        self.now = timezone.now()

    def take(self) -> None:
        row = self.row
        if row.closes_id is not None:
            self._close()
        elif row.sent_at is None:
            self._send()
        else:
            self._see()

    # --- placing ---

    def _send(self) -> None:
        row, quote = self.row, self.reading.quotes.get(self.row.symbol)
        is_late = self.now - row.created_at > SENT_WITHIN
        if not rows.may_trade(row.account) or (is_late and not self.quiet):
            rows.forget(row)  # nothing was sent
        elif is_late:
            self._fail(row.why or f"nothing is told of the price of {row.symbol}.")
        elif quote is not None and self.quiet and row.symbol not in rows.taken(row.account):
            self._place(self._figures(quote))

    def _figures(self, quote: Quote) -> OrderIntent:
        """The smallest order, at the price of now as well as at its trigger."""
        instrument, last = self.exchange.instrument(self.row.symbol), quote.last
        trigger = instrument.round_price_up(last * AWAY[self.row.attempt])
        quantity = least_sellable(instrument, min(last, trigger))
        self.row.quantity, self.row.trigger = quantity, trigger
        return rows.intent(self.row)

    def _place(self, intent: OrderIntent) -> None:
        """Committed as sent, then sent; once and never again."""
        row = self.row
        if self.exchange.profile.orders_name_margin:
            self.exchange.set_up(row.symbol, LEVERAGE, row.account.margin_mode)
        self._save(sent_at=self.now, status=OrderStatus.UNKNOWN, quantity=row.quantity, trigger=row.trigger, why="")
        try:
            state = self.exchange.place(intent)
        except Rejected as refusal:
            self._refused(refusal)
        except Temporary as trouble:  # it was not sent
            self._save(sent_at=None, status=OrderStatus.INTENDED, why=_said(trouble))
        except Exception as trouble:  # noqa: BLE001 - whatever is not a plain refusal may have reached the venue
            log.warning("what became of the proving order %s is not known: %s", row.client_id, type(trouble).__name__)
        else:
            self._adopt(state)

    def _refused(self, refusal: Rejected) -> None:
        row = self.row
        if refusal.code == Refusal.DUPLICATE:
            return
        self._save(status=OrderStatus.REJECTED)
        again = row.attempt + 1 < len(AWAY) and refusal.code not in (Refusal.MARGIN, Refusal.INACTIVE)
        if again:
            with self.lease.writing():
                rows.forget(row)
                rows.begin(row.account, row.symbol, attempt=row.attempt + 1)
        else:
            self._fail(f"{row.symbol}, {text(row.quantity)} at {text(row.trigger)}: {_said(refusal)}")

    # --- seeing and taking back ---

    def _see(self) -> None:
        listed = rows.listed(self.row, self.reading.orders, self.exchange.profile)
        if listed is not None:
            self._adopt(listed, listed_at=self.row.listed_at or self.now)
        found, could_ask = self._found()
        if found is not None:
            self._adopt(found, found_at=self.row.found_at or self.now)
        if self.row.filled:
            self._caught()
        elif found is not None and found.status.is_final:
            self._over()
        elif listed is None and found is None and could_ask:
            self._absent()
        elif self._has_been_seen() or self._is_late() or self.row.cancel_at:
            self._take_back()

    def _found(self) -> tuple[OrderState | None, bool]:
        """By its name or number, and whether the venue could tell."""
        ref = rows.ref(self.row)
        if not ref.exchange_id and not (self.exchange.profile.names_stops):
            return None, True  # it has no name there: the list is all there is to go by
        try:
            return self.exchange.find(ref), True
        except CouldNotRead:
            return None, False

    def _has_been_seen(self) -> bool:
        return self.row.listed_at is not None and self.row.found_at is not None

    def _is_late(self) -> bool:
        """It should have been seen by now, or somebody wants its symbol: it is taken back unseen."""
        assert self.row.sent_at is not None
        return self.now - self.row.sent_at > SEEN_WITHIN or self.row.symbol in rows.taken(self.row.account)

    def _take_back(self) -> None:
        row = self.row
        if row.cancel_at is None:
            self._save(cancel_at=self.now)
        elif self.now - row.cancel_at > SEEN_WITHIN and not row.why:
            self._warn_of_rest()
        self.exchange.cancel(rows.ref(row))

    def _warn_of_rest(self) -> None:
        """It goes on being tried: nothing is over before it is gone."""
        name = VENUES[self.row.account.venue].name
        why = f"{name} does not cancel it."
        with self.lease.writing():
            self._save(why=why)
            sentence = f"{self.row.account.name}: the order {self.row.symbol} that proves placing still rests. {why}"
            tell_account(self.row.account, "order_unproven", sentence, wall_ms(), cure=f"Cancel it at {name}.")

    def _absent(self) -> None:
        """Neither listed nor found. Believed once a read can no longer lag behind what was sent."""
        row, settles = self.row, timedelta(milliseconds=self.exchange.profile.settle_ms)
        if row.absent_since is None:
            self._save(absent_since=self.now)
        assert row.sent_at is not None
        assert row.absent_since is not None
        arrives = row.status in DOUBTFUL and self.now - row.sent_at < settles + RECEIVE_WINDOW
        if self.now - row.absent_since >= settles and not arrives:
            self._over()

    def _over(self) -> None:
        """Nothing of it rests any more."""
        row = self.row
        self._save(status=OrderStatus.CANCELLED)
        if row.why or (self._has_been_seen() and row.cancel_at):
            self._fail(row.why)
        elif row.listed_at is None and row.found_at is None:
            answered = bool(row.exchange_id)
            self._fail("it was taken and never seen." if answered else "no answer came, and it never arrived.")
        elif row.listed_at is None:
            self._fail("it rested, and was not in the list of what rests: STOPS MAY BE OVERLOOKED THERE.")
        elif row.found_at is None:
            self._fail("it rested, and could not be found by its name.")
        else:
            self._fail("it was cancelled there, not by this desk.")

    # --- what must not happen ---

    def _caught(self) -> None:
        """It has executed: close at once what it bought, and take back what rests of it."""
        row = self.row
        left = self._bought() - sum((each.quantity for each in row.closing.all()), ZERO)
        closing = None
        with self.lease.writing():
            if not row.why:
                self._tell_caught()
            if left > 0:
                closing = rows.begin_close(row, left)
            if OrderStatus(row.status).is_final:
                rows.close(row, row.why)
        if closing is not None:
            _Step(self.ledger, self.reading, closing, quiet=self.quiet).take()
        if row.over_at is None:
            self._take_back()

    def _tell_caught(self) -> None:
        row, what = self.row, "the order that proves placing"
        self._save(why="IT EXECUTED, and what it bought was closed at market.")
        sentence = f"{row.account.name}: {what} EXECUTED ({text(row.filled)} {row.symbol}). It is closed at market now."
        cure = "See at the exchange that nothing is left of it."
        tell_account(row.account, "order_proof_filled", sentence, wall_ms(), cure=cure, symbol=row.symbol)

    def _bought(self) -> Decimal:
        """What can be sold of it: on spot the venue may have kept its fee of the coins."""
        instrument, row = self.exchange.instrument(self.row.symbol), self.row
        kept = row.account.taker_fee if instrument.spot else ZERO
        return instrument.round_quantity(row.filled * (1 - kept))

    def _close(self) -> None:
        """At market, reducing only. The same order is never sent twice before it is certain that it never arrived."""
        row = self.row
        found = None if row.sent_at is None else self.exchange.find(rows.ref(row))
        if found is not None:
            self._adopt(found)
            if found.status.is_final:
                rows.close(row, "")
            return
        if row.sent_at is not None and self.now - row.sent_at < RECEIVE_WINDOW * 2:
            return
        self._save(sent_at=self.now, status=OrderStatus.UNKNOWN, attempt=row.attempt + 1)
        try:
            self._adopt(self.exchange.place(rows.intent(row)))
        except Rejected as refusal:
            if refusal.code == Refusal.REDUCE_ONLY or row.attempt >= CLOSED_AT_MOST:  # what is left is told as nobody's
                rows.close(row, _said(refusal))
            else:
                self._save(sent_at=None, client_id=new_client_id())
        except Temporary:
            self._save(sent_at=None)

    # --- its row ---

    def _adopt(self, state: OrderState, **also: object) -> None:
        row = self.row
        names = {"exchange_id": state.exchange_id or row.exchange_id, "child_id": state.child_id or row.child_id}
        if state.exchange_id and state.exchange_id == row.child_id:
            names["exchange_id"] = row.exchange_id
        filled = max(row.filled, state.filled)
        self._save(status=state.status, filled=filled, absent_since=None, **names, **also)

    def _fail(self, why: str) -> None:
        with self.lease.writing():
            _end(self.ledger, self.row, why)

    def _save(self, **fields: object) -> None:
        if any(getattr(self.row, name) != value for name, value in fields.items()):
            with self.lease.writing():
                rows.save(self.row, **fields)


def _said(trouble: Exception) -> str:
    return redact(str(trouble))[:200] or "no reason was told."

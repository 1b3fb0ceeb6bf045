"""The port to real venues: `core.exchange.Exchange` over the client library, one account at one venue.

What a venue calls things is a row in `venue_rows`; what its answers mean is in `ccxt_words` and `ccxt_errors`. Here
is what is done with them. Three rules carry it: an order is sent once and its doubt is told as doubt; a reading of
which any part failed is no reading; and an order is named only by ids that are not empty.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

from buddy.core.costs import Costs
from buddy.core.errors import CouldNotRead, KeyRefused, OutcomeUnknown, Rejected, Temporary
from buddy.core.exchange import (
    Balance,
    CancelOutcome,
    KeyInfo,
    OrderIntent,
    OrderRef,
    OrderState,
    OrderStatus,
    PositionMode,
    PositionState,
    Profile,
    Reading,
    Refusal,
)
from buddy.core.market import Instrument, OrderSide

from .ccxt_calls import Calls
from .ccxt_charges import charges
from .ccxt_client import PATIENCE
from .ccxt_coins import Coins
from .ccxt_delisted import Gone, LeftOut
from .ccxt_errors import Absent, Unchanged, code_of, writing_failed
from .ccxt_history import History, Names, begin
from .ccxt_key import key_info
from .ccxt_lists import legible, resting_rows, seen_of
from .ccxt_lookup import Lookup
from .ccxt_markets import Markets
from .ccxt_orders import arguments
from .ccxt_pairs import halves, send_pair
from .ccxt_set_up import SetUp
from .ccxt_words import (
    balance_of,
    exchange_id_of,
    number,
    position_state,
    status_of,
    understood,
)
from .recipe import Call, at
from .venues import VENUES

log = logging.getLogger(__name__)

MODE_KEPT = 300.0
"""Seconds for which what the venue said of the position mode is believed."""
OF_ITS_MARKET = (Refusal.PRECISION, Refusal.MINIMUM, Refusal.INACTIVE, Refusal.OTHER)
"""Its market may have another tick, step or minimum now, or not be traded; some venues say only that it is wrong."""
MARKET_KEPT = 5.0
"""Seconds for which markets are believed after an order that did not fit them."""
SENT_KEPT = 1000
SEND_WITHIN = 10.0
"""Seconds after which an order is not sent any more. Who holds the account may be another by then, and may have sent
this very order: some venues would take it twice, knowing a name only while its order rests."""


class CcxtExchange:
    """See `core.exchange.Exchange` for the methods without a word here."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.client, self.recipe, self.api = calls.client, calls.client.recipe, calls.client.api
        self.names = Names()
        self.history = History(calls, self.names)
        self._lookup = Lookup(calls, self.names)
        self._coins = None if self.recipe.wallet is None else Coins(calls, self.recipe.wallet)
        """What an account on spot has instead of positions."""
        self.markets = Markets(calls)
        self._profile = Profile(
            self.client.name,
            exits=VENUES[self.client.venue].exits,
            has_reduce_only=self.recipe.wallet is None,
            attaches_stop=self.recipe.attaches_stop,
            protects_position=self.recipe.protects_position,
            names_stops=self.recipe.names_stops,
            settle_ms=self.recipe.settle_ms,
            orders_name_margin=self.recipe.order_carries_margin_mode,
        )
        self._margin_modes: dict[str, str] = {}
        self._set_up = SetUp(calls)
        self._left_out = LeftOut()
        self._sent: OrderedDict[str, None] = OrderedDict()
        self._mode: tuple[PositionMode, float] | None = None

    @property
    def profile(self) -> Profile:
        return self._profile

    def instrument(self, symbol: str) -> Instrument:
        return self.markets.instrument(symbol)

    def instruments(self) -> list[Instrument]:
        """All that can be traded here, without asking for the margin tiers of each."""
        self.calls.ready()
        return self.markets.all()

    def clock_offset(self) -> int:
        """How many milliseconds the venue's clock is ahead of ours. Raises CouldNotRead."""
        self.calls.ready()
        return self.client.ahead

    # --- reading ---

    def balance(self) -> Balance:
        self.calls.ready()
        if self._coins is not None:
            return understood(self._coins.balance)
        answer = self.calls.read("fetch_balance")
        settle, purse = VENUES[self.client.venue].settle, self.recipe.purse
        assert purse is not None
        return understood(lambda: balance_of(answer.get("info"), purse, settle))

    def read(self, symbols: Sequence[str], cursor: str) -> Reading:
        """Orders first and executions last: what fills in between is told as an execution, never lost between both."""
        self._left_out.begin()
        while True:
            try:
                return understood(lambda: self._read(symbols, cursor))
            except Absent as error:
                raise CouldNotRead(str(error)) from None
            except Gone as gone:
                self._left_out.add(gone)
                self.history.ask_anew()

    def _read(self, symbols: Sequence[str], text: str) -> Reading:
        self.calls.ready()
        now = self.client.now()
        cursor = begin(text, now)
        mode = self.position_mode()
        asked = {*symbols, *cursor.held}
        known = self._listed_here(asked)
        symbols = [symbol for symbol in symbols if symbol in known]
        orders = self._orders(symbols)
        positions = self._positions() if self._coins is None else self._coins.positions(symbols)
        held = {position.symbol for position in positions} if self._coins is None else set(symbols)
        seen = {symbol: seen_of(symbol, orders, positions) for symbol in known | self._listed_here(held)}
        doubtful = {symbol for symbol in asked - known if symbol in self.api.markets}
        fills, fills_track, behind = self.history.fills(cursor.fills, seen, now, more=bool(doubtful))
        income, income_track = self.history.income_or_none(cursor.income, now)
        quotes, ranges = self.markets.quotes(symbols)
        return Reading(
            time=now,
            orders=orders,
            positions=positions,
            fills=fills,
            income=income,
            quotes=quotes,
            ranges=ranges,
            cursor=cursor.moved(fills_track, income_track, held | doubtful).text(),
            behind=behind,
            position_mode=mode,
        )

    def _listed_here(self, symbols: Set[str]) -> Set[str]:
        """Those of which we know the market. One listed since we read them, or gone, must not hide all the others."""
        if not all(symbol in self.api.markets for symbol in symbols):
            self.calls.read_markets_anew(PATIENCE)
        return {symbol for symbol in symbols if symbol in self.api.markets and symbol not in self._left_out}

    def _orders(self, symbols: Sequence[str]) -> list[OrderState]:
        """All that rests on `symbols`, of every book of the venue, each once."""
        rows = resting_rows(self.calls, symbols)
        orders = [self._lookup.state(row, "") for row in rows]
        found = {(order.symbol, order.trigger is None, order.exchange_id): order for order in orders}
        wanted = set(symbols)
        resting = [order for order in found.values() if order.symbol in wanted and not order.status.is_final]
        for order in resting:
            self.names.learn_order(order)
        return resting

    def _positions(self) -> list[PositionState]:
        rows = [
            row
            for params in self.recipe.position_lists
            for row in self.calls.read("fetch_positions", None, dict(params), protective=True)
        ]
        found = [position for row in legible(self.calls, rows) if (position := position_state(row)) is not None]
        held = list({(each.symbol, each.side): each for each in found}.values())
        self._margin_modes |= {each.symbol: each.margin_mode for each in held if each.margin_mode}
        return held

    def position_mode(self) -> PositionMode:
        """One way or hedged; asked for every few minutes."""
        known = self._mode
        if known is not None and time.monotonic() - known[1] < MODE_KEPT:
            return known[0]
        self.calls.ready()
        mode = self._set_up.position_mode()
        self._mode = (mode, time.monotonic())
        return mode

    # --- one order ---

    def place(self, intent: OrderIntent) -> OrderState:
        until = time.monotonic() + SEND_WITHIN
        self._ready_to_write()
        self._never_twice(intent)
        self.history.expect(intent.symbol)
        try:
            row = self._send(intent, until)
        except (Absent, Unchanged) as odd:
            raise OutcomeUnknown(str(odd)) from None
        except Rejected as refusal:
            self._mode = None if refusal.code == Refusal.OTHER else self._mode  # it may have been changed by hand
            if refusal.code in OF_ITS_MARKET:
                with suppress(CouldNotRead):
                    self.calls.read_markets_anew(MARKET_KEPT)
            raise
        try:
            return self._placed(row, intent)
        except (CouldNotRead, Absent, Unchanged) as error:  # it has left, and of what came of it we know nothing
            raise OutcomeUnknown(str(error)) from None

    def _send(self, intent: OrderIntent, until: float) -> Any:
        """The library's row, or of a pair the venue's own answer."""
        if intent.beside is not None:
            return send_pair(self.calls, intent, intent.beside, until)
        wanted = arguments(
            intent,
            self.recipe,
            self.api,
            hedged=self._hedged(),
            margin_mode=self._margin_mode(intent.symbol) if self.recipe.order_carries_margin_mode else "",
        )
        return self.calls.write("create_order", *wanted, protective=self._protects(intent), until=until)

    def _protects(self, intent: OrderIntent) -> bool:
        """Coins are only ever sold by what protects or ends a trade."""
        return intent.reduce_only or (self._coins is not None and intent.order_side is OrderSide.SELL)

    def _never_twice(self, intent: OrderIntent) -> None:
        """Some venues know a client id only while its order rests, and would fill a second one under the same.

        A look more, where this process remembers; no promise hangs on it. Another process, or this one after a start,
        remembers nothing: that an order is sent again only when it was seen absent twice, too late to be accepted any
        more, is the ledger's doing, by what stands on the row.
        """
        has_name = self.recipe.names_stops or intent.trigger is None
        if has_name and intent.client_id in self._sent and self.find(intent.ref) is not None:
            raise Rejected(f"The order {intent.client_id} was placed before.", Refusal.DUPLICATE)
        self._sent[intent.client_id] = None
        while len(self._sent) > SENT_KEPT:
            self._sent.popitem(last=False)

    def _placed(self, row: Any, intent: OrderIntent) -> OrderState:
        """Many venues answer with nothing but the order's number; then it rests, for all we know."""
        if intent.beside is not None:
            row, other = halves(self.calls, row, intent, intent.beside)
            self.names.learn(intent.symbol, exchange_id_of(other, self.recipe), intent.beside.client_id)
        exchange_id = exchange_id_of(row, self.recipe) if isinstance(row, dict) else ""
        if not exchange_id:
            raise writing_failed(self.client, OutcomeUnknown("No order number was told."))
        state = OrderState(
            client_id=intent.client_id,
            exchange_id=exchange_id,
            symbol=intent.symbol,
            order_side=intent.order_side,
            kind=intent.kind,
            quantity=intent.quantity,
            status=OrderStatus.OPEN,
            price=intent.price,
            trigger=intent.trigger,
            reduce_only=intent.reduce_only,
            time=int(row.get("timestamp") or self.client.now()),
        )
        self.names.learn_order(state)
        if intent.trigger is not None:
            return state
        filled = number(row.get("filled")) or Decimal(0)
        return replace(state, filled=filled, status=status_of(row, filled, intent.quantity))

    def find(self, ref: OrderRef) -> OrderState | None:
        self.calls.ready()
        return self._lookup.find(ref)

    def cancel(self, ref: OrderRef) -> CancelOutcome:
        """Raises Temporary (not carried out) and OutcomeUnknown too."""
        self._ready_to_write()
        self.history.expect(ref.symbol)
        for call in self._ways_to_cancel(ref):
            with suppress(Absent):
                self._cancel(call, ref)
                return CancelOutcome.CANCELLED
        return self._gone(ref)

    def _cancel(self, call: Call, ref: OrderRef) -> None:
        params = self._lookup.filled_in(call.params, ref)
        given = (params,) if call.shape == "raw" else (self._lookup.id_of(call, ref), ref.symbol, params)
        try:
            self.calls.write(call.method, *given, protective=True)
        except Unchanged as odd:
            raise OutcomeUnknown(str(odd)) from None
        answer, always = self.client.wire.answer, self.recipe.always_told
        if always and at(answer, always) is None:
            raise OutcomeUnknown(f"{self.client.name} did not tell whether it cancelled the order.")
        if self.recipe.cancelled_at and str(at(answer, self.recipe.cancelled_at)) == "0":
            raise Absent(f"{self.client.name} cancelled nothing.")
        if code_of(self.recipe, answer):  # some say yes to the question and no to the order
            raise writing_failed(self.client, OutcomeUnknown("It was not cancelled."))

    def _ways_to_cancel(self, ref: OrderRef) -> Sequence[Call]:
        recipe = self.recipe
        if ref.client_id and (recipe.names_stops or not ref.is_conditional):
            return recipe.cancel_conditional if ref.is_conditional else recipe.cancel
        if not ref.exchange_id:
            raise CouldNotRead("An order without a number cannot be cancelled; it has to be found first.")
        return recipe.cancel_conditional_by_id if ref.is_conditional else recipe.cancel_by_id

    def _gone(self, ref: OrderRef) -> CancelOutcome:
        """The venue would not cancel it: because it is over, because it never was, or because it is in another book."""
        found = self.find(ref)
        if found is None:
            return CancelOutcome.NOT_FOUND
        if found.status.is_final:
            return CancelOutcome.ALREADY_CLOSED
        waits = found.trigger is not None and not found.child_id
        if waits == ref.is_conditional:
            raise Temporary(f"{self.client.name} did not cancel an order that still rests.")
        return self.cancel(replace(ref, is_conditional=waits, exchange_id=ref.exchange_id or found.exchange_id))

    # --- the account ---

    def set_up(self, symbol: str, leverage: Decimal, margin_mode: str) -> None:
        """Coins have neither."""
        if self._coins is not None:
            return
        self._ready_to_write()
        most = self.instrument(symbol).max_leverage
        if leverage > most:
            raise Rejected(f"{symbol} has at most {most:f}x here.", Refusal.OTHER)
        self._set_up.insist(symbol, leverage, margin_mode, self._positions, hedged=self._hedged())
        self._margin_modes[symbol] = margin_mode

    def margin_mode(self) -> str:
        """The one margin mode of the whole account; empty where each symbol has its own. Raises CouldNotRead."""
        self.calls.ready()
        return self._set_up.margin_mode()

    def key_info(self) -> KeyInfo:
        """What the key may do, by the venue's word. Raises CouldNotRead, or KeyRefused for a key it does not accept."""
        return key_info(self.calls)

    def charges(self) -> Costs | None:
        """What the venue says it charges this account; None where it does not tell. Raises CouldNotRead."""
        return charges(self.calls)

    def _hedged(self) -> bool:
        return self.recipe.has_hedge and self.position_mode() is PositionMode.HEDGE

    def _margin_mode(self, symbol: str) -> str:
        """Of an order that has to say it: the position's, or what was set up. A wrong guess would open another one."""
        if symbol not in self._margin_modes:
            self._positions()
        if symbol not in self._margin_modes:
            raise Temporary(f"The margin mode of {symbol} is not known yet.")
        return self._margin_modes[symbol]

    def _ready_to_write(self) -> None:
        """What has to be asked before an order; when that fails, nothing was sent."""
        try:
            self.calls.ready()
            self._know_mode()
        except Absent as error:
            raise Temporary(str(error)) from None

    def _know_mode(self) -> None:
        """The one last told does for an order while the venue does not tell it: a wrong one would be refused."""
        try:
            self.position_mode()
        except KeyRefused:
            raise
        except CouldNotRead:
            if self._mode is None:
                raise
            self._mode = (self._mode[0], time.monotonic() - MODE_KEPT + PATIENCE)

"""The port as the product finds it: the account's book behind a line on which everything can go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import NoReturn

from buddy.core.errors import CouldNotRead, KeyRefused, OutcomeUnknown, Rejected, Temporary
from buddy.core.exchange import (
    Balance,
    CancelOutcome,
    Fill,
    Income,
    OrderIntent,
    OrderRef,
    OrderState,
    OrderStatus,
    PositionMode,
    PositionState,
    Profile,
    Reading,
    Refusal,
    Role,
)
from buddy.core.market import Instrument
from buddy.exchanges.market_data.source import UnknownSymbol

from .books import leaves
from .clock import SECOND
from .line import PROFILES, SETTLES, Line

NEXT_LOOK = 3 * SECOND
OF_ITS_MARKET = (Refusal.PRECISION, Refusal.MINIMUM, Refusal.INACTIVE)
REFUSALS = {f"refused_{refusal.value}": refusal for refusal in Refusal}
SEND_WITHIN = 10 * SECOND
"""As the real adapter has it: what was held up for longer is not sent any more."""
MODE_KEPT = 300 * SECOND
"""The same: for so long the position mode is believed."""
LATEST_ACCEPTED = 4_500
"""Milliseconds that an order may be on its way and still be accepted: less than the window it is signed for."""


def role_of(intent: OrderIntent) -> Role:
    if not leaves(intent):
        return Role.ENTRY
    if intent.trigger is not None:
        return Role.STOP
    return Role.TAKE_PROFIT if intent.price is not None else Role.CLOSE


class Connection:
    """See `core.exchange.Exchange`. One per process: what it remembers dies with it."""

    def __init__(self, line: Line) -> None:
        self.line, self.book, self.fate, self.clock = line, line.book, line.fate, line.clock
        self.rules = line.rules
        self._profile = PROFILES[line.book.seat.venue]
        self._sent: set[str] = set()
        self._read_at: dict[str, int] = {}
        self._mode: tuple[bool, int] | None = None

    @property
    def profile(self) -> Profile:
        return self._profile

    def instrument(self, symbol: str) -> Instrument:
        known = self.rules.instrument(symbol)
        if known is None:
            raise UnknownSymbol(symbol, self._profile.name)
        return known

    def instruments(self) -> list[Instrument]:
        return [each for each in self.rules.instruments() if each.active and each.symbol in self.book.markets]

    # --- reading ---

    def balance(self) -> Balance:
        self._ask("balance")
        self.book.arrive()
        parts = [sim.balance() for sim in self.book.sims.values()]
        spare = self.book.wallet
        equity = spare + sum((part.equity - part.wallet for part in parts), Decimal(0))
        bound = sum((part.equity - part.free for part in parts), Decimal(0))
        return Balance(spare, equity, max(equity - bound, Decimal(0)))

    def read(self, symbols: Sequence[str], cursor: str) -> Reading:
        self._ask("read")
        mode = self.position_mode()
        symbols = [symbol for symbol in symbols if self._is_told(symbol)]
        orders = self._orders(symbols)
        positions = self._positions(symbols)
        if self.fate.takes("timeout"):
            self._say("timeout")
            raise CouldNotRead("The venue did not answer in time.")
        fills, income, known = self._told(int(cursor or 0))
        quotes = {symbol: self.book.quote(symbol) for symbol in symbols}
        ranges = {symbol: self._range(symbol) for symbol in symbols}
        told = Reading(
            self.clock.now, orders, positions, fills, income, quotes, ranges, cursor=str(known), position_mode=mode
        )
        self.line.on_read()
        if self.fate.takes("stalled_reading"):
            self.line.stall()
        self._edge()
        return told

    def position_mode(self) -> PositionMode:
        """As this process has it: what it was told is believed for a while."""
        if self._mode is None or self.clock.now - self._mode[1] >= MODE_KEPT:
            self.book.arrive()
            self._mode = (self.book.hedge, self.clock.now)
        return PositionMode.HEDGE if self._mode[0] else PositionMode.ONE_WAY

    def _is_told(self, symbol: str) -> bool:
        if self.rules.reads(symbol):
            return True
        self.fate.strikes(self.rules.kind_of(symbol))
        return False

    def _orders(self, symbols: Sequence[str]) -> list[OrderState]:
        if self.fate.is_on("no_orders_told"):
            return []
        lag = 8 * SECOND + self.dice.randrange(5 * SECOND) if self.fate.is_on("orders_lag") else 0
        told = self.book.known_at(self.clock.now - lag).orders
        here = [order for order in told if order.symbol in symbols]
        hidden = {name for name, until in self.book.hidden.items() if until > self.clock.now}
        if not hidden:
            return here
        return [o for o in here if self.book.name_of(OrderRef(o.symbol, "", o.exchange_id)) not in hidden]

    def _positions(self, symbols: Sequence[str]) -> list[PositionState]:
        if self.fate.is_on("no_positions_told"):
            return []
        lag = 4 * SECOND + self.dice.randrange(4 * SECOND) if self.fate.is_on("positions_lag") else 0
        return list(self.book.known_at(self.clock.now - lag).positions)

    def _told(self, known: int) -> tuple[list[Fill], list[Income], int]:
        """What is told by now of all that comes after `known`, and up to where all is told."""
        lag = 6 * SECOND + self.dice.randrange(6 * SECOND) if self.fate.is_on("fills_lag") else 0
        begin = max(known - 5, 0) if self.fate.is_on("fills_told_twice") else known
        rows = [(told + lag <= self.clock.now and self._is_there(row), row) for told, row in self.book.told[begin:]]
        complete = next((number for number, (is_told, _) in enumerate(rows) if not is_told), len(rows))
        ready = [row for is_told, row in rows if is_told]
        fills = [row for row in ready if isinstance(row, Fill)]
        return fills, [row for row in ready if isinstance(row, Income)], max(known, begin + complete)

    def _is_there(self, row: Fill | Income) -> bool:
        """Executions of a symbol that is not told of are told once it is again."""
        return not isinstance(row, Fill) or not self.rules.is_untold(row.symbol)

    def _range(self, symbol: str) -> tuple[Decimal, Decimal]:
        """What traded since the last reading of this process."""
        way, since = self.line.ways[symbol], self._read_at.get(symbol, self.clock.now)
        self._read_at[symbol] = self.clock.now
        prices = [price for time, price in zip(way.times, way.prices, strict=True) if time > since] + [way.last]
        return min(prices), max(prices)

    @property
    def dice(self) -> Random:
        return self.line.dice

    # --- one order ---

    def set_up(self, symbol: str, leverage: Decimal, margin_mode: str) -> None:
        self._write("set_up", "")
        if self.fate.takes("set_up_refused"):
            self._say("set_up refused")
            raise Rejected("The leverage cannot be changed now.", Refusal.OTHER)
        if self.rules.is_inactive(symbol):
            self._refuses(symbol, "set_up")
        if leverage > self.rules.there[symbol].max_leverage:
            self.fate.strikes("leverage_lowered")
            self._say(f"set_up of {symbol} refused: {leverage:f}x")
            raise Rejected("That leverage is not to be had.", Refusal.OTHER)
        for sim in self.book.sims.values():
            sim.set_up(symbol, leverage, margin_mode)
        self._edge()

    def place(self, intent: OrderIntent) -> OrderState:
        begun, role = self.clock.now, role_of(intent)
        self._write("place", role)
        if self.fate.takes("stalled_before", role=role):
            self.line.stall()
        if self.clock.now - begun > SEND_WITHIN:
            raise Temporary("It was held up for too long to be sent.")
        self._never_twice(intent)
        self._may_not_arrive(intent, role)
        self._fits_the_mode()
        self.line.on_order(intent)
        if self.fate.takes("told_late", role=role):
            self._hide(intent)
        if self.fate.takes("fill_told_late", role=role):
            self.book.delay_next = self.dice.randrange(1 * SECOND, 20 * SECOND)
        state = self._accepted(intent)
        if self.fate.takes("stalled_after", role=role):
            self.line.stall()
        if self.fate.takes("reply_lost", "refused_duplicate", role=role):
            self._say(f"reply lost of {intent.client_id}")
            raise OutcomeUnknown("No answer came.")
        self._edge()
        return state if self._profile.names_stops is False and intent.trigger is None else _barely(state)

    def _hide(self, intent: OrderIntent) -> None:
        until = self.book.hidden[intent.client_id] = self.clock.now + self.dice.randrange(1, SETTLES)
        if intent.beside is not None:
            self.book.hidden[intent.beside.client_id] = until
        self.clock.at(until, self.line.changes)
        self._say(f"{intent.client_id} is told late")

    def _accepted(self, intent: OrderIntent) -> OrderState:
        try:
            state = self.book.accept(intent)
        except Rejected as refusal:
            self._say(f"refused {role_of(intent)} {intent.client_id}: {refusal.code}")
            self._learn(intent.symbol, refusal)
            self.line.on_refusal(intent)
            raise
        self._say(f"accepted {_figures(intent)}: {state.status} {state.filled}")
        return state

    def _fits_the_mode(self) -> None:
        """An order says which side it is of, and a venue refuses those that do not go with its mode."""
        if (self.position_mode() is PositionMode.HEDGE) is not self.book.hedge:
            self._mode = None
            self.fate.strikes("mode_changed")
            self._say("refused: the position side does not go with the mode")
            raise Rejected("The position side does not match the mode.", Refusal.OTHER)

    def _learn(self, symbol: str, refusal: Rejected) -> None:
        """As the real adapter does: what did not fit the markets has them read anew."""
        if refusal.code in OF_ITS_MARKET:
            self.rules.read_anew()
            self.fate.strikes(self.rules.kind_of(symbol))

    def _refuses(self, symbol: str, what: str) -> NoReturn:
        self.fate.strikes(self.rules.kind_of(symbol))
        self._say(f"{what} of {symbol}: it is {self.rules.kind_of(symbol)}")
        raise Rejected(f"{symbol} is not traded.", Refusal.INACTIVE)

    def _never_twice(self, intent: OrderIntent) -> None:
        has_name = self.profile.names_stops or intent.trigger is None
        if has_name and intent.client_id in self._sent and self.find(intent.ref) is not None:
            raise Rejected(f"{intent.client_id} was placed before.", Refusal.DUPLICATE)
        self._sent.add(intent.client_id)

    def _may_not_arrive(self, intent: OrderIntent, role: Role) -> None:
        wrong = self.fate.takes("request_lost", "executed_late", *REFUSALS, role=role)
        if not wrong:
            return
        self._say(f"{wrong} for {_figures(intent)}")
        if wrong == "executed_late":
            self.line.on_order(intent)
            mode, until = self.book.hedge, self.clock.now + self.dice.randrange(200, LATEST_ACCEPTED)
            self.clock.at(until, lambda: self._arrives(intent, hedge=mode))
        elif wrong == "request_lost":
            self.line.on_loss(intent)
        elif wrong == "refused_duplicate":  # the library has asked twice: the first was taken
            self.line.on_order(intent)
            self._accepted(intent)
        if wrong in REFUSALS:
            if role is Role.CLOSE:  # the last thing there is to do: it is done with the next look
                self.fate.excuse(NEXT_LOOK)
            raise Rejected("The venue does not want it.", REFUSALS[wrong])
        raise OutcomeUnknown("No answer came.")

    def _arrives(self, intent: OrderIntent, *, hedge: bool) -> None:
        if hedge != self.book.hedge:
            self._say(f"refused {intent.client_id}: the mode has been changed")
            return self.line.on_refusal(intent)
        try:
            self._accepted(intent)
        except Rejected:
            return None

    def find(self, ref: OrderRef) -> OrderState | None:
        self._ask("find")
        by_name = bool(ref.client_id) and (self.profile.names_stops or not ref.is_conditional)
        if not by_name and not ref.exchange_id:
            raise CouldNotRead("A conditional order is told by its number only, which is not known.")
        if self.fate.takes("find_fails"):
            self._say("find fails")
            raise CouldNotRead("The order could not be read.")
        known_by = ref if by_name else replace(ref, client_id="")
        if self.fate.takes("find_is_empty"):
            self._say("find is empty")
            if (overlooked := self.book.name_of(known_by)) is not None:
                self.book.hidden.setdefault(overlooked, self.clock.now)
            return None
        if not self._is_told(ref.symbol):
            raise CouldNotRead("The venue does not trade that.")
        self.book.arrive()
        name = self.book.name_of(known_by)
        found = self.book.find_by_name(name) if name is not None else None
        self._edge()
        return replace(found, client_id=ref.client_id or found.client_id) if found is not None else None

    def cancel(self, ref: OrderRef) -> CancelOutcome:
        self._write("cancel", "")
        by_name = bool(ref.client_id) and (self.profile.names_stops or not ref.is_conditional)
        if not by_name and not ref.exchange_id:
            raise CouldNotRead("An order without a number cannot be cancelled; it has to be found first.")
        if self.rules.is_untold(ref.symbol):
            self._refuses(ref.symbol, "cancel")
        if self.fate.takes("cancel_request_lost"):
            self._say("cancel: request lost")
            raise OutcomeUnknown("No answer came.")
        if self.fate.takes("cancel_not_found"):
            self._say("cancel: not found")
            return CancelOutcome.NOT_FOUND
        outcome = self._cancelled(self.book.name_of(ref if by_name else replace(ref, client_id="")))
        if self.fate.takes("cancel_reply_lost"):
            self._say("cancel: reply lost")
            raise OutcomeUnknown("No answer came.")
        self._edge()
        return outcome

    def _cancelled(self, name: str | None) -> CancelOutcome:
        if name is None or self.book.hidden.get(name, 0) > self.clock.now:
            return CancelOutcome.NOT_FOUND
        self.line.on_cancel(name)
        outcome = self.book.cancel_by_name(name)
        self._say(f"cancel {name}: {outcome}")
        return outcome

    # --- the line ---

    def _ask(self, what: str) -> None:
        """Raises CouldNotRead where the question or its answer is lost."""
        self._pass_time()
        wrong = next((kind for kind in NO_ANSWER if self.fate.is_on(kind)), "")
        if wrong or self.fate.takes("skewed"):
            self._say(f"{what}: {wrong or 'skewed'}")
            raise _could_not(wrong)

    def _write(self, what: str, role: str) -> None:
        """Raises Temporary where nothing leaves."""
        self._pass_time()
        wrong = next((kind for kind in NO_ANSWER if kind != "unreadable" and self.fate.is_on(kind)), "")
        if wrong == "outage" and what != "set_up" and self.dice.random() < 0.5:
            self._say(f"{what} {role}: lost in the outage")
            raise OutcomeUnknown("The line was cut.")
        if wrong or self.fate.takes("skewed"):
            self._say(f"{what} {role}: {wrong or 'skewed'}")
            trouble = _could_not(wrong)
            raise trouble if isinstance(trouble, KeyRefused) else Temporary(str(trouble))

    def _pass_time(self) -> None:
        self._edge()
        slow = 2_000 + self.dice.randrange(4_000) if self.fate.is_on("slow") else 0
        self.clock.go_to(self.clock.now + 20 + self.dice.randrange(180) + slow)

    def _edge(self) -> None:
        self.line.edge()

    def _say(self, sentence: str) -> None:
        self.line.tell(sentence)


NO_ANSWER = ("unreadable", "outage", "maintenance", "banned", "slowed_down", "key_refused")


def _could_not(wrong: str) -> CouldNotRead:
    if wrong == "key_refused":
        return KeyRefused("The venue does not accept the key.")
    return CouldNotRead(f"The venue gives no answer ({wrong or 'the clocks differ'}).")


def _barely(state: OrderState) -> OrderState:
    """Many venues answer with nothing but the order's number."""
    return replace(state, status=OrderStatus.OPEN, filled=Decimal(0), child_id="")


def _figures(intent: OrderIntent) -> str:
    numbers = ", ".join(
        f"{name}={value}"
        for name in ("price", "trigger", "attached_stop")
        if (value := getattr(intent, name)) is not None
    )
    role = role_of(intent)
    return f"{role} {intent.order_side} {intent.quantity} {intent.symbol} {intent.kind} {numbers} {intent.client_id}"

"""The facts of one trade: its plan, what executed, what the market did, what the trader asked for since.

Everything else about a trade is derived from these, never stored. `core.position` is the public face of this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from .costs import Costs
from .exchange import Fill, Role
from .market import ZERO, Candle, Instrument, OrderSide, Side
from .plan import Plan


class Cause(StrEnum):
    """Why an order was placed (`Wish.reason`, kept as `Order.reason`); of an exit it becomes the exit reason."""

    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    """The first stop, or one moved by hand."""
    BREAK_EVEN = "break_even"
    STEP = "step"
    TRAILING_STOP = "trailing_stop"
    TIME = "time"
    MANUAL = "manual"
    HALT = "halt"
    UNPROTECTED = "unprotected"
    LIQUIDATION = "liquidation"
    EXTERNAL = "external"
    """Executed by an order that is not ours."""


CAUSES = frozenset(Cause)


class Withdrawal(StrEnum):
    """Why what was unfilled of the entry was taken back."""

    MISSED = "missed"
    """The price ran to the target without us."""
    INVALIDATED = "invalidated"
    """The price broke the idea before the entry."""
    EXPIRED = "expired"
    MANUAL = "manual"
    REJECTED = "rejected"
    STALE = "stale"


class Booked(NamedTuple):
    """A fill and which of our orders it belongs to. `leg` counts entries or targets from 0.

    `reason` is the order's reason (a `Cause`), empty for an order that is not ours.
    """

    fill: Fill
    role: Role
    leg: int = 0
    reason: str = ""


class Market(NamedTuple):
    """The market of one symbol at one moment.

    `low` and `high` are the extremes traded since the look before (None: only `last` is known). `candles` are closed
    candles of the trail's timeframe, oldest first, needed only by plans that trail by candles or ATR; `atr` spares
    computing it from them.
    """

    last: Decimal
    mark: Decimal
    time: int
    low: Decimal | None = None
    high: Decimal | None = None
    candles: Sequence[Candle] = ()
    atr: Decimal | None = None

    @property
    def lowest(self) -> Decimal:
        return self.last if self.low is None else min(self.low, self.last)

    @property
    def highest(self) -> Decimal:
        return self.last if self.high is None else max(self.high, self.last)


class Memory(NamedTuple):
    """What must be remembered of the market between looks; everything else is derived again each time.

    `since`: the first look, from which on prices count (0: none yet). `best` and `worst` price since the first fill;
    `reach`: the best since the last change of what has `entered`, for rules that measure from the average entry.
    `tightest_stop`: the stop is never looser than this, and `stop_cause` is why it came there. `withdrawn`: why the
    entry was taken back, for good.
    """

    since: int = 0
    best: Decimal | None = None
    best_time: int = 0
    worst: Decimal | None = None
    worst_time: int = 0
    entered: Decimal = ZERO
    reach: Decimal | None = None
    tightest_stop: Decimal | None = None
    stop_cause: Cause = Cause.STOP_LOSS
    withdrawn: Withdrawal | None = None

    def without_stop(self) -> Memory:
        """For a trader who moves the stop by an amended plan, also away from the price."""
        return self._replace(tightest_stop=None, stop_cause=Cause.STOP_LOSS)

    def document(self) -> dict[str, Any]:
        """Plain JSON: decimals as strings, what is empty left out."""
        return _document(self, self._fields)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Memory:
        return cls(
            since=int(document.get("since", 0)),
            best=_decimal(document.get("best")),
            best_time=int(document.get("best_time", 0)),
            worst=_decimal(document.get("worst")),
            worst_time=int(document.get("worst_time", 0)),
            entered=_decimal(document.get("entered")) or ZERO,
            reach=_decimal(document.get("reach")),
            tightest_stop=_decimal(document.get("tightest_stop")),
            stop_cause=Cause(document.get("stop_cause", Cause.STOP_LOSS)),
            withdrawn=Withdrawal(document["withdrawn"]) if document.get("withdrawn") else None,
        )


@dataclass(frozen=True, slots=True)
class Directives:
    """The trader's standing orders beside the plan.

    `withdraw_entry`: take back what is unfilled. `reduce_to`: hold no more than this many contracts (0 closes), which
    withdraws the entry too; `close_cause` is why. `stop_at`: the stop is at least this tight; `stop_cause` is why.
    """

    withdraw_entry: Withdrawal | None = None
    reduce_to: Decimal | None = None
    close_cause: Cause = Cause.MANUAL
    stop_at: Decimal | None = None
    stop_cause: Cause = Cause.STOP_LOSS

    def document(self) -> dict[str, Any]:
        """Plain JSON: decimals as strings, what is empty left out."""
        return _document(self, self.__slots__)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Directives:
        withdraw = document.get("withdraw_entry")
        return cls(
            withdraw_entry=Withdrawal(withdraw) if withdraw else None,
            reduce_to=_decimal(document.get("reduce_to")),
            close_cause=Cause(document.get("close_cause", Cause.MANUAL)),
            stop_at=_decimal(document.get("stop_at")),
            stop_cause=Cause(document.get("stop_cause", Cause.STOP_LOSS)),
        )


class Totals(NamedTuple):
    """Sums over fills: contracts, and their value for the average (Σ q·p; for an inverse contract Σ q/p).

    What a venue withheld of a purchase did not come in: it is a fee, and in `fees` by its value.
    """

    quantity: Decimal = ZERO
    weight: Decimal = ZERO
    fees: Decimal = ZERO

    def part(self, quantity: Decimal) -> Decimal:
        """Of the weight what falls to `quantity`; all of it, to the last digit, to the whole."""
        return self.weight if quantity == self.quantity else self.weight * quantity / self.quantity

    def average(self, linear: bool) -> Decimal | None:
        """Price at which all of it together would have had the same value."""
        if not self.quantity:
            return None
        return self.weight / self.quantity if linear else self.quantity / self.weight


@dataclass(slots=True)
class Tally:
    """What is asked of the same fills again and again, added up once.

    `entries` is all that was bought for a long (sold for a short) less what was withheld, `exits` the rest; `held` is
    in contracts. `filled` is what executed, withheld or not.
    """

    entries: Totals
    exits: Totals
    held: Decimal
    filled: dict[tuple[Role, int], Decimal]
    entered_time: int | None
    """Of the first fill that entered."""
    split: tuple[object, object, tuple[Decimal, ...]] | None = None
    """Plan and instrument with the parts of the targets that follow from them."""


def tally_of(fills: Sequence[Booked], side: Side, linear: bool) -> Tally:
    """The fills of a position on `side` added up."""
    filled: dict[tuple[Role, int], Decimal] = {}
    for each in fills:
        filled[each.role, each.leg] = filled.get((each.role, each.leg), ZERO) + each.fill.quantity
    entries, exits = (_totals(fills, way, linear) for way in (side.entry_order_side, side.exit_order_side))
    held = entries.quantity - exits.quantity
    times = [each.fill.time for each in fills if each.fill.order_side is side.entry_order_side]
    return Tally(entries, exits, held if held > 0 else ZERO, filled, min(times, default=None))


def _totals(fills: Sequence[Booked], order_side: OrderSide, linear: bool) -> Totals:
    quantity = weight = fees = ZERO
    for each in fills:
        fill = each.fill
        if fill.order_side is order_side:
            kept = fill.quantity - fill.withheld if fill.withheld else fill.quantity
            quantity += kept
            weight += kept * fill.price if linear else kept / fill.price
            fees += fill.fee
    return Totals(quantity, weight, fees)


@dataclass(frozen=True)
class Position:
    """One trade as facts. `quantities` are contracts per entry leg; `opened_time` is when the trade was wished for.

    `funding` is signed from our side (paid is negative). `declined` are the entry and target legs (role, leg) whose
    orders a hand cancelled or the venue refused for good: they are not placed again. `unpaired` are target legs that a
    venue of pairs does not take beside a stop: they are sold when the price is there, as at a venue without pairs.
    """

    plan: Plan
    instrument: Instrument
    quantities: tuple[Decimal, ...]
    fills: tuple[Booked, ...] = ()
    costs: Costs = field(default_factory=Costs)
    funding: Decimal = ZERO
    opened_time: int = 0
    memory: Memory = field(default_factory=Memory)
    directives: Directives = field(default_factory=Directives)
    declined: frozenset[tuple[Role, int]] = frozenset()
    unpaired: frozenset[int] = frozenset()
    first_stop: Decimal | None = None
    """The stop the trade was opened with, when an amended plan has another: R never changes."""

    def in_lots(self, quantity: Decimal) -> Decimal:
        """What of `quantity` one order may be for: a lot may have become larger since it was entered.

        The very number where nothing is rounded: its digits are what orders are told and compared with.
        """
        whole = self.instrument.round_quantity(quantity)
        return quantity if whole == quantity else whole

    def to_leave_with(self, held: Decimal) -> Decimal:
        """What one order that only reduces is for, to close or to protect `held`: whole lots.

        Of less than a lot it is for a lot, and executes for no more than there is: what is left once the rest has gone.
        """
        whole = self.in_lots(held)
        return whole if whole or held <= 0 or self.instrument.spot else self.instrument.lot_size

    def on_tick(self, price: Decimal) -> Decimal:
        """A price of the plan's, for an entry or a target, on the tick of now."""
        return price if self.instrument.on_tick(price) else self.instrument.round_away(self.side, price)

    def with_memory(self, memory: Memory) -> Position:
        """The same trade remembering this; its fills stay added up, for they do not depend on it."""
        return self if memory is self.memory else self._with(memory=memory)

    def with_fills(self, fills: tuple[Booked, ...], funding: Decimal = ZERO) -> Position:
        """The same trade after these, too, and after `funding` received (paid is negative)."""
        other = self._with(fills=self.fills + fills, funding=self.funding + funding)
        vars(other).pop("tally", None)
        return other

    def _with(self, **changes: object) -> Position:
        """`replace` for what changes at every look: nothing is checked, and what is worked out is kept."""
        other = object.__new__(Position)
        vars(other).update(vars(self), **changes)
        return other

    @cached_property
    def tally(self) -> Tally:
        return tally_of(self.fills, self.plan.side, self.instrument.linear)

    @property
    def risk_stop(self) -> Decimal:
        """The stop that R is measured from."""
        return self.plan.stop_price if self.first_stop is None else self.first_stop

    @property
    def side(self) -> Side:
        return self.plan.side

    @property
    def entries(self) -> Totals:
        return self.tally.entries

    @property
    def exits(self) -> Totals:
        return self.tally.exits

    @property
    def entered(self) -> Decimal:
        return self.tally.entries.quantity

    @property
    def exited(self) -> Decimal:
        return self.tally.exits.quantity

    @property
    def held(self) -> Decimal:
        """What the fills say is held, in contracts; the venue's own word goes before it."""
        return self.tally.held

    @property
    def average_entry(self) -> Decimal | None:
        return self.entries.average(self.instrument.linear)

    @property
    def average_exit(self) -> Decimal | None:
        return self.exits.average(self.instrument.linear)

    @property
    def fees(self) -> Decimal:
        return sum((b.fill.fee for b in self.fills), ZERO)

    @property
    def gross(self) -> Decimal:
        """Before costs, in settle currency, of what has been closed; to the last digit once all is."""
        way_in, way_out = self.entries, self.exits
        if not way_in.quantity or not way_out.quantity:
            return ZERO
        cost = way_in.part(way_out.quantity)
        change = way_out.weight - cost if self.instrument.linear else cost - way_out.weight
        return self.side.sign * change * self.instrument.contract_size

    @property
    def held_at_cost(self) -> Decimal:
        """What coins that are still there have cost, fees apart: a trade that ends with dust leaves it at this."""
        return self.entries.weight - self.entries.part(self.exited) if self.held else ZERO

    @property
    def net(self) -> Decimal:
        return self.gross - self.fees + self.funding

    @property
    def first_fill_time(self) -> int | None:
        return self.tally.entered_time

    @property
    def last_exit_time(self) -> int | None:
        return max((b.fill.time for b in self.fills if b.fill.order_side is self.side.exit_order_side), default=None)

    def filled(self, role: Role, leg: int) -> Decimal:
        """Contracts executed by the orders of one entry or target."""
        return self.tally.filled.get((role, leg), ZERO)

    @property
    def filled_at_targets(self) -> Decimal:
        return sum((q for (role, _), q in self.tally.filled.items() if role is Role.TAKE_PROFIT), ZERO)


def exit_cause(booked: Booked) -> Cause:
    """Why this fill left the position."""
    if booked.fill.liquidation:
        return Cause.LIQUIDATION
    if booked.role is Role.TAKE_PROFIT:
        return Cause.TAKE_PROFIT
    return Cause(booked.reason) if booked.reason in CAUSES else Cause.EXTERNAL


def _document(record: Memory | Directives, names: Iterable[str]) -> dict[str, Any]:
    usual = type(record)()  # "reduce to 0" is not "nothing asked for"
    values = {name: getattr(record, name) for name in names}
    return {name: _plain(value) for name, value in values.items() if value != getattr(usual, name)}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, StrEnum) else value


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)

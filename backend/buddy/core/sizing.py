"""From risk to quantity. The one sizing formula there is: ticket, gate, rehearsal and backtest all ask here.

The quantity is the largest whole number of lots whose loss at the stop, costs included, is not more than was asked.
Where margin or the venue's limits do not carry it, the figures are those of the largest quantity that fits, as an
offer: `capped_by` says why and `faults` hold the reason. Nothing is made smaller in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal, localcontext

from .costs import DIGITS, PRECISE, Costs, StopLoss, break_even_price, loss_at_stop, target_quantities
from .errors import Fault
from .market import ZERO, Instrument
from .plan import Plan
from .ticket import Ticket, legs_of
from .ticket_faults import faults_of

__all__ = [
    "Costs",
    "EntryFigure",
    "Fit",
    "Sizing",
    "StopLoss",
    "TargetFigure",
    "break_even_price",
    "fit",
    "loss_at_stop",
    "size",
    "target_quantities",
]

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class EntryFigure:
    """One leg of the way in; `fee` as maker or taker, as it is expected to fill."""

    price: Decimal
    quantity: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class TargetFigure:
    """What reaching a target earns. `net` is after its part of the entry's costs and a maker's exit fee.

    `r`: `net` in units of what the same quantity loses at the stop; None when the quantity is nothing.
    """

    price: Decimal
    quantity: Decimal
    share: Decimal
    gross: Decimal
    net: Decimal
    r: Decimal | None


@dataclass(frozen=True, slots=True)
class Sizing:
    """Money in settle currency, quantities in contracts. `loss_at_stop` includes fees and `slippage`.

    `rr`: `best_case` (all targets reached) in units of `loss_at_stop`. `capped_by`: margin, leverage or max_quantity.
    """

    asked_risk: Decimal
    quantity: Decimal
    quantities: tuple[Decimal, ...]
    average_entry: Decimal
    notional: Decimal
    margin: Decimal
    leverage: Decimal
    lowest_leverage: Decimal
    max_leverage: Decimal
    loss_at_stop: Decimal
    entry_fee: Decimal
    exit_fee: Decimal
    slippage: Decimal
    liquidation_price: Decimal | None
    break_even_price: Decimal
    entries: tuple[EntryFigure, ...]
    targets: tuple[TargetFigure, ...]
    rr: Decimal | None
    best_case: Decimal | None
    capped_by: str | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """How many lots a plan is, and what stands against as many as were wanted (`faults`, `capped_by`).

    Run its methods with `costs.PRECISE`.
    """

    ticket: Ticket
    lots: int
    asked: Decimal
    capped_by: str | None
    faults: tuple[Fault, ...]

    @property
    def quantities(self) -> tuple[Decimal, ...]:
        """Contracts per entry leg."""
        return self.ticket.quantities(self.lots)

    @property
    def leverage(self) -> Decimal:
        return Decimal(self.ticket.leverage(self.lots))


def size(
    plan: Plan,
    instrument: Instrument,
    *,
    equity: Decimal,
    free: Decimal,
    costs: Costs,
    reference_price: Decimal | None = None,
    max_leverage: int | None = None,
) -> Sizing:
    """The sized trade. `max_leverage` is the account's own limit.

    Raises InvalidPlan when there is nothing to size by: a market entry without `reference_price`, or with one that
    is already beyond the stop.
    """
    with localcontext(PRECISE):
        legs = legs_of(plan, costs, reference_price)
        return _figures(fit(Ticket(plan, instrument, costs, legs, equity, free, max_leverage)))


def fit(ticket: Ticket) -> Fit:
    """The quantity that is asked for, or that fits. Run it with `costs.PRECISE`."""
    asked, wanted = _asked(ticket)
    capped_by, lots = _offer(ticket, wanted)
    return Fit(ticket, lots, asked, capped_by, tuple(faults_of(ticket, wanted, capped_by)))


def most_lots(guess: int, fits: Callable[[int], bool]) -> int:
    """A count of lots near `guess` that fits while one more does not; nothing always fits."""
    low, step = guess, 1
    if guess <= 0 or fits(guess):
        while fits(low + step):
            low, step = low + step, step * 2
        return _between(low, low + step, fits)
    while step < low and not fits(low - step):
        low, step = low - step, step * 2
    return _between(max(low - step, 0), low, fits)


def _between(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """`low` fits, or is nothing; `high` does not fit."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _asked(ticket: Ticket) -> tuple[Decimal, int]:
    """Money that may be lost, and the lots that lose it; of a fixed quantity what it loses."""
    risk = ticket.plan.risk
    if risk.quantity is not None:
        lots = ticket.lots_of(risk.quantity)
        return ticket.loss(lots).total, lots
    asked = _money(ticket)
    return asked, most_lots(ticket.lots_for(asked), lambda lots: ticket.loss(lots).total <= asked)


def _money(ticket: Ticket) -> Decimal:
    """Money that may be lost, rounded down."""
    risk = ticket.plan.risk
    if risk.money is not None:
        return risk.money
    asked = ticket.equity * (risk.percent or ZERO) / HUNDRED
    return Context(prec=DIGITS, rounding=ROUND_FLOOR).plus(max(asked, ZERO))


def _offer(ticket: Ticket, wanted: int) -> tuple[str | None, int]:
    """The most lots up to `wanted` that the venue's limit and the margin allow, and what stood in the way."""
    capped_by, lots = None, wanted
    if (limit := ticket.most_lots_allowed) is not None and limit < lots:
        capped_by, lots = "max_quantity", limit
    if not ticket.carries(lots):
        capped_by = ticket.obstacle(lots)
        lots = _between(0, lots, ticket.carries)
    return capped_by, lots


def _figures(found: Fit) -> Sizing:
    """The figures of the lots that fit, each cut to the digits that leave the core."""
    ticket, lots = found.ticket, found.lots
    cut = Context(prec=DIGITS).plus
    loss, quantities, notional = ticket.loss(lots), found.quantities, ticket.notional(lots)
    leverage = ticket.leverage(lots)
    targets = _targets(ticket, lots, loss)
    best = sum((target.net for target in targets), ZERO) if targets and lots else None
    liquidation = ticket.liquidation_price(lots, leverage)
    return Sizing(
        asked_risk=found.asked,
        quantity=ticket.quantity(lots),
        quantities=quantities,
        average_entry=cut(ticket.average_entry(lots)),
        notional=cut(notional),
        margin=cut(notional / leverage),
        leverage=Decimal(leverage),
        lowest_leverage=Decimal(ticket.lowest_leverage(lots) or 1),
        max_leverage=Decimal(ticket.highest_leverage(lots) or 1),
        loss_at_stop=cut(loss.total),
        entry_fee=cut(loss.entry_fee),
        exit_fee=cut(loss.exit_fee),
        slippage=cut(loss.slippage),
        liquidation_price=liquidation,
        break_even_price=_break_even(ticket, lots, loss),
        entries=_entries(ticket, quantities),
        targets=targets,
        rr=cut(best / loss.total) if best is not None and loss.total else None,
        best_case=None if best is None else cut(best),
        capped_by=found.capped_by,
        faults=found.faults,
    )


def _entries(ticket: Ticket, quantities: tuple[Decimal, ...]) -> tuple[EntryFigure, ...]:
    fees = [
        ticket.instrument.notional(leg.price, quantity) * leg.fee_rate
        for leg, quantity in zip(ticket.legs, quantities, strict=True)
    ]
    cut = Context(prec=DIGITS).plus
    return tuple(
        EntryFigure(leg.price, quantity, cut(fee))
        for leg, quantity, fee in zip(ticket.legs, quantities, fees, strict=True)
    )


def _targets(ticket: Ticket, lots: int, loss: StopLoss) -> tuple[TargetFigure, ...]:
    """Each target's part of what will be there and what reaching it earns."""
    plan, whole = ticket.plan, ticket.kept(lots)
    parts = target_quantities(ticket.instrument, whole, [target.share for target in plan.take_profits])
    pairs = zip(plan.take_profits, parts, strict=True)
    return tuple(_target(ticket, lots, loss, target.price, target.share, part) for target, part in pairs)


def _target(ticket: Ticket, lots: int, loss: StopLoss, price: Decimal, share: Decimal, part: Decimal) -> TargetFigure:
    cut = Context(prec=DIGITS).plus
    if not part:
        return TargetFigure(price, part, share, ZERO, ZERO, None)
    instrument, whole = ticket.instrument, ticket.kept(lots)
    gross = instrument.gross(ticket.plan.side, ticket.average_entry(lots), price, part)
    way_in = (loss.entry_fee + ticket.entry_slippage(lots)) * part / whole
    net = gross - way_in - instrument.notional(price, part) * ticket.costs.maker
    return TargetFigure(price, part, share, cut(gross), cut(net), cut(net * whole / (loss.total * part)))


def _break_even(ticket: Ticket, lots: int, loss: StopLoss) -> Decimal:
    """Where the whole trade, closed as taker, earns back its fees; of one lot while nothing is affordable."""
    count = max(lots, 1)
    fees = loss.entry_fee if lots else ticket.loss(count).entry_fee
    return break_even_price(
        ticket.plan.side,
        ticket.instrument,
        average_entry=ticket.average_entry(count),
        fees_paid=fees,
        funding_paid=ZERO,
        quantity=ticket.kept(count) or ticket.quantity(count),
        taker=ticket.costs.taker,
    )

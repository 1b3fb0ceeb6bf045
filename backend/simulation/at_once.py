"""What one order, one execution or one row breaks at once, and what must agree in the end. See `invariants`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from buddy.core.exchange import OrderKind, Role
from buddy.core.market import OrderSide, Side

from .invariants import SECOND, Broken


@dataclass(frozen=True, slots=True)
class Asked:
    """An order of ours on its way. `role` None: no row was written before it was sent. `rests`: the same name does
    already, or has executed. `tightest`: the stop before it, `loosest`: where the plan has it."""

    name: str
    side: Side
    order_side: OrderSide
    kind: OrderKind
    quantity: Decimal
    trigger: Decimal | None
    reduce_only: bool
    role: Role | None
    tightest: Decimal | None
    loosest: Decimal | None


def wrong_with(asked: Asked) -> Iterator[Broken]:
    """I2, I4, I9 and I10 of an order that is being sent."""
    if asked.role is None:
        yield Broken("I4", asked.name, f"{asked.name} was sent before it was written down")
        return
    if asked.role is not Role.ENTRY and not asked.reduce_only:
        yield Broken("I2", asked.name, f"{asked.role} {asked.name} is not reduce-only")
    if asked.role is Role.STOP and asked.trigger is not None:
        yield from _of_stop(asked, asked.trigger)


def _of_stop(asked: Asked, trigger: Decimal) -> Iterator[Broken]:
    if asked.order_side is not asked.side.exit_order_side or asked.kind is not OrderKind.STOP_MARKET:
        yield Broken("I10", asked.name, f"{asked.kind} {asked.order_side} is no stop of a {asked.side}")
    if asked.tightest is not None and asked.side.better(asked.tightest, trigger):
        yield Broken("I9", asked.name, f"the stop goes from {asked.tightest} back to {trigger}")
    if asked.loosest is not None and asked.side.better(asked.loosest, trigger):
        yield Broken("I9", asked.name, f"the stop at {trigger} is looser than the plan's {asked.loosest}")


def crossed(name: str, side: Side, before: Decimal, after: Decimal, ours: Decimal) -> Iterator[Broken]:
    """I2: an execution of ours never turns what we hold round. Quantities signed; `ours` of what was held before."""
    if ours > 0 and before * after < 0:
        yield Broken("I2", name, f"{name} turned {before} into {after} ({side})")


HEARD_OF = 30 * SECOND
"""How long after the last of it has gone a position may still be told of, by lists that lag."""


def oversold(name: str, trade: int, left: Decimal) -> Iterator[Broken]:
    """I6, of coins: a trade sells no more than it has bought. `left` of that."""
    if left < 0:
        yield Broken("I6", name, f"{name} sold {-left} more than trade {trade} had bought")


def told_as_nobodys(name: str, others_ago: int | None) -> Iterator[Broken]:
    """I6: what our own orders hold, or have just left, is never told as nobody's.

    `others_ago`: since when (ms) nothing is held there but what our orders have made; None: there never was.
    """
    if others_ago is None or others_ago > HEARD_OF:
        yield Broken("I6", name, f"{name} is told as nobody's, and nothing but ours was held")


def over_risk(name: str, *, loss: Decimal, most: Decimal) -> Iterator[Broken]:
    """I8: at the stop no more is lost than was asked for, all costs included."""
    if loss > most:
        yield Broken("I8", name, f"{name} would lose {loss} at its stop, and {most} was asked for")


TRIES = 30
"""A minute of rounds."""


def tried_in_vain(name: str, times: int) -> Iterator[Broken]:
    """I11: what the venue refuses again and again is not sent for ever."""
    if times > TRIES:
        yield Broken("I11", name, f"{name} was refused {times} times and is sent again")


def by_who_lost_it(subject: str, what: str, epoch: int) -> Iterator[Broken]:
    """I4: one writer. Who has lost an account to another neither sends nor writes anything for it any more."""
    yield Broken("I4", subject, f"{what} by who had lost the account (epoch {epoch}) to another")


def booked_twice(name: str, booked: Decimal, executed: Decimal) -> Iterator[Broken]:
    """I7: each execution is written down once."""
    if booked > executed:
        yield Broken("I7", name, f"{booked} of {name} is written down, and {executed} has executed")


def one_effect(key: str, effects: int, trades: int) -> Iterator[Broken]:
    """I4: what is asked under one key happens once at most, and every answer tells of the same."""
    if effects > 1:
        yield Broken("I4", key, f"{key} had its effect {effects} times")
    if trades > 1:
        yield Broken("I4", key, f"the answers to {key} name {trades} trades")


def not_booked(name: str, ours: object, venues: object) -> Iterator[Broken]:
    """I7: what is written down is what the venue says, to the last digit."""
    if ours != venues:
        yield Broken("I7", name, f"{name}: our books say {ours}, the venue says {venues}")


def not_as_planned(name: str, sentence: str) -> Broken:
    """I11: nothing has gone wrong for a minute, and still it is not as it should be."""
    return Broken("I11", name, sentence)

"""The exits of one step where a resting sale locks what it sells: room is made before anything is placed.

Orders of the same leg and the same prices together fill one wish, so that a slice can grow without being withdrawn.
What lacks room is swapped in for orders that nothing asks for any more; those are never given up before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from .actions import Action, Cancel, Place, Swap, Working
from .exchange import Exits, OrderStatus, Role
from .market import ZERO, sellable
from .position import Market, Position
from .spot import exit_wishes, plain_stop
from .stops import StopLevel, level_of
from .wishes import Wish, close_wish

CAME_ALONG = 4
"""Where all lies under one stop: so many more may rest for it. Those that came with entries grow along with them, and
are not made one while they do."""


def sales(position: Position, working: Sequence[Working], market: Market, held: Decimal, exits: Exits) -> list[Action]:
    """What to do about the exits of a trade that holds coins. `position` has observed `market`."""
    exiting = [each for each in working if each.role is not Role.ENTRY]
    whole = position.instrument.round_quantity(held)
    if whole <= 0:
        return [Cancel(each, "nothing held") for each in exiting if each.role is not Role.CLOSE]
    level = level_of(position, market)
    if is_passed(position, market, held):
        wishes = _passed(position, exiting, whole, level)
    else:
        wishes = exit_wishes(position, market, whole, exits, _resting(exiting))
    spared = CAME_ALONG if exits is Exits.SINGLE else 0
    return Room(position, level, market.last, whole, exiting, spared=spared).actions(wishes)


def is_passed(position: Position, market: Market, held: Decimal) -> bool:
    """Whether the price is at the stop or beyond it: then that is the stop, whether or not it rests."""
    return position.instrument.round_quantity(held) > 0 and market.last <= level_of(position, market).price


def _passed(position: Position, working: Sequence[Working], whole: Decimal, level: StopLevel) -> list[Wish]:
    """What rests at the stop is the venue's to sell, in the parts it has; the rest leaves at market."""
    resting = [each for each in working if each.role is Role.STOP and each.trigger == level.price]
    uncovered = whole - _sum(resting)
    kept = [_as_it_is(position, each) for each in resting]
    return [*kept, close_wish(position, uncovered, level.cause)] if uncovered > 0 else kept


def _as_it_is(position: Position, order: Working) -> Wish:
    """The wish that an order satisfies."""
    side = position.side.exit_order_side
    return Wish(
        order.role, order.leg, side, order.kind, order.remaining, order.price, order.trigger, beside=order.beside
    )


def _resting(working: Iterable[Working]) -> dict[tuple[Role, int], Decimal]:
    resting: dict[tuple[Role, int], Decimal] = {}
    for each in working:
        resting[each.role, each.leg] = resting.get((each.role, each.leg), ZERO) + each.remaining
    return resting


def _sum(working: Iterable[Working]) -> Decimal:
    return sum((each.remaining for each in working), ZERO)


def _fits(order: Working, wish: Wish) -> bool:
    """Whether it sells at the same prices for the same leg; what is on its way out at market fits every close."""
    if order.role is not wish.role or order.role is Role.CLOSE:
        return order.role is wish.role
    ours, wished = (
        (order.leg, order.price, order.trigger, order.beside),
        (wish.leg, wish.price, wish.trigger, wish.beside),
    )
    return ours == wished


def stops_of(slices: int) -> int:
    """The most stops that rest for so many slices, for venues take few of a market: one more, while a slice grows."""
    return slices + 1


@dataclass(slots=True)
class Room:
    """The coins of one trade while a step is made: which of them are locked by what, and which are free for certain."""

    position: Position
    level: StopLevel
    last: Decimal
    whole: Decimal
    working: Sequence[Working]
    spared: int = 0
    """Stops that need not be made one with the others."""
    spare: list[Working] = field(default_factory=list)
    """Orders that no wish asks for."""
    free: Decimal = ZERO
    hoped: Decimal = ZERO
    """How much of that is free only if an action before has succeeded."""
    sells: bool = False
    """Whether part of it is to leave at market."""
    stops_left: int = 0
    """How many more stops there may be before a slice that grows is swapped."""

    def actions(self, wishes: Sequence[Wish]) -> list[Action]:
        """What brings the orders nearer to `wishes`; what no wish asks for goes at once only when that is all."""
        self.free = self.whole - _sum(self.working)
        self.stops_left = stops_of(len([wish for wish in wishes if wish.role is Role.STOP])) + self.spared
        self.stops_left -= len([each for each in self.working if each.role is Role.STOP])
        self.sells = any(wish.role is Role.CLOSE for wish in wishes)
        kept = self._sort_out(wishes)
        short = [(wish, fitting) for wish, fitting in zip(wishes, kept, strict=True) if _sum(fitting) < wish.quantity]
        if not short:
            return [Cancel(each, "no longer wanted") for each in self.spare]
        if [wish.role for wish in wishes] == [Role.CLOSE]:
            return list(self._leave(*short[0]))
        found = [self._towards(wish, fitting) for wish, fitting in short]
        return [action for action in found if action is not None]

    def _sort_out(self, wishes: Sequence[Wish]) -> list[list[Working]]:
        """By wish the orders that it asks for; the others are spare, except what is on its way out at market."""
        kept: list[list[Working]] = [[] for _ in wishes]
        for order in self.working:
            for wish, fitting in zip(wishes, kept, strict=True):
                if _fits(order, wish) and _sum(fitting) + order.remaining <= wish.quantity:
                    fitting.append(order)
                    break
            else:
                if order.role is not Role.CLOSE:
                    self.spare.append(order)
        return kept

    def _towards(self, wish: Wish, fitting: list[Working]) -> Action | None:
        """Place what is missing of a wish, or swap it in; None while there is no room, or too little to be sold."""
        missing = min(wish.quantity - _sum(fitting), self.free + _sum(self.spare))
        gone: list[Working] = []
        if not self._can_sell(wish, missing) or (wish.role is Role.STOP and self.stops_left <= 0):
            gone = sorted(fitting, key=lambda each: each.remaining)[:1]
            missing += _sum(gone)
        if not self._can_sell(wish, missing):
            return None
        gone = [*self._in_the_way(wish, missing - _sum(gone)), *gone]  # what the wish asks for goes last
        loose = max(missing - _sum(gone), ZERO)
        self.free -= loose
        self._hope_for(_sum(gone) - missing)
        self.stops_left += len([each for each in gone if each.role is Role.STOP]) - (wish.role is Role.STOP)
        missing_wish = wish._replace(quantity=missing)
        if not gone:
            return Place(missing_wish)
        without = wish._replace(quantity=loose) if wish.role is Role.STOP and self._can_sell(wish, loose) else None
        return Swap(tuple(gone), missing_wish, self._back(wish._replace(quantity=missing - self.hoped)), without)

    def _hope_for(self, rest: Decimal) -> None:
        """What a swap frees beyond what it places is sold along with more where it could never be sold alone.

        Otherwise that waits until it is free for certain.
        """
        if self.sells and rest > 0 and not sellable(self.position.instrument, rest, self.last):
            self.free += rest
            self.hoped += rest

    def _leave(self, wish: Wish, on_its_way: Sequence[Working]) -> Iterator[Action]:
        """Sell all of it slice by slice: what is not being sold yet keeps its stop.

        While it is not known what became of a sale no further slice gives up its own; and what is under no stop goes
        first, since the cancellation of a stop may fail.
        """
        if any(each.status is OrderStatus.UNKNOWN for each in on_its_way):
            return
        gone: list[Working] = []
        left, loose = wish.quantity - _sum(on_its_way), max(self.free, ZERO)
        if self.spare and self._can_sell(wish, loose) and self._can_sell(wish, left - loose):
            yield Place(wish._replace(quantity=loose))
            return
        for number, each in enumerate(self.spare, start=1):
            gone.append(each)
            part = min(loose + _sum(gone), left)
            rest = left - part
            is_last = number == len(self.spare)
            if is_last or (self._can_sell(wish, part) and self._can_sell(wish, rest)):
                sale = wish._replace(quantity=part)
                yield Swap(tuple(gone), sale, self._back(sale))
                gone, left, loose = [], rest, ZERO
        if not self.spare and self._can_sell(wish, min(loose, left)):
            yield Place(wish._replace(quantity=min(loose, left)))

    def _back(self, wish: Wish) -> Wish | None:
        """What protects the coins where the sale they were freed for is refused."""
        if wish.role is Role.STOP or self.last <= self.level.price:
            return None
        stop = plain_stop(self.position, wish.quantity, self.level)
        return stop if self._can_sell(stop, stop.quantity) else None

    def _can_sell(self, wish: Wish, quantity: Decimal) -> bool:
        price = wish.trigger or wish.price or self.last
        return bool(quantity > 0 and sellable(self.position.instrument, quantity, price))

    def _in_the_way(self, wish: Wish, quantity: Decimal) -> list[Working]:
        """Spare orders that leave room for `quantity`: those of the same slice first, what no target takes last."""
        slice_ = _slice_of(wish)
        gone: list[Working] = []
        for each in sorted(self.spare, key=lambda each: (_slice_of(each) != slice_, _slice_of(each) == 0)):
            if self.free + _sum(gone) >= quantity:
                break
            gone.append(each)
        self.spare = [each for each in self.spare if each not in gone]
        return gone


def _slice_of(order: Wish | Working) -> int:
    """The leg of the stop of its slice."""
    return order.leg + 1 if order.role is Role.TAKE_PROFIT else order.leg

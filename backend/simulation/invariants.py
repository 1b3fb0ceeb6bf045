"""What must hold of an account whatever happens, as code: RELIABILITY's I1 to I12, over plain facts.

Nothing here knows a simulation: whoever can say what a venue holds and what our rows say can ask. What may be so for a
moment has its patience in `PATIENCE`; all else may never be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from buddy.core.exchange import Role
from buddy.core.market import ZERO, Side

SECOND = 1_000


class Broken(NamedTuple):
    """`subject` tells apart what is watched over time. `patience`: milliseconds for which it may be so, where it is
    not as long as for all of its name. `symbol`: the market it is about, where it is one's."""

    name: str
    subject: str
    sentence: str
    patience: int | None = None
    symbol: str = ""

    @property
    def may_last(self) -> int:
        return PATIENCE.get(self.name, 0) if self.patience is None else self.patience


@dataclass(frozen=True, slots=True)
class Held:
    """A position at the venue. `ours`: how much of it our orders have made and not left; None where it is managed by
    hand."""

    symbol: str
    side: Side
    quantity: Decimal
    ours: Decimal | None
    slack: Decimal = ZERO
    """So much of it no order may be for, because it is less than a lot."""
    lot: Decimal = ZERO
    """The least that an order may be for, where that is more than it was when it was entered."""
    selling: Decimal = ZERO
    """Of coins what is being sold now: at market, or at a target that the price has reached."""
    smallest: Decimal = ZERO
    """Of coins the least that a stop may be for: fewer wait until another stop takes them in."""

    @property
    def needed(self) -> Decimal:
        """What is to be covered."""
        return ZERO if self.ours is None else max(min(self.ours, self.quantity) - self.slack, ZERO)


MOST_TARGETS = 3
"""Of a plan."""
Wish = tuple[int, str, int, Decimal | None, Decimal | None]
"""Trade, role, leg, price and trigger: what is wished for once."""


@dataclass(frozen=True, slots=True)
class Rests:
    """An order of ours at the venue. `side`: the position it enters or leaves. `role` None: no row of ours knows it."""

    name: str
    symbol: str
    side: Side
    role: Role | None
    left: Decimal
    trigger: Decimal | None
    reduce_only: bool
    has_owner: bool
    """Its trade is worked on."""
    wish: Wish | None = None
    """What it was placed for; None where no row of ours knows it, and of what the venue attached."""


@dataclass(frozen=True, slots=True)
class Row:
    """A trade that is worked on, as our rows say. `asked`: contracts of each entry leg, the most it ever was."""

    number: int
    symbol: str
    side: Side
    asked: tuple[Decimal, ...]
    entered: tuple[Decimal, ...]
    """Executed at the venue, and resting there, for each leg."""
    stop: Decimal | None = None
    tightest: Decimal | None = None
    """The tightest stop that rests now, and that ever rested since the trader last moved it."""
    waits_in_vain: bool = False
    """Its entry rests although the price stands where the plan takes it back."""
    keeps: Decimal | None = None
    """The trader has asked to hold no more than this; None: as much as there is."""
    has_targets: bool = False
    """All that it holds is to leave at targets, none of which the venue or a hand has taken away."""


class ForSale(NamedTuple):
    """Coins that the orders of one trade have still to sell, each once, and those that it has bought and not sold."""

    trade: int
    symbol: str
    resting: Decimal
    bought: Decimal
    patience: int = 0
    """Milliseconds for which more may be for sale: a stop that the venue has made may be listed late."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One account at `now`. `read_at`: the last good reading; `told`: the trader knows that there is none."""

    now: int
    held: tuple[Held, ...]
    resting: tuple[Rests, ...]
    rows: tuple[Row, ...]
    read_at: int
    told: bool
    written_off: Mapping[str, bool] = field(default_factory=dict)
    """Orders that the venue has taken and of which our rows say that it refused them; and whether they could not be
    seen yet when that was written."""
    for_sale: tuple[ForSale, ...] = ()


def covered(facts: Facts) -> Iterator[Broken]:
    """I1: live stops cover what is held."""
    for held in facts.held:
        stops = [each for each in facts.resting if _is_stop_of(each, held)]
        resting = sum((each.left for each in stops), ZERO)
        needed = held.needed - held.selling
        if resting < needed:
            sentence = f"stops for {resting} of {needed} {held.symbol} {held.side}"
            patience = PATIENCE["I11"] if needed - resting < held.smallest else None
            yield Broken("I1", _name(held), sentence, patience, symbol=held.symbol)


def exits_bounded(facts: Facts) -> Iterator[Broken]:
    """I3: targets together are no more than what is held, nor is any stop; where we manage it."""
    by_hand = {(held.symbol, held.side) for held in facts.held if held.ours is None}
    quantities = {(held.symbol, held.side): held.quantity for held in facts.held}
    lots = {(held.symbol, held.side): held.lot for held in facts.held}
    targets: dict[tuple[str, Side], Decimal] = {}
    for each in facts.resting:
        key = (each.symbol, each.side)
        if key in by_hand:
            continue
        if each.role is Role.TAKE_PROFIT and each.has_owner:
            targets[key] = targets.get(key, ZERO) + each.left
        most = max(quantities.get(key, ZERO), lots.get(key, ZERO))
        if each.role is Role.STOP and each.has_owner and each.left > most:
            sentence = f"a stop of {each.left} where {quantities.get(key, ZERO)} is held"
            yield Broken("I3", each.name, sentence, symbol=each.symbol)
    for key, wanted in targets.items():
        if wanted > quantities.get(key, ZERO):
            sentence = f"targets of {wanted} where {quantities.get(key, ZERO)} is held of {key}"
            yield Broken("I3", f"{key}", sentence, symbol=key[0])


def exits_only_reduce(facts: Facts) -> Iterator[Broken]:
    """I2: what is not an entry cannot open anything."""
    for each in facts.resting:
        if each.role not in (None, Role.ENTRY) and not each.reduce_only:
            yield Broken("I2", each.name, f"{each.role} {each.name} is not reduce-only")


def only_ours_is_for_sale(facts: Facts) -> Iterator[Broken]:
    """I6, of coins: no order of ours sells what its trade has not bought."""
    for each in facts.for_sale:
        if each.resting > each.bought:
            sentence = f"{each.resting} {each.symbol} is for sale, and trade {each.trade} has bought {each.bought}"
            yield Broken("I6", f"sales of {each.trade}", sentence, each.patience, each.symbol)


def one_intent_one_order(facts: Facts) -> Iterator[Broken]:
    """I4: no leg enters with more than was asked for, and nothing of ours is without a row."""
    for row in facts.rows:
        for leg, (asked, entered) in enumerate(zip(row.asked, row.entered, strict=True)):
            if entered > asked:
                yield Broken("I4", f"trade {row.number}.{leg}", f"{entered} entered or resting where {asked} was asked")
    for each in facts.resting:
        if each.role is None:
            yield Broken("I4", each.name, f"{each.name} rests without a row of ours")


def one_wish_one_order(facts: Facts) -> Iterator[Broken]:
    """I4: nothing of ours rests twice for one wish, but for a moment while one takes the other's place.

    An exit may wait for as long as the venue's answers disagree: the second one closes nothing twice.
    """
    seen: dict[Wish, str] = {}
    for each in facts.resting:
        if each.wish is None:
            continue
        other = seen.setdefault(each.wish, each.name)
        if other != each.name:
            sentence = f"{other} and {each.name} rest for one and the same {each.role}"
            patience = 10 * SECOND if each.role is Role.ENTRY else PATIENCE["I3"]
            yield Broken("I4", each.name, sentence, patience, each.symbol)


def nothing_written_off(facts: Facts) -> Iterator[Broken]:
    """I4: what the venue has taken is never believed to be refused.

    Whose row said so before, because it was sent again while it was still on its way or not told of yet, is seen by
    the look after it; an account without a trade is looked at every half a minute.
    """
    for name, was_on_its_way in facts.written_off.items():
        sentence = f"our row says that {name} was refused, and the venue has taken it"
        yield Broken("I4", name, sentence, 60 * SECOND if was_on_its_way else None)


def left_when_asked(facts: Facts) -> Iterator[Broken]:
    """I11, of leaving: no more is held than the trader has asked to hold."""
    for held in facts.held:
        rows = [row for row in facts.rows if (row.symbol, row.side) == (held.symbol, held.side)]
        kept = [row.keeps for row in rows if row.keeps is not None]
        if rows and len(kept) == len(rows) and held.needed > sum(kept, ZERO):
            sentence = f"{held.needed} {_name(held)} is held, and the trader has asked for {sum(kept, ZERO)}"
            yield Broken("I11", f"leaving {_name(held)}", sentence, symbol=held.symbol)


def targets_are_whole(facts: Facts) -> Iterator[Broken]:
    """I11, of targets: all that is held has one, where the plan has any."""
    for held in facts.held:
        rows = [row for row in facts.rows if (row.symbol, row.side) == (held.symbol, held.side)]
        here = [each for each in facts.resting if (each.symbol, each.side) == (held.symbol, held.side)]
        resting = sum((each.left for each in here if each.role is Role.TAKE_PROFIT), ZERO)
        needed = max(held.needed - held.slack * (MOST_TARGETS - 1), ZERO)
        if rows and all(row.has_targets for row in rows) and resting < needed:
            sentence = f"targets for {resting} of {needed} {_name(held)}"
            yield Broken("I11", f"targets of {_name(held)}", sentence, symbol=held.symbol)


def never_loosened(facts: Facts) -> Iterator[Broken]:
    """I9: the stop that counts goes one way only."""
    for row in facts.rows:
        if row.stop is not None and row.tightest is not None and row.side.better(row.tightest, row.stop):
            sentence = f"trade {row.number}: its stop is {row.stop} after {row.tightest}"
            yield Broken("I9", f"trade {row.number}", sentence, symbol=row.symbol)


def entries_taken_back(facts: Facts) -> Iterator[Broken]:
    """I11, of entries: one whose price has run away does not wait for ever."""
    for row in facts.rows:
        if row.waits_in_vain:
            sentence = f"the entry of trade {row.number} is not taken back"
            yield Broken("I11", f"entry of {row.number}", sentence, symbol=row.symbol)


def owned(facts: Facts) -> Iterator[Broken]:
    """I5: nothing of ours rests without a trade behind it."""
    for each in facts.resting:
        if each.role is not None and not each.has_owner:
            sentence = f"{each.role} {each.name} of {each.left} rests, and its trade is over"
            yield Broken("I5", each.name, sentence, symbol=each.symbol)


def loud(facts: Facts) -> Iterator[Broken]:
    """I12: an account that holds something and cannot be read is not silent about it."""
    if any(held.ours for held in facts.held) and facts.now - facts.read_at > 60 * SECOND and not facts.told:
        yield Broken("I12", "account", f"not read for {(facts.now - facts.read_at) / SECOND:.0f}s, and nobody was told")


RULES: tuple[Callable[[Facts], Iterator[Broken]], ...] = (
    covered,
    exits_bounded,
    exits_only_reduce,
    only_ours_is_for_sale,
    one_intent_one_order,
    one_wish_one_order,
    nothing_written_off,
    left_when_asked,
    targets_are_whole,
    never_loosened,
    entries_taken_back,
    owned,
    loud,
)
PATIENCE = {
    "I1": 10 * SECOND,
    "I3": 25 * SECOND,
    "I5": 60 * SECOND,
    "I9": 10 * SECOND,
    "I11": 60 * SECOND,
    "I12": 35 * SECOND,
}
"""How long it may be so while nothing stands in the way, in milliseconds; what is not here may never be.

I1 waits for coins that are too few for a stop of their own as long as I11: the one that takes them in may be told late.
I3 waits until an order in doubt is known to be absent: an exit that is too large only reduces. I5 waits for the next
glance at an account without a trade, after a venue has told late of what it took.
I12 is one round of the poller longer than its minute, and a lease that has to run out first.
"""


def broken(facts: Facts) -> list[Broken]:
    return [each for rule in RULES for each in rule(facts)]


def _is_stop_of(each: Rests, held: Held) -> bool:
    here = (each.symbol, each.side) == (held.symbol, held.side)
    return here and each.role is Role.STOP and each.reduce_only and each.trigger is not None


def _name(held: Held) -> str:
    return f"{held.symbol} {held.side}"

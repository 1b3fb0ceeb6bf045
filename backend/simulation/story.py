"""What a seed means: the venues, the way of the prices, what traders and hands do and what goes wrong, all as data.

Each part has dice of its own, so that leaving one out changes nothing about the others: that is how a story that fails
is made smaller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import NamedTuple

from .clock import HOUR, MINUTE, SECOND
from .markets import COINS, MARKETS

DEEDS = {
    "open": 9,
    "close": 2,
    "close_part": 2,
    "withdraw": 2,
    "amend": 4,
    "move_stop": 2,
    "break_even": 2,
    "hands_off": 1,
    "hands_on": 1,
    "adopt": 2,
    "close_foreign": 1,
    "ignore": 1,
    "halt": 1,
}
"""What the trader does here, and how often."""
HANDS = {
    "hand_close": 2,
    "hand_reduce": 2,
    "hand_enlarge": 2,
    "hand_reverse": 1,
    "hand_open": 2,
    "hand_rest": 1,
    "hand_cancels_stop": 3,
    "hand_cancels_target": 2,
    "hand_cancels_entry": 1,
    "deleverage": 1,
    "liquidate": 1,
}
"""What happens at the venue without us."""
ONCE = (
    "reply_lost",
    "request_lost",
    "executed_late",
    "timeout",
    "refused_margin",
    "refused_minimum",
    "refused_precision",
    "refused_other",
    "refused_would_trigger",
    "refused_duplicate",
    "refused_reduce_only",
    "told_late",
    "cancel_reply_lost",
    "cancel_request_lost",
    "cancel_not_found",
    "stalled_before",
    "stalled_after",
    "stalled_reading",
    "fill_told_late",
    "set_up_refused",
    "find_fails",
    "find_is_empty",
    "skewed",
    "killed",
    "killed_at_commit",
    "store_flushed",
)
"""Goes wrong once, at the next call that it fits."""
CLICKED = ("doubled", "wished_twice", "repeated")
"""Goes wrong once, at the next wish of the trader's: asked twice at one moment, under one key or under two; or asked
again and again for want of an answer."""
MORE_ONCE = (*CLICKED, "cut_before", "cut_after")
"""These and `MORE_LASTING` have dice of their own, so that seeds mean what they meant before there were any."""
LASTING_BEFORE = {
    "unreadable": 40 * SECOND,
    "outage": 90 * SECOND,
    "maintenance": 2 * HOUR,
    "banned": 2 * MINUTE,
    "slowed_down": 5 * SECOND,
    "key_refused": 10 * MINUTE,
    "slow": 60 * SECOND,
    "orders_lag": 40 * SECOND,
    "positions_lag": 15 * SECOND,
    "fills_lag": 40 * SECOND,
    "no_orders_told": 30 * SECOND,
    "no_positions_told": 30 * SECOND,
    "fills_told_twice": 5 * MINUTE,
    "beats_lost": 45 * SECOND,
    "wakes_lost": 10 * MINUTE,
}
"""Goes wrong for a while: the longest, in milliseconds."""
CLICKS = ("open", "close", "close_part", "withdraw", "amend", "move_stop", "break_even")
"""Deeds that a browser asks for."""
MORE_LASTING = {"store_away": 45 * SECOND, "database_away": 45 * SECOND}
"""Gone for everybody: the store with all that was in it, the database with nothing of it."""
OF_A_MARKET = {
    "delisted": 30 * MINUTE,
    "settled": 30 * MINUTE,
    "suspended": 10 * MINUTE,
    "restricted": 2 * HOUR,
    "coarser_lot": 4 * HOUR,
    "coarser_tick": 4 * HOUR,
    "finer_tick": 4 * HOUR,
    "minimum_raised": 4 * HOUR,
}
"""What a venue does to one symbol, at all accounts; `rules` says what each is. It is taken back after that."""
CAPPED = {"leverage_lowered": 4 * HOUR}
"""One more of these, with dice of its own."""
OF_AN_ACCOUNT = {"mode_changed": 4 * HOUR}
"""A hand sets the other position mode, as soon as nothing is held and nothing rests, and afterwards sets it back."""
NOT_OF_COINS = {"set_up_refused", *CAPPED, *OF_AN_ACCOUNT, *OF_A_MARKET}
"""There is neither mode nor leverage; what venues do to a spot market is not simulated."""
LASTING = LASTING_BEFORE | MORE_LASTING | OF_A_MARKET | CAPPED | OF_AN_ACCOUNT
TROUBLED = (4, 12, 40, 60)
"""The most troubles of a story: in some much goes wrong at once, in others little, so that nothing has an excuse."""
ROLES = ("entry", "stop", "take_profit", "close", "")
OF_ONE_ROLE = ("re", "executed", "told", "stalled_before", "stalled_after", "fill")
"""How the kinds begin that wait for an order of a certain role."""
DURATIONS = (1 * SECOND, 2 * SECOND, 3 * SECOND, 5 * SECOND, 8 * SECOND, 20 * SECOND, 60 * SECOND)
STORM = 5 * MINUTE
STORMY = (
    "unreadable",
    "outage",
    "maintenance",
    "banned",
    "slow",
    "orders_lag",
    "positions_lag",
    "fills_lag",
    "no_orders_told",
    "no_positions_told",
    "fills_told_twice",
    "beats_lost",
    "wakes_lost",
)
"""What may last in a bad hour; before and after the middle of it by so much (ms)."""
JUST_BEFORE = 20
"""Milliseconds."""
PAUSES = (3 * MINUTE, 20 * MINUTE, 2 * HOUR, 9 * HOUR)


class Move(NamedTuple):
    """The price of a symbol goes to its first price times `factor` at `at`; `jump`: nothing trades on the way."""

    at: int
    symbol: str
    factor: Decimal
    jump: bool


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody does something to an account at `at`; `dice` decides the rest."""

    at: int
    kind: str
    account: int
    dice: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something goes wrong from `at` on: once, or `lasts` milliseconds. `skips` calls that it would fit go well.

    `role`: of the orders that it waits for; of a market's trouble the symbol.
    """

    at: int
    kind: str
    account: int
    lasts: int = 0
    skips: int = 0
    role: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """An account: where it is, and how."""

    venue: str
    hedge: bool
    slices: int | None
    childlike: bool
    """Triggered orders become others, under other numbers."""
    free_makers: bool = False
    """Orders that wait in the book pay no fee."""
    own: int = 0
    """On spot, what the trader's own coins of each kind are worth at first."""

    @property
    def is_spot(self) -> bool:
        return self.venue in COINS


@dataclass(frozen=True, slots=True)
class Story:
    seed: int
    seats: tuple[Seat, ...]
    moves: tuple[Move, ...]
    deeds: tuple[Deed, ...]
    troubles: tuple[Trouble, ...]
    ends: int
    streamed: bool = True
    """Whether executions wake the worker at once."""

    def told(self) -> str:
        """The story in lines, in order of time."""
        seats = [f"account {n}: {seat}" for n, seat in enumerate(self.seats)]
        parts: list[Move | Deed | Trouble] = [*self.moves, *self.deeds, *self.troubles]
        rows = sorted(parts, key=lambda row: row.at)
        return "\n".join([f"seed {self.seed}, streamed={self.streamed}", *seats, *(f"  {_told(row)}" for row in rows)])


def _told(row: Move | Deed | Trouble) -> str:
    when = f"{row.at / SECOND:>10.3f}s"
    if isinstance(row, Move):
        return f"{when} {row.symbol} {'jumps' if row.jump else 'goes'} to ×{row.factor}"
    if isinstance(row, Deed):
        return f"{when} {row.kind} on account {row.account} (dice {row.dice})"
    of = f" of {row.role}" if row.kind in OF_A_MARKET | CAPPED else ""
    extent = f"{of} for {row.lasts / SECOND:g}s" if row.lasts else f" at {row.role or 'any'} after {row.skips} calls"
    return f"{when} TROUBLE {row.kind} on account {row.account}{extent}"


def written(seed: int) -> Story:
    """The story of a seed."""
    seats = _seats(Random(f"{seed} seats"))
    moves = _moves(Random(f"{seed} moves"))
    times = [move.at for move in moves]
    deeds = _deeds(Random(f"{seed} deeds"), times, len(seats))
    troubles = _troubles(Random(f"{seed} troubles"), times, deeds, len(seats))
    more = _more_troubles(Random(f"{seed} more troubles"), times, deeds, len(seats))
    markets = _of_markets(Random(f"{seed} markets"), times, deeds, len(seats))
    settings = _of_settings(Random(f"{seed} settings"), times, deeds, len(seats))
    troubles = tuple(sorted((*troubles, *more, *markets, *settings), key=lambda trouble: trouble.at))
    streamed = Random(f"{seed} stream").random() < 0.7
    story = Story(seed, seats, moves, deeds, troubles, max(times) + 10 * SECOND, streamed)
    return _with_coins(Random(f"{seed} coins"), story)


def _with_coins(dice: Random, story: Story) -> Story:
    """In one story of eight a seat is on spot, or all are; what coins do not have does not happen there."""
    if dice.random() >= 1 / 8:
        return story
    number, is_one = dice.randrange(len(story.seats)), dice.random() < 0.5
    seats = tuple(
        _on_spot(dice, seat) if each == number or not is_one else seat for each, seat in enumerate(story.seats)
    )
    troubles = (each for each in story.troubles if not (seats[each.account].is_spot and each.kind in NOT_OF_COINS))
    return replace(story, seats=seats, troubles=tuple(troubles))


def _on_spot(dice: Random, seat: Seat) -> Seat:
    venue, own = dice.choice(sorted(COINS)), dice.choice((0, 0, 200, 60_000))
    return replace(seat, venue=venue, hedge=False, childlike=False, own=own)


def _seats(dice: Random) -> tuple[Seat, ...]:
    count = 2 if dice.random() < 0.3 else 1
    return tuple(
        Seat(
            venue=dice.choice(("binance", "binance", "bybit", "bingx")),
            hedge=dice.random() < 0.2,
            slices=dice.randrange(10_000) if dice.random() < 0.6 else None,
            childlike=dice.random() < 0.5,
            free_makers=dice.random() < 0.25,
        )
        for _ in range(count)
    )


def _moves(dice: Random) -> tuple[Move, ...]:
    """A walk of each market: bursts of seconds with pauses of hours between them."""
    moves, now = [], 0
    here = dict.fromkeys(MARKETS, 1.0)
    for _ in range(dice.randint(30, 70)):
        now += dice.choice(PAUSES) + dice.randrange(SECOND) if dice.random() < 0.06 else dice.randint(400, 9_000)
        symbol = dice.choice(sorted(MARKETS))
        here[symbol] *= 1 + dice.gauss(0, 0.004)
        moves.append(Move(now, symbol, Decimal(f"{here[symbol]:.6f}"), dice.random() < 0.12))
    return tuple(moves)


def _near(dice: Random, times: list[int]) -> int:
    return max(200, dice.choice(times) + dice.randint(-3_000, 3_000))


def _deeds(dice: Random, times: list[int], accounts: int) -> tuple[Deed, ...]:
    made = [Deed(dice.randint(100, 1_500), "open", number, dice.randrange(10**6)) for number in range(accounts)]
    made += [
        Deed(_near(dice, times), "open", dice.randrange(accounts), dice.randrange(10**6))
        for _ in range(dice.randint(2, 6) * accounts)
    ]
    for kinds, most in ((DEEDS, 9), (HANDS, 4)):
        names, weights = list(kinds), list(kinds.values())
        for _ in range(dice.randint(0, most)):
            kind = dice.choices(names, weights)[0]
            made.append(Deed(_near(dice, times), kind, dice.randrange(accounts), dice.randrange(10**6)))
    return tuple(sorted(made, key=lambda deed: deed.at))


def _troubles(dice: Random, times: list[int], deeds: tuple[Deed, ...], accounts: int) -> tuple[Trouble, ...]:
    made = []
    around = times + [deed.at for deed in deeds] * 2
    for _ in range(dice.randint(0, dice.choice(TROUBLED))):
        at, account = max(100, dice.choice(around) + dice.randint(-2_500, 1_500)), dice.randrange(accounts)
        if dice.random() < 0.65:
            kind, role = dice.choice(ONCE), dice.choice(ROLES)
            role = role if kind.startswith(OF_ONE_ROLE) else ""
            skips = dice.choice((0, 0, 0, 1, 2, 3, 5, 8)) if "killed" in kind else dice.choice((0, 0, 0, 1))
            made.append(Trouble(at, kind, account, skips=skips, role=role))
        else:
            kind = dice.choice(sorted(LASTING_BEFORE))
            lasts = min(LASTING[kind], dice.choice((*DURATIONS, LASTING[kind])))
            made.append(Trouble(at, kind, account, lasts=lasts))
    if accounts > 1 and dice.random() < 0.4:  # one of several cannot be read for long
        kind = dice.choice(("key_refused", "maintenance", "banned"))
        made.append(Trouble(max(100, dice.choice(around)), kind, dice.randrange(accounts), lasts=LASTING[kind]))
    return tuple(sorted(made, key=lambda trouble: trouble.at))


def _more_troubles(dice: Random, times: list[int], deeds: tuple[Deed, ...], accounts: int) -> list[Trouble]:
    around = times + [deed.at for deed in deeds] * 2
    storm = _storm(Random(f"{dice.random()} storm"), around, accounts)
    return [*_doubled(dice, deeds), *_away(dice, around, accounts), *storm]


def _storm(dice: Random, around: list[int], accounts: int) -> Iterator[Trouble]:
    """In three stories of five a bad hour: much that lasts, for as long as it may, and much that goes wrong once."""
    if dice.random() < 0.4:
        return
    middle = dice.choice(around)
    near = [moment for moment in around if abs(moment - middle) < STORM] or [middle]
    for _ in range(dice.randint(2, 6)):
        kind = dice.choice(STORMY)
        yield Trouble(max(100, dice.choice(near)), kind, dice.randrange(accounts), lasts=LASTING[kind])
    for _ in range(dice.randint(10, 40)):
        kind, role = dice.choice(ONCE), dice.choice(ROLES)
        role = role if kind.startswith(OF_ONE_ROLE) else ""
        at = max(100, dice.choice(near) + dice.randint(-2_500, 1_500))
        yield Trouble(at, kind, dice.randrange(accounts), skips=dice.choice((0, 0, 1, 2)), role=role)


def _away(dice: Random, around: list[int], accounts: int) -> Iterator[Trouble]:
    """The store and the database."""
    for _ in range(dice.choice((0, 0, 1, 1, 2, 4))):
        at, account = max(100, dice.choice(around) + dice.randint(-500, 3_000)), dice.randrange(accounts)
        kind = dice.choice(("cut_before", "cut_after", *MORE_LASTING))
        if kind in MORE_LASTING:
            yield Trouble(at, kind, account, lasts=min(MORE_LASTING[kind], dice.choice(DURATIONS)))
        else:
            yield Trouble(at, kind, account, skips=dice.choice((0, 0, 1, 2, 3, 5, 8, 13)))


def _doubled(dice: Random, deeds: tuple[Deed, ...]) -> list[Trouble]:
    clicks = [deed for deed in deeds if deed.kind in CLICKS]
    return [
        Trouble(max(deed.at - JUST_BEFORE, 0), dice.choice(CLICKED), deed.account)
        for deed in dice.sample(clicks, min(len(clicks), dice.randint(0, 3)))
    ]


def _of_markets(dice: Random, times: list[int], deeds: tuple[Deed, ...], accounts: int) -> Iterator[Trouble]:
    """In one story of six, and there several: most of them find nothing held of their symbol."""
    if dice.random() >= 1 / 6:
        return
    around = times + [deed.at for deed in deeds] * 2
    for _ in range(dice.randint(2, 7)):
        kind, symbol = dice.choice(sorted(OF_A_MARKET)), dice.choice(sorted(MARKETS))
        at = max(100, dice.choice(around) + dice.randint(-500, 3_000))
        lasts = min(OF_A_MARKET[kind], dice.choice((*DURATIONS[3:], 5 * MINUTE, OF_A_MARKET[kind])))
        yield Trouble(at, kind, dice.randrange(accounts), lasts=lasts, role=symbol)


def _of_settings(dice: Random, times: list[int], deeds: tuple[Deed, ...], accounts: int) -> Iterator[Trouble]:
    """In one story of eight: the mode is changed mostly before anything is held."""
    if dice.random() >= 1 / 8:
        return
    opens = [deed.at for deed in deeds if deed.kind == "open"]
    for _ in range(dice.randint(1, 3)):
        kind, account = dice.choice(("mode_changed", "mode_changed", "leverage_lowered")), dice.randrange(accounts)
        at = max(0, dice.choice((*opens, *times)) + dice.randint(-3_000, 1_000))
        lasts = dice.choice((*DURATIONS[3:], 5 * MINUTE, LASTING[kind]))
        yield Trouble(at, kind, account, lasts=lasts, role=dice.choice(sorted(MARKETS)) if kind in CAPPED else "")

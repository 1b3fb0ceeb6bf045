"""How long what is held lies without a stop: from the moment a fill can be read until stops for all of it rest.

One sample for each time that stops fell short because an order of ours had filled. Where a hand has had its part in it,
there is none. `disturbed`: something went wrong, or had not ended, between the two moments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from buddy.core.market import ZERO

from .books import Book, Executed, Key, leaves


class Gap(NamedTuple):
    """`kind`: of `gaps.KINDS`."""

    kind: str
    milliseconds: int


@dataclass(slots=True)
class _Open:
    readable: int
    struck: int
    by_hand: bool


class Gaps:
    """Of one account, whose gaps are of this `kind`.

    `ours`: how much of a position our orders have made; `struck`: how often something went wrong.
    `excused_until`: until when, with a symbol, nobody could have done better. `left_to_hand`: whether a position is the
    hand's to protect, for which there is no sample either.
    """

    def __init__(
        self,
        book: Book,
        *,
        kind: str,
        ours: Callable[[Key], Decimal],
        struck: Callable[[], int],
        excused_until: Callable[[str], int],
        left_to_hand: Callable[[Key], bool],
    ) -> None:
        self.book, self.kind, self.ours = book, kind, ours
        self.struck, self.excused_until, self.left_to_hand = struck, excused_until, left_to_hand
        self.found: list[Gap] = []
        self._open: dict[Key, _Open] = {}

    def executed(self, one: Executed) -> None:
        readable, _ = self.book.told[-1]
        for key in self.book.holdings():
            is_entered = key[0] == one.fill.symbol and one.fill.order_side is key[1].entry_order_side
            if is_entered and one.name and key not in self._open and self._is_short(key):
                by_hand = one.name.startswith("hand-") or self.left_to_hand(key)
                self._open[key] = _Open(readable, self.struck(), by_hand)
            elif is_entered and key not in self._open and one.name and not one.name.startswith("hand-"):
                self._sample(0, is_disturbed=self.excused_until(key[0]) > self.book.clock.now)
        self.covered()

    def covered(self) -> None:
        """After an order was accepted or executed: what has its stop now.

        What the trader has said that he looks after himself is his from then on.
        """
        for key, gap in self._open.items():
            gap.by_hand = gap.by_hand or self.left_to_hand(key)
        for key in [key for key in self._open if not self._is_short(key)]:
            gap = self._open.pop(key)
            if self.ours(key) and not gap.by_hand:
                is_disturbed = self.struck() != gap.struck or self.excused_until(key[0]) > gap.readable
                self._sample(max(self.book.clock.now - gap.readable, 0), is_disturbed=is_disturbed)

    def by_hand(self) -> None:
        """A hand did something at the venue: what is open now is not a fill's alone."""
        for each in self._open.values():
            each.by_hand = True

    def _sample(self, milliseconds: int, *, is_disturbed: bool) -> None:
        self.found.append(Gap(f"{self.kind}, with faults" if is_disturbed else self.kind, milliseconds))

    def _is_short(self, key: Key) -> bool:
        needed = min(self.ours(key), self.book.held(*key))
        return bool(needed) and self._stops(key) < needed

    def _stops(self, key: Key) -> Decimal:
        return sum(
            (
                left
                for place, intent, left in self.book.resting()
                if intent.symbol == key[0]
                and leaves(intent)
                and intent.trigger is not None
                and self.book.side_of(place, intent) is key[1]
            ),
            ZERO,
        )

"""What is wrong with an account's line to its venue right now, and what the next call meets.

A trouble is told once, a fault each time that something goes wrong by it: a call, an answer, a round, a process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from .clock import SECOND, Clock
from .story import LASTING, Trouble

ASKED_AGAIN = 18 * SECOND
"""So long after the last refusal of a key, and after each trouble when it is asked again, the product leaves the venue
alone, for the venue's sake."""


class Fate:
    """The troubles of one account as they come true. `met` is told of each fault, and whether its trouble is new."""

    def __init__(self, clock: Clock, troubles: list[Trouble], met: Callable[[str, bool], None]) -> None:
        self.clock, self.began, self.met = clock, clock.now, met
        self.faults = 0
        self.waiting = [trouble for trouble in troubles if trouble.kind not in LASTING]
        self.lasting = [trouble for trouble in troubles if trouble.kind in LASTING]
        self._lasting_kinds = {trouble.kind for trouble in self.lasting}
        self._wait()
        self.skipped: Counter[int] = Counter()
        self.over = False
        """Nothing goes wrong any more."""
        self.excused_until = clock.now
        """Until here nobody could have done better."""
        self.is_refused = False
        """The venue is asked seldom, because it refused the key, and has not answered since."""
        self._felt: set[int] = set()

    @property
    def time(self) -> int:
        return self.clock.now - self.began

    def is_on(self, kind: str, *, is_fault: bool = True) -> bool:
        """Whether something that lasts is wrong now; asking is feeling it."""
        found = self._now(kind)
        if found is None:
            return False
        if is_fault:
            is_new = id(found) not in self._felt
            self._felt.add(id(found))
            self._strikes(kind, is_new)
        left = self.began + found.at + found.lasts - self.clock.now
        if kind == "key_refused":
            self.is_refused = True
            left += ASKED_AGAIN
        self.excuse(left)
        return True

    def excuse(self, milliseconds: int) -> None:
        self.excused_until = max(self.excused_until, self.clock.now + milliseconds)

    def _wait(self) -> None:
        """Keep what most askings need to know of what waits: that it is none of theirs, or not yet."""
        self._kinds = {trouble.kind for trouble in self.waiting}
        self._next = min((trouble.at for trouble in self.waiting), default=0)

    def takes(self, *kinds: str, role: str = "") -> str:
        """The kind that goes wrong now, once; empty when all goes well."""
        if self.over or self._kinds.isdisjoint(kinds) or self.time < self._next:
            return ""
        for trouble in self.waiting:
            if trouble.at <= self.time and trouble.kind in kinds and trouble.role in ("", role):
                self.skipped[id(trouble)] += 1
                if self.skipped[id(trouble)] > trouble.skips:
                    self.waiting.remove(trouble)
                    self._wait()
                    self._strikes(trouble.kind, True)
                    return trouble.kind
        return ""

    def strikes(self, kind: str, *, is_new: bool = False) -> None:
        """Something of a market's has gone wrong here; that excuses nothing of the account's."""
        if kind and not self.over:
            self._strikes(kind, is_new)

    def edges(self) -> list[int]:
        """The moments at which something that lasts begins or ends."""
        return [self.began + moment for each in self.lasting for moment in (each.at, each.at + each.lasts)]

    def _strikes(self, kind: str, is_new: bool) -> None:
        self.faults += 1
        if self.is_refused:
            self.excuse(ASKED_AGAIN)
        self.met(kind, is_new)

    def _now(self, kind: str) -> Trouble | None:
        if self.over or kind not in self._lasting_kinds:
            return None
        return next((each for each in self.lasting if each.kind == kind and self._is_now(each)), None)

    def _is_now(self, trouble: Trouble) -> bool:
        return trouble.at <= self.time < trouble.at + trouble.lasts

"""What is wrong with an account's line to its venue right now, and what the next call meets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from .clock import Clock
from .story import LASTING, Trouble


class Fate:
    """The troubles of one account as they come true. `met` is told of each that was really felt."""

    def __init__(self, clock: Clock, troubles: list[Trouble], met: Callable[[str], None]) -> None:
        self.clock, self.began, self.met = clock, clock.now, met
        self.waiting = [trouble for trouble in troubles if trouble.kind not in LASTING]
        self.lasting = [trouble for trouble in troubles if trouble.kind in LASTING]
        self.skipped: Counter[int] = Counter()
        self.over = False
        """Nothing goes wrong any more."""
        self.excused_until = clock.now
        """Until here nobody could have done better."""
        self._felt: set[int] = set()

    @property
    def time(self) -> int:
        return self.clock.now - self.began

    def is_on(self, kind: str) -> bool:
        """Whether something that lasts is wrong now; asking is feeling it."""
        found = next((each for each in self.lasting if each.kind == kind and self._is_now(each)), None)
        if found is None or self.over:
            return False
        if id(found) not in self._felt:
            self._felt.add(id(found))
            self.met(kind)
        self.excuse(self.began + found.at + found.lasts - self.clock.now)
        return True

    def excuse(self, milliseconds: int) -> None:
        self.excused_until = max(self.excused_until, self.clock.now + milliseconds)

    def takes(self, *kinds: str, role: str = "") -> str:
        """The kind that goes wrong now, once; empty when all goes well."""
        if self.over:
            return ""
        for trouble in self.waiting:
            if trouble.at <= self.time and trouble.kind in kinds and trouble.role in ("", role):
                self.skipped[id(trouble)] += 1
                if self.skipped[id(trouble)] > trouble.skips:
                    self.waiting.remove(trouble)
                    self.met(trouble.kind)
                    return trouble.kind
        return ""

    def edges(self) -> list[int]:
        """The moments at which something that lasts begins or ends."""
        return [self.began + moment for each in self.lasting for moment in (each.at, each.at + each.lasts)]

    def _is_now(self, trouble: Trouble) -> bool:
        return trouble.at <= self.time < trouble.at + trouble.lasts

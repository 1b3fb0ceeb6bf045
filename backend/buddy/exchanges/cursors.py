"""How far an account's executions and income are known: a cursor of plain text, and what it says is old or new.

Venues tell what happened by time, sometimes a moment late and in any order. So everything since a horizon that lies a
little back is asked for again, and what has been told is known by its id. The cursor keeps both; it stands still while
nothing happens, so that quiet accounts are not written to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TypeVar

LATE = 60_000
"""Milliseconds that an execution may appear after its own time."""
STEP = 300_000
"""Milliseconds the horizon may fall behind before it is moved without anything having happened."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Track:
    """Everything before `horizon` (venue's ms) is known, and of what came after it what `told` names."""

    horizon: int
    told: frozenset[str] = frozenset()

    def new(self, rows: Iterable[T], id_of: Callable[[T], str], time_of: Callable[[T], int]) -> list[T]:
        """What of `rows` was not told before, each once, in order of time."""
        fresh: dict[str, T] = {}
        for row in rows:
            if time_of(row) >= self.horizon and short(id_of(row)) not in self.told:
                fresh.setdefault(id_of(row), row)
        return sorted(fresh.values(), key=lambda row: (time_of(row), id_of(row)))

    def also(self, names: Iterable[str]) -> Track:
        """Once these are told too, of a reading that did not ask for everything."""
        return Track(self.horizon, self.told | {short(name) for name in names})

    def after(self, rows: Sequence[tuple[str, int]], complete_until: int, now: int) -> Track:
        """Once `rows` (ids and times of everything since the horizon) are told; all up to `complete_until` was read.

        Nothing is forgotten that could be told again: what is older than the new horizon is not asked for any more.
        """
        settled = min(complete_until, now - LATE)
        known = self.told | {short(name) for name, _ in rows}
        nothing_new = known == self.told and complete_until >= now
        if settled <= self.horizon or (nothing_new and settled - self.horizon < STEP):
            return Track(self.horizon, known)
        return Track(settled, frozenset(short(name) for name, time in rows if time >= settled))


@dataclass(frozen=True, slots=True)
class Cursor:
    """`held`: symbols that were held or asked about, whose executions must still be asked for."""

    fills: Track
    income: Track
    held: tuple[str, ...] = field(default=())

    @classmethod
    def begin(cls, now: int) -> Cursor:
        """An account's first reading: what happened before it is not ours to tell."""
        return cls(Track(now), Track(now))

    @classmethod
    def read(cls, text: str, now: int) -> Cursor:
        if not text:
            return cls.begin(now)
        told = json.loads(text)
        return cls(_track(told["f"]), _track(told["i"]), tuple(told["h"]))

    def text(self) -> str:
        told = {"f": _told(self.fills), "i": _told(self.income), "h": sorted(self.held)}
        return json.dumps(told, separators=(",", ":"))

    def moved(self, fills: Track, income: Track, held: Iterable[str]) -> Cursor:
        return replace(self, fills=fills, income=income, held=tuple(sorted(set(held))))


def short(name: str) -> str:
    """An id in few letters; two of one account in six minutes do not share them."""
    return blake2b(name.encode(), digest_size=6).hexdigest()


def _told(track: Track) -> list[object]:
    return [track.horizon, *sorted(track.told)]


def _track(told: list[object]) -> Track:
    return Track(int(str(told[0])), frozenset(str(name) for name in told[1:]))

"""Which runs there are: a story's points, found by playing it once, and the kills that cover them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from random import Random
from typing import Any

from .executioner import AFTER, BEFORE

Where = tuple[int, str]
"""Step and role."""
Spot = tuple[int, str, int | str]
"""Step, role, and the number of the point there, or its name."""
OF_BEAT = ("COMMIT<", "COMMIT>", "ENQUEUE<", "ENQUEUE>")
"""Points of a beat, which is started for its kill: it notes that it begins, and enqueues."""


@dataclass
class Points:
    """`distinct` are those to be killed at: one right after another, with nothing between, is the same moment."""

    by_place: dict[Where, list[str]]

    @classmethod
    def of(cls, told: Sequence[Any]) -> Points:
        found = {(step, role): list(names) for step, role, names in told}
        return cls(found | {(step, "beat"): list(OF_BEAT) for step, _ in found})

    @property
    def count(self) -> int:
        return sum(map(len, self.by_place.values()))

    @property
    def steps(self) -> int:
        return 1 + max(step for step, _ in self.by_place)

    def distinct(self, step: int) -> dict[Spot, str]:
        """What kind of moment each is."""
        found: dict[Spot, str] = {}
        for (at, role), names in self.by_place.items():
            if at == step:
                numbers = [number for number in range(len(names)) if not _is_same(names, number)]
                found |= {(step, role, number + 1): f"{role} {kind_of(names[number])}" for number in numbers}
        return found


def _is_same(names: Sequence[str], number: int) -> bool:
    """Whether this point is the moment of the one before it."""
    return number > 0 and names[number].endswith(BEFORE) and names[number - 1].endswith(AFTER)


def runs_of(points: Points, dice: Random, played: Collection[Spot] = (), kind: str = "") -> list[list[Spot]]:
    """Kills of each run, one in each step, until every distinct point was one's turn; the kinds in turn, too.

    Those `played` already are left out; `kind`: a part of the name of the only kinds that are played.
    """
    columns = [_in_turn(points.distinct(step), dice, played, kind) for step in range(points.steps)]
    longest = max(map(len, columns))
    return [[column[number] for column in columns if number < len(column)] for number in range(longest)]


def _in_turn(kinds: Mapping[Spot, str], dice: Random, played: Collection[Spot], only: str) -> list[Spot]:
    """One of each kind, another of each kind, and so on: what is rare comes early."""
    by_kind = defaultdict[str, list[Spot]](list)
    for spot, kind in kinds.items():
        if only in kind and spot not in played:
            by_kind[kind].append(spot)
    for spots in by_kind.values():
        dice.shuffle(spots)
    return [spot for row in zip_longest(*by_kind.values()) for spot in row if spot is not None]


@dataclass
class Tally:
    """What was seen."""

    points: int = 0
    distinct: int = 0
    runs: int = 0
    struck: int = 0
    missed: int = 0
    naked: float = 0.0
    violations: list[str] = field(default_factory=list)
    by_kind: dict[str, int] = field(default_factory=dict)
    seen: dict[str, set[Spot]] = field(default_factory=dict)
    """By story: where somebody died."""
    longest: dict[str, float] = field(default_factory=dict)
    """By story, as `naked`."""

    def add(self, story: str, kills: Sequence[Sequence[Any]], told: Mapping[str, Any]) -> None:
        self.runs += 1
        self.struck += len(told["struck"])
        self.missed += len(kills) - len(told["struck"])
        self.naked = max(self.naked, told["naked"])
        self.longest[story] = max(self.longest.get(story, 0), told["naked"])
        for step, role, number, name in told["struck"]:
            self.seen.setdefault(story, set()).add((step, role, number))
            kind = f"{role} {kind_of(name)}"
            self.by_kind[kind] = self.by_kind.get(kind, 0) + 1
        named = " ".join(f"{step}:{role}:{number}" for step, role, number in kills)
        self.violations += [f"{story} [{named or 'no kill'}] {sentence}" for sentence in told["violations"]]

    def lines(self) -> Iterator[str]:
        for story in self.longest:
            yield f"{len(self.seen.get(story, ())):5} moments, naked_most={self.longest[story]:.2f}s: {story}"
        for kind, count in sorted(self.by_kind.items()):
            yield f"{count:5} kills of the {kind}"

    def line(self) -> str:
        told = f"points={self.points} distinct={self.distinct} runs={self.runs} kills={self.struck}"
        told += f" seen={sum(map(len, self.seen.values()))}"
        return f"{told} missed={self.missed} naked_most={self.naked:.2f}s violations={len(self.violations)}"


def kind_of(name: str) -> str:
    """A request that asks, one that changes something, a commit or an enqueue; and on which side of it."""
    side = "before" if name.endswith(BEFORE) else "after"
    first = name.split()[0].rstrip(BEFORE + AFTER)
    kinds = {"GET": "read", "POST": "write", "PUT": "write", "DELETE": "write", "ENQUEUE": "enqueue"}
    is_request = "/" in name
    kind = kinds[first] if is_request or first == "ENQUEUE" else "commit"
    return f"{side} a {kind}" if kind[0] not in "aeiou" else f"{side} an {kind}"

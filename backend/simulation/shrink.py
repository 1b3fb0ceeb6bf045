"""A story that fails, made as small as it can be while it fails for the same reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .story import Story

Fails = Callable[[Story], bool]


def smallest(story: Story, fails: Fails, tries: int) -> Story:
    """Leave out troubles, then deeds, then moves, half of them at a time and then one by one, at most `tries` plays."""
    left = [tries]

    def still_fails(candidate: Story) -> bool:
        left[0] -= 1
        return left[0] >= 0 and fails(candidate)

    story = _cut(story, still_fails)
    for name in ("troubles", "deeds", "moves"):
        story = _with_fewer(story, name, still_fails)
    return story


def _cut(story: Story, fails: Fails) -> Story:
    """End it sooner."""
    for share in (0.25, 0.5, 0.75):
        end = story.moves[int(len(story.moves) * share)].at + 10_000
        sooner = replace(
            story,
            ends=end,
            moves=tuple(each for each in story.moves if each.at < end),
            deeds=tuple(each for each in story.deeds if each.at < end),
            troubles=tuple(each for each in story.troubles if each.at < end),
        )
        if fails(sooner):
            return sooner
    return story


def _with_fewer(story: Story, name: str, fails: Fails) -> Story:
    parts: Sequence[object] = getattr(story, name)
    size = max(1, len(parts) // 2)
    while True:
        begin = 0
        while begin < len(parts):
            fewer = (*parts[:begin], *parts[begin + size :])
            candidate = replace(story, **{name: fewer})  # type: ignore[arg-type]
            if (fewer or name != "moves") and fails(candidate):
                story, parts = candidate, fewer
            else:
                begin += size
        if size == 1:
            return story
        size //= 2

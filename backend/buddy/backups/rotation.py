"""Which backups are kept: the last of each of so many days, weeks and months that have one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class Dated:
    taken_at: datetime
    is_proven: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """How many days, weeks and months that have a backup keep their last one."""

    daily: int = 14
    weekly: int = 8
    monthly: int = 12


def chosen(backups: Iterable[Dated], how_many: Kept) -> set[Dated]:
    """Those to keep. The newest and the last proven one are always among them; an outage ages nothing."""
    newest_first = sorted(backups, reverse=True)
    if not newest_first:
        return set()
    proven = [backup for backup in newest_first if backup.is_proven]
    kept = {newest_first[0], *proven[:1]}
    for period, number in ((_day, how_many.daily), (_week, how_many.weekly), (_month, how_many.monthly)):
        kept |= _last_of_each(period, newest_first, number)
    return kept


def _last_of_each(period: Callable[[datetime], Hashable], newest_first: list[Dated], number: int) -> set[Dated]:
    """Of each period its last proven backup, or its last when none of it was proven."""
    found: dict[Hashable, Dated] = {}
    for backup in newest_first:
        at = period(backup.taken_at)
        if at not in found or (backup.is_proven and not found[at].is_proven):
            found[at] = backup
    return set(list(found.values())[:number])


def _day(moment: datetime) -> Hashable:
    return moment.date()


def _week(moment: datetime) -> Hashable:
    return moment.isocalendar()[:2]


def _month(moment: datetime) -> Hashable:
    return moment.year, moment.month

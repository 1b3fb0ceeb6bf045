"""In which order accounts are looked at, and who waits where a venue's limits run short.

Accounts of one venue are a group with threads of its own, those in trouble another: many that time out at a venue that
is dead keep nobody else waiting. What holds something comes first, and is never left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock

from django.db import close_old_connections, connections
from django.utils import timezone

from buddy.exchanges import rates
from buddy.exchanges.models import Account
from buddy.exchanges.venue_rows import RECIPES
from buddy.prepared import Select

from .models import Trade

AT_ONCE, IN_TROUBLE = 4, 2
"""Looks at a time in one process: of a group, and of one that is in trouble."""
SHORT = 0.5
"""Part of a venue's budget below which accounts that hold nothing wait."""
WAIT_AT_MOST = timedelta(seconds=5)
"""So long they wait at the longest."""
NEVER = datetime.min.replace(tzinfo=UTC)

_HOLDING = Select(
    lambda: Trade.objects.filter(status=Trade.Status.OPEN).order_by().values_list("account_id").distinct()
)
_ROWS = Select(
    lambda accounts: Account.objects.filter(pk__in=accounts).values_list(
        "pk", "venue", "mode", "trouble", "good_look_at", "looked_at"
    )
)

Group = tuple[str, str, bool]
"""Venue, mode, and whether its accounts could not be read when last looked at."""


@dataclass(frozen=True, slots=True)
class Due:
    account_id: int
    group: Group
    holds: bool
    good_look_at: datetime | None
    looked_at: datetime | None

    @property
    def rank(self) -> tuple[bool, datetime, int]:
        """What holds something first, then whoever was not seen for longest."""
        return not self.holds, self.good_look_at or NEVER, self.account_id


def due(account_ids: Iterable[int]) -> list[Due]:
    """What there is to know of these accounts, in the order in which they are looked at."""
    asked = list(account_ids)
    if not asked:
        return []
    holding = {account for (account,) in _HOLDING.rows()}
    found = [
        Due(pk, _group(venue, mode, trouble), pk in holding, good_look_at, looked_at)
        for pk, venue, mode, trouble, good_look_at, looked_at in _ROWS.rows(accounts=asked)
    ]
    return sorted(found, key=lambda each: each.rank)


def _group(venue: str, mode: str, trouble: str) -> Group:
    if mode == Account.Mode.PAPER:
        return "", mode, False
    return venue, mode, bool(trouble)


def affordable(found: Iterable[Due]) -> list[Due]:
    """Without those that hold nothing where a venue's budget runs short, unless they have waited long enough."""
    every = list(found)
    short = {place for place in {each.group[:2] for each in every} if _is_short(*place)}
    long_ago = timezone.now() - WAIT_AT_MOST
    return [
        each
        for each in every
        if each.group[:2] not in short or each.holds or each.looked_at is None or each.looked_at < long_ago
    ]


def _is_short(venue: str, mode: str) -> bool:
    recipe = RECIPES.get(venue)
    return recipe is not None and rates.part_left(rates.of_address(venue, mode, recipe.per_address)) < SHORT


class Turns:
    """Looks of this process under way, by group: a round that comes while some still run takes what is left."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: dict[Group, int] = {}

    def take(self, group: Group) -> bool:
        with self._lock:
            running = self._running.get(group, 0)
            if running >= (IN_TROUBLE if group[2] else AT_ONCE):
                return False
            self._running[group] = running + 1
            return True

    def give_back(self, group: Group) -> None:
        with self._lock:
            self._running[group] -= 1


TURNS = Turns()


def look_at_all(found: Iterable[Due], look: Callable[[int], None], seconds: float | None) -> None:
    """`look` at each, several at a time; back after `seconds` although some are still looked at."""
    queues: dict[Group, deque[int]] = {}
    for each in found:
        queues.setdefault(each.group, deque()).append(each.account_id)
    threads = sum(min(AT_ONCE, len(queue)) for queue in queues.values())
    pool = ThreadPoolExecutor(max_workers=max(1, threads), thread_name_prefix="look")
    try:
        wait([each for group in queues for each in _begin(pool, group, queues, look)], timeout=seconds)
    finally:
        pool.shutdown(wait=False)


def _begin(
    pool: ThreadPoolExecutor, group: Group, queues: Mapping[Group, deque[int]], look: Callable[[int], None]
) -> list[Future[None]]:
    wanted = min(AT_ONCE, len(queues[group]))
    return [pool.submit(_work_off, group, queues[group], look) for _ in range(wanted) if TURNS.take(group)]


def _work_off(group: Group, queue: deque[int], look: Callable[[int], None]) -> None:
    """In a thread of its own, which keeps its connection to the database from look to look."""
    try:
        while queue:
            try:
                account_id = queue.popleft()
            except IndexError:  # another thread was faster
                return
            close_old_connections()  # one that broke is made anew
            look(account_id)
    finally:
        connections.close_all()
        TURNS.give_back(group)

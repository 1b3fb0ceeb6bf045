"""One story played to its end: what happens, what is done about it, and what must hold after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from django.db.models import Q

from buddy.exchanges.models import Account
from buddy.prepared import Select
from buddy.trading import rounds
from buddy.trading.models import ForeignPosition, Order, Trade
from buddy.trading.moments import to_ms
from buddy.trading.states import DOUBTFUL, WORKING

from . import deeds, endings
from .clock import EPOCH, MINUTE, SECOND
from .invariants import Broken
from .killing import Killed
from .story import HANDS, Deed, Story
from .world import World

BEAT = 2 * SECOND
QUIET = 1
"""Rounds without anything to do after which the clock leaps to the next event."""
LONG_TROUBLE, SELDOM = 12, 30 * SECOND
"""After so many rounds in which an account could not be read, it is tried this often."""
AFTERMATH = 60 * SECOND
"""Once nothing goes wrong any more, all must be as it should be within this."""


@dataclass
class Outcome:
    """`digest`: of everything that happened. `hours` of simulated time."""

    seed: int
    broken: list[Broken]
    met: Counter[tuple[str, str]]
    digest: str
    hours: float
    looks: int
    log: list[str] = field(repr=False)


def play(story: Story) -> Outcome:
    world = World(story)
    with world.alive():
        Life(world).live()
    hours = (world.clock.now - EPOCH) / 3_600_000
    return Outcome(story.seed, world.violations, world.met, world.digest(), hours, world.looks, world.log)


_HELD = Select(lambda now: Account.objects.filter(lease_until__gt=now).values_list("pk"))
_UNSURE = Select(
    lambda: ForeignPosition.objects.filter(Q(confirmed=False) | Q(gone_since__isnull=False)).values_list("pk")
)
_WAITING = Select(
    lambda: (
        Trade.objects.filter(status__in=WORKING)
        .filter(Q(naked_since__isnull=False) | Q(mismatch_since__isnull=False))
        .values_list("pk")
    )
)
_DOUBTED = Select(lambda: Order.objects.filter(status__in=DOUBTFUL).values_list("pk"))
_PLANS = Select(lambda: Trade.objects.filter(status__in=WORKING).values_list("plan", "opened_at", "asked_at"))


class Life:
    def __init__(self, world: World) -> None:
        self.world, self.clock = world, world.clock
        self.beat = self.clock.now
        self.quiet = self.troubled = 0
        self.deeds = [deed for deed in world.story.deeds if deed.kind not in HANDS]

    def live(self) -> None:
        world = self.world
        world.settle_in()
        for deed in world.story.deeds:
            if deed.kind in HANDS:
                self.clock.at(EPOCH + deed.at, partial(deeds.by_hand, world, deed))
        self._until(EPOCH + world.story.ends)
        self._calm()
        if not world.violations:
            self._guarded(lambda: endings.as_planned(world))
        if not world.violations:
            self._wind_up()

    def _calm(self) -> None:
        """From here on nothing goes wrong any more."""
        self.world.tell("nothing goes wrong any more")
        for fate in self.world.fates:
            fate.over = True
            fate.waiting.clear()
        held_up = max((fate.excused_until for fate in self.world.fates), default=0)
        self._until(max(min(held_up, self.clock.now + 40 * SECOND), self.clock.now) + AFTERMATH)

    def _wind_up(self) -> None:
        """All is closed, here and by hand, and the books are compared."""
        self.world.tell("everything is closed")
        self._guarded(lambda: endings.close_all(self.world))
        self._until(self.clock.now + AFTERMATH)
        self._guarded(lambda: endings.close_all(self.world))
        self._until(self.clock.now + AFTERMATH)
        if not self.world.violations:
            endings.books_agree(self.world)

    def _until(self, end: int) -> None:
        self.world.unsettled = True
        self.beat = min(self.beat, self._after(self.clock.now))
        while not self.world.violations:
            deed_at = EPOCH + self.deeds[0].at if self.deeds else end + 1
            woken_at = min(self.world.woken.values(), default=end + 1)
            moment = min(deed_at, woken_at, self.beat)
            if moment > end:
                break
            self._go_to(moment)
            if moment == deed_at:
                self._do(self.deeds.pop(0))
            elif moment == woken_at:
                self._woken()
            else:
                self._beat()
            self._check()
        if not self.world.violations:
            self._go_to(end)
            self._beat()
            self._check()

    def _go_to(self, moment: int) -> None:
        if moment > self.clock.now:
            self.clock.go_to(moment)

    def _do(self, deed: Deed) -> None:
        self._guarded(lambda: deeds.done(self.world, deed))

    def _woken(self) -> None:
        number = next(n for n, at in self.world.woken.items() if at <= self.clock.now)
        del self.world.woken[number]
        self._guarded(lambda: rounds.look_when_asked(self.world.accounts[number]))

    def _beat(self) -> None:
        self.world.looked.clear()
        lost = self._are_lost()
        if not lost:
            if any(fate.takes("store_flushed") for fate in self.world.fates):
                self.world.forget_store()
            self._guarded(self.world.round)
        self._plan_next(lost)

    def _are_lost(self) -> bool:
        """Rounds are everybody's: when they are lost, no account is looked at."""
        fates = self.world.fates
        if not any(fate.is_on("beats_lost") for fate in fates):
            return False
        for fate in fates:
            fate.excuse(max(other.excused_until for other in fates) - self.clock.now)
        return True

    def _guarded(self, work: object) -> None:
        """In a process that may be killed."""
        try:
            work()  # type: ignore[operator]
        except Killed:
            self.world.begin_again()
        for witness in self.world.witnesses:
            witness.stale = False

    # --- when to look again ---

    def _plan_next(self, lost: bool) -> None:
        """In two seconds; or after the next event, once there is nothing to do until then."""
        looked = list(self.world.looked.values())
        troubled = any(each.trouble for each in looked)
        self.troubled = self.troubled + 1 if troubled else 0
        busy = (
            self.world.unsettled
            or self.world.unseen
            or any(e.acted or e.waits or e.behind or e.failures or e.rounds > 1 for e in looked)
        )
        busy = busy or lost or any(witness.since for witness in self.world.witnesses) or self._waits()
        self.world.unsettled = False
        self.quiet = 0 if busy or troubled else self.quiet + 1
        later = self._after(self._next_event())
        if self.quiet >= QUIET:
            self.beat = later
            for witness in self.world.witnesses:
                witness.rested = later
        elif self.troubled > LONG_TROUBLE:
            self.beat = min(later, self._after(self.clock.now + SELDOM))
        else:
            self.beat = self._after(self.clock.now)

    def _next_event(self) -> int | None:
        """The next move, deed of a hand, end of a trouble, or moment that a plan speaks of."""
        moments = [*_moments_of_plans(), *([] if self.clock.next() is None else [self.clock.next()])]
        return min((moment for moment in moments if moment is not None and moment > self.clock.now), default=None)

    def _after(self, moment: int | None) -> int:
        """The next round after `moment`."""
        if moment is None:
            moment = self.clock.now + 3600 * SECOND
        return EPOCH + ((max(moment, self.clock.now) - EPOCH) // BEAT + 1) * BEAT

    def _waits(self) -> bool:
        """Whether rows say that something is to be seen once more, or a lease is to run out."""
        return bool(_HELD.rows(now=self.clock.now) or _UNSURE.rows() or _WAITING.rows() or _DOUBTED.rows())

    def _check(self) -> None:
        for witness in self.world.witnesses:
            witness.look(self.world.executioner.writes)


def _moments_of_plans() -> Iterator[int]:
    """When rules of time begin or end, from the first fill or the asking on."""
    for plan, opened, asked in _PLANS.rows():
        rules, cancel = plan.get("rules", {}), plan.get("cancel", {})
        afters = [rules.get(name, {}).get("after") or {} for name in ("break_even", "trail")]
        since_fill = [rules.get("close_after_minutes"), *(after.get("minutes") for after in afters)]
        if opened is not None:
            yield from (to_ms(opened) + int(float(each) * MINUTE) for each in since_fill if each)
        if asked is not None and cancel.get("after_minutes"):
            yield to_ms(asked) + int(float(cancel["after_minutes"]) * MINUTE)

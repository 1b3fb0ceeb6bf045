"""One story played to its end: what happens, what is done about it, and what must hold after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from django.db.models import Q

from buddy.exchanges.models import Account
from buddy.prepared import Select
from buddy.trading import rounds
from buddy.trading.models import ForeignPosition, Order, Trade
from buddy.trading.moments import at, to_ms
from buddy.trading.states import DOUBTFUL, WORKING
from buddy.trading.watcher import Looked

from . import deeds, endings
from .arrival import settle_in
from .clock import EPOCH, MINUTE, SECOND
from .coin_hands import hands_at
from .invariants import Broken
from .killing import Killed
from .market_changes import MarketChanges
from .story import HANDS, Deed, Story
from .uncovered import Gap
from .wire import Cut
from .world import World

BEAT = 2 * SECOND
QUIET = 1
"""Rounds without anything to do after which the clock leaps to the next event."""
LONG_TROUBLE, SELDOM = 12, 2 * MINUTE
"""After so many looks in a row that could not read an account, it is tried this often."""
STIRS = 20 * SECOND
AFTERMATH = 60 * SECOND
"""Once nothing goes wrong any more, all must be as it should be within this."""
LAST_LOOKS = 5
"""So many more, where the last one began something."""


@dataclass
class Outcome:
    """`digest`: of everything that happened. `hours` of simulated time. `met`: faults by kind and state of a trade.

    `trades`: how many lives of a trade it has; `troubles`: what the faults came from.
    """

    seed: int
    broken: list[Broken]
    met: Counter[tuple[str, str]]
    digest: str
    hours: float
    looks: int
    trades: int
    troubles: int
    gaps: list[Gap]
    log: list[str] = field(repr=False)


def play(story: Story) -> Outcome:
    world = World(story)
    with world.alive():
        Life(world).live()
    hours = (world.clock.now - EPOCH) / 3_600_000
    return Outcome(
        seed=story.seed,
        broken=world.violations,
        met=world.met,
        digest=world.digest(),
        hours=hours,
        looks=world.looks,
        trades=Trade.objects.count(),
        troubles=world.troubles,
        gaps=[gap for gaps in world.gaps for gap in gaps.found],
        log=world.log,
    )


_HELD = Select(lambda now: Account.objects.filter(lease_until__gt=now).values_list("pk"))
_UNSURE = Select(
    lambda: ForeignPosition.objects.filter(Q(confirmed=False) | Q(gone_since__isnull=False)).values_list("account_id")
)
_WAITING = Select(
    lambda: (
        Trade.objects.filter(status__in=WORKING, hands_off=False)
        .filter(Q(naked_since__isnull=False) | Q(mismatch_since__isnull=False))
        .values_list("account_id")
    )
)
_DOUBTED = Select(lambda: Order.objects.filter(status__in=DOUBTFUL, trade__hands_off=False).values_list("account_id"))
_PLANS = Select(lambda: Trade.objects.filter(status__in=WORKING).values_list("plan", "opened_at", "asked_at"))


class Life:
    def __init__(self, world: World) -> None:
        self.world, self.clock = world, world.clock
        self.market = MarketChanges(world)
        self.beat = self.clock.now
        self.quiet = 0
        self.unread: dict[int, int] = {}
        """By account: how many looks in a row could not read it."""
        self.deeds = [deed for deed in world.story.deeds if deed.kind not in HANDS]

    def live(self) -> None:
        world = self.world
        settle_in(world, self.market)
        for deed in world.story.deeds:
            if deed.kind in HANDS:
                self.clock.at(EPOCH + deed.at, partial(self._by_hand, deed))
        self._until(EPOCH + world.story.ends)
        self._calm()
        if not world.violations:
            self._guarded(lambda: endings.as_planned(world))
        if not world.violations:
            self._wind_up()

    def _by_hand(self, deed: Deed) -> None:
        self.world.gaps[deed.account].by_hand()
        deeds.by_hand(self.world, deed, hands_at(self.world, deed.account))
        self.world.gaps[deed.account].by_hand()

    def _calm(self) -> None:
        """From here on nothing goes wrong any more."""
        self.world.tell("nothing goes wrong any more")
        self.market.as_before()
        for fate in self.world.fates:
            fate.over = True
            fate.waiting.clear()
        for book in self.world.books:
            book.delay_next = 0
        self.world.repeats.clear()
        held_up = max((fate.excused_until for fate in self.world.fates), default=0)
        self._until(max(min(held_up, self.clock.now + 40 * SECOND), self.clock.now) + AFTERMATH)
        self._finish()

    def _finish(self) -> None:
        """A rule of time may have begun something in the last look: a few more bring it to its end."""
        for _ in range(LAST_LOOKS):
            if self.world.violations or not any(each.acted for each in self.world.looked.values()):
                return
            self._until(self.clock.now + BEAT)

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
            repeat_at = self.world.repeats[0][0] if self.world.repeats else end + 1
            woken_at = min(self.world.woken.values(), default=end + 1)
            moment = min(deed_at, repeat_at, woken_at, self.beat)
            if moment > end:
                break
            self._go_to(moment)
            if moment == deed_at:
                self._do(self.deeds.pop(0))
                self._look_soon()
            elif moment == repeat_at:
                self._guarded(self.world.repeats.pop(0)[1])
                self._look_soon()
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
        begun = self.clock.now
        self._guarded(lambda: deeds.done(self.world, deed))
        self.world.kept_waiting(deed.account, begun)

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
        return self.world.is_away("beats_lost") or self.world.is_away("store_away")

    def _guarded(self, work: Callable[[], object]) -> None:
        """In a process that may be killed."""
        try:
            with self.world.executioner.product(), self.world.wire.anew():
                work()
        except Cut as cut:  # a task or a request fails, and its process goes on
            self.world.tell(f"failed: {cut}")
            self._look_soon()
        except Killed:
            self.world.begin_again()
            self._look_soon()
        self.world.thawed = False

    # --- when to look again ---

    def _look_soon(self) -> None:
        """Whatever was planned: what was begun may have been left half done."""
        self.world.unsettled = True
        self.beat = min(self.beat, self._after(self.clock.now))

    def _plan_next(self, lost: bool) -> None:
        """In two seconds; or after the next event, once there is nothing to do until then.

        Accounts that cannot be read for long are tried seldom, and hurry nobody.
        """
        world, looked = self.world, self.world.looked
        for account, each in looked.items():
            self.unread[account] = self.unread.get(account, 0) + 1 if each.trouble else 0
        given_up = self._given_up()
        busy = world.unsettled or lost or any(not _is_quiet(each) for each in self._others(looked, given_up))
        busy = busy or bool((self._unseen() | self._waits()) - given_up) or self._watched(given_up)
        world.unsettled = False
        self.quiet = 0 if busy else self.quiet + 1
        if busy:
            self.beat = self._after(self.clock.now)
            return
        later = self._after(self._next_event())
        if given_up:
            self.beat = min(later, self._after(self.clock.now + SELDOM))
            for account in given_up:  # the poller would have looked: what it would have seen is seen by then
                world.fates[world.accounts.index(account)].excuse(self.beat - self.clock.now + BEAT)
        elif self.quiet >= QUIET:
            self.beat = later
            self._rest(later)

    def _rest(self, until: int) -> None:
        """Looks that would see nothing are left out, and are as good as made."""
        for witness in self.world.witnesses:
            witness.rested = until
        last = at(until - BEAT)
        with self.world.executioner.unnoticed():
            Account.objects.filter(trouble="", good_look_at__lt=last).update(good_look_at=last)

    def _given_up(self) -> set[int]:
        """Accounts that nobody could read for long; when nothing goes wrong any more, none."""
        if any(fate.over for fate in self.world.fates):
            return set()
        return {each for each, times in self.unread.items() if times > LONG_TROUBLE and not self._is_stirred(each)}

    def _is_stirred(self, account: int) -> bool:
        """Whether something happened to it just now: its trouble may be over."""
        number = self.world.accounts.index(account)
        return self.clock.now - self.world.changed.get(number, 0) < STIRS

    def _others(self, looked: Mapping[int, Looked], given_up: set[int]) -> list[Looked]:
        return [each for account, each in looked.items() if account not in given_up]

    def _unseen(self) -> set[int]:
        """Accounts to which something has happened that nobody has looked at yet."""
        world = self.world
        return {world.accounts[n] for n, changed in world.changed.items() if world.seen.get(n, 0) <= changed}

    def _watched(self, given_up: set[int]) -> bool:
        """Whether an invariant does not hold at this moment."""
        return any(witness.since and witness.account not in given_up for witness in self.world.witnesses)

    def _next_event(self) -> int | None:
        """The next move, deed of a hand, end of a trouble, or moment that a plan speaks of."""
        moments = [*_moments_of_plans(), *([] if self.clock.next() is None else [self.clock.next()])]
        return min((moment for moment in moments if moment is not None and moment > self.clock.now), default=None)

    def _after(self, moment: int | None) -> int:
        """The next round after `moment`."""
        if moment is None:
            moment = self.clock.now + 3600 * SECOND
        return EPOCH + ((max(moment, self.clock.now) - EPOCH) // BEAT + 1) * BEAT

    def _waits(self) -> set[int]:
        """Accounts of which rows say that something is to be seen once more, or that a lease is to run out."""
        found = (*_HELD.rows(now=self.clock.now), *_UNSURE.rows(), *_WAITING.rows(), *_DOUBTED.rows())
        return {account for (account,) in found}

    def _check(self) -> None:
        for witness in self.world.witnesses:
            witness.look()


def _is_quiet(looked: Looked) -> bool:
    """Whether a look found nothing to do, and nothing that it would see again."""
    restless = looked.acted or looked.waits or looked.behind or looked.failures or looked.rounds > 1
    return not (restless or looked.trouble)


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

"""Everything outside the product, put in its place: clocks, venues, the store, the queue. One world at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from hashlib import sha256
from random import Random
from typing import Any

from django.core.cache import cache
from django.db import connection
from kombu.exceptions import OperationalError

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import OrderIntent
from buddy.exchanges import pace
from buddy.exchanges.market_data import fetching
from buddy.exchanges.models import Account
from buddy.exchanges.venues import venue_of
from buddy.prepared import Select
from buddy.trading import rounds, watcher
from buddy.trading.models import Trade
from buddy.trading.states import WORKING
from buddy.users.models import User

from . import at_once, seams
from . import clock as clocks
from .books import Book
from .clock import EPOCH, SECOND, Clock
from .coin_books import CoinBook
from .failing import Fate
from .fence import Holders
from .invariants import Broken
from .killing import Executioner
from .line import Line
from .markets import Way, markets_at, public
from .names import STATES, state_of
from .rules import Rules
from .store import Store
from .story import Story
from .uncovered import Gaps
from .wire import Cut, Wire
from .witness import Witness

LEASE_AND_MORE = 36 * SECOND
"""How long a dead process may keep an account from the next one."""
UNREAD = 3 * SECOND
"""Until the next look nobody can do better than one whose reading failed."""
STANDS_STILL = (31, 45, 61)
"""Seconds for which a process is held up."""
_STATES = Select(
    lambda account: Trade.objects.filter(account_id=account, status__in=WORKING).values_list(
        "status", "initial_risk", "directives", "hands_off"
    )
)


class World:
    """`log` is all that happened, in order. `met` counts troubles by kind and by the state of what they met."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.clock = Clock()
        self.store = Store(self.clock, lambda: self.is_away("store_away"))
        self.wire = Wire(lambda: self.is_away("database_away"), self._is_cut)
        self._kinds = {trouble.kind for trouble in story.troubles}
        self.dice = Random(f"{story.seed} calls")
        self.log: list[str] = []
        self.met: Counter[tuple[str, str]] = Counter()
        self.markets = {symbol: each for seat in story.seats for symbol, each in markets_at(seat.venue).items()}
        self.ways = {symbol: Way(symbol, EPOCH) for symbol in self.markets}
        self.rules = Rules(self.clock, story.seed, story.troubles, self.markets)
        self.books = [(CoinBook if seat.is_spot else Book)(seat, self.clock) for seat in story.seats]
        self.fates = [self._fate(number) for number in range(len(story.seats))]
        self.lines = [self._line(number) for number in range(len(story.seats))]
        self.executioner = Executioner(lambda: self._is_last_edge("killed_at_commit"), self._writes, self.wire)
        self.holders = Holders()
        self.owner: User
        self.accounts: list[int] = []
        self.witnesses: list[Witness] = []
        self.woken: dict[int, int] = {}
        """Accounts (by number) that a stream wants looked at, and when."""
        self.looked: dict[int, watcher.Looked] = {}
        self.changed: dict[int, int] = {}
        self.seen: dict[int, int] = {}
        """By account: when something happened to it at its venue, and when a look at it ended."""
        self.repeats: list[tuple[int, Callable[[], None]]] = []
        """What a browser sends again, and when."""
        self.stalled = self.thawed = False
        """A process stands still; one that did goes on with what it knew."""
        self.unsettled = True
        self.looks = self.troubles = 0
        self.gaps: list[Gaps] = []
        self._states: dict[int, tuple[int, str]] = {}

    # --- what is told ---

    def tell(self, sentence: str) -> None:
        self.log.append(f"{(self.clock.now - EPOCH) / SECOND:.3f} {sentence}")

    def digest(self) -> str:
        return sha256("\n".join(self.log).encode()).hexdigest()

    def changes(self, number: int) -> None:
        """Something is otherwise at this account's venue: it is to be looked at before the clock leaps."""
        self.changed[number] = self.clock.now

    @property
    def violations(self) -> list[Broken]:
        return [broken for witness in self.witnesses for broken in witness.seen]

    # --- making it ---

    def _fate(self, number: int) -> Fate:
        troubles = [each for each in self.story.troubles if each.account == number]
        return Fate(self.clock, troubles, lambda kind, is_new: self._met(number, kind, is_new))

    def _line(self, number: int) -> Line:
        return Line(
            book=self.books[number],
            fate=self.fates[number],
            clock=self.clock,
            dice=self.dice,
            ways=self.ways,
            rules=self.rules,
            edge=lambda: self._edge_of_call(number),
            stall=lambda: self._stall(number),
            tell=lambda sentence: self.tell(f"[{number}] {sentence}"),
            on_order=lambda intent: self._ordered(number, intent),
            on_cancel=lambda name: self._cancelled(number, name),
            on_refusal=lambda intent: self._refused(number, intent),
            on_loss=lambda intent: self.witnesses[number].lost(intent),
            on_read=lambda: self.witnesses[number].was_read(),
            changes=partial(self.changes, number),
        )

    def _ordered(self, number: int, intent: OrderIntent) -> None:
        with self.executioner.aside():
            self._holds_it(number, intent.client_id, f"{intent.client_id} was sent")
            self.witnesses[number].sent(intent)

    def _refused(self, number: int, intent: OrderIntent) -> None:
        with self.executioner.aside():
            self.witnesses[number].refused(intent)

    def _cancelled(self, number: int, name: str) -> None:
        with self.executioner.aside():
            self._holds_it(number, name, f"{name} was cancelled")
            self.witnesses[number].cancelled(name)

    def _holds_it(self, number: int, subject: str, what: str) -> None:
        lease = self.holders.lost()
        if lease is not None:
            self.witnesses[number].seen += at_once.by_who_lost_it(subject, what, lease.epoch)

    def _writes(self, table: str) -> None:
        """A write of ours to `table`, before it is carried out."""
        if self.thawed and table.startswith("trading_"):
            with self.executioner.aside():
                lease = self.holders.lost()
            if lease is not None:
                number = self.accounts.index(lease.account_id)
                self.witnesses[number].seen += at_once.by_who_lost_it(table, f"{table} was written", lease.epoch)

    # --- putting it in place ---

    @contextmanager
    def alive(self) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(seams.current_world(self))
            stack.enter_context(clocks.installed(self.clock, Random(f"{self.story.seed} ids")))
            for each in seams.put_in_place(self):
                stack.enter_context(each)
            stack.enter_context(self.executioner.at_work())
            stack.enter_context(self.holders.watched())
            stack.enter_context(seams.complaints(self))
            yield

    def recorded(self, look_under: Callable[..., watcher.Looked]) -> Callable[..., watcher.Looked]:
        def look(lease: Any, account: Account, **how: Any) -> watcher.Looked:
            begun, number = self.clock.now, self.accounts.index(account.pk)
            self.looks += 1
            looked = look_under(lease, account, **how)
            self.looked[account.pk] = looked
            self.kept_waiting(number, begun)
            if looked.trouble:
                self.fates[number].excuse(UNREAD)
            else:
                self.seen[number] = self.witnesses[number].read_at  # who stood still since then has seen no more
                self.fates[number].is_refused = False
            self._note(looked, account)
            return looked

        return look

    def kept_waiting(self, number: int, begun: int) -> None:
        """Here one thing is done after the other; in truth what takes long for one account keeps no other waiting."""
        if self.clock.now - begun > UNREAD:
            for other, fate in enumerate(self.fates):
                if other != number:
                    fate.excuse(UNREAD)

    def _note(self, looked: watcher.Looked, account: Account) -> None:
        failures = "; ".join(f"{each.action} {each.error!r}" for each in looked.failures)
        if looked.trouble or failures:
            self.tell(f"look at {account.name}: {looked.trouble} {failures}")

    def fetch(self, market: str, what: str, *arguments: Any) -> Any:
        name = fetching.key(market, what, *arguments)
        here = markets_at(venue_of(market))
        listed = [each for each in self.rules.listed() if each.symbol in here]
        return fetching.keep(name, lambda: public(listed, self.ways, self.clock.now, what, *arguments))

    @contextmanager
    def as_web(self) -> Iterator[None]:
        """What happens inside happens in a process that must not speak to venues."""
        before, fetching.Place.is_worker = fetching.Place.is_worker, False
        try:
            yield
        finally:
            fetching.Place.is_worker = before

    def in_worker(self, work: Callable[[], Any]) -> Any:
        before, fetching.Place.is_worker = fetching.Place.is_worker, True
        try:
            with self.wire.anew():
                return work()
        finally:
            fetching.Place.is_worker = before

    def by_task(self, ask: Callable[..., Any], *arguments: Any) -> None:
        """A worker is asked through the queue, which is in the store. Raises OperationalError (kombu's)."""
        self.queue()
        self.in_worker(lambda: _quietly(ask, *arguments))

    def queue(self) -> None:
        """Raises OperationalError (kombu's) while the store is away."""
        if self.is_away("store_away"):
            raise OperationalError("The queue is away.")

    # --- what goes wrong with processes ---

    def is_away(self, kind: str) -> bool:
        """Whether something that all accounts share is away now. Asking is feeling it."""
        if kind not in self._kinds or not any(fate.is_on(kind) for fate in self.fates):
            return False
        until = max(fate.excused_until for fate in self.fates)
        for fate in self.fates:
            fate.excuse(until - self.clock.now)
        return True

    def _is_cut(self, kind: str) -> bool:
        if not self._is_last_edge(kind):
            return False
        self.tell(f"the line to the database is {kind}")
        for fate in self.fates:
            fate.excuse(4 * SECOND)
        return True

    def _edge_of_call(self, number: int) -> None:
        self.executioner.breathe()
        if self.fates[number].takes("killed"):
            self.executioner.strike()

    def _is_last_edge(self, kind: str) -> bool:
        return kind in self._kinds and any(fate.takes(kind) for fate in self.fates)

    def begin_again(self) -> None:
        """A new process: nothing of the old one's memory is left, but its lease is."""
        self.tell("KILLED; a new process begins")
        self.executioner.dead = self.wire.broken = False
        self.holders.acting.clear()
        if connection.in_atomic_block:
            raise RuntimeError("A transaction outlived its process.")
        seams.forget()
        self.unsettled = True
        for number, fate in enumerate(self.fates):
            kept = Account.objects.filter(pk=self.accounts[number], lease_until__gt=self.clock.now).exists()
            fate.excuse(LEASE_AND_MORE if kept else 4 * SECOND)

    def round(self) -> int:
        """What beat starts; the stream says beforehand which accounts it hears."""
        hears = [self.story.streamed and not fate.is_on("wakes_lost", is_fault=False) for fate in self.fates]
        pace.heard([account for account, is_heard in zip(self.accounts, hears, strict=True) if is_heard])
        return rounds.watch_all()

    def forget_store(self) -> None:
        """It may lose all it has at any moment."""
        cache.clear()
        self.store.forget()

    def _stall(self, number: int) -> None:
        if not (self.stalled or connection.in_atomic_block):
            self.stand_still(number, self.dice.choice(STANDS_STILL))

    def stand_still(self, number: int, seconds: int) -> None:
        """This process stands still, and the others go on."""
        if not seconds or self.stalled:
            return
        self.tell(f"[{number}] a process stands still for {seconds}s")
        for fate in self.fates:
            fate.excuse(seconds * SECOND)
        self.stalled = True
        until = self.clock.now + seconds * SECOND
        try:
            while self.clock.now < until:
                self.clock.go_to(min(until, self.clock.now + 2 * SECOND))
                with suppress(Cut):
                    self.in_worker(self.round)
        finally:
            self.stalled = False
        self.thawed = True
        self.tell(f"[{number}] and goes on")

    @contextmanager
    def another_process(self) -> Iterator[None]:
        """What happens inside happens in the middle of what another process does, which goes on afterwards.

        That one stands still for so long.
        """
        before, self.thawed = self.thawed, False
        with self.holders.of_another(), self.wire.anew():
            yield
        self.thawed = before
        for fate in self.fates:
            fate.excuse(0)

    def comes_again(self, moment: int, what: Callable[[], None]) -> None:
        """A browser sends something once more; nobody does when nothing goes wrong any more."""
        if not any(fate.over for fate in self.fates):
            self.repeats = sorted([*self.repeats, (moment, what)], key=lambda each: each[0])

    def _met(self, number: int, kind: str, is_new: bool) -> None:
        self.met[kind, self._state(number)] += 1
        if is_new:
            self.troubles += 1
            self.unsettled = True

    def _state(self, number: int) -> str:
        """What the account is in the middle of."""
        if number >= len(self.accounts) or self.executioner.dead:
            return "nothing"
        known, found = self._states.get(number, (-1, ""))
        writes = self.executioner.writes.total()
        if known != writes:
            with self.executioner.aside():
                rows = _STATES.rows(account=self.accounts[number])
            found = max((state_of(*row) for row in rows), key=STATES.index, default="nothing")
            self._states[number] = writes, found
        return found


def _quietly(ask: Callable[..., Any], *arguments: Any) -> None:
    with suppress(CouldNotRead, Cut):
        ask(*arguments)

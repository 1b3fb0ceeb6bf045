"""The watchdog: a process that only looks whether anybody looks, and whether what is held is covered.

It runs beside the workers and needs nothing but the database: with the workers dead or frozen, or the store away, it
still sees that an account with something to protect was not read for a minute (invariant I12), and that less rests
than is held (I1). It decides nothing and touches no order; it speaks up, repeats itself, and says when it is over.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import Error, connections
from django.db.models import Q, QuerySet
from django.utils import timezone

from buddy.events import pulses
from buddy.exchanges.models import Account, Credentials
from buddy.exchanges.venues import VENUES

from . import alarms, cover, unmanaged
from .alarms import Word, Wrong
from .cover import Cover
from .models import Alarm, Trade
from .states import WORKING
from .telling import text

log = logging.getLogger(__name__)

PULSE = "watchdog"
ROUND = 5.0
"""Seconds between two rounds."""
UNSEEN_FOR = timedelta(seconds=60)
"""So long may an account with something to protect go without a good look."""
UNCOVERED_FOR = timedelta(seconds=15)
"""So long may more be held than stops rest for: by then the watcher has put one there or closed at market (10 s)."""
ASLEEP = 20.0
"""Seconds between two rounds after which the watchdog itself slept, and the others with it: a laptop that was shut."""
SAID_EVERY = 60.0
"""Seconds between two lines of the log while the database is away."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One round. `unseen` and `uncovered` are what was told of just now."""

    accounts: int = 0
    unseen: Sequence[Account] = ()
    uncovered: Sequence[Trade] = ()


@dataclass(slots=True)
class Watchdog:
    """`ask`: given an account nobody looks at, has its venue asked, without waiting for it (`second_sight`)."""

    ask: Callable[[Account], None] = lambda account: None
    awake_since: datetime = field(default_factory=timezone.now)
    _rounded: float | None = None
    _away_since: float | None = None
    _said: float = 0.0

    def round(self) -> Seen:
        """Look at all accounts that have something to protect. Raises django.db.Error."""
        self._notice_sleep()
        trades = list(_working())
        unseen = alarms.keep(Alarm.Kind.UNSEEN, self._unseen(trades), _seen_again)
        uncovered = alarms.keep(Alarm.Kind.UNCOVERED, _uncovered(trades), _covered_again, UNCOVERED_FOR)
        pulses.beat(PULSE, every=0)
        for each in unseen:
            self.ask(each.account)
        return Seen(
            accounts=len({trade.account_id for trade in trades}),
            unseen=[each.account for each in unseen],
            uncovered=[each.trade for each in uncovered if each.trade],
        )

    def try_round(self) -> bool:
        """The same; whether it could be done. Without the database nothing can be known or told but in the log."""
        try:
            self.round()
        except Error as trouble:
            self._say_blind(trouble)
            connections.close_all()
            return False
        self._away_since = None
        return True

    def _notice_sleep(self) -> None:
        """Whoever slept has no right to call the others late: they have until UNSEEN_FOR from now."""
        now = time.monotonic()
        if self._rounded is not None and now - self._rounded > ASLEEP and self._away_since is None:
            self.awake_since = timezone.now()
        self._rounded = now

    def _say_blind(self, trouble: Error) -> None:
        now = time.monotonic()
        if self._away_since is None:
            self._away_since, self._said = now, now - SAID_EVERY
        if now - self._said >= SAID_EVERY:
            self._said, lasts = now, now - self._away_since
            name = type(trouble).__name__
            log.critical("the database is away (%s) for %.0f s: nothing can be checked, and nobody told", name, lasts)

    def _unseen(self, trades: Sequence[Trade]) -> list[Wrong]:
        late = timezone.now() - UNSEEN_FOR
        by_account = {trade.account_id: trade.account for trade in trades}
        return [
            Wrong(account, None, lambda account=account: _unseen_word(account))  # type: ignore[misc]
            for account in by_account.values()
            if max(account.good_look_at or self.awake_since, self.awake_since) < late and not _is_told_already(account)
        ]


def _working() -> QuerySet[Trade]:
    """Trades that hold something, or may at any moment: a venue fills an entry whether or not anybody looks."""
    waiting = Q(status=Trade.Status.PENDING) & ~Q(account__mode=Account.Mode.PAPER)
    return (
        Trade.objects.filter(Q(status=Trade.Status.OPEN) | waiting, status__in=WORKING)
        .select_related("account")
        .order_by("pk")
    )


def _is_told_already(account: Account) -> bool:
    """Whether a refused key is being told of, louder than this could be; beat repeats that within the hour."""
    recent = timezone.now() - unmanaged.LAST_PAUSE - UNSEEN_FOR
    return Credentials.objects.filter(account=account, in_use=True, told_refused_at__gt=recent).exists()


def _unseen_word(account: Account) -> Word:
    exposed = unmanaged.exposed_by(account)
    seen = account.good_look_at
    when = "It was never read" if seen is None else f"Last read {seen:%Y-%m-%d %H:%M:%S} UTC"
    held = "; ".join(one.sentence for one in exposed) or "an entry waits there"
    why = f" ({account.trouble})" if account.trouble else ""
    sentence = f"NOBODY LOOKS AFTER {account.name}{why}. {when}: {held}."
    name = VENUES[account.venue].name if account.venue in VENUES else "the exchange"
    cure = f"Look at {name} itself now, and see that the worker runs." if not account.is_paper else SEE_THE_WORKER
    return Word("unseen", sentence, {"cure": cure, "positions": [one.figures for one in exposed]})


SEE_THE_WORKER = "See that the worker runs."


def _seen_again(alarm: Alarm) -> Word:
    return Word("seen_again", f"{alarm.account.name} is looked after again.")


def _uncovered(trades: Sequence[Trade]) -> list[Wrong]:
    """Where the trader keeps our hands off, what covers it is his."""
    mine = [trade for trade in trades if trade.status == Trade.Status.OPEN and not trade.hands_off]
    return [
        Wrong(each.trade.account, each.trade, lambda each=each: _uncovered_word(each))  # type: ignore[misc]
        for each in cover.covers(mine)
        if each.missing
    ]


def _uncovered_word(found: Cover) -> Word:
    trade = found.trade
    held = f"{trade.side} {text(found.held)} {trade.symbol}"
    rests = f"stops rest for {text(found.stopped)} only" if found.stopped else "NO STOP RESTS"
    sentence = f"{trade.account.name} holds {held}, and {rests}."
    cure = "Close it, or look at the exchange itself now."
    return Word("uncovered", sentence, {"cure": cure, "held": text(found.held), "stopped": text(found.stopped)})


def _covered_again(alarm: Alarm) -> Word:
    trade = alarm.trade
    what = f"{trade.symbol} on {alarm.account.name}" if trade else alarm.account.name
    return Word("covered_again", f"{what} is covered by a stop again, or holds nothing any more.")

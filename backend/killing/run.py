"""One run of a story: each step, its kill where there is one, and the looks after it, until nothing is left to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Thread
from typing import Any

from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.trading.models import Canary, Fill, Order, Trade

from . import checks
from .processes import Process
from .stage import COINS, CONTRACTS, WALLET, Stage
from .stories import Story
from .venue_books import ZERO, Books

STUCK = 60.0
"""Seconds in which a step must come to rest: RELIABILITY's I11."""
NAKED_AT_MOST = 10.0
"""Seconds for which what is held may be without its stop: I1. Until the next worker lives nobody could place one, so
that time is not counted."""
LOST = 1.5
"""Seconds after which a tick that no look followed counts as lost."""
GLANCE = 0.03
STOP_PATHS = {"binance": "/fapi/v1/algoOrder"}
SIGNS = {"buy": 1, "sell": -1}


class Broken(Exception):
    """The message says what does not hold."""


@dataclass(frozen=True)
class Kill:
    """In step `step`, counted from 0, at point `at` of what plays `role`: its number from 1 on, or its name."""

    step: int
    role: str
    at: int | str


@dataclass
class Result:
    """`points`: their names by step and role. `naked`: the longest that a position had no stop, in seconds."""

    points: dict[tuple[int, str], list[str]] = field(default_factory=dict)
    struck: list[tuple[Kill, str]] = field(default_factory=list)
    missed: list[Kill] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    naked: float = 0.0
    seconds: float = 0.0


class Run:
    """A `stories.Scene` at a stage."""

    naked_at_most = NAKED_AT_MOST

    def __init__(self, stage: Stage, story: Story, kills: Iterable[Kill] = ()) -> None:
        self.stage, self.story = stage, story
        self.kills = {kill.step: kill for kill in kills}
        self.result = Result()
        self.hand = stage.hand(story.venue)
        self.account, self.key = stage.open_account(story.venue)
        self.symbol = COINS if self.account.is_spot else CONTRACTS
        if story.stash:
            self.hand.deposit(self.key, "BTC", str(story.stash))
        self.opening = self.books().wallet if story.stash else Decimal(WALLET)
        self.worker: Process | None = None
        self.beat: Process | None = None
        self.step = 0
        self._naked_since: float | None = None
        self._alive_since = time.monotonic()

    def play(self) -> Result:
        """All of it. What does not hold is in the result."""
        begun = time.monotonic()
        try:
            self._begin()
            for number, happens in enumerate(self.story.steps):
                self.step = number
                self._play_step(happens)
            self._end()
        except Exception as broken:  # noqa: BLE001  whatever goes wrong in a run is the run's
            self.result.violations.append(f"step {self.step}: {type(broken).__name__}: {broken}")
            self.result.evidence = self._evidence()
        finally:
            self._clean_up()
        self.result.seconds = time.monotonic() - begun
        return self.result

    def _begin(self) -> None:
        self.worker = self._new_worker()

    def _new_worker(self) -> Process:
        return self.stage.new_worker(proves=self.story.proves)

    def _play_step(self, happens: Callable[[Run], None]) -> None:
        kill = self.kills.get(self.step)
        for role, board in self.stage.boards.items():
            board.arm(kill.at if kill and kill.role == role else 0)
        if kill and kill.role == "beat":
            self.beat = self.stage.new_beat()
        happens(self)
        self._come_to_rest()
        if self.beat is not None:
            self.beat.kill()
            self.beat = None
        self._note_points(kill)

    def _note_points(self, kill: Kill | None) -> None:
        for role, board in self.stage.boards.items():
            self.result.points[self.step, role] = board.points()
            if kill and kill.role == role and board.is_armed:
                board.disarm()
                if not self._struck_at_last(kill):
                    self.result.missed.append(kill)

    def _struck_at_last(self, kill: Kill) -> bool:
        """It had come to rest already, and another look was under way."""
        process = self._living().get(kill.role)
        if process is None or not process.is_dead(within=GLANCE):
            return False
        self._buried(kill)
        self._start_anew(kill.role)
        return True

    def _end(self) -> None:
        told = [self.stage.trader.get(f"trades/{trade.pk}") for trade in self.trades()]
        found = checks.when_it_ended(self.story, self.account, self.books(), self.opening, told)
        if broken := [f"in the end: {each}" for each in found]:
            self.result.violations += broken
            self.result.evidence = self._evidence()

    def _evidence(self) -> list[str]:
        """All that the venue and our rows say of it."""
        lines = [f"venue: holds {self.books().held}"]
        for order in (*self.books().orders, *self.books().proofs):
            wish = order["wish"]
            what = f"{wish['order_side']} {order['quantity']} at {wish['price']} trigger {wish['trigger']}"
            lines.append(f"venue: {order['time']} {order['client_id']} {order['status']} {what} {order['reason']}")
        for row in Order.objects.filter(account=self.account).order_by("id"):
            what = f"{row.quantity} at {row.price} trigger {row.trigger} {row.cancel_reason} {row.refusal}"
            lines.append(f"row: {row.created_at:%T.%f} {row.client_id} {row.status} {row.role} {row.order_side} {what}")
        events = Event.objects.filter(account_id=self.account.pk).order_by("id")
        return [*lines, *(f"told: {event.created_at:%T.%f} {event.kind}: {event.text}" for event in events)]

    def _clean_up(self) -> None:
        for process in (self.worker, self.beat):
            if process is not None:
                process.kill()
        self.stage.retire(self.account, self.key)

    # --- looking ---

    def books(self) -> Books:
        return Books(self.hand.books(self.key), self.symbol, self.story.stash)

    def trades(self) -> list[Trade]:
        return list(Trade.objects.filter(account=self.account).order_by("id"))

    def _come_to_rest(self) -> None:
        """Look until a look has changed nothing, and everything agrees."""
        deadline, before = time.monotonic() + STUCK, None
        while not self._is_over(self.books()):
            if time.monotonic() > deadline:
                raise Broken(f"it does not come to rest: {self._standing()}")
            if not self._have_looked():
                continue
            books = self.books()
            self._check(books)
            standing = self._standing(books)
            if standing == before and self._agrees(books):
                self._insist(checks.at_rest(books))
                return
            before = standing

    def _have_looked(self) -> bool:
        """Whether a worker has looked, from its beginning to its end; the dead are replaced meanwhile."""
        before = self._looked_at()
        if self.beat is None:
            self.stage.tick()
        deadline = time.monotonic() + LOST
        while time.monotonic() < deadline:
            if self._replace_dead():
                return False
            if self._looked_at() != before:
                return True
            time.sleep(GLANCE)
        self._check(self.books())
        return False

    def _looked_at(self) -> Any:
        return Account.objects.filter(pk=self.account.pk).values_list("looked_at", flat=True).get()

    def _replace_dead(self) -> bool:
        """Start anew what was killed. Nothing says so to the others, who may have to wait for what it held."""
        for role, process in self._living().items():
            if process.is_dead():
                self._died(role)
                self._start_anew(role)
                return True
        return False

    def _living(self) -> dict[str, Process]:
        """Whatever should be alive."""
        found = {"worker": self.worker, "web": self.stage.web, "beat": self.beat}
        return {role: process for role, process in found.items() if process is not None}

    def _start_anew(self, role: str) -> None:
        if role == "worker":
            self.worker = self._new_worker()
        elif role == "web":
            self.stage.web = self.stage.new_web()
        else:
            self.beat = self.stage.new_beat()
        self._alive_since = time.monotonic()

    def _died(self, role: str) -> None:
        kill, board = self.kills.get(self.step), self.stage.boards[role]
        if kill is None or kill.role != role or not board.is_armed:
            raise Broken(f"the {role} died by itself")
        board.disarm()
        self._buried(kill)

    def _buried(self, kill: Kill) -> None:
        self.result.struck.append((kill, self.stage.boards[kill.role].points()[-1]))

    # --- what must hold ---

    def _check(self, books: Books) -> None:
        self._insist(checks.while_it_runs(books, self.trades()))
        now = time.monotonic()
        if books.is_covered:
            self._naked_since = None
            return
        self._naked_since = max(self._naked_since or now, self._alive_since)
        self.result.naked = max(self.result.naked, now - self._naked_since)
        if now - self._naked_since > self.naked_at_most:
            raise Broken(f"{books.held} held for {self.naked_at_most:.0f} s with stops for {books.covered}")

    @staticmethod
    def _insist(found: Iterable[str]) -> None:
        if broken := list(found):
            raise Broken("; ".join(broken))

    def _standing(self, books: Books | None = None) -> tuple[Any, ...]:
        books = books or self.books()
        rows = Order.objects.filter(account=self.account).order_by("id").values_list("role", "status", "filled")
        trades = [(trade.status, trade.exit_reason, trade.mismatch_since) for trade in self.trades()]
        proofs = Canary.objects.filter(account=self.account).values_list("status", "cancel_at", "over_at")
        resting = sorted((str(order["id"]), str(order["filled"])) for order in books.resting)
        return books.held, resting, trades, list(rows), list(proofs)

    def _agrees(self, books: Books) -> bool:
        """Venue and database, while something is still to be looked after."""
        self.account.refresh_from_db()
        trades = self.trades()
        doubtful = Order.objects.filter(account=self.account, status__in=("unknown", "intended")).exists()
        if doubtful or self.account.trouble or any(trade.mismatch_since for trade in trades):
            return False
        if self._all_ended() or (books.is_flat and not books.resting):
            return False
        return books.is_covered and self._booked() == books.held and not self._owes_proof()

    def _is_over(self, books: Books) -> bool:
        """Nobody looks any more, and nothing is left to look after."""
        return self._all_ended() and books.is_flat and not books.resting and not self._owes_proof()

    def _owes_proof(self) -> bool:
        if not self.story.proves:
            return False
        rows = Canary.objects.filter(account=self.account)
        return not rows.exists() or rows.filter(over_at=None).exists()

    def _all_ended(self) -> bool:
        return all(trade.status in ("closed", "cancelled") for trade in self.trades())

    def _booked(self) -> Decimal:
        fills = Fill.objects.filter(trade__account=self.account)
        return sum((SIGNS[fill.order_side] * fill.quantity - fill.withheld for fill in fills), ZERO)

    # --- what may happen (`stories.Scene`) ---

    def open(self, **plan: Any) -> None:
        whole = {"symbol": self.symbol, "risk": {"money": "100"}, **plan}
        self._click("trades", {"account": self.account.pk, "plan": whole})

    def close(self, share: str, trade: int = 0) -> None:
        self._click(f"trades/{self.trades()[trade].pk}/close", {"share": share})

    def withdraw(self, trade: int = 0) -> None:
        self._click(f"trades/{self.trades()[trade].pk}/cancel", {})

    def go(self, *prices: str) -> None:
        for price in prices:
            self.hand.set_price(self.symbol, price)

    def fill(self, quantity: str) -> None:
        entry = next(order for order in self.books().resting if order in self.books().entries)
        self.hand.fill(self.key, quantity, order_id=entry["id"])

    def close_by_hand(self, share: str) -> None:
        self.hand.close(self.key, self.symbol, share)

    def cancel_all_by_hand(self) -> None:
        self.hand.cancel_all(self.key, self.symbol)

    def fund(self, rate: str) -> None:
        self.hand.fund(self.symbol, rate)

    def refuse_stops(self) -> None:
        path = STOP_PATHS[self.story.venue]
        self.hand.fault(
            "refuse", method="POST", path=path, code=-4045, message="Reach max stop order limit.", times=None
        )

    def _click(self, path: str, body: Mapping[str, Any]) -> None:
        """In a thread, since those who answer it may die meanwhile."""
        failed: list[BaseException] = []

        def click() -> None:
            try:
                self.stage.trader.post(path, body)
            except BaseException as error:  # noqa: BLE001  told by whoever waits
                failed.append(error)

        clicking, anew = Thread(target=click), False
        clicking.start()
        while clicking.is_alive():
            clicking.join(GLANCE)
            anew = self._replace_dead() or anew
            if anew or self.beat is not None:
                self._have_looked()
        if failed:
            raise Broken(str(failed[0]))

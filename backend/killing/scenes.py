"""The stories of `cuts`: what is taken away in which step of which trade."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING

from django.db import connections

from .line import State
from .processes import Process
from .run import NAKED_AT_MOST, Broken, Result, Run
from .stage import Stage
from .stories import STORIES, Story

if TYPE_CHECKING:
    from .cuts import Ground

AWAY = 2.0
"""Seconds for which something is away."""
WRITES = ("POST", "PUT", "DELETE")
ORDER, STOP, POSITIONS = "/fapi/v1/order", "/fapi/v1/algoOrder", "/fapi/v3/positionRisk"

Happens = Callable[[], None]
Mischief = Callable[["CutRun", Happens], None]


@dataclass(frozen=True)
class Cut:
    """`mischief` by step. `freezes_at`: the point at which the first worker stops."""

    name: str
    story: Story
    mischief: Mapping[int, Mischief] = field(default_factory=dict)
    freezes_at: str = ""


class CutRun(Run):
    """A run under a real beat, with something wrong on the way. `freeze`: seconds for which a worker stands still."""

    def __init__(self, stage: Stage, cut: Cut, ground: Ground, freeze: float, lease: float) -> None:
        super().__init__(stage, cut.story)
        self.cut, self.ground, self.freeze = cut, ground, freeze
        self.frozen: Process | None = None
        self.naked_at_most = NAKED_AT_MOST + (lease if cut.freezes_at else 0)

    def _begin(self) -> None:
        self.beat = self.stage.new_beat()
        self.worker = self.stage.new_worker(freezes_at=self.cut.freezes_at)

    def _play_step(self, happens: Callable[[Run], None]) -> None:
        for board in self.stage.boards.values():
            board.arm(0)
        mischief = self.cut.mischief.get(self.step)
        if mischief is None:
            happens(self)
        else:
            mischief(self, lambda: happens(self))
        self._alive_since = time.monotonic()
        self._come_to_rest()

    def _died(self, role: str) -> None:
        """Without its store a worker or a beat may end; the supervisor starts it again. What it held stays held."""
        if self.cut.name not in ("store-stopped", "flushed"):
            super()._died(role)

    def _clean_up(self) -> None:
        if self.frozen is not None:
            self.frozen.kill()
        super()._clean_up()

    def wait_for(self, what: str, so: Callable[[], bool], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not so():
            if time.monotonic() > deadline:
                raise Broken(f"it never came to that: {what}")
            time.sleep(0.02)

    def asked(self, method: str, path: str) -> int:
        """How often the venue was."""
        return sum((asked[0], asked[1]) == (method, path) for asked in self.hand.requests())

    def come_to_rest(self) -> None:
        self._come_to_rest()


def flushed(run: CutRun, happens: Happens) -> None:
    """The store forgets everything, twenty times a second, for a while."""
    until = time.monotonic() + AWAY

    def flush() -> None:
        while time.monotonic() < until:
            run.stage.flush()
            time.sleep(0.05)

    flushing = Thread(target=flush)
    flushing.start()
    happens()
    flushing.join()


def without_store(run: CutRun, happens: Happens) -> None:
    run.ground.valkey.stop()
    happens()
    time.sleep(AWAY)
    run.ground.valkey.start()


def without_network(state: State) -> Mischief:
    def mischief(run: CutRun, happens: Happens) -> None:
        run.ground.line.turn(state)
        happens()
        time.sleep(AWAY)
        run.ground.line.turn(State.WHOLE)

    return mischief


def database_restarts(method: str, path: str, *, answered: bool) -> Mischief:
    """While the venue takes its time over a request; `answered`: it has been carried out."""

    def mischief(run: CutRun, happens: Happens) -> None:
        already = run.asked(method, path)
        kind = "slow_after" if answered else "slow_before"
        run.hand.fault(kind, method=method, path=path, seconds=AWAY)
        happens()
        run.wait_for(f"{method} {path}", lambda: run.asked(method, path) > already)
        run.ground.postgres.restart()
        connections.close_all()

    return mischief


def frozen(run: CutRun, happens: Happens) -> None:
    """Another worker takes over when the lease has passed. The frozen one thaws, and must not change anything."""
    happens()
    sleeper = run.worker
    assert sleeper is not None
    run.wait_for(f"{run.cut.freezes_at} is where it freezes", lambda: sleeper.is_frozen)
    begun = time.monotonic()
    run.frozen, run.worker = sleeper, run.stage.new_worker("other")
    run.come_to_rest()
    time.sleep(max(0.0, run.freeze - (time.monotonic() - begun)))
    board = run.stage.boards["worker"]
    before = len(board.points())
    sleeper.thaw()
    run.wait_for("it goes on", lambda: len(board.points()) > before, seconds=20)
    time.sleep(1.0)
    sent = [name for name in board.points()[before:] if name.startswith(WRITES) and name.endswith("<")]
    if sent:
        raise Broken(f"thawed, it sent {sent}")


LADDER, AT_MARKET = STORIES[0], STORIES[5]
CUTS = (
    Cut("flushed", LADDER, dict.fromkeys(range(len(LADDER.steps)), flushed)),
    Cut("store-stopped", LADDER, dict.fromkeys((1, 3), without_store)),
    Cut("network-cut", LADDER, dict.fromkeys((1, 2, 3, 4), without_network(State.CUT))),
    Cut("network-deaf", LADDER, dict.fromkeys((1, 2, 3, 4), without_network(State.DEAF))),
    Cut(
        "database-restarted",
        LADDER,
        {
            1: database_restarts("GET", POSITIONS, answered=False),
            2: database_restarts("POST", STOP, answered=True),
            3: database_restarts("DELETE", STOP, answered=True),
        },
    ),
    Cut("frozen-before-entry", AT_MARKET, {0: frozen}, f"POST {ORDER}<"),
    Cut("frozen-after-entry", AT_MARKET, {0: frozen}, f"POST {ORDER}>"),
    Cut("frozen-before-stop", AT_MARKET, {0: frozen}, f"POST {STOP}<"),
)


def play(stage: Stage, cut: Cut, ground: Ground, freeze: float, lease: float) -> Result:
    return CutRun(stage, cut, ground, freeze, lease).play()

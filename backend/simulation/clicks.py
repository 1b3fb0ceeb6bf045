"""A browser of the trader's, and what it asks more than once: doubled clicks, and requests that are sent again.

What is doubled goes over HTTP, as far as the views' methods: keys, claims, problems and answers are the product's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from buddy.events.models import Event
from buddy.prepared import Select
from buddy.trading import views
from buddy.trading.models import Trade

from . import at_once
from .clock import SECOND
from .invariants import Broken
from .killing import Killed
from .story import CLICKED

if TYPE_CHECKING:
    from .world import World

WISHES = ("trade_opened", "plan_amended", "action")
"""Kinds of the events that a wish of the trader's is told by."""
_WISHED = Select(lambda account: Event.objects.filter(account_id=account, kind__in=WISHES).values_list("pk"))
_TRADE = Select(lambda trade: Trade.objects.filter(pk=trade))
STATEMENTS = 60
"""Of the first process, before one of which the second one comes; where there are fewer, it comes after it."""
STANDS_STILL = (0, 0, 0, 1, 6, 25, 50)
"""Seconds for which the first process is held up then; a claim is taken over after twenty."""
AGAIN_AFTER = (1, 3, 8, 22, 30)
"""Seconds after which a browser without an answer sends its request once more."""
REPEATS = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What a trader asks. `trade` None: for a new one. `before` and `after` each time that it is asked."""

    view: type[APIView]
    method: str
    body: dict[str, Any]
    directly: Callable[[], Trade]
    trade: int | None = None
    before: Callable[[], None] = lambda: None
    after: Callable[[Trade], None] = lambda trade: None

    def made(self) -> Trade:
        """Without a browser."""
        self.before()
        trade = self.directly()
        self.after(trade)
        return trade


def ask(world: World, number: int, wish: Wish) -> str:
    """Once, or as often as fate wants; what was answered."""
    kind = world.fates[number].takes(*CLICKED)
    if not kind:
        return f"trade {wish.made().pk}"
    told = _Browser(world, number, wish).asks(kind)
    return f"{kind}: {'; '.join(told)}"


def opens(account: int, plan: dict[str, Any], directly: Callable[[], Trade], after: Callable[[Trade], None]) -> Wish:
    return Wish(views.TradesView, "post", {"account": account, "plan": plan}, directly, after=after)


def amends(trade: int, plan: dict[str, Any], directly: Callable[[], Trade], before: Callable[[], None]) -> Wish:
    return Wish(views.PlanView, "patch", {"plan": plan}, directly, trade, before)


def closes(trade: int, share: str, directly: Callable[[], Trade]) -> Wish:
    return Wish(views.CloseView, "post", {"share": share}, directly, trade)


def withdraws(trade: int, directly: Callable[[], Trade]) -> Wish:
    return Wish(views.CancelView, "post", {}, directly, trade)


def breaks_even(trade: int, directly: Callable[[], Trade]) -> Wish:
    return Wish(views.BreakEvenView, "post", {}, directly, trade)


@dataclass
class _Browser:
    """`effects`: how often each key had its effect. `trades`: those that the answers of one key have named."""

    world: World
    number: int
    wish: Wish
    effects: Counter[str] = field(default_factory=Counter)
    trades: dict[str, set[int]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = Random(f"{self.world.story.seed} clicks {self.world.clock.now}")

    def asks(self, kind: str) -> list[str]:
        key = self._key()
        if kind == "repeated":
            self._without_answer(key, REPEATS)
        else:
            self._twice(key, key if kind == "doubled" else self._key())
        return self.told

    def _key(self) -> str:
        return f"key-{self.dice.getrandbits(64):016x}"

    def _twice(self, first: str, second: str) -> None:
        """By two processes: the second comes in the middle of the first, which may have been held up."""
        came: list[str] = []

        def meanwhile() -> None:
            came.append(second)
            self.world.stand_still(self.number, self.dice.choice(STANDS_STILL))
            with self.world.another_process():
                self._send(second)

        with self.world.executioner.interrupted(self.dice.randrange(STATEMENTS), meanwhile):
            self._send(first)
        if not came:
            self._send(second)

    def _without_answer(self, key: str, repeats: int) -> None:
        """Its answer is lost, whatever it was; so is a request whose process dies."""
        try:
            self._send(key)
        finally:
            if repeats:
                moment = self.world.clock.now + self.dice.choice(AGAIN_AFTER) * SECOND
                self.world.comes_again(moment, partial(self._again, key, repeats - 1))

    def _again(self, key: str, repeats: int) -> None:
        self.told.clear()
        self._without_answer(key, repeats)
        self.world.tell(f"[{self.number}] the request is repeated: {'; '.join(self.told)}")
        self.world.changes(self.number)

    def _send(self, key: str) -> None:
        before, other = self._wished(), sum(self.effects.values())
        try:
            status, answer = self._answered(key)
        except DatabaseError as error:  # the server answers 500
            status, answer = 500, {"detail": type(error).__name__}
        except Killed:
            self.told.append("killed")
            raise
        meanwhile = sum(self.effects.values()) - other
        self.effects[key] += self._wished() - before - meanwhile
        self._note(key, status, answer)

    def _answered(self, key: str) -> tuple[int, dict[str, Any]]:
        wish = self.wish
        post = getattr(APIRequestFactory(), wish.method)
        request = post("/", wish.body, format="json", headers={"Idempotency-Key": key})
        force_authenticate(request, user=self.world.owner)
        place = {} if wish.trade is None else {"key": wish.trade}
        wish.before()
        with self.world.as_web():
            response = wish.view.as_view()(request, **place)
        wish.before()
        return response.status_code, response.data

    def _wished(self) -> int:
        with self.world.executioner.aside():
            return len(_WISHED.rows(account=self.world.accounts[self.number]))

    def _note(self, key: str, status: int, answer: dict[str, Any]) -> None:
        detail = f"trade {answer['id']}" if status < 400 else answer.get("detail", "")
        self.told.append(f"{status} {detail}")
        if status < 400:
            self.trades.setdefault(key, set()).add(answer["id"])
            with self.world.executioner.aside():
                (trade,) = _TRADE.rows(trade=answer["id"])
                self.wish.after(trade)
        self.world.witnesses[self.number].seen += self._broken(key)

    def _broken(self, key: str) -> Iterable[Broken]:
        return at_once.one_effect(key, self.effects[key], len(self.trades.get(key, ())))

"""What management may do about the orders of one trade, and how it is carried out at a desk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from .errors import ExchangeError, Rejected, Temporary
from .exchange import OrderKind, OrderStatus, Refusal, Role
from .market import ZERO
from .wishes import Wish

IN_THE_WAY = "in the way"
"""Why an order is withdrawn by a swap: it locks the coins that another is to sell."""


class Working(NamedTuple):
    """One of our orders that rests, or may (INTENDED and UNKNOWN count: the same wish is not placed twice)."""

    client_id: str
    role: Role
    leg: int
    kind: OrderKind
    quantity: Decimal
    filled: Decimal = ZERO
    price: Decimal | None = None
    trigger: Decimal | None = None
    status: OrderStatus = OrderStatus.OPEN
    beside: Decimal | None = None

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    def satisfies(self, wish: Wish) -> bool:
        """Whether this order is the wished one; one whose trigger has fired already counts too."""
        if self.leg != wish.leg or self.remaining not in (wish.quantity, wish.quantity + wish.spare):
            return False
        if self._lies_at(wish, wish.price, wish.trigger):
            return True
        return wish.planned is not None and self._lies_at(wish, *wish.planned)

    def _lies_at(self, wish: Wish, price: Decimal | None, trigger: Decimal | None) -> bool:
        same_trigger = self.trigger == trigger or (wish.role is Role.ENTRY and self.trigger is None)
        return self.price == price and same_trigger


@dataclass(frozen=True, slots=True)
class Place:
    wish: Wish


@dataclass(frozen=True, slots=True)
class Cancel:
    working: Working
    reason: str


@dataclass(frozen=True, slots=True)
class Swap:
    """Withdraw what is `gone`, which locks coins, and place `wish` with them.

    It is placed only when all of `gone` is certain to be over and to have sold nothing more than was known. `back` is
    placed instead where the venue refuses it: no stop is given up for an order that does not come to be. `without` is
    placed instead where some of `gone` stays: coins that it does not lock wait for no cancellation to be protected.
    """

    gone: tuple[Working, ...]
    wish: Wish
    back: Wish | None = None
    without: Wish | None = None


Action = Place | Cancel | Swap


@dataclass(frozen=True, slots=True)
class Failure:
    """An action the venue refused, or whose outcome is unknown."""

    action: Action
    error: ExchangeError


class Desk(Protocol):
    """Where actions go: the ledger of one trade. All of them raise the `ExchangeError`s of the port."""

    def place(self, wish: Wish) -> object: ...

    def cancel(self, working: Working, reason: str) -> object: ...

    def withdraw(self, working: Working, reason: str) -> bool:
        """Cancel it for what is to be sold instead.

        True only when it is certain that the order is over and that nothing of it executed beyond `working.filled`.
        """
        ...


def carry_out(actions: Iterable[Action], desk: Desk) -> list[Failure]:
    """Each action in its own error scope; a stop refused because the price is beyond it becomes a close at market.

    Once a sale at market has failed that coins were freed for, no others are freed: they keep their stops.
    """
    failures, keeps = list[Failure](), False
    for action in actions:
        sells = isinstance(action, Swap) and action.wish.role is Role.CLOSE
        if keeps and sells:
            continue
        try:
            done = _act(action, desk)
        except ExchangeError as error:
            failures.append(Failure(action, error))
            done = False
        keeps |= sells and not done
    return failures


def _act(action: Action, desk: Desk) -> bool:
    """Whether it was carried out whole."""
    if isinstance(action, Place):
        _place(action.wish, desk)
    elif isinstance(action, Cancel):
        desk.cancel(action.working, action.reason)
    else:
        return _swap(action, desk)
    return True


def _swap(swap: Swap, desk: Desk) -> bool:
    try:
        all_gone = all(desk.withdraw(working, IN_THE_WAY) for working in swap.gone)
    except ExchangeError:  # and of nothing else: a process that is to end, or has lost the account, places nothing
        _place_without(swap, desk)
        raise
    if all_gone:
        _swap_in(swap, desk)
    else:
        _place_without(swap, desk)
    return all_gone


def _place_without(swap: Swap, desk: Desk) -> None:
    if swap.without is not None:
        _place(swap.without, desk)


def _swap_in(swap: Swap, desk: Desk) -> None:
    try:
        _place(swap.wish, desk)
    except (Rejected, Temporary):
        if swap.back is not None:
            desk.place(swap.back)
        raise


def _place(wish: Wish, desk: Desk) -> None:
    """Place it, or what protects as well: instead of a pair its stop, instead of a stop that is passed a close."""
    try:
        desk.place(wish)
    except Rejected as rejected:
        if wish.beside is not None:
            _place(wish._replace(beside=None, leg=0), desk)
        elif wish.role is Role.STOP and rejected.code == Refusal.WOULD_TRIGGER:
            desk.place(wish._replace(role=Role.CLOSE, leg=0, kind=OrderKind.MARKET, trigger=None))
        else:
            raise

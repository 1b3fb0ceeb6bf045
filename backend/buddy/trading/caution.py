"""When orders, position and executions disagree: what is done all the same, and when the trader is told.

A venue tells the three by different ways, and each may lag. Nothing is concluded from a disagreement; what is held
stays protected meanwhile, and what would be wrong if the other one were right waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from buddy.core.exchange import OrderStatus, Role
from buddy.core.manage import Action, Cancel, Place, Swap, Working
from buddy.core.market import ZERO
from buddy.events.models import Event

from . import protection, shut
from .case import Case
from .models import Order
from .moments import to_ms, wall_ms
from .states import LIVE, RESTING
from .telling import tell

LAG_MS = 10_000
"""A disagreement that lasts longer (wall clock) than a read may lag is told to the trader."""
TRIED_AGAIN_AFTER = timedelta(seconds=15)
"""A stop that is refused while the attached one holds."""
TOLD_WITHIN = timedelta(seconds=30)
"""An execution after the protection that came with it."""
NET_NOT_NEEDED = "our own protection rests"


def note_doubt(case: Case) -> None:
    """Write down since when orders, position and executions have disagreed; say so once when it lasts."""
    trade, doubts = case.trade, case.doubts
    since = (trade.mismatch_since or timezone.now()) if doubts else None
    if since != trade.mismatch_since:
        trade.mismatch_since = since
        with case.lease.writing():
            case.save("mismatch_since")
    elif since is not None and wall_ms() - to_ms(since) >= LAG_MS and not _was_told(case):
        with case.lease.writing():
            tell(trade, "notice", f"{doubts} Checking on.", case.market.time, doubt=True)


def _was_told(case: Case) -> bool:
    told = Event.objects.filter(trade_id=case.trade.pk, kind="notice", created_at__gte=case.trade.mismatch_since)
    return told.filter(data__doubt=True).exists()


def allowed(actions: Sequence[Action], case: Case, *, is_told_apart: bool = True) -> list[Action]:
    """Of what the plan asks for, what may be done now; with what becomes of attached protection.

    `is_told_apart`: no execution is told that an entry may be behind which is believed not to be there.
    """
    if not is_told_apart:
        actions = [action for action in actions if not _enters(action)]
    if not case.held and case.there and (not is_told_apart or _may_have_entered(case)):
        actions = [action for action in actions if not _takes_a_stop(action)]  # it may be for what is listed there
    if any(_is_exit(action) for action in actions) and shut.is_shut(case):
        actions = [action for action in actions if not _is_exit(action)]
    actions = [action for action in actions if not _is_over(action)]
    if case.gives_up_its_stop:
        actions = [action for action in actions if not _is_stop(action)]
    if case.shields:
        actions = [action for action in actions if not _takes_a_stop(action)]
    if case.doubts:
        actions = [action for action in actions if _is_harmless(action, actions, case)]
    if not case.attached:
        return list(actions)
    return [*_without_net(case), *(action for action in actions if not _is_left_to_the_net(action, case))]


def _enters(action: Action) -> bool:
    return isinstance(action, Place) and action.wish.role is Role.ENTRY


def _may_have_entered(case: Case) -> bool:
    """By an entry that the venue does not list, and could not be asked for."""
    return any(order.pk in case.unseen and order.role == Role.ENTRY for order in case.orders)


def _is_harmless(action: Action, actions: Sequence[Action], case: Case) -> bool:
    """Protecting what is held, leaving when asked to, and entering no more are right whoever lags."""
    if isinstance(action, Place):
        if action.wish.role is Role.STOP:
            return not case.is_covered
        return action.wish.role is Role.CLOSE and not case.has_unread_exits
    if isinstance(action, Swap):  # a stop is given up for nothing that may be wrong, but for leaving when asked to
        return action.wish.role is Role.CLOSE and not case.has_unread_exits
    if action.working.role is Role.ENTRY or not (case.held or case.possible):
        return True
    closing = any(isinstance(each, Place) and each.wish.role is Role.CLOSE for each in actions)
    return action.working.role is Role.TAKE_PROFIT and closing


def _without_net(case: Case) -> list[Cancel]:
    """Attached protection goes once our own stop rests, or when nothing is held any more."""
    over = not case.held and not case.doubts and (case.position.entered > 0 or _has_come_with_nothing(case))
    if not over and not (case.held and _is_seen_covered(case)):
        return []
    return [Cancel(working, NET_NOT_NEEDED) for working in case.net if over or not _may_catch_more(working, case)]


def _has_come_with_nothing(case: Case) -> bool:
    """It rests although no entry of this trade can have executed: it is another's, or of an execution never told."""
    may_enter = any(order.role == Role.ENTRY and order.status in LIVE for order in case.orders)
    before = timezone.now() - TOLD_WITHIN
    return not (may_enter or case.there) and all(order.created_at < before for order in case.attached)


def _is_seen_covered(case: Case) -> bool:
    """By stops of ours without those that the venue neither lists nor finds: a hand may have taken them away."""
    unseen = [o for o in case.orders if o.pk in case.unseen and o.role == Role.STOP and o.status in RESTING]
    return case.stopped - sum((o.quantity - o.filled for o in unseen), ZERO) >= case.protectable


def _may_catch_more(net: Working, case: Case) -> bool:
    """A stop that also covers what the rest of its entry fills with, before our own has grown to it.

    One that is tighter than our own is not what the plan asks for any more.
    """
    fills_on = any(order.role == Role.ENTRY and order.status == OrderStatus.PARTIAL for order in case.orders)
    own = case.live_stop
    if net.role is not Role.STOP or not fills_on or own is None or own.trigger is None or net.trigger is None:
        return False
    return not case.position.side.better(net.trigger, own.trigger)


def _is_over(action: Action) -> bool:
    """A cancel of what has ended by the venue's word, and is in hand because its executions are not told yet."""
    return isinstance(action, Cancel) and action.working.status.is_final


def _is_exit(action: Action) -> bool:
    """Whether it sends one."""
    return not isinstance(action, Cancel) and action.wish.role is not Role.ENTRY


def _is_stop(action: Action) -> bool:
    return not isinstance(action, Cancel) and action.wish.role is Role.STOP


def _takes_a_stop(action: Action) -> bool:
    return isinstance(action, Cancel) and action.working.role is Role.STOP


def _is_left_to_the_net(action: Action, case: Case) -> bool:
    """No target of ours beside an attached one: together they would sell more than is held.

    Nor is a stop sent over and over that was refused: the attached one holds, and ours is tried again in a while.
    """
    if not isinstance(action, Place):
        return False
    roles = {order.role for order in case.attached}
    if action.wish.role is Role.STOP:
        return Role.STOP in roles and _refusals(case, action) >= protection.REFUSALS_AT_MOST
    return action.wish.role is Role.TAKE_PROFIT and Role.TAKE_PROFIT in roles


def _refusals(case: Case, action: Place) -> int:
    lately = timezone.now() - TRIED_AGAIN_AFTER
    refused = Order.objects.filter(
        trade=case.trade, role=Role.STOP, status=OrderStatus.REJECTED, created_at__gte=lately
    )
    return refused.filter(trigger=action.wish.trigger, quantity=action.wish.quantity).count()

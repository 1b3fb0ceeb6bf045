"""When an order that a venue does not show is believed not to be there, so that the same wish may be sent again."""

from __future__ import annotations

from buddy.core.exchange import Profile, Role
from buddy.core.holding import Directives
from buddy.core.market import ZERO

from .models import Order
from .moments import wall_ms
from .recognition import ARRIVED, is_missed
from .states import ABSENT, DOUBTFUL

RECEIVE_WINDOW_MS = 5_000
"""How long after it was sent a venue may still accept an order that it has not answered."""
STOP_AGAIN_MS = 600
LISTS_MAY_LACK = 3
"""So many times as long as they may lag lists are believed to lack an entry that has no name: two would be doubled."""


def since(order: Order) -> int:
    """Since when it is absent; what could still arrive then may have done so since, but a stop cannot wait."""
    now = wall_ms()
    absent = int(order.raw.get(ABSENT, now))
    if order.status not in DOUBTFUL or is_missed(order):
        return absent
    return now if absent < int(order.raw.get("sent_at", 0)) + RECEIVE_WINDOW_MS <= now else absent


def is_proven(order: Order, profile: Profile, *, has_name: bool, is_alone: bool) -> bool:
    """Seen absent twice, longer apart than a read may lag, and too late to be accepted any more.

    `has_name`: it can be asked for. `is_alone`: beside its coins the trader has none of his own.

    A stop does not wait that long: a position without one is worse than a second stop, which a venue refuses under
    the same name, and which can close nothing twice. On spot it could sell coins of the trader's own, if the first
    had executed meanwhile: there it waits until that one cannot be accepted any more; and where all is to leave, so
    that no second stop would tell, as long as anything else, unless he has none: then the venue sells nothing that
    the first locks. Where the venue has refused the name as used, it has the first.

    An entry that can be found in lists only waits longest: nothing is lost but time.
    """
    if not profile.settle_ms:
        return True
    now = wall_ms()
    apart, age = now - since(order), now - int(order.raw.get("sent_at", 0))
    is_leaving = profile.exits.is_spot and Directives.read(order.trade.directives).reduce_to == ZERO and not is_alone
    if is_missed(order) and ARRIVED not in order.raw and not is_leaving:
        in_time = profile.exits.is_spot and age < RECEIVE_WINDOW_MS
        return apart >= min(profile.settle_ms, STOP_AGAIN_MS) and not in_time
    patience = profile.settle_ms * (1 if has_name or order.role != Role.ENTRY else LISTS_MAY_LACK)
    expired = age >= profile.settle_ms + RECEIVE_WINDOW_MS
    return apart >= patience and (expired or order.status not in DOUBTFUL)

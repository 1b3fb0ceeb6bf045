"""Which trades are worked on, and which orders may still be at the venue."""

from __future__ import annotations

from buddy.core.exchange import OrderStatus

from .models import Trade

WORKING = (Trade.Status.PENDING, Trade.Status.OPEN)
DOUBTFUL = (OrderStatus.INTENDED, OrderStatus.UNKNOWN)
"""Written down, and not known to be at the venue."""
RESTING = (OrderStatus.OPEN, OrderStatus.PARTIAL)
LIVE = (*DOUBTFUL, *RESTING)
DECLINED = (OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED)
ABSENT = "absent_since"
"""In the raw of an order: since when (ms, wall clock) the venue has not found it."""
ASKED_TO_GO = "asked_to_go"
"""In the raw of an order: when (ms, wall clock) the venue was last asked to cancel it."""
REFUSED_AS = "refused_as"
"""In the raw of an order: the code of the venue's refusal."""

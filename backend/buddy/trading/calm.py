"""Whether anything of a trade waits for more than an event of its venue: then its account is looked at without rest."""

from __future__ import annotations

from buddy.core.watching import Watch, interest

from .case import Case
from .states import DOUBTFUL


def is_calm(case: Case) -> bool:
    """All that is held is covered by stops of ours, and no price or time would change what should rest.

    An entry that may still fill is not calm: what fills of it needs its stop at once, whoever tells of it. Nor are
    coins that are being sold at a target: they need theirs again when the price goes.
    """
    if case.entry_is_open or case.doubts or case.attached or case.leaving or not case.is_covered:
        return False
    if any(order.status in DOUBTFUL for order in case.orders):
        return False
    return case.trade.hands_off or interest(case.position, case.market, exits=case.exits) == Watch()

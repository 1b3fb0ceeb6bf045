"""How an adopted position came to be: by the executions that were read, also by those that are told after the adoption.

Its entry stands in the books as one execution. What a hand had executed before is in it, so such executions belong to
nobody (`booking`), and once they explain all of what was adopted, its average and its fees are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet
from django.utils import timezone

from buddy.core.market import ZERO, Instrument, OrderSide, Side
from buddy.exchanges.models import Account
from buddy.prepared import Select

from .figures import kept
from .models import Fill, Order, Trade
from .moments import at
from .states import WORKING
from .telling import hint, tell, text

MARK, UNTIL = "adopted", "adopted_until"
"""In the raw of the order that stands for the entry: that it is one, and the moment (ms) up to which it knows."""
PREFIX = "adopted-"
STILL_TOLD = timedelta(hours=1)
_ADOPTED = Select(
    lambda account, since: Order.objects.filter(account_id=account, created_at__gte=since, raw__has_key=UNTIL)
)


@dataclass(frozen=True, slots=True)
class Entered:
    """How a position came to be, as far as it is known."""

    average: Decimal
    fees: Decimal
    since: datetime


def fill_id(client_id: str) -> str:
    """Of the execution that stands for the entry."""
    return f"{PREFIX}{client_id}"


def entries(account: Account, symbols: Iterable[str]) -> list[Order]:
    """Entries that were adopted not long ago."""
    wanted, since = set(symbols), timezone.now() - STILL_TOLD
    return [order for order in _ADOPTED.rows(account=account.pk, since=since) if order.symbol in wanted]


def known_until(orders: Iterable[Order]) -> dict[str, int]:
    """By symbol: the moment (ms) up to which executions of a hand are in an adopted entry already."""
    until: dict[str, int] = {}
    for order in orders:
        until[order.symbol] = max(until.get(order.symbol, 0), int(order.raw[UNTIL]))
    return until


def entry_of(
    account: Account, symbol: str, side: Side, quantity: Decimal, instrument: Instrument, until: datetime
) -> Entered | None:
    """From the executions that were nobody's; None where they do not explain all of `quantity`."""
    held, weight, fees, since = ZERO, ZERO, ZERO, None
    strangers = Fill.objects.filter(account=account, symbol=symbol, trade=None, time__lte=until)
    for fill in strangers.order_by("time", "id"):
        if fill.order_side == side.entry_order_side:
            since = since if held else fill.time
            bought = fill.quantity * fill.price if instrument.linear else fill.quantity / fill.price
            held, weight, fees = held + fill.quantity, weight + bought, fees + fill.fee
        elif held:
            left = max(held - fill.quantity, ZERO)
            held, weight, fees = left, weight * left / held, fees * left / held
    if held != quantity or since is None:
        return None
    return Entered(kept(weight / held if instrument.linear else held / weight), kept(fees), since)


def nobodys_executions(trade: Trade, since: datetime | None = None) -> Decimal:
    """Signed contracts of its symbol that were executed for nobody here (from `since` on), without what was adopted."""
    here = Fill.objects.filter(account_id=trade.account_id, symbol=trade.symbol).order_by()
    here = here.filter(time__gte=since) if since is not None else here
    return _signed(here.filter(trade=None)) - _signed(here.filter(fill_id__startswith=PREFIX))


def _signed(rows: QuerySet[Fill]) -> Decimal:
    ways = rows.values_list("order_side", "quantity")
    return sum((quantity if way == OrderSide.BUY else -quantity for way, quantity in ways), ZERO)


def explain(orders: Iterable[Order], instruments: Mapping[str, Instrument]) -> set[int]:
    """Bring adopted entries up to what has been told since; the trades of those that changed.

    Call inside the transaction that booked it.
    """
    return {order.trade_id for order in orders if order.symbol in instruments and _explain(order, instruments)}


def _explain(order: Order, instruments: Mapping[str, Instrument]) -> bool:
    trade, fill = order.trade, Fill.objects.filter(order=order, fill_id=fill_id(order.client_id)).first()
    if fill is None:
        return False
    side, until = Side(trade.side), at(int(order.raw[UNTIL]))
    known = entry_of(trade.account, order.symbol, side, fill.quantity, instruments[order.symbol], until)
    if known is None or (known.average, known.fees, known.since) == (fill.price, fill.fee, fill.time):
        return False
    fill.price, fill.fee, fill.time = known.average, known.fees, known.since
    fill.save(update_fields=["price", "fee", "time"])
    opened = Trade.objects.filter(pk=trade.pk)
    opened.update(opened_at=known.since)
    opened.filter(status__in=WORKING).exclude(initial_risk=ZERO).update(initial_risk=None)  # measured again
    sentence = f"The exchange told how this position was entered: at {text(known.average)}, fees {text(known.fees)}."
    tell(trade, "notice", sentence, int(order.raw[UNTIL]))
    hint(trade)
    return True

"""Executions that a venue says happened and never tells: after a while its order's own record is booked instead.

Without them a trade could never end. What is booked so is marked, its fee is estimated from the account's rates, and
each execution that is told later takes its place (`records.make_way`).
"""

from __future__ import annotations

from decimal import Decimal, localcontext

from buddy.core import exchange as port
from buddy.core.costs import PRECISE
from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Liquidity, OrderKind, OrderState
from buddy.core.market import ZERO, OrderSide

from . import booking, books, records
from .case import Case
from .figures import kept
from .ledger import Ledger
from .models import Order
from .moments import to_ms, wall_ms
from .telling import tell, text

AFTER_MS = 60_000
"""How long (wall clock) executions may be missing; by then a venue has told them, or will not."""


def settle(case: Case, ledger: Ledger) -> bool:
    """Book what the orders' own records say of executions that stay away; whether there was any.

    Not on spot: a record does not say how many coins were kept as the fee of a purchase.
    """
    if ledger.exchange.profile.exits.is_spot:
        return False
    since = case.trade.mismatch_since
    if since is None or wall_ms() - to_ms(since) < AFTER_MS or not case.unread:
        return False
    fills = [fill for order in case.unread if (fill := _from_record(order, case, ledger)) is not None]
    if not fills:
        return False
    ledger.book_records(fills)
    case.trade.mismatch_since = None
    with case.lease.writing():
        case.save("mismatch_since")
        for fill in fills:
            _say(fill, case)
    return True


def _from_record(order: Order, case: Case, ledger: Ledger) -> port.Fill | None:
    """What is missing of one order as one execution; None where its record does not suffice."""
    try:
        state = ledger.exchange.find(books.ref_of(order))
    except CouldNotRead:
        return None
    price = None if state is None or state.filled != order.filled else _price(order, state)
    if price is None:
        return None
    quantity = order.filled - booking.told_of([order.pk])[order.pk]
    liquidity = Liquidity.MAKER if order.kind == OrderKind.LIMIT else Liquidity.TAKER
    costs, instrument = books.costs_of(ledger.account), case.position.instrument
    rate = costs.maker if liquidity is Liquidity.MAKER else costs.taker
    return port.Fill(
        fill_id=f"{records.RECORD}{order.client_id}-{wall_ms()}",
        exchange_id=order.exchange_id,
        client_id=order.client_id,
        symbol=order.symbol,
        order_side=OrderSide(order.order_side),
        price=price,
        quantity=quantity,
        fee=kept(instrument.notional(price, quantity) * rate),
        liquidity=liquidity,
        time=to_ms(order.closed_at) if order.closed_at else case.market.time,
        raw={"average": text(state.average) if state and state.average else None, "limit": text(order.price)},
    )


def _price(order: Order, state: OrderState) -> Decimal | None:
    """Of what has not been told, so that with what has been all of it has the average that the venue tells.

    Without an average a limit order's own price is the worst it can have been.
    """
    if state.average is None:
        limit: Decimal | None = order.price
        return limit
    told = records.executions_of(order)
    with localcontext(PRECISE):
        rest = order.filled - sum((quantity for quantity, _ in told), ZERO)
        value = state.average * order.filled - sum((quantity * price for quantity, price in told), ZERO)
        return kept(value / rest) if rest > 0 and value > 0 else state.average


def _say(fill: port.Fill, case: Case) -> None:
    what = f"{fill.order_side.value} {text(fill.quantity)} at {text(case.position.instrument.round_price(fill.price))}"
    sentence = (
        f"The exchange says that an order has executed ({what}), and does not tell the executions. What the order says "
        "is counted until it does; its fee is an estimate."
    )
    tell(case.trade, "notice", sentence, case.market.time, from_record=True)

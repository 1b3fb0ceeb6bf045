"""What must hold while a story runs and when it has ended: venue, database and journal say the same."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from buddy.core.exchange import OrderStatus, Role
from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.trading.models import Canary, Fill, ForeignPosition, Order, Trade

from .stories import Story
from .venue_books import OURS, ZERO, Books

EXACT = Decimal("1e-8")
OPEN_ENDS = (OrderStatus.INTENDED, OrderStatus.UNKNOWN, OrderStatus.OPEN, OrderStatus.PARTIAL)


def while_it_runs(books: Books, trades: list[Trade]) -> Iterator[str]:
    """What may not be at any moment. That a stop is missing has its patience elsewhere."""
    yield from (f"{name} was accepted twice" for name in sorted(books.names_taken_twice()))
    if not books.is_spot and any(not order["wish"]["reduce_only"] for order in books.exits):
        yield "a stop could open a position"
    if books.is_spot and books.held < ZERO:
        yield f"{-books.held} of the trader's own coins were sold"
    asked = sum((Decimal(quantity) for trade in trades for quantity in trade.quantities), ZERO)
    entered = sum((Decimal(order["quantity"]) for order in books.entries), ZERO)
    if entered > asked and trades:
        yield f"entries of {entered} were accepted where {asked} was asked for"
    if len(books.proofs) > 1:
        yield f"{len(books.proofs)} orders were accepted to prove one"


def at_rest(books: Books) -> Iterator[str]:
    """What may not be once a look has had its time: I3. Until then a target that is too large only reduces."""
    if not books.is_spot and books.targets > abs(books.held):
        yield f"targets of {books.targets} where {books.held} is held"


def when_it_ended(story: Story, account: Account, books: Books, opening: Decimal, told: list[Any]) -> Iterator[str]:
    """`told`: each trade as the API tells it, in the order of opening."""
    trades = list(Trade.objects.filter(account=account).order_by("id"))
    ends = tuple((trade.status, trade.exit_reason or trade.withdrawal) for trade in trades)
    if ends != story.ends:
        yield f"it ended as {ends}"
    if not books.is_flat or books.resting:
        yield f"the venue holds {books.held}, and {len(books.resting)} orders rest"
    yield from _orders(account, books)
    yield from _proof(story, account, books)
    yield from _fills(account, books, trades)
    yield from _money(account, books, trades, opening)
    yield from _journal(trades, told)


def _orders(account: Account, books: Books) -> Iterator[str]:
    rows = list(Order.objects.filter(account=account))
    for order in rows:
        if order.status in OPEN_ENDS:
            yield f"{order.role} {order.client_id} is {order.status} in the end"
    known = {order.client_id for order in rows}
    strangers = {order["client_id"] for order in books.orders if order["client_id"].startswith(OURS)} - known
    yield from (f"no row stands for {name}" for name in sorted(strangers))
    accepted = {order["client_id"] for order in books.entries}
    legs = [(order.trade_id, order.leg) for order in rows if order.role == Role.ENTRY and order.client_id in accepted]
    yield from (f"leg {leg} entered twice" for leg in sorted(set(legs)) if legs.count(leg) > 1)


def _proof(story: Story, account: Account, books: Books) -> Iterator[str]:
    """One that never arrived has proven nothing, and is told so."""
    outcomes = list(Canary.objects.filter(account=account).values_list("outcome", flat=True))
    expected = [Canary.Outcome.PROVED if books.proofs else Canary.Outcome.FAILED] if story.proves else []
    if outcomes != expected:
        yield f"{len(books.proofs)} orders were accepted to prove placing, and written down as {outcomes}"
    told = Event.objects.filter(account_id=account.pk, kind__in=("order_proved", "order_unproven")).count()
    if told != len(expected):
        yield f"what an order proved was told {told} times"


def _fills(account: Account, books: Books, trades: list[Trade]) -> Iterator[str]:
    rows = list(Fill.objects.filter(account=account))
    if len(rows) != len(books.executions):
        yield f"{len(rows)} executions are booked where the venue knows {len(books.executions)}"
    if any(fill.trade_id is None for fill in rows):
        yield "an execution is nobody's"
    if any(fill.from_record for fill in rows):
        yield "an execution was made up from a record"
    if ForeignPosition.objects.filter(account=account, confirmed=True).exists():  # one first sight is no finding
        yield "a position is nobody's"


def _money(account: Account, books: Books, trades: list[Trade], opening: Decimal) -> Iterator[str]:
    net, fees = (sum((getattr(trade, name) or ZERO for trade in trades), ZERO) for name in ("net", "fees"))
    earned = books.wallet - opening
    if books.is_spot:
        earned += _cost_of_rest(account, books)
    if abs(net - earned) > EXACT:
        yield f"the journal says {net} where the venue's wallet says {earned}"
    if not books.is_spot and abs(fees - books.fees) > EXACT:
        yield f"fees of {fees} where the venue took {books.fees}"


def _cost_of_rest(account: Account, books: Books) -> Decimal:
    bought = [fill for fill in Fill.objects.filter(account=account) if fill.order_side == "buy"]
    came = sum((fill.quantity - fill.withheld for fill in bought), ZERO)
    cost = sum(((fill.quantity - fill.withheld) * fill.price for fill in bought), ZERO)
    return cost * books.held / came if came else ZERO


def _journal(trades: list[Trade], told: list[Any]) -> Iterator[str]:
    for trade, shown in zip(trades, told, strict=True):
        kinds = list(Event.objects.filter(trade_id=trade.pk).values_list("kind", flat=True))
        ending = "trade_closed" if trade.status == Trade.Status.CLOSED else "entry_withdrawn"
        if kinds.count("trade_opened") != 1 or kinds.count(ending) != 1:
            yield f"trade {trade.pk} was told as {kinds}"
        if trade.status == Trade.Status.CLOSED and (shown["net"] is None or Decimal(shown["net"]) != trade.net):
            yield f"the API says {shown['net']} of trade {trade.pk}, its row {trade.net}"

"""A position that was nobody's becomes a trade: managed from then on, or closed at once by the same means."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from buddy.core.costs import loss_at_stop
from buddy.core.errors import Fault, InvalidPlan
from buddy.core.exchange import Liquidity, OrderKind, OrderStatus, Role
from buddy.core.market import ONE, ZERO, Instrument, Side
from buddy.core.plan import Plan
from buddy.core.plan_document import read_plan
from buddy.core.position import Cause, Directives
from buddy.exchanges.models import Account

from . import adopted, books
from .adopted import Entered
from .claims import Claim
from .client_ids import new_client_id
from .executor import Bench, NotNow, again, at_bench, bind, insisting_on_a_market, warm
from .models import Fill, ForeignPosition, Order, Trade
from .moments import OUR_CLOCKS, at
from .telling import hint, hint_account, tell, text

SOURCE = "adopted"
WHILE_CLOSING = Decimal("0.05")
"""How far from the price, as a fraction of it, a stop lies that protects what is being closed."""


def ignore(row: ForeignPosition, on: bool) -> ForeignPosition:
    """Leave it to the trader's own hand, or think of it again."""
    row.ignored = on
    row.save(update_fields=["ignored"])
    return row


def adopt(account: Account, key: int, wanted: Mapping[str, Any], *, claim: Claim | None = None) -> Trade:
    """A whole trade of it, with the stop that the trader names. Raises InvalidPlan, NotNow or Temporary."""
    warm(account)
    with at_bench(account.pk) as bench:
        row = _row(account, key)
        instrument, last = _market(bench, row)
        document = _document(row) | {name: value for name, value in wanted.items() if value is not None}
        plan = read_plan(document, instrument, reference_price=row.average_entry, entered=True)
        _not_beyond(plan, last)
        trade = _write(bench, row, plan, instrument, claim, f"You adopted {_what(row)}.")
        bench.look()
    return again(trade)


def close(account: Account, key: int, *, claim: Claim | None = None) -> Trade:
    """Leave it at market: as a trade, so that nothing is sent twice or lost, but without R."""
    warm(account)
    with at_bench(account.pk) as bench:
        row = _row(account, key)
        instrument, last = _market(bench, row)
        side = Side(row.side)
        stop = instrument.round_stop(side, last * (ONE - side.sign * WHILE_CLOSING))
        document = _document(row) | {"stop": {"price": text(stop)}}
        plan = read_plan(document, instrument, reference_price=row.average_entry, entered=True)
        leave = Directives(reduce_to=ZERO, close_cause=Cause.MANUAL).document()
        sentence = f"You closed {_what(row)} at market."
        trade = _write(bench, row, plan, instrument, claim, sentence, directives=leave, initial_risk=ZERO)
        bench.look()
    return again(trade)


def _row(account: Account, key: int) -> ForeignPosition:
    row = ForeignPosition.objects.filter(account=account, pk=key, confirmed=True, gone_since=None).first()
    if row is None:
        raise NotNow("This position is not there any more.")
    return row


def _market(bench: Bench, row: ForeignPosition) -> tuple[Instrument, Decimal]:
    with insisting_on_a_market():
        return bench.exchange.instrument(row.symbol), bench.source.quote(row.symbol).last


def _what(row: ForeignPosition) -> str:
    return f"{row.side} {text(row.quantity)} {row.symbol}"


def _document(row: ForeignPosition) -> dict[str, Any]:
    document: dict[str, Any] = {"symbol": row.symbol, "side": row.side, "entries": [{"kind": "market"}]}
    document["risk"] = {"quantity": text(row.quantity)}
    return document | ({"margin_mode": row.margin_mode} if row.margin_mode else {})


def _not_beyond(plan: Plan, last: Decimal) -> None:
    if not plan.side.better(last, plan.stop_price):
        message = f"The price, {last:f}, is already beyond that stop: it would close at once."
        raise InvalidPlan([Fault("stop.price", message, "Choose another price, or close it.", "beyond_stop")])


def _write(
    bench: Bench,
    row: ForeignPosition,
    plan: Plan,
    instrument: Instrument,
    claim: Claim | None,
    sentence: str,
    **values: Any,
) -> Trade:
    """The trade, its entry as one execution, and what the trader is told, in one transaction."""
    now = bench.now()
    until = now + OUR_CLOCKS  # what is beyond the venue's position counts as new
    side, unknown = Side(row.side), Entered(row.average_entry, ZERO, row.first_seen)
    entered = adopted.entry_of(bench.account, row.symbol, side, row.quantity, instrument, at(until)) or unknown
    with transaction.atomic():
        bench.lease.keep()
        trade = _trade(bench, row, plan, instrument, entered, now, values)
        _enter(trade, row, entered, until)
        row.delete()
        tell(trade, "trade_opened", sentence, now, quantity=text(row.quantity), adopted=True)
        hint(trade)
        hint_account(bench.account)
        bind(claim, trade)
    return trade


def _trade(
    bench: Bench,
    row: ForeignPosition,
    plan: Plan,
    instrument: Instrument,
    entered: Entered,
    now: int,
    values: dict[str, Any],
) -> Trade:
    document, account = plan.document(), bench.account
    costs = books.costs_of(account)
    loss = loss_at_stop(plan.side, instrument, entered.average, plan.stop_price, row.quantity, costs, ZERO)
    return Trade.objects.create(
        owner_id=account.owner_id,
        account=account,
        symbol=row.symbol,
        side=row.side,
        source=SOURCE,
        status=Trade.Status.OPEN,
        first_plan=document,
        plan=document,
        quantities=[text(row.quantity)],
        leverage=row.leverage or ONE,
        margin_mode=plan.margin_mode,
        asked_risk=max(loss.total, ZERO),
        first_stop=plan.stop_price,
        contract_size=instrument.contract_size,
        asked_at=at(now),
        opened_at=entered.since,
        **values,
    )


def _enter(trade: Trade, row: ForeignPosition, entered: Entered, until: int) -> None:
    """The entry as if it had been an order of ours; it never was at the venue under this name."""
    side, name = Side(row.side).entry_order_side, new_client_id()
    order = Order.objects.create(
        account=row.account,
        trade=trade,
        client_id=name,
        symbol=row.symbol,
        role=Role.ENTRY,
        order_side=side,
        kind=OrderKind.MARKET,
        quantity=row.quantity,
        filled=row.quantity,
        status=OrderStatus.FILLED,
        reason=Cause.ENTRY,
        placed_at=entered.since,
        closed_at=entered.since,
        raw={adopted.MARK: True, adopted.UNTIL: until},
    )
    Fill.objects.create(
        account=row.account,
        trade=trade,
        order=order,
        fill_id=adopted.fill_id(name),
        symbol=row.symbol,
        order_side=side,
        price=entered.average,
        quantity=row.quantity,
        fee=entered.fees,
        liquidity=Liquidity.TAKER,
        time=entered.since,
        raw={"adopted": True},
    )

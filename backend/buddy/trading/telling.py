"""What the timeline says: one plain sentence per thing that happened, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from buddy.core.errors import Rejected
from buddy.core.exchange import Role
from buddy.core.market import ZERO, Instrument
from buddy.core.position import Cause
from buddy.events import live
from buddy.events.record import record
from buddy.exchanges.models import Account
from buddy.prepared import Select

from .models import Fill, Order, Trade
from .moments import to_ms

_STOP_BEFORE = Select(
    lambda trade, order: (
        Order.objects.filter(trade_id=trade, role=Role.STOP, pk__lt=order, placed_at__isnull=False, is_attached=False)
        .order_by("-pk")[:1]
        .values_list("trigger")
    )
)

CAUSES = {
    Cause.STOP_LOSS: "stop loss",
    Cause.BREAK_EVEN: "break-even",
    Cause.STEP: "step",
    Cause.TRAILING_STOP: "trailing stop",
    Cause.TAKE_PROFIT: "take profit",
    Cause.TIME: "time is up",
    Cause.MANUAL: "by hand",
    Cause.HALT: "halt",
    Cause.UNPROTECTED: "no stop could be placed",
    Cause.LIQUIDATION: "liquidation",
    Cause.EXTERNAL: "outside this desk",
}
WITHDRAWALS = {
    "missed": "the price ran to the target without us",
    "invalidated": "the price broke the idea first",
    "expired": "its time was up",
    "manual": "by hand",
    "rejected": "the exchange refused it",
    "stale": "it could not be sent in time",
}


def tell(trade: Trade, kind: str, text: str, time_ms: int, **data: Any) -> None:
    """An Event of this trade."""
    record(
        owner_id=trade.owner_id,
        kind=kind,
        text=text[:500],
        data=data,
        account_id=trade.account_id,
        trade_id=trade.pk,
        time_ms=time_ms,
    )


def tell_account(account: Account, kind: str, text: str, time_ms: int, **data: Any) -> None:
    record(owner_id=account.owner_id, kind=kind, text=text[:500], data=data, account_id=account.pk, time_ms=time_ms)


def hint(trade: Trade) -> None:
    """The trade looks different now: after the commit, whoever shows it should fetch it again."""
    owner, frame = trade.owner_id, {"trade": trade.pk, "account": trade.account_id, "version": trade.plan_version}
    transaction.on_commit(lambda: live.publish(owner, "trade", frame))


def hint_account(account: Account) -> None:
    owner, frame = account.owner_id, {"account": account.pk}
    transaction.on_commit(lambda: live.publish(owner, "account", frame))


def tell_fills(new: Sequence[Fill], working: Sequence[Trade], instruments: Mapping[str, Instrument]) -> None:
    """One sentence per order that executed, or per execution that was not ours."""
    if not new:
        return
    groups: dict[tuple[int, int | str], list[Fill]] = {}
    for fill in new:
        if fill.trade_id:
            groups.setdefault((fill.trade_id, fill.order_id or fill.fill_id), []).append(fill)
    trades = {trade.pk: trade for trade in working}
    over = {trade_id for trade_id, _ in groups} - trades.keys()
    trades |= Trade.objects.in_bulk(over)
    for (trade_id, _), fills in groups.items():
        trade = trades[trade_id]
        _tell_execution(trade, instruments[fills[0].symbol], fills[0].order, fills)


def _tell_execution(trade: Trade, instrument: Instrument, order: Order | None, fills: Sequence[Fill]) -> None:
    """The sentence says the average to the tick, to be read; the figures beside it keep every digit."""
    quantity = sum((fill.quantity for fill in fills), ZERO)
    price = sum((fill.quantity * fill.price for fill in fills), ZERO) / quantity
    kind, what = _execution(trade, order, fills[-1])
    figures = {"price": text(price), "quantity": text(quantity), "leg": order.leg if order else None}
    tell(
        trade,
        kind,
        f"{what}: {text(quantity)} at {text(instrument.round_price(price))}.",
        to_ms(fills[-1].time),
        **figures,
    )


def _execution(trade: Trade, order: Order | None, fill: Fill) -> tuple[str, str]:
    """The event's kind and the first words of its sentence."""
    if fill.liquidation:
        return "liquidated", "Liquidated"
    if order is None:
        return "external_fill", f"Executed outside this desk ({fill.order_side})"
    part = "" if order.filled >= order.quantity else " in part"
    if order.role == Role.ENTRY:
        return "entry_filled", f"Entry filled{part}"
    if order.role == Role.TAKE_PROFIT:
        return "target_filled", f"Target {order.leg + 1} filled{part}"
    if order.role == Role.STOP:
        return "stop_filled", f"Stopped out{part} ({CAUSES.get(Cause(order.reason), order.reason)})"
    return "close_filled", f"Closed at market{part} ({CAUSES.get(Cause(order.reason), order.reason)})"


def tell_placed(order: Order, time_ms: int) -> None:
    """A stop that is live for the first time, or at another price than the one before."""
    if order.role != Role.STOP:
        return
    found = _STOP_BEFORE.first(trade=order.trade_id, order=order.pk)
    cause = CAUSES.get(Cause(order.reason), order.reason)
    if found is None:
        tell(order.trade, "stop_placed", f"Stop placed at {text(order.trigger)}.", time_ms, to=text(order.trigger))
    elif found[0] != order.trigger:
        figures = {"from": text(found[0]), "to": text(order.trigger), "cause": order.reason}
        sentence = f"Stop moved from {text(found[0])} to {text(order.trigger)} ({cause})."
        tell(order.trade, "stop_moved", sentence, time_ms, **figures)


def tell_refused(order: Order, refusal: Rejected, time_ms: int) -> None:
    name = order.role.replace("_", " ")
    sentence = f"The exchange refused the {name}: {refusal}"
    tell(order.trade, "order_rejected", sentence, time_ms, code=refusal.code, role=order.role, leg=order.leg)


def text(value: Decimal | None) -> str:
    """Plain decimal text, at most 12 significant decimals that matter; "—" for nothing."""
    if value is None:
        return "—"
    plain = format(value.quantize(Decimal("1e-12")) if value.as_tuple().exponent < -12 else value, "f")  # type: ignore[operator]
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def signed(value: Decimal) -> str:
    """Money as a sentence says it."""
    return f"{value.quantize(Decimal('0.01')):+f}"

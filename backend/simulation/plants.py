"""Bugs of ours to be, switched on one at a time: what the simulation does not find of these proves nothing.

The first sixteen are those of the predecessor (RELIABILITY, section 1), as they would look in this product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from typing import Any
from unittest.mock import patch

from django.core.cache import cache

from buddy.core import actions, holding, manage, position, stops
from buddy.core.errors import OutcomeUnknown, Rejected
from buddy.core.exchange import OrderRef, OrderStatus, Role
from buddy.core.manage import Cancel, Place
from buddy.core.market import ZERO, OrderSide
from buddy.exchanges.models import Account
from buddy.trading import booking, endings, lease, outcomes, protection, rounds, unmanaged, watcher
from buddy.trading import case as cases
from buddy.trading import desk as desks
from buddy.trading.client_ids import new_client_id
from buddy.trading.ledger import Ledger
from buddy.trading.models import Fill, Order
from buddy.trading.outcomes import Outcomes

from .venue import Connection

Patches = Sequence[Any]


@contextmanager
def planted(name: str) -> Iterator[None]:
    with ExitStack() as stack:
        for each in GARDEN[name]():
            stack.enter_context(each)
        yield


# --- the predecessor's ---


def stop_taken_before_the_new_one() -> Patches:
    def stop(wished: Any, stops_: Any) -> Iterator[Any]:
        for wish in wished:
            if not any(working.satisfies(wish) for working in stops_):
                yield from (Cancel(working, "replaced") for working in stops_)
                yield Place(wish)

    return [patch.object(manage, "_stop", stop)]


def passed_stop_tried_for_ever() -> Patches:
    return [
        patch.object(actions, "_place", lambda wish, desk: desk.place(wish)),
        patch.object(manage, "_stop_is_passed", lambda *_: False),
        patch.object(protection, "mend", lambda case: False),
    ]


def targets_never_grow() -> Patches:
    exits = manage._exits

    def once(wishes: Any, ours: Any, held: Decimal) -> Iterator[Any]:
        if ours[Role.TAKE_PROFIT] and not wishes[Role.CLOSE]:
            return iter(())
        return exits(wishes, ours, held)

    return [patch.object(manage, "_exits", once)]


def close_of_the_first_fill_only() -> Patches:
    """The size is noted at the first fill, and what leaves at market is that much, whatever else is held."""
    close = position.close_wish

    def of_the_first(trade: Any, quantity: Decimal, cause: Any) -> Any:
        noted = trade.fills[0].fill.quantity - trade.filled(Role.CLOSE, 0)
        return close(trade, max(min(quantity, noted), ZERO), cause)

    return [patch.object(module, "close_wish", of_the_first) for module in (position, manage)]


def unlisted_is_filled() -> Patches:
    def look_up(self: Outcomes, order: Order) -> None:
        order.filled = order.quantity
        with self.lease.writing():
            outcomes.save(order, "filled")
        self.close(order, status=OrderStatus.FILLED)

    return [patch.object(Outcomes, "look_up", look_up)]


def unlisted_position_is_closed() -> Patches:
    def end(case: Any) -> bool:
        return endings._finish(case) if case.position.entered and not case.held else ended(case)

    ended = endings.end
    return [patch.object(cases.Case, "doubts", ""), patch.object(endings, "end", end)]


def failed_order_is_forgotten() -> Patches:
    def doubt(self: Outcomes, *orders: Order) -> None:
        for order in orders:
            order.status = OrderStatus.CANCELLED
            Order.objects.filter(pk=order.pk).delete()

    return [patch.object(Outcomes, "doubt", doubt)]


def last_limit_order_is_cancelled() -> Patches:
    cancel = Ledger.cancel

    def of_the_symbol(self: Ledger, order: Order, reason: str) -> Any:
        if order.role == Role.ENTRY:
            listed = self.exchange.read([order.symbol], self.account.cursor).orders
            found = [state for state in listed if state.kind == "limit" and not state.reduce_only]
            if found:
                self.exchange.cancel(OrderRef(order.symbol, "", found[-1].exchange_id))
        return cancel(self, order, reason)

    return [patch.object(Ledger, "cancel", of_the_symbol)]


def no_fee_no_end() -> Patches:
    """A result is believed once it is not nothing, and what left last has cost something."""
    finish = endings._finish

    def of_some_worth(case: Any) -> bool:
        return bool(case.position.fills[-1].fill.fee and case.position.gross) and finish(case)

    return [patch.object(endings, "_finish", of_some_worth)]


def newest_order_of_the_symbol() -> Patches:
    def newest(account: Any, fills: Any) -> dict[str, Order]:
        rows = {fill.symbol: Order.objects.filter(account=account, symbol=fill.symbol).last() for fill in fills}
        return {fill.fill_id: row for fill in fills if (row := rows[fill.symbol]) is not None}

    return [patch.object(booking, "orders_behind", newest)]


def one_trouble_stops_all() -> Patches:
    """The first account that cannot be read, also for a key that is refused, ends the round for those after it."""

    def all_or_nothing() -> int:
        accounts = rounds.with_work()
        with suppress(Exception):
            for account in accounts:
                if watcher.look(account).trouble:
                    break
        return len(accounts)

    return [patch.object(rounds, "watch_all", all_or_nothing), patch.object(unmanaged, "in_vain", set)]


def break_even_without_costs() -> Patches:
    def bare(trade: Any, rule: Any = None) -> Decimal:
        return trade.average_entry or ZERO

    return [patch.object(stops, "even_price", bare), patch.object(position, "even_price", bare)]


def set_up_errors_ignored() -> Patches:
    def set_up(self: Any, wish: Any) -> None:
        if wish.role is Role.ENTRY:
            trade = self.case.trade
            with suppress(Rejected):
                self.ledger.exchange.set_up(trade.symbol, trade.leverage, trade.margin_mode)

    return [patch.object(desks.Desk, "_set_up", set_up)]


def targets_rounded_up() -> Patches:
    """Each part to the lot above it, without a look at minimums or at what the parts come to together."""

    def rounded(instrument: Any, total: Decimal, shares: Sequence[Decimal]) -> tuple[Decimal, ...]:
        lot = instrument.lot_size
        return tuple((total * share / lot).to_integral_value(ROUND_CEILING) * lot for share in shares)

    def unbounded(trade: Any, held: Decimal) -> Iterator[Any]:
        return targets(trade, Decimal("Infinity"))

    targets = position._targets
    return [
        patch.object(stops, "target_quantities", rounded),
        patch.object(stops, "_joined", lambda parts, minimum: parts),
        patch.object(position, "_targets", unbounded),
    ]


def no_lease() -> Patches:
    def take(account_id: int, owner: str) -> lease.Lease:
        return lease.Lease(account_id, owner, 0)

    return [patch.object(lease, "_take", take), patch.object(lease.Lease, "_write", _unchecked)]


def price_never_withdraws() -> Patches:
    return [patch.object(stops, "_ran", lambda *_: None)]


# --- and what else is easily done wrong ---


def unknown_is_failed() -> Patches:
    def doubt(self: Outcomes, *orders: Order) -> None:
        self.close(*orders, status=OrderStatus.REJECTED)

    return [patch.object(Outcomes, "doubt", doubt)]


def new_id_on_retry() -> Patches:
    def doubt(self: Outcomes, *orders: Order) -> None:
        for order in orders:
            order.client_id = new_client_id()
            Order.objects.filter(pk=order.pk).update(client_id=order.client_id)
            self.never_sent(order)

    return [patch.object(Outcomes, "doubt", doubt)]


def resend_without_look_up() -> Patches:
    """No answer, so once more under the same name; neither the ledger looks first, nor the adapter of the venue."""
    send = Ledger.send

    def at_least_once(self: Ledger, order: Order) -> None:
        with suppress(OutcomeUnknown):
            return send(self, order)
        self.outcomes.never_sent(order)
        return send(self, order)

    return [patch.object(Ledger, "send", at_least_once), patch.object(Connection, "_never_twice", lambda *_: None)]


def target_not_reduce_only() -> Patches:
    targets = position._targets

    def opening(trade: Any, held: Decimal) -> Iterator[Any]:
        return (wish._replace(reduce_only=False) for wish in targets(trade, held))

    return [patch.object(position, "_targets", opening)]


def fencing_off() -> Patches:
    return [patch.object(lease.Lease, "_write", _unchecked)]


def _unchecked(self: lease.Lease, fields: Mapping[str, Any]) -> int:
    return Account.objects.filter(pk=self.account_id).update(**fields)


def dedup_in_the_store() -> Patches:
    def unknown_to_the_store(account: Any, fills: Any) -> list[Any]:
        new = [fill for fill in fills if cache.add(f"fill:{account.pk}:{fill.fill_id}", 1)]
        known = Fill.objects.filter(account=account).count()
        return [replace(fill, fill_id=f"{fill.fill_id}/again{known}") for fill in new]

    return [patch.object(booking, "unbooked", unknown_to_the_store)]


def floats() -> Patches:
    """What has executed is added up in floats: 0.1 and 0.2 less 0.3 leaves something."""
    tally_of = holding.tally_of

    def tally(fills: Sequence[Any], side: Any, linear: bool) -> Any:
        exact = tally_of(fills, side, linear)
        entered, left = (_floating(fills, way) for way in (side.entry_order_side, side.exit_order_side))
        held = Decimal(repr(max(float(entered.quantity) - float(left.quantity), 0.0)))
        return replace(exact, entries=entered, exits=left, held=held)

    return [patch.object(holding, "tally_of", tally)]


def _floating(fills: Sequence[Any], order_side: OrderSide) -> holding.Totals:
    ours = [each.fill for each in fills if each.fill.order_side is order_side]
    sums = (
        sum(float(fill.quantity) for fill in ours),
        sum(float(fill.quantity) * float(fill.price) for fill in ours),
        sum(float(fill.fee) for fill in ours),
    )
    return holding.Totals(*(Decimal(repr(each)) for each in sums))


def stop_of_the_planned_size() -> Patches:
    stop = position._stop

    def planned(trade: Any, market: Any, held: Decimal) -> Iterator[Any]:
        return (wish._replace(quantity=sum(trade.quantities, ZERO)) for wish in stop(trade, market, held))

    return [patch.object(position, "_stop", planned)]


GARDEN: dict[str, Callable[[], Patches]] = {
    each.__name__: each
    for each in (
        stop_taken_before_the_new_one,
        passed_stop_tried_for_ever,
        targets_never_grow,
        close_of_the_first_fill_only,
        unlisted_is_filled,
        unlisted_position_is_closed,
        failed_order_is_forgotten,
        last_limit_order_is_cancelled,
        no_fee_no_end,
        newest_order_of_the_symbol,
        one_trouble_stops_all,
        break_even_without_costs,
        set_up_errors_ignored,
        targets_rounded_up,
        no_lease,
        price_never_withdraws,
        unknown_is_failed,
        new_id_on_retry,
        resend_without_look_up,
        target_not_reduce_only,
        fencing_off,
        dedup_in_the_store,
        floats,
        stop_of_the_planned_size,
    )
}

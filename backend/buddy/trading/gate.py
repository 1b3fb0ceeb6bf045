"""Between a wish and an order: how the account stands, and every reason to say no.

It fails closed: when the standing cannot be made out, entries are refused. Exits never come through here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from buddy.core.costs import loss_at_stop
from buddy.core.errors import Denied
from buddy.core.exchange import Balance, PositionMode, Quote
from buddy.core.market import ZERO, Side
from buddy.core.plan import MarginMode, Plan
from buddy.core.position import Position
from buddy.core.risk import Denial, Limits, Standing, TradingState
from buddy.core.risk import denials as core_denials
from buddy.core.sizing import Sizing
from buddy.core.swapping import stops_of
from buddy.exchanges.key_standing import key_denials
from buddy.exchanges.models import Account
from buddy.exchanges.venues import VENUES
from buddy.prepared import Select

from .books import plan_of
from .models import ForeignPosition, Trade
from .states import WORKING

_NEEDED = ("symbol", "side", "memory", "initial_risk", "asked_risk", "leverage", "margin_mode", "at_venue", "plan")
"""Only what the gate asks of a trade: it is asked at every stroke of a key."""
_WORKING = Select(
    lambda account: Trade.objects.filter(account_id=account, status__in=WORKING).order_by("id").only(*_NEEDED)
)
_FOREIGN = Select(
    lambda account, symbol: ForeignPosition.objects.filter(account_id=account, symbol=symbol, confirmed=True)
)

OLD = timedelta(seconds=90)
"""A reading older than this is no ground to enter on; accounts without work are read three times as often."""
NEAR = Decimal("0.8")
"""Of the margin: a stop that costs more lies too near to liquidation, maintenance margin and slippage included."""


def limits_of(account: Account) -> Limits:
    return Limits(
        max_leverage=account.max_leverage,
        max_risk_percent=account.max_risk_percent,
        max_open_risk_percent=account.max_open_risk_percent,
        max_open_trades=account.max_open_trades,
    )


def standing_of(
    account: Account, working: Sequence[Trade], symbol: str, quote: Quote | None, balance: Balance
) -> Standing:
    """How the account stands with its `working` trades."""
    return Standing(
        equity=balance.equity,
        free=balance.free,
        state=TradingState(account.state),
        open_trades=len(working),
        open_risk=open_risk(working),
        sides=frozenset(Side(trade.side) for trade in working if trade.symbol == symbol and not _is_hedged(account)),
        price=quote.last if quote else None,
        trouble=account.trouble,
    )


def denials(
    account: Account,
    plan: Plan | None,
    sizing: Sizing | None,
    quote: Quote | None,
    balance: Balance,
    *,
    except_trade: int | None = None,
) -> list[Denial]:
    """Every reason against `plan` but the faults of its size, which belong to its fields."""
    if plan is None:
        return []
    working = [trade for trade in _working(account) if trade.pk != except_trade]
    standing = standing_of(account, working, plan.symbol, quote, balance)
    found = list(key_denials(account))
    if all(denial.code != "key_refused" for denial in found):  # which says it all
        found += _of_reading(account)
    found += core_denials(plan, sizing, limits_of(account), standing)
    found += _of_foreign(account, plan)
    found += _of_stops(account, working, plan)
    if sizing is not None:
        found += _of_sharing(working, plan, sizing)
    said = {(fault.code, fault.field) for fault in sizing.faults} if sizing else set()
    return [denial for denial in found if (denial.code, denial.field) not in said]


def _is_hedged(account: Account) -> bool:
    """Whether its venue keeps longs and shorts of one symbol apart; `key_standing` sees that it does."""
    return not account.is_paper and account.position_mode == PositionMode.HEDGE


def _of_reading(account: Account) -> Iterator[Denial]:
    """Nothing is entered on a venue's old word: what is held there, and in which mode, may be otherwise by now."""
    if account.is_paper:
        return
    seen = account.good_look_at
    when = "not been read yet" if seen is None else f"last been read {_age(seen)} ago, at {seen:%H:%M:%S} UTC"
    if account.trouble:
        message = f"{account.name} cannot be read: {account.trouble} It has {when}."
        yield Denial("account_unreadable", message, "Wait until it can be.")
    elif seen is None or timezone.now() - seen > OLD:
        yield Denial("reading_old", f"{account.name} has {when}.", "See that the worker runs, and try again.")


def _age(moment: datetime) -> str:
    """How long ago, in the largest whole unit that says it."""
    seconds = int((timezone.now() - moment).total_seconds())
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _of_foreign(account: Account, plan: Plan) -> Iterator[Denial]:
    """A position that is nobody's: an entry would mix with it, or against it, only close a part of it.

    One that the trader ignores stays out of our accounts, so an entry beside it is counted right; one against it is
    not, where the venue keeps one position per symbol.
    """
    for row in _FOREIGN.rows(account=account.pk, symbol=plan.symbol):
        held = f"{row.side} {row.quantity.normalize():f} {row.symbol}"
        if not row.ignored:
            message = f"{account.name} holds {held}, which no trade here accounts for."
            yield Denial("foreign_position", message, "Adopt it, ignore it or close it first.", "symbol")
        elif row.side != plan.side and account.position_mode == PositionMode.ONE_WAY:
            message = f"{account.name} holds {held} that you ignore here: this entry would close it instead of opening."
            yield Denial("foreign_opposite", message, "Close it first, or use another account.", "symbol")
        elif row.margin_mode and row.margin_mode != plan.margin_mode and row.side == plan.side:
            message = f"{account.name} holds {held} with {row.margin_mode} margin, and a symbol has only one mode."
            yield Denial("margin_mode_shared", message, f"Use {row.margin_mode} margin.", "margin_mode")


def _of_sharing(working: Sequence[Trade], plan: Plan, sizing: Sizing) -> Iterator[Denial]:
    """Trades on one symbol share its margin mode and leverage: a new one must not bring the others into danger."""
    for trade in working:
        if trade.symbol != plan.symbol:
            continue
        if trade.margin_mode != plan.margin_mode:
            message = f"A trade works on {plan.symbol} with {trade.margin_mode} margin, and a symbol has only one mode."
            yield Denial("margin_mode_shared", message, f"Use {trade.margin_mode} margin.", "margin_mode")
        there = trade.at_venue.get("margin_mode") or trade.margin_mode
        if there not in (trade.margin_mode, plan.margin_mode):
            message = f"{plan.symbol} is held with {there} margin at the venue, and a symbol has only one mode."
            yield Denial("margin_mode_at_venue", message, f"Use {there} margin, or close that trade.", "margin_mode")
        if sizing.leverage > trade.leverage and _is_endangered(trade, sizing.leverage):
            message = f"This needs a leverage of {sizing.leverage:f}×, with which a trade that works on {plan.symbol} "
            message += "could be liquidated before its stop."
            yield Denial("leverage_shared", message, "Risk less, or close that trade first.", "leverage")


def _of_stops(account: Account, working: Sequence[Trade], plan: Plan) -> Iterator[Denial]:
    """Coins are covered in slices, each with a stop of its own, and a venue takes only so many of a market."""
    venue = VENUES.get(account.venue)
    if venue is None or not venue.most_stops:
        return
    others = sum(_stops_of(plan_of(trade)) for trade in working if trade.symbol == plan.symbol)
    if others + _stops_of(plan) > venue.most_stops:
        message = f"{venue.name} takes {venue.most_stops} stops of {plan.symbol}, and each target needs one of its own"
        message += ", with one in reserve for each trade."
        message += f" Trades that work on it need {others}." if others else ""
        yield Denial("too_many_stops", message, "Plan fewer targets.", "take_profits")


def _stops_of(plan: Plan) -> int:
    """The most stops that a trade with this plan has at a time."""
    rest = sum((target.share for target in plan.take_profits), ZERO) < 1
    return stops_of(len(plan.take_profits) + rest)


def allow_targets(account: Account, trade: Trade, plan: Plan) -> None:
    """Whether a changed plan's targets can all be protected beside what works already. Raises Denied."""
    others = [other for other in _working(account) if other.pk != trade.pk]
    if reasons := list(_of_stops(account, others, plan)):
        raise Denied(reasons)


def _is_endangered(trade: Trade, leverage: Decimal) -> bool:
    """Whether isolated margin at `leverage` leaves less way to liquidation than to the stop."""
    plan = plan_of(trade)
    prices = [entry.expected_price(None) for entry in plan.entries]
    entry = next((price for price in prices if price is not None), plan.stop_price)
    return plan.margin_mode is MarginMode.ISOLATED and abs(entry - plan.stop_price) * leverage > entry * NEAR


def _working(account: Account) -> list[Trade]:
    return _WORKING.rows(account=account.pk)


def open_risk(working: Sequence[Trade]) -> Decimal:
    """What the working trades lose at their stops: as asked until they have entered, as measured afterwards."""
    return sum((_risk(trade) for trade in working), ZERO)


def _risk(trade: Trade) -> Decimal:
    """A stop at or beyond break-even leaves nothing at risk."""
    tightest = trade.memory.get("tightest_stop")
    if tightest is not None and trade.memory.get("stop_cause") in ("break_even", "step"):
        return ZERO
    risk: Decimal = trade.initial_risk if trade.initial_risk is not None else trade.asked_risk
    return risk


def allow_stop(account: Account, position: Position, equity: Decimal, stop: Decimal, last: Decimal) -> None:
    """Whether a stop moved by hand may go there. Raises Denied with every reason against it."""
    reasons = []
    if not position.side.better(last, stop):
        message = f"The price, {last:f}, is already beyond that stop: it would close at once."
        reasons.append(Denial("beyond_stop", message, "Choose another price, or close the trade.", "stop.price"))
    risk, most = _loss_at(position, stop), equity * account.max_risk_percent / 100
    if position.side.better(position.plan.stop_price, stop) and risk > most:
        message = f"With that stop {risk:.2f} would be at risk, and one trade may risk {most:.2f}."
        reasons.append(Denial("risk_over_limit", message, "Keep the stop nearer, or raise the limit.", "stop.price"))
    if reasons:
        raise Denied(reasons)


def _loss_at(position: Position, stop: Decimal) -> Decimal:
    """What is still held loses at `stop`, fees and slippage included."""
    average = position.average_entry
    if average is None or not position.held:
        return ZERO
    rate = position.entries.fees / position.instrument.notional(average, position.entered)
    return loss_at_stop(position.side, position.instrument, average, stop, position.held, position.costs, rate).total


def standing_summary(account: Account) -> dict[str, Any]:
    """What the account's own page shows of its trades."""
    working = _working(account)
    return {"open_trades": len(working), "open_risk": open_risk(working)}

"""What a key may do, asked of its venue: when it is saved, daily, and whenever the trader wants to know.

Runs in workers. An error is never an answer: what the venue did not say stays unknown, and unknown is never safe.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils import timezone

from buddy.core.costs import Costs
from buddy.core.errors import CouldNotRead, ExchangeError, KeyRefused
from buddy.core.exchange import Balance, KeyInfo, OrderRef, OrderStatus, PositionMode, Role
from buddy.prepared import Select, Update
from buddy.redact import redact

from . import key_notices
from .models import Account, Credentials, VenueFacts
from .venue_exchange import VenueExchange, exchange_with

log = logging.getLogger(__name__)

SYMBOLS = 5
"""How many instruments are shown as proof that the venue is read."""
ORDERS = 3
"""How many of our stops a new key must see."""
RESTING = (OrderStatus.OPEN, OrderStatus.PARTIAL)

_MODE = Select(lambda account: VenueFacts.objects.filter(account_id=account).values_list("position_mode"))
_FACTS = Update(lambda account: VenueFacts.objects.filter(account_id=account))


@dataclass(frozen=True, slots=True)
class Found:
    """All that a venue said in one probe."""

    key: KeyInfo
    clock_offset: int
    position_mode: PositionMode | None
    margin_mode: str
    balance: Balance
    charges: Costs | None
    symbols: list[str]


def probe(credentials_id: int) -> None:
    """Ask the venue and write down what it says; a key in use is judged by it at once."""
    row = Credentials.objects.select_related("account").filter(pk=credentials_id).first()
    if row is None:  # given up meanwhile
        return
    changes, could_withdraw = _asked(row), bool(row.can_withdraw)
    Credentials.objects.filter(pk=row.pk).update(**changes, tried_at=timezone.now())
    row.refresh_from_db()
    if row.in_use:
        key_notices.judge(row, could_withdraw=could_withdraw)


def _asked(row: Credentials) -> dict[str, Any]:
    """The fields of `row` that follow from the venue's answer, or from there being none."""
    try:
        found = _ask(row)
    except KeyRefused as refusal:
        return {"trouble": _said(refusal), "refused_at": row.refused_at or timezone.now()}
    except ExchangeError as trouble:
        return {"trouble": _said(trouble)}
    except Exception as defect:
        log.exception("key %s could not be probed", row.pk)
        return {"trouble": f"The answer could not be understood ({type(defect).__name__})."}
    _write_facts(row.account, found)
    return _rights(found.key)


def _said(trouble: Exception) -> str:
    return redact(str(trouble))[:300] or "The venue did not answer."


def _ask(row: Credentials) -> Found:
    exchange = exchange_with(row.account, row)
    key = exchange.key_info()
    if not row.in_use:
        _insist_on_same_account(row.account, exchange)
    return Found(
        key=key,
        clock_offset=exchange.clock_offset(),
        position_mode=exchange.position_mode(),
        margin_mode=exchange.margin_mode(),
        balance=exchange.balance(),
        charges=_charges(row.account, exchange),
        symbols=[instrument.symbol for instrument in exchange.instruments()[:SYMBOLS]],
    )


def _charges(account: Account, exchange: VenueExchange) -> Costs | None:
    """No key is refused because its venue does not say what it charges."""
    try:
        return exchange.charges()
    except KeyRefused:
        raise
    except CouldNotRead as trouble:
        log.warning("the fees of account %s stay as they are: %s", account.pk, trouble)
        return None


def _insist_on_same_account(account: Account, exchange: VenueExchange) -> None:
    """A new key must see what rests under the old one, or all of it would look gone. Trading stands above this app."""
    orders: Any = apps.get_model("trading", "Order")
    for order in orders.objects.filter(account=account, status__in=RESTING, role=Role.STOP)[:ORDERS]:
        ref = OrderRef(order.symbol, order.client_id, order.exchange_id, is_conditional=order.trigger is not None)
        if exchange.find(ref) is None:
            raise KeyRefused(f"It does not see the orders of {account.name}, so it belongs to another account.")


def _rights(key: KeyInfo) -> dict[str, Any]:
    ends = None if key.expires_at is None else datetime.fromtimestamp(key.expires_at / 1000, UTC)
    return {
        "can_trade": key.can_trade,
        "can_withdraw": key.can_withdraw,
        "ip_bound": key.ip_bound,
        "expires_at": ends,
        "probed_at": timezone.now(),
        "trouble": "",
        **accepted(),
    }


def accepted() -> dict[str, Any]:
    """The fields of a key that the venue accepts."""
    return {"refused_at": None, "told_refused": 0, "told_refused_at": None}


def _write_facts(account: Account, found: Found) -> None:
    facts = {
        "position_mode": found.position_mode or "",
        "clock_offset_ms": found.clock_offset,
        "symbols": found.symbols,
        "checked_at": timezone.now(),
    }
    with transaction.atomic():
        VenueFacts.objects.update_or_create(account=account, defaults=facts)
        if found.margin_mode:  # one for the whole account: plans that name none must follow it
            Account.objects.filter(pk=account.pk).update(margin_mode=found.margin_mode)
        if found.charges is not None:
            _write_charges(account, found.charges)
        write_balance(account, found.balance)


def _write_charges(account: Account, told: Costs) -> None:
    """Sizing takes them over unless the trader has typed his own."""
    fees = {"maker_fee": told.maker, "taker_fee": told.taker}
    VenueFacts.objects.filter(account=account).update(**fees, fees_at=timezone.now())
    mine = Account.objects.filter(pk=account.pk).exclude(fee_source=Account.FeeSource.TYPED)
    mine.update(**fees, fee_source=Account.FeeSource.VENUE)


def write_mode(account: Account, mode: PositionMode) -> None:
    """The position mode as a reading found it: a hand may change it between two probes. Nothing is written for none."""
    if not account.is_paper and any(known != mode for (known,) in _MODE.rows(account=account.pk)):
        VenueFacts.objects.filter(account=account).update(position_mode=mode)


def write_balance(account: Account, balance: Balance) -> None:
    """What the screens show until the venue is asked again."""
    money = {"wallet": balance.wallet, "equity": balance.equity, "free": balance.free, "balance_at": timezone.now()}
    if not _FACTS(money, account=account.pk):
        VenueFacts.objects.update_or_create(account=account, defaults=money)

"""From trade rows to figures: rows are read once as plain values, the rest is `core.performance`.

Answers are remembered under the owner, the question, and the state of the owner's closed trades: the next closed trade
makes them stale by itself. A store that is down only costs the time to compute.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max, Min, QuerySet, Sum, TextField
from django.db.models.functions import Cast
from redis.exceptions import RedisError
from rest_framework.request import Request

from buddy.core.market import ZERO
from buddy.core.performance import ClosedTrade
from buddy.exchanges.models import Account
from buddy.problems import Problem, fault
from buddy.trading.models import Trade

from .scope import between, within

WORDS = ("id", "symbol", "side", "exit_reason")
READ = ("opened_at", "closed_at", "net", "gross", "fees", "funding", "initial_risk")
"""Taken as the database's own text: over many thousand rows the ORM's conversions cost more than all the figures."""
REMEMBERED_SECONDS = 24 * 3600
log = logging.getLogger(__name__)


def owner_of(request: Request) -> int:
    """Every view here asks for a signed-in user."""
    return int(request.user.pk or 0)


def my_closed(request: Request) -> QuerySet[Trade]:
    """Those whose result is known: one ended by word may have none."""
    closed = Trade.objects.filter(owner_id=request.user.pk, status=Trade.Status.CLOSED, closed_at__isnull=False)
    return closed.filter(net__isnull=False)


def closed_trades(rows: QuerySet[Trade]) -> list[ClosedTrade]:
    texts = (Cast(name, TextField()) for name in READ)
    return [_closed_trade(*row) for row in rows.order_by().values_list(*WORDS, *texts)]


def _closed_trade(
    key: int,
    symbol: str,
    side: str,
    exit_reason: str,
    opened: str | None,
    closed: str,
    net: str | None,
    gross: str | None,
    fees: str | None,
    funding: str | None,
    risk: str | None,
) -> ClosedTrade:
    return ClosedTrade(
        key=key,
        symbol=symbol,
        side=side,
        opened_ms=_milliseconds(opened or closed),
        closed_ms=_milliseconds(closed),
        net=Decimal(net or 0),
        gross=Decimal(gross or 0),
        fees=Decimal(fees or 0),
        funding=Decimal(funding or 0),
        initial_risk=None if risk is None else Decimal(risk),
        exit_reason=exit_reason,
    )


def _milliseconds(text: str) -> int:
    """Of a moment as the database writes it: Postgres ends in "+00", SQLite does not mention that it is UTC."""
    moment = datetime.fromisoformat(text if text[-3] in "+-" else text + "+00:00")
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def my_accounts(request: Request, scope: dict[str, Any]) -> list[Account]:
    """The accounts in question, archived ones too: their trades were traded."""
    accounts = Account.objects.filter(owner_id=request.user.pk)
    return list(accounts.filter(pk=scope["account"]) if "account" in scope else accounts)


def currency_of(accounts: Iterable[Account]) -> str:
    """The one currency of the accounts; money of different ones is never added up."""
    currencies = sorted({account.currency for account in accounts})
    if len(currencies) > 1:
        message = f"Your accounts hold different currencies ({', '.join(currencies)})."
        raise Problem(
            422, "mixed_currencies", message, {"account": [fault(message, "Choose one account.", "mixed_currencies")]}
        )
    return currencies[0] if currencies else "USDT"


def opening_equity(request: Request, accounts: Iterable[Account], scope: dict[str, Any]) -> Decimal:
    """What the accounts were worth when the scope begins: their opening balances, and all that closed before `from`."""
    opening = sum((account.opening_balance for account in accounts), ZERO)
    if "from" not in scope:
        return opening
    before = within(my_closed(request), _account_only(scope)).filter(closed_at__lt=scope["from"])
    return opening + sum((net or ZERO for net in before.order_by().values_list("net", flat=True)), ZERO)


def _account_only(scope: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in scope.items() if name == "account"}


def in_scope(request: Request, scope: dict[str, Any]) -> QuerySet[Trade]:
    return between(within(my_closed(request), scope), scope)


def remembered(request: Request, question: str, scope: dict[str, Any], zone: tzinfo, answer: Callable[[], Any]) -> Any:
    """The answer from the cache while nothing it rests on has changed; what hangs on words is asked anew each time."""
    if "setup" in scope or "tag" in scope:
        return answer()
    key = _key(request, question, scope, zone)
    try:
        known = cache.get(key)
    except (RedisError, OSError) as error:
        log.warning("the store cannot be read: %s", error)
        return answer()
    if known is None:
        known = answer()
        _remember(key, known)
    return known


def _remember(key: str, known: Any) -> None:
    try:
        cache.set(key, known, REMEMBERED_SECONDS)
    except (RedisError, OSError) as error:
        log.warning("the store cannot be written: %s", error)


def _key(request: Request, question: str, scope: dict[str, Any], zone: tzinfo) -> str:
    """Numbers of rows come again after a restored dump, and a replay's clock does; when a row was made does not.

    A trade of which a venue told something after its end was `checked` again.
    """
    trades = my_closed(request).aggregate(
        n=Count("id"),
        ids=Sum("id"),
        last=Max("closed_at"),
        newest=Max("created_at"),
        oldest=Min("created_at"),
        checked=Max("checked_at"),
    )
    accounts = [
        (each.pk, each.created_at, each.opening_balance, each.max_risk_percent, each.currency, each.name)
        for each in my_accounts(request, scope)
    ]
    parts = [request.user.pk, question, sorted(scope.items()), str(zone), sorted(trades.items()), accounts]
    return "stats:" + hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()

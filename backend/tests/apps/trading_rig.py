"""Accounts on candles of the test's own, and short ways to open and look at trades."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings

from buddy.events.models import Event
from buddy.exchanges.models import Account
from buddy.trading.models import Order, Trade
from buddy.trading.watcher import Looked, look

SYMBOL = "BTC/USDT:USDT"
START = 1_750_000_020_000
"""Milliseconds; a whole minute."""
MINUTE = 60_000


def write_candles(name: str, rows: Iterable[Sequence[str]], start: int = START, step: int = MINUTE) -> str:
    """A CSV in REPLAY_DIR; each row open, high, low, close. Gives its name."""
    folder = Path(settings.REPLAY_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["time,open,high,low,close,volume"]
    for number, row in enumerate(rows):
        moment = datetime.fromtimestamp((start + number * step) / 1000, UTC).isoformat()
        lines.append(",".join([moment, *row, "1"]))
    (folder / name).write_text("\n".join(lines) + "\n")
    return name


def replay_account(owner: Any, file: str, **values: Any) -> Account:
    """A paper account that leaps from event to event through a recording, standing at its first candle's close."""
    defaults: dict[str, Any] = {
        "name": "Replay",
        "price_source": Account.PriceSource.REPLAY,
        "replay_file": file,
        "replay_speed": "max",
        "clock_time": START + MINUTE,
        "is_main": True,
    }
    return Account.objects.create(owner=owner, **defaults | values)


def long_plan(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": SYMBOL,
        "entries": [{"kind": "limit", "price": "100000"}],
        "stop": {"price": "99000"},
        "take_profits": [{"price": "101000", "share": "0.5"}, {"price": "102000", "share": "0.5"}],
        "risk": {"percent": "1"},
    } | changes


def short_plan(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": SYMBOL,
        "entries": [{"kind": "limit", "price": "100000"}],
        "stop": {"price": "101000"},
        "take_profits": [{"price": "99000", "share": "0.5"}, {"price": "98000", "share": "0.5"}],
        "risk": {"percent": "1"},
    } | changes


def look_all(trade: Trade) -> Looked:
    """Look until the recording has nothing more for this trade."""
    looked = look(trade.account_id, seconds=60)
    assert not looked.trouble, looked
    trade.refresh_from_db()
    return looked


def flat(price: str, count: int) -> list[tuple[str, str, str, str]]:
    """Candles in which nothing happens."""
    return [(price, price, price, price)] * count


def decimals(*values: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


def look_until(trade: Trade, condition: Callable[[Trade], bool], most: int = 60) -> Trade:
    """One reading at a time, until it is so."""
    for _ in range(most):
        trade.refresh_from_db()
        if condition(trade):
            return trade
        look(trade.account_id, seconds=0)
    raise AssertionError(f"it never came to that: {trade.status} {trade.exit_reason} {trade.withdrawal}")


def freeze(account: Account) -> None:
    """Let the market stand still: a replay too slow to see move."""
    account.refresh_from_db()
    Account.objects.filter(pk=account.pk).update(replay_speed="0.1", clock_wall=time.time_ns() // 1_000_000)


def go_on(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(replay_speed="max")


def resting(trade: Trade, role: str) -> list[Order]:
    return list(Order.objects.filter(trade=trade, role=role, status__in=["open", "partial"]).order_by("leg", "id"))


def is_protected(trade: Trade) -> bool:
    return trade.protected_since is not None


def first_target_hit(trade: Trade) -> bool:
    return Order.objects.filter(trade=trade, role="take_profit", leg=0, status="filled").exists()


def kinds(trade: Trade) -> list[str]:
    return list(Event.objects.filter(trade_id=trade.pk).order_by("id").values_list("kind", flat=True))

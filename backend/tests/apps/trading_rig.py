"""Accounts on candles of the test's own, and short ways to open and look at trades."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings

from buddy.exchanges.models import Account
from buddy.trading.models import Trade
from buddy.trading.watcher import Looked, look

SYMBOL = "BTC/USDT:USDT"
START = 1_750_000_020_000
"""Milliseconds; a whole minute."""
MINUTE = 60_000


def write_candles(name: str, rows: Iterable[Sequence[str]], start: int = START) -> str:
    """A CSV in REPLAY_DIR; each row open, high, low, close. Gives its name."""
    folder = Path(settings.REPLAY_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["time,open,high,low,close,volume"]
    for number, row in enumerate(rows):
        moment = datetime.fromtimestamp((start + number * MINUTE) / 1000, UTC).isoformat()
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
    trade.refresh_from_db()
    return looked


def flat(price: str, count: int) -> list[tuple[str, str, str, str]]:
    """Candles in which nothing happens."""
    return [(price, price, price, price)] * count


def decimals(*values: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)

"""An account, an instrument, a recording as the screens want them: plain values for the serializers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from buddy.core.errors import CoreError, CouldNotRead
from buddy.core.exchange import Balance
from buddy.core.market import ONE, Instrument
from buddy.fields import plain

from .accounts import EPOCH
from .connect import source_for
from .market_data import recordings
from .market_data.source import PriceSource
from .models import Account
from .paper import balance_of

STANDING = "buddy.trading.gate.standing_summary"
"""Trading stands above this app: asked by name for an account's open risk and trades."""
LIMITS = ("max_leverage", "max_open_trades", "seed", "replay_file", "replay_speed")
AMOUNTS = ("opening_balance", "maker_fee", "taker_fee", "slippage", "max_risk_percent", "max_open_risk_percent")
PLAIN = ("id", "name", "mode", "venue", "state", "is_main", "currency", "price_source", "created_at", *LIMITS)


def at(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else EPOCH + timedelta(milliseconds=milliseconds)


def text(amount: Decimal | None) -> str | None:
    """A decimal as the API writes it: no exponent, no trailing zeros."""
    return None if amount is None else f"{plain(amount):f}"


def account_story(account: Account) -> dict[str, Any]:
    source, trouble = _source(account)
    balance = balance_of(account)
    return {
        **{name: getattr(account, name) for name in PLAIN},
        **{name: text(Decimal(getattr(account, name))) for name in AMOUNTS},
        **_prices(account, source),
        **_standing(account, balance),
        "equity": text(balance.equity),
        "free": text(balance.free),
        "connection": _connection(account, trouble),
    }


def _source(account: Account) -> tuple[PriceSource | None, str]:
    try:
        return source_for(account), account.trouble
    except CouldNotRead as error:
        return None, str(error)


def _prices(account: Account, source: PriceSource | None) -> dict[str, Any]:
    label = source.label if source else f"{account.get_price_source_display().lower()} prices"
    clock, ends = (source.now(), source.ends()) if source else (None, None)
    return {"label": f"{account.get_mode_display()} · {label}", "clock": at(clock), "replay_ends": at(ends)}


def _standing(account: Account, balance: Balance) -> dict[str, Any]:
    summary: Mapping[str, Any] = import_string(STANDING)(account)
    return {"open_trades": summary["open_trades"], "open_risk": text(Decimal(summary["open_risk"]))}


def _connection(account: Account, trouble: str) -> dict[str, Any]:
    fetched = account.price_source == Account.PriceSource.LIVE
    state = "waiting" if trouble else "never" if fetched and account.good_look_at is None else "ok"
    return {
        "state": state,
        "trouble": trouble,
        "looked_at": account.looked_at,
        "good_look_at": account.good_look_at,
    }


def instrument_story(account: Account, instrument: Instrument, source: PriceSource) -> dict[str, Any]:
    values = {field.name: getattr(instrument, field.name) for field in fields(instrument)}
    told = {name: text(value) if isinstance(value, Decimal) else value for name, value in values.items()}
    fees = {"maker_fee": text(account.maker_fee), "taker_fee": text(account.taker_fee)}
    price, change = price_and_change(source, instrument.symbol)
    return {**told, **fees, "price": text(price), "change_24h": text(change)}


def price_and_change(source: PriceSource, symbol: str) -> tuple[Decimal | None, Decimal | None]:
    """The price and its change in a day in percent; None for what is not known."""
    try:
        price = source.quote(symbol).last
    except CouldNotRead:
        return None, None
    change = source.change(symbol)
    return price, None if change is None else change.quantize(ONE / 100)


def recordings_in(folder: Path) -> Iterator[dict[str, Any]]:
    """What can be replayed; a file that cannot be read is left out."""
    for name in recordings.listed(folder):
        try:
            found = recordings.load(folder, name)
        except CoreError:
            continue
        yield {
            "file": name,
            "symbol": ", ".join(one.instrument.symbol for one in found),
            "timeframe": min(found, key=lambda one: one.length).timeframe,
            "from": at(min(one.begin for one in found)),
            "to": at(max(one.end for one in found)),
            "candles": sum(len(one.times) for one in found),
        }


def replay_folder() -> Path:
    return Path(settings.REPLAY_DIR)

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
from .connect import known_balance, source_for
from .market_data import recordings
from .market_data.source import PriceSource
from .models import Account, VenueFacts
from .real_money import SENTENCE
from .venues import VENUES

STANDING = "buddy.trading.gate.standing_summary"
"""Trading stands above this app: asked by name for an account's open risk and trades, and what it has proven."""
PROOF = "buddy.trading.canary_rows.told"
LIMITS = ("max_leverage", "max_open_trades", "seed", "replay_file", "replay_speed")
AMOUNTS = ("opening_balance", "maker_fee", "taker_fee", "slippage", "max_risk_percent", "max_open_risk_percent")
PLAIN: tuple[str, ...] = ("id", "name", "mode", "venue", "state", "is_main", "currency", "price_source", "created_at")
PLAIN += ("position_mode", "margin_mode", "fee_source", *LIMITS)

RIGHTS = {True: "yes", False: "no", None: "cannot_tell"}
TOLD_OF_VENUES = ("name", "modes", "settle", "needs_passphrase")
TOLD_OF_KEYS = ("last4", "saved_at", "expires_at", "probed_at", "tried_at", "trouble", "refused_at")


def at(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else EPOCH + timedelta(milliseconds=milliseconds)


def text(amount: Decimal | None) -> str | None:
    """A decimal as the API writes it: no exponent, no trailing zeros."""
    return None if amount is None else f"{plain(amount):f}"


def account_story(account: Account) -> dict[str, Any]:
    source, trouble = _source(account)
    balance = known_balance(account)
    return {
        **{name: getattr(account, name) for name in PLAIN},
        **{name: text(Decimal(getattr(account, name))) for name in AMOUNTS},
        **_prices(account, source),
        **_standing(account, balance),
        "equity": text(balance.equity),
        "free": text(balance.free),
        "spot": account.is_spot,
        "connection": _connection(account, trouble),
        "key": _key(account),
        "venue_facts": _venue_facts(account),
        "proof": import_string(PROOF)(account),
    }


def _source(account: Account) -> tuple[PriceSource | None, str]:
    try:
        return source_for(account), account.trouble
    except CouldNotRead as error:
        return None, str(error)


def _key(account: Account) -> dict[str, Any] | None:
    """What may be shown of the key in use, and what the venue said of it."""
    if account.is_paper:
        return None
    row = account.credentials.filter(in_use=True).first()
    if row is None:
        return None
    told = {name: getattr(row, name) for name in TOLD_OF_KEYS}
    return told | {name: RIGHTS[getattr(row, name)] for name in ("can_trade", "can_withdraw", "ip_bound")}


def _venue_facts(account: Account) -> dict[str, Any] | None:
    facts = None if account.is_paper else VenueFacts.objects.filter(account=account).first()
    if facts is None:
        return None
    told = {
        name: getattr(facts, name) for name in ("clock_offset_ms", "symbols", "balance_at", "checked_at", "fees_at")
    }
    amounts = {name: text(getattr(facts, name)) for name in ("wallet", "maker_fee", "taker_fee")}
    return {**told, **amounts, "position_mode": facts.position_mode or None}


def venues() -> dict[str, Any]:
    """Where accounts can be had, and what real money asks for."""
    rows = [
        {"id": name, "spot": venue.exits.is_spot, **{field: getattr(venue, field) for field in TOLD_OF_VENUES}}
        for name, venue in VENUES.items()
    ]
    return {
        "results": rows,
        "next": None,
        "live_trading": settings.LIVE_TRADING,
        "sentence": SENTENCE,
        "recent_sign_in_minutes": settings.RECENT_SIGN_IN // 60,
    }


def _prices(account: Account, source: PriceSource | None) -> dict[str, Any]:
    if not account.is_paper:
        label = f"{account.get_mode_display()} · {VENUES[account.venue].name}"
        return {"label": label, "clock": at(source.now() if source else None), "replay_ends": None}
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

"""What can be done with an account: make, change, choose, check, halt, resume, archive."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from buddy.core.errors import CouldNotRead
from buddy.events.record import record
from buddy.problems import Conflict, Problem, fault

from . import clock
from .connect import source_for
from .market_data import recordings
from .models import Account, VenueFacts
from .venues import VENUES, fees_of
from .wall import wall

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PRACTICE = "Practice"
State = Account.State
NOT_ON_PAPER = ("key", "sentence")
FEES = ("maker_fee", "taker_fee")


def to_ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def refuse(field: str, message: str, cure: str, code: str) -> Problem:
    """One wrong field, as a problem to raise."""
    return Problem(400, "invalid", "Some fields are not right.", {field: [fault(message, cure, code)]})


def of(owner: Any) -> Any:
    """The user's accounts in use."""
    return Account.objects.filter(owner=owner, archived_at=None)


def open_account(owner: Any, fields: Mapping[str, Any]) -> Account:
    """A new paper account; the first one is the main one. `fields`: those of the contract, of the right types."""
    wanted = {name: value for name, value in fields.items() if name not in NOT_ON_PAPER}
    if "price_source" not in wanted:
        raise refuse("price_source", "A paper account needs prices.", "Choose where they come from.", "required")
    start = wanted.pop("replay_start", None)
    account = Account(owner=owner, **fees_of(wanted.get("venue", "")) | _checked(wanted) | source_of_fees(wanted))
    _check_venue(account)
    if account.price_source == Account.PriceSource.LIVE:
        account.currency = VENUES[account.venue].settle
    if account.price_source == Account.PriceSource.REPLAY:
        _wind_up(account, start)
    with transaction.atomic():
        account.is_main = not of(owner).filter(is_main=True).exists()
        save_named(account)
        tell(
            account,
            "account_opened",
            f"Account {account.name} opened with {account.opening_balance} {account.currency}.",
        )
    return account


def practice(owner: Any) -> tuple[Account, bool]:
    """The account of "Practise with 10,000 USDT", and whether it is new. Asking twice gives the same one."""
    known = of(owner).filter(name=PRACTICE).first()
    if known is not None:
        return known, False
    simulated = {"name": PRACTICE, "price_source": Account.PriceSource.SIMULATED, "seed": random.randint(1, 999_999)}  # noqa: S311
    try:
        account = open_account(owner, simulated)
    except Problem:  # another request was faster
        return of(owner).get(name=PRACTICE), False
    make_main(account)
    return account, True


def change(account: Account, fields: Mapping[str, Any]) -> Account:
    wanted = _checked(fields)
    if "replay_speed" in wanted and account.price_source == Account.PriceSource.REPLAY:
        clock.set_clock(account, source_for(account).now())
        wanted |= {"clock_wall": account.clock_wall, "clock_time": account.clock_time}
    wanted |= _fees(account, wanted)
    for name, value in wanted.items():
        setattr(account, name, value)
    with transaction.atomic():
        save_named(account, update_fields=list(wanted))
    return account


def source_of_fees(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Of a new account."""
    return {"fee_source": Account.FeeSource.TYPED} if any(name in wanted for name in FEES) else {}


def _fees(account: Account, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Whose word the fees are after a change; saying the same again does not make them the trader's own."""
    if "fee_source" not in wanted:
        typed = any(name in wanted and wanted[name] != getattr(account, name) for name in FEES)
        return {"fee_source": Account.FeeSource.TYPED} if typed else {}
    facts = VenueFacts.objects.filter(account=account).exclude(fees_at=None).first()
    if facts is None:
        raise refuse("fee_source", f"No venue has said what it charges {account.name}.", "Type its fees.", "not_told")
    return {name: getattr(facts, name) for name in FEES}


def make_main(account: Account) -> Account:
    with transaction.atomic():
        Account.objects.filter(owner=account.owner, is_main=True).update(is_main=False)
        Account.objects.filter(pk=account.pk).update(is_main=True)
    account.is_main = True
    return account


def halt(account: Account) -> Account:
    """No orders at all from now on but those that protect and close."""
    return _turn(account, State.HALTED, "account_halted", f"{account.name} is halted: nothing new is opened.")


def resume(account: Account, state: str) -> Account:
    words = "trades again" if state == State.ACTIVE else "only closes"
    return _turn(account, State(state), "account_resumed", f"{account.name} {words}.")


def archive(account: Account) -> None:
    """Out of sight; its history stays, its key does not. Refused while trades work on it."""
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        if working := working_trades(account):
            trades = "1 trade is" if working == 1 else f"{working} trades are"
            raise Conflict(f"{trades} still working on {account.name}. Close or cancel first.", "working_trades")
        Account.objects.filter(pk=account.pk).update(archived_at=timezone.now(), is_main=False)
        account.credentials.all().delete()
        following = of(account.owner).first()
        if account.is_main and following is not None:
            Account.objects.filter(pk=following.pk).update(is_main=True)


def check(account: Account) -> Account:
    """Try the price source now and remember what it said."""
    account.looked_at = timezone.now()
    try:
        source = source_for(account)
        source.quote(source.instruments()[0].symbol)
        account.good_look_at, account.trouble = account.looked_at, ""
    except CouldNotRead as error:
        account.trouble = str(error)[:300]
    account.save(update_fields=["looked_at", "good_look_at", "trouble"])
    return account


def working_trades(account: Account) -> int:
    """Trading stands above this app, so its model is looked up by name."""
    trades: Any = apps.get_model("trading", "Trade")
    return int(trades.objects.filter(account=account, status__in=["pending", "open"]).count())


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    wanted = dict(fields)
    if "replay_speed" in wanted:
        speed = clock.read_speed(wanted["replay_speed"])
        if speed is None:
            raise refuse("replay_speed", "This is no speed.", "Write a factor such as 60, or max.", "invalid_speed")
        wanted["replay_speed"] = speed
    return wanted


def _check_venue(account: Account) -> None:
    if account.price_source == Account.PriceSource.LIVE and account.venue not in VENUES:
        known = ", ".join(VENUES)
        raise refuse(
            "venue", f"There are no live prices of {account.venue}.", f"Choose one of: {known}.", "unknown_venue"
        )


def _wind_up(account: Account, start: datetime | None) -> None:
    """Set a new replay's clock: to `start`, else to where its recording begins."""
    try:
        found = recordings.load(Path(settings.REPLAY_DIR), account.replay_file)
    except CouldNotRead as error:
        raise refuse("replay_file", str(error), "Choose one of the recordings offered.", "unknown_recording") from None
    begin, end = min(one.begin for one in found), max(one.end for one in found)
    shows = begin if start is None else to_ms(start)
    if not begin <= shows < end:
        raise refuse("replay_start", "The recording does not reach there.", _span(begin, end), "outside_recording")
    account.currency = found[0].instrument.settle
    clock.set_clock(account, shows)


def _span(begin: int, end: int) -> str:
    first, last = (datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M") for moment in (begin, end))
    return f"Choose a time from {first} to {last} UTC."


def save_named(account: Account, **how: Any) -> None:
    try:
        with transaction.atomic():
            account.save(**how)
    except IntegrityError:
        raise refuse("name", "You have an account of this name.", "Choose another name.", "unique") from None
    account.refresh_from_db()


def _turn(account: Account, state: Account.State, kind: str, text: str) -> Account:
    with transaction.atomic():
        if Account.objects.filter(pk=account.pk).exclude(state=state).update(state=state):
            tell(account, kind, text)
    account.state = state
    return account


def tell(account: Account, kind: str, text: str) -> None:
    record(owner_id=account.owner_id, account_id=account.pk, kind=kind, text=text, time_ms=wall())

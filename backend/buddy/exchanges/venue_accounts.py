"""Accounts at venues: opened with a key that has passed its probe, given another key, checked.

The key is sealed and committed first, as a worker must probe it and tasks carry nothing but numbers. Until the probe
has passed, nobody sees the account and nothing uses the key; what does not pass is deleted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from buddy.fields import plain
from buddy.problems import Conflict, Problem, fault

from . import accounts, key_notices, probing
from .market_data.fetching import Place
from .models import Account, Credentials, Keys, VenueFacts
from .venues import VENUES, fees_of

WAIT = 12.0
"""Longest wait for a probe, in seconds: it reads the venue's whole list of instruments first."""
GLANCE = 0.05
ON_VENUES: tuple[str, ...] = ("name", "mode", "venue", "position_mode", "margin_mode", "maker_fee", "taker_fee")
ON_VENUES += ("slippage", "max_leverage", "max_risk_percent", "max_open_risk_percent", "max_open_trades")
"""What of the fields of the contract an account at a venue has."""


def open_at_venue(owner: Any, fields: Mapping[str, Any]) -> Account:
    """A testnet or live account; `fields` of the contract, `key` among them. Raises a Problem, and nothing is kept."""
    keys = _checked_keys(fields.get("venue", ""), fields["mode"], fields.get("key"))
    account = _draft(owner, fields)
    try:
        row = _sealed(account, keys)
        _insist_on_probe(row)
        _put_in_use(row)
    except Exception:
        Account.objects.filter(pk=account.pk, is_draft=True).delete()
        raise
    account.refresh_from_db()
    return account


def replace_key(account: Account, key: Mapping[str, str]) -> Account:
    """Another key for the account. The old one stays in use until the new one has passed its probe."""
    if account.is_paper:
        raise accounts.refuse("key", "A paper account has no key.", "Make a testnet or live account.", "paper")
    row = _sealed(account, _checked_keys(account.venue, account.mode, key))
    try:
        _insist_on_probe(row)
        _put_in_use(row)
    except Exception:
        Credentials.objects.filter(pk=row.pk, in_use=False).delete()
        raise
    account.refresh_from_db()
    return account


def check(account: Account) -> Account:
    """Probe the key in use now, and remember what the venue said."""
    row = account.credentials.filter(in_use=True).first()
    if row is None:
        raise Conflict(f"{account.name} has no key. Save one first.", "no_key")
    row = _probed(row)
    account.refresh_from_db()
    account.looked_at, account.trouble = row.tried_at, row.trouble
    if not row.trouble:
        account.good_look_at = row.tried_at
    account.save(update_fields=["looked_at", "good_look_at", "trouble"])
    return account


# --- what is asked for ------------------------------------------------------------------------------------------------


def _checked_keys(venue: str, mode: str, key: Mapping[str, str] | None) -> Keys:
    offered = VENUES[venue].modes if venue in VENUES else ()
    if mode not in offered:
        known = ", ".join(name for name, one in VENUES.items() if mode in one.modes)
        wrong = f"There are no {mode} accounts at {venue}." if venue else "The account needs a venue."
        raise accounts.refuse("venue", wrong, f"Choose one of: {known}.", "venue" if venue else "required")
    if key is None:
        raise accounts.refuse("key", "An account at a venue needs a key.", "Give its key and secret.", "required")
    if VENUES[venue].needs_passphrase and not key.get("passphrase"):
        cure = "Type the passphrase you chose when you made the key."
        raise accounts.refuse("key.passphrase", f"A key of {VENUES[venue].name} has a passphrase.", cure, "required")
    return Keys(key["api_key"], key["secret"], key.get("passphrase", ""))


def _draft(owner: Any, fields: Mapping[str, Any]) -> Account:
    """The account as asked for, out of everybody's sight."""
    if accounts.of(owner).filter(name=fields["name"]).exists():
        raise accounts.refuse("name", "You have an account of this name.", "Choose another name.", "unique")
    wanted = fees_of(fields["venue"]) | {name: fields[name] for name in ON_VENUES if name in fields}
    return Account.objects.create(
        owner=owner,
        price_source=Account.PriceSource.LIVE,
        currency=VENUES[fields["venue"]].settle,
        is_draft=True,
        archived_at=timezone.now(),
        **wanted,
        **accounts.source_of_fees(fields),
    )


def _sealed(account: Account, keys: Keys) -> Credentials:
    row = Credentials(account=account)
    row.keep(keys)
    _insist_on_one_account(row)
    row.save()
    return row


def _insist_on_one_account(row: Credentials) -> None:
    """Two accounts on one key would each take the other's orders and positions for a stranger's."""
    if Credentials.objects.filter(fingerprint=row.fingerprint, in_use=True).exclude(account=row.account_id).exists():
        cure = "Make a sub-account with a key of its own, or use the account that has this one."
        raise accounts.refuse("key.api_key", "Another account here uses this key.", cure, "key_in_use")


# --- the probe --------------------------------------------------------------------------------------------------------


def _insist_on_probe(row: Credentials) -> None:
    """Raises a Problem for a key that may withdraw, may not trade, is refused, or about which nothing was said."""
    row, name = _probed(row), VENUES[row.account.venue].name
    if row.refused_at:
        cure = "Check key and secret, the addresses it is bound to, and whether it is a testnet key."
        raise accounts.refuse("key.api_key", f"This key cannot be used. {row.trouble}", cure, "key_refused")
    if row.trouble:
        raise _unsaid(f"The key could not be checked: {row.trouble} Nothing was saved.")
    if row.can_withdraw:
        cure = f"Make a key without that right at {name}, and give that one."
        raise accounts.refuse("key.api_key", "This key may withdraw money.", cure, "key_can_withdraw")
    if row.can_trade is False:
        cure = f"Allow it to trade futures at {name}, or give another key."
        raise accounts.refuse("key.api_key", "This key may not trade.", cure, "key_cannot_trade")


def _probed(row: Credentials) -> Credentials:
    """The row after a probe that began now. Raises a Problem when no worker answers in time."""
    before = row.tried_at
    if Place.is_worker:
        probing.probe(row.pk)
    else:
        _send(row.pk)
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        fresh = Credentials.objects.select_related("account").filter(pk=row.pk).first()
        if fresh is None:
            raise _unsaid("The key was taken away meanwhile.")
        if fresh.tried_at != before:
            return fresh
        time.sleep(GLANCE)
    raise _unsaid(f"{VENUES[row.account.venue].name} has not answered yet.")


def _send(number: int) -> None:
    from .tasks import probe_key

    try:
        probe_key.apply_async(args=[number], expires=WAIT, retry=False)
    except OperationalError:
        raise _unsaid("The workers cannot be reached.") from None


def _unsaid(detail: str) -> Problem:
    wrong = fault(detail, "Try again in a moment.", "key_unchecked")
    return Problem(503, "key_unchecked", detail, {"key": [wrong]}, retry_after=5)


# --- into use ---------------------------------------------------------------------------------------------------------


def _put_in_use(row: Credentials) -> None:
    try:
        with transaction.atomic():
            _replace(row)
    except IntegrityError:  # another request was faster
        raise _unsaid("Something of this was changed at the same moment.") from None
    key_notices.judge(row)


def _replace(row: Credentials) -> None:
    _insist_on_one_account(row)
    account = Account.objects.select_for_update().get(pk=row.account_id)
    if account.archived_at is not None and not account.is_draft:
        raise Problem(404, "not_found", "The account was removed meanwhile.")
    Credentials.objects.filter(account=account, in_use=True).delete()
    if not Credentials.objects.filter(pk=row.pk).update(in_use=True):
        raise _unsaid("The key was taken away meanwhile.")
    if account.is_draft:
        _open(account)
    else:
        Account.objects.filter(pk=account.pk).update(trouble="")  # it was the old key's
    _tell_key(account, row)


def _open(account: Account) -> None:
    facts = VenueFacts.objects.get(account=account)
    account.is_draft, account.archived_at = False, None
    account.opening_balance = facts.wallet
    account.good_look_at = account.looked_at = facts.checked_at
    account.is_main = not accounts.of(account.owner).filter(is_main=True).exists()
    changed = ["is_draft", "archived_at", "opening_balance", "good_look_at", "looked_at", "is_main"]
    accounts.save_named(account, update_fields=changed)
    where = f"{VENUES[account.venue].name} ({account.get_mode_display().lower()})"
    text = f"Account {account.name} opened at {where} with {plain(facts.wallet):f} {account.currency}."
    accounts.tell(account, "account_opened", text)


def _tell_key(account: Account, row: Credentials) -> None:
    end = f" that ends in {row.last4}" if row.last4 else ""
    accounts.tell(account, "key_saved", f"A key{end} was saved for {account.name}.")

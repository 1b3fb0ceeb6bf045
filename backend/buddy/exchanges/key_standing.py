"""What stands against entering trades on an account at a venue. Exits never ask here."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from buddy.core.risk import Denial
from buddy.prepared import Select

from .models import Account, Credentials, VenueFacts
from .venues import VENUES

_KEY = Select(lambda account: Credentials.objects.filter(account_id=account, in_use=True).order_by("pk")[:1])
_FACTS = Select(lambda account: VenueFacts.objects.filter(account_id=account))


def key_denials(account: Account) -> Iterator[Denial]:
    """Every reason of the key, the mode or the desk; none for paper."""
    if account.is_paper:
        return
    if account.mode == Account.Mode.LIVE and not settings.LIVE_TRADING:
        cure = "Set LIVE_TRADING=true in .env and start again."
        yield Denial("live_trading_off", "Trading with real money is switched off on this desk.", cure)
    row = _KEY.first(account=account.pk)
    if row is None:
        yield Denial("no_key", f"{account.name} has no key.", "Save one in the settings.")
    else:
        yield from _of_key(account, row)
    yield from _of_position_mode(account)


def _of_key(account: Account, row: Credentials) -> Iterator[Denial]:
    name = VENUES[account.venue].name
    if row.refused_at is not None:
        yield Denial("key_refused", f"{name} does not accept the key of {account.name}.", "Save another key.")
    if row.can_withdraw:
        cure = f"Take that right away at {name}, or save another key."
        yield Denial("key_can_withdraw", "The key may withdraw money.", cure)
    if row.can_trade is False:
        yield Denial("key_cannot_trade", "The key may not trade.", f"Allow it at {name}, or save another key.")


def _of_position_mode(account: Account) -> Iterator[Denial]:
    facts = _FACTS.first(account=account.pk)
    if facts is not None and facts.position_mode and facts.position_mode != account.position_mode:
        there, here = facts.get_position_mode_display().lower(), account.get_position_mode_display().lower()
        message = f"The account is in {there} mode at {VENUES[account.venue].name}, and {here} mode is wanted."
        yield Denial("position_mode", message, "Change it there, or change what is wanted in the settings; then check.")

"""Before real money is at risk: the desk must allow it, and the trader must say so in a whole sentence."""

from __future__ import annotations

from django.conf import settings

from buddy.problems import Problem, fault

from .models import Account

SENTENCE = "I trade with real money on {name}"


def sentence_for(name: str) -> str:
    return SENTENCE.format(name=name)


def insist_on_permission() -> None:
    """Raises a Problem (409) while LIVE_TRADING is off."""
    if not settings.LIVE_TRADING:
        cure = "Set LIVE_TRADING=true in .env and start again."
        wrong = fault("Trading with real money is switched off on this desk.", cure, "live_trading_off")
        raise Problem(409, "live_trading_off", wrong["message"], {"mode": [wrong]})


def insist_on_sentence(name: str, typed: str) -> None:
    """Raises a Problem (400) unless `typed` is the sentence, to the letter."""
    wanted = sentence_for(name)
    if typed.strip() != wanted:
        wrong = fault("Real money needs your own word.", f"Type: {wanted}", "sentence")
        raise Problem(400, "invalid", "Some fields are not right.", {"sentence": [wrong]})


def is_at_risk(account: Account, state: str) -> bool:
    """Whether turning `account` to `state` lets it enter trades with real money."""
    return account.mode == Account.Mode.LIVE and state == Account.State.ACTIVE

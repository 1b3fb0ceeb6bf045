"""From an account to its prices and its exchange. The only place that knows what modes and price sources there are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils import timezone

from buddy.core.exchange import Balance, Exchange
from buddy.core.market import ZERO, Instrument

from . import asking
from .asking import Asked
from .clock import FULL_SPEED, replay_time
from .market_data import recordings
from .market_data.as_spot import CoinPrices
from .market_data.live import AccountPrices, LivePrices
from .market_data.replay import ReplayedPrices
from .market_data.simulated import SimulatedPrices
from .market_data.source import PriceSource
from .models import Account, VenueFacts
from .paper import PaperExchange
from .paper import balance_of as paper_balance
from .venue_exchange import exchange_of


def source_for(account: Account) -> PriceSource:
    """The account's prices. Raises CouldNotRead when its recording cannot be read."""
    if not account.is_paper:
        testnet = account.mode == Account.Mode.TESTNET
        return AccountPrices(account.venue, Asked(account).instrument, testnet=testnet)
    match Account.PriceSource(account.price_source):
        case Account.PriceSource.SIMULATED:
            return _of_kind(account, SimulatedPrices(account.seed))
        case Account.PriceSource.REPLAY:
            found = recordings.load(Path(settings.REPLAY_DIR), account.replay_file)
            leaps = account.replay_speed == FULL_SPEED
            return _of_kind(account, ReplayedPrices(found, lambda: replay_time(account), leaps=leaps))
        case Account.PriceSource.LIVE:
            return LivePrices(account.venue)


def _of_kind(account: Account, perpetuals: PriceSource) -> PriceSource:
    return CoinPrices(perpetuals) if account.is_spot else perpetuals


def connect(account: Account) -> Exchange:
    """The account's exchange, ready to be read and traded on; at a venue for workers only. Raises CouldNotRead."""
    if account.is_paper:
        return PaperExchange(account, source_for(account))
    return exchange_of(account)


class Glance(Protocol):
    """What sizing and showing need of an exchange."""

    def balance(self) -> Balance: ...

    def instrument(self, symbol: str) -> Instrument: ...


def glance(account: Account) -> Glance:
    """The account's exchange to be read only, by any process. Raises CouldNotRead."""
    return PaperExchange(account, source_for(account)) if account.is_paper else Asked(account)


def balance_of(account: Account) -> Balance:
    """The account's money: on paper at the prices of the last look, at a venue as it is now. Raises CouldNotRead."""
    return paper_balance(account) if account.is_paper else Asked(account).balance()


def known_balance(account: Account) -> Balance:
    """The account's money as last read, without waiting for anything."""
    if account.is_paper:
        return paper_balance(account)
    facts = VenueFacts.objects.filter(account=account).first()
    if facts is None or facts.balance_at is None:
        asking.freshen(account)
        return Balance(ZERO, ZERO, ZERO)
    if timezone.now() - facts.balance_at > timedelta(milliseconds=asking.SHOWN):
        asking.freshen(account)
    return Balance(facts.wallet, facts.equity, facts.free)

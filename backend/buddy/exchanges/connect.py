"""From an account to its prices and its exchange. The only place that knows what modes and price sources there are."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from buddy.core.errors import CouldNotRead
from buddy.core.exchange import Exchange

from .clock import FULL_SPEED, replay_time
from .market_data import recordings
from .market_data.live import LivePrices
from .market_data.replay import ReplayedPrices
from .market_data.simulated import SimulatedPrices
from .market_data.source import PriceSource
from .models import Account
from .paper import PaperExchange


def source_for(account: Account) -> PriceSource:
    """The account's prices. Raises CouldNotRead when its recording cannot be read."""
    match Account.PriceSource(account.price_source):
        case Account.PriceSource.SIMULATED:
            return SimulatedPrices(account.seed)
        case Account.PriceSource.REPLAY:
            found = recordings.load(Path(settings.REPLAY_DIR), account.replay_file)
            return ReplayedPrices(found, lambda: replay_time(account), leaps=account.replay_speed == FULL_SPEED)
        case Account.PriceSource.LIVE:
            return LivePrices(account.venue)


def connect(account: Account) -> Exchange:
    """The account's exchange, ready to be read and traded on. Raises CouldNotRead."""
    if not account.is_paper:
        raise CouldNotRead(f"{account.name} is an account at a venue, and venues cannot be reached yet.")
    return PaperExchange(account, source_for(account))

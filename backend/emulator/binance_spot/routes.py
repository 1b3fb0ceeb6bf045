"""Binance's paths on spot."""

from __future__ import annotations

from ..desk import Desk, Routes, Security
from ..spot_account import SpotAccount

ROUTES = Routes()
route = ROUTES.add

__all__ = ["ROUTES", "Desk", "Security", "coins", "route"]


def coins(desk: Desk) -> SpotAccount:
    """The account of whoever asks."""
    account = desk.account
    if not isinstance(account, SpotAccount):
        raise LookupError("This venue opens accounts on spot only.")
    return account

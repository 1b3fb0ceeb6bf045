"""Bybit's paths."""

from __future__ import annotations

from ..desk import Desk, Routes, Security

ROUTES = Routes()
route = ROUTES.add

__all__ = ["ROUTES", "Desk", "Security", "route"]

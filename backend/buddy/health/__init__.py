"""How the desk is: what lives and since when it was last seen to, for whoever asks, and an owner's accounts for him."""

from __future__ import annotations

from .beats import BEAT_KEY, HEARTBEAT, WORKER_KEY, heartbeat, worker_lives

__all__ = ["BEAT_KEY", "HEARTBEAT", "WORKER_KEY", "heartbeat", "worker_lives"]

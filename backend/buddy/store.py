"""The one client of the store (Valkey or Redis). It holds nothing that matters: wake-ups, cache, pub/sub."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings


@cache
def store() -> redis.Redis:
    """One connection pool per process; answers are text."""
    return redis.Redis.from_url(
        settings.REDIS_URL, decode_responses=True, socket_timeout=3, socket_connect_timeout=3, health_check_interval=30
    )

"""How many requests a user may make: counted in the store, in windows of a minute that begin with the clock's."""

from __future__ import annotations

from typing import Any

import redis
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from buddy.store import store


class UserThrottle(UserRateThrottle):
    """By user, or by address for who is not signed in. A store that is away counts nothing and refuses nobody.

    DRF's own keeps the time of every request of the last minute in one value, read and written whole each time.
    """

    num_requests: int
    duration: int

    def allow_request(self, request: Request, view: Any) -> bool:
        if self.rate is None:
            return True
        self.now = self.timer()
        key = f"{self.get_cache_key(request, view)}:{int(self.now // self.duration)}"
        return _count(key, self.duration) <= self.num_requests

    def wait(self) -> float:
        """Seconds until the next window."""
        return float(self.duration - self.now % self.duration)


def _count(key: str, seconds: int) -> int:
    """How often this key was counted, this time included; it is forgotten after `seconds`."""
    try:
        count = int(store().incr(key))
        if count == 1:
            store().expire(key, seconds)
    except redis.RedisError:
        return 0
    return count

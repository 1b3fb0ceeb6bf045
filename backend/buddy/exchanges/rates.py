"""How fast we may ask: token buckets shared by every process through the store, with a reserve for protection.

A venue counts by the address calls come from and by account. Ordinary calls leave a fifth of a bucket alone; orders
that protect and cancels may use it. When a venue tells us to stop, everybody stops until the time it says. Without the
store each process counts for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

from redis.exceptions import RedisError

from buddy.core.errors import CouldNotRead
from buddy.store import store

from .recipe import Rate

RESERVE = 0.2
"""The part of a bucket that ordinary calls leave for protection."""
ORDINARY_WAIT = 2.0
PROTECTIVE_WAIT = 5.0
"""Longest wait for a token, in seconds; after that the call is not made."""
KEPT = 600

TAKE = """
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local closed = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(redis.call('GET', KEYS[2]) or '0'))
if closed > ms then return {1, closed - ms} end
local cost, reserve = tonumber(ARGV[1]), tonumber(ARGV[2])
local wait, left = 0, {}
for i = 3, #KEYS do
  local size, gain = tonumber(ARGV[i * 2 - 3]), tonumber(ARGV[i * 2 - 2]) / 1000
  local kept = redis.call('HMGET', KEYS[i], 'tokens', 'at')
  local tokens = math.min(size, (tonumber(kept[1]) or size) + (ms - (tonumber(kept[2]) or ms)) * gain)
  local need = math.min(cost, size * (1 - reserve)) + size * reserve
  if tokens < need then wait = math.max(wait, (need - tokens) / gain) end
  left[i] = tokens - cost
end
if wait > 0 then return {0, math.ceil(wait)} end
for i = 3, #KEYS do
  redis.call('HSET', KEYS[i], 'tokens', tostring(left[i]), 'at', ms)
  redis.call('EXPIRE', KEYS[i], ARGV[#ARGV])
end
return {0, 0}
"""


STOP = """
if tonumber(redis.call('GET', KEYS[1]) or '0') < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
"""


LOWER = """
local now = redis.call('TIME')
local kept = tonumber(redis.call('HGET', KEYS[1], 'tokens') or ARGV[1])
if kept < tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'tokens', ARGV[1], 'at', now[1] * 1000 + math.floor(now[2] / 1000))
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    rate: Rate


def of_address(venue: str, environment: str, rate: Rate) -> Bucket:
    """All that this machine may ask of a venue's live or testnet."""
    return Bucket(f"rate:{venue}:{environment}:address", rate)


def part_left(bucket: Bucket) -> float:
    """How much of a bucket is left, from 0 to 1; all of it while the store cannot tell."""
    try:
        tokens, at = store().hmget(bucket.name, "tokens", "at")
    except RedisError:
        return 1.0
    if tokens is None or at is None:
        return 1.0
    gained = max(0.0, time.time() - int(at) / 1000) * bucket.rate.per_second
    return max(0.0, min(1.0, (float(tokens) + gained) / bucket.rate.size))


class Limiter:
    """A venue's buckets as one account draws from them. `place`: the venue's machines. `sleep` is for the tests."""

    def __init__(
        self, venue: str, place: str = "", account: str = "", sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.venue = venue
        everybody = f"rate:{place or venue}:closed"
        self._circuits = (everybody, f"{everybody}:{account}")
        self._sleep = sleep

    def take(self, cost: float, buckets: Sequence[Bucket], *, protective: bool = False) -> None:
        """Wait for `cost` tokens of each bucket. Raises CouldNotRead (nothing was sent) when that takes too long."""
        deadline = time.monotonic() + (PROTECTIVE_WAIT if protective else ORDINARY_WAIT)
        while True:
            told_to_stop, wait = self._ask(cost, buckets, 0.0 if protective else RESERVE)
            if not wait:
                return
            if told_to_stop or time.monotonic() + wait > deadline:
                raise CouldNotRead(f"{self.venue} is asked as often as it allows; wait a moment.")
            self._sleep(wait)

    def stop(self, seconds: float, *, everybody: bool = True) -> None:
        """The venue told us to stop: nobody asks it for `seconds`, or this account alone does not."""
        until, circuit = int((time.time() + seconds) * 1000), self._circuits[not everybody]
        LOCAL.stop(circuit, until)
        try:
            _stop()(keys=[circuit], args=[until, int(seconds) + 1])
        except RedisError:
            return

    def spend(self, bucket: Bucket, part: float) -> None:
        """The venue counts more than we do: bring `bucket` down to what is left of it by the venue's count."""
        left = max(0.0, bucket.rate.size * (1 - part))
        LOCAL.lower(bucket, left)
        try:
            _lower()(keys=[bucket.name], args=[left, KEPT])
        except RedisError:
            return

    def _ask(self, cost: float, buckets: Sequence[Bucket], reserve: float) -> tuple[bool, float]:
        rates = [number for bucket in buckets for number in (bucket.rate.size, bucket.rate.per_second)]
        try:
            closed, wait = _script()(
                keys=[*self._circuits, *(bucket.name for bucket in buckets)], args=[cost, reserve, *rates, KEPT]
            )
        except RedisError:
            return LOCAL.take(self._circuits, cost, buckets, reserve)
        return bool(closed), int(wait) / 1000


class Local:
    """The same for this process alone, while the store is away."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._left: dict[str, tuple[float, float]] = {}
        self._closed: dict[str, int] = {}

    def stop(self, circuit: str, until: int) -> None:
        self._closed[circuit] = max(until, self._closed.get(circuit, 0))

    def lower(self, bucket: Bucket, left: float) -> None:
        with self._lock:
            tokens, _ = self._left.get(bucket.name, (bucket.rate.size, 0.0))
            if left < tokens:
                self._left[bucket.name] = (left, time.time())

    def take(
        self, circuits: Sequence[str], cost: float, buckets: Sequence[Bucket], reserve: float
    ) -> tuple[bool, float]:
        now = time.time()
        closed = max(self._closed.get(circuit, 0) for circuit in circuits) / 1000
        if closed > now:
            return True, closed - now
        with self._lock:
            return False, self._take(now, cost, buckets, reserve)

    def _take(self, now: float, cost: float, buckets: Sequence[Bucket], reserve: float) -> float:
        wait, left = 0.0, {}
        for bucket in buckets:
            size, gain = bucket.rate.size, bucket.rate.per_second
            tokens, at = self._left.get(bucket.name, (size, now))
            tokens = min(size, tokens + (now - at) * gain)
            need = min(cost, size * (1 - reserve)) + size * reserve
            wait = max(wait, (need - tokens) / gain)
            left[bucket.name] = (tokens - cost, now)
        if wait <= 0:
            self._left |= left
        return max(wait, 0.0)


LOCAL = Local()


def _script() -> Callable[..., list[int]]:
    return store().register_script(TAKE)


def _stop() -> Callable[..., None]:
    return store().register_script(STOP)


def _lower() -> Callable[..., int]:
    return store().register_script(LOWER)

"""The cache may vanish at any moment and cost nothing but speed: a store that is away reads as empty."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


def _or(answer: Callable[..., Any], method: Any) -> Any:
    """`method`, or `answer` of its arguments while the store is away."""

    @functools.wraps(method)
    def soft(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except (RedisError, OSError) as error:
            log.warning("cache: the store is away: %s", error)
            return answer(*args, **kwargs)

    return soft


class Cache(RedisCache):
    """`add` says no while the store is away: whoever wants a lock, like the guard on sign-in, does not get it."""

    get = _or(lambda key, default=None, version=None: default, RedisCache.get)
    get_many = _or(lambda keys, version=None: {}, RedisCache.get_many)
    has_key = _or(lambda key, version=None: False, RedisCache.has_key)
    add = _or(lambda *_, **__: False, RedisCache.add)
    set = _or(lambda *_, **__: None, RedisCache.set)
    set_many = _or(lambda data, *_, **__: list(data), RedisCache.set_many)
    touch = _or(lambda *_, **__: False, RedisCache.touch)
    delete = _or(lambda *_, **__: False, RedisCache.delete)
    delete_many = _or(lambda *_, **__: None, RedisCache.delete_many)

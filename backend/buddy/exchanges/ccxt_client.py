"""The client library's objects, made ready: one per account and process, sharing what is known of the markets.

The library stays unmodified and believes it speaks to the venue itself; where its traffic goes and what left is seen
in the session under it (`Wire`). Practice money is switched on before anything else, since that changes addresses.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock, RLock
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import ccxt
import requests
from django.core.cache import cache
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.exceptions import NewConnectionError

from buddy.core.errors import CouldNotRead

from .models import Keys
from .venue_rows import RECIPES
from .venues import VENUES

log = logging.getLogger(__name__)

TIMEOUT = 10_000
"""Milliseconds."""
MARKETS_KEPT = 3600.0
TIME_KEPT = 600.0
"""Seconds until the markets are read, and the venue's clock is compared, again."""
PATIENCE = 60.0
"""Seconds until a venue that did not answer is asked for them again."""
LIVE, TESTNET = "live", "testnet"


class Redirect(HTTPAdapter):
    """Sends every request to one address instead, for development and tests; the real host stays in the Host header."""

    def __init__(self, base: str) -> None:
        self.base = urlsplit(base)
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        address = urlsplit(str(request.url))
        request.headers["Host"] = address.netloc
        request.url = urlunsplit((self.base.scheme, self.base.netloc, address.path, address.query, ""))
        return super().send(request, *args, **kwargs)


class Wire(requests.Session):
    """A session that remembers of the last call what left and what came back."""

    def __init__(self, adapter: BaseAdapter | None = None) -> None:
        super().__init__()
        self.forget()
        if adapter is not None:
            self.trust_env = False
            self.mount("https://", adapter)

    def forget(self) -> None:
        self.writes = 0
        """Requests other than GET that may have reached the venue."""
        self.status: int | None = None
        self.answer: Any = None
        self.response_headers: Mapping[str, str] = {}

    def request(self, method: Any, *args: Any, **kwargs: Any) -> requests.Response:
        self.status, self.answer = None, None
        self.writes += method != "GET"
        try:
            response = super().request(method, *args, **kwargs)
        except requests.ConnectionError as error:
            if _never_connected(error):
                self.writes -= method != "GET"
            raise
        self.status, self.response_headers = response.status_code, response.headers
        self.answer = _decoded(response)
        return response


def _decoded(response: requests.Response) -> Any:
    """Raises Unreadable for a good answer that is no JSON: the library would take it for an empty one."""
    try:
        return response.json()
    except ValueError:
        if response.ok:
            raise Unreadable("not JSON") from None
        return None


class Unreadable(requests.RequestException):
    """Something answered, but not the venue's program."""


def _never_connected(error: requests.ConnectionError) -> bool:
    """No connection, so nothing of the request left: unlike one that broke, this is no doubt."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(reason, NewConnectionError)


def transport(redirect: str) -> BaseAdapter | None:
    return Redirect(redirect) if redirect else None


class Client:
    """The library's client of one account: `api` is it, `lock` keeps it to one thread."""

    def __init__(self, venue: str, environment: str, keys: Keys | None, adapter: BaseAdapter | None) -> None:
        self.venue, self.environment = venue, environment
        self.recipe = RECIPES[venue]
        self.name = VENUES[venue].name
        self.lock = RLock()
        self.wire = Wire(adapter)
        self.api = _api(venue, environment, keys, self.wire)
        self._compared = 0.0

    @property
    def place(self) -> str:
        """Which books are asked: venue, real or practice money, and where the traffic goes instead of there."""
        adapter = self.wire.get_adapter("https://")
        elsewhere = adapter.base.netloc if isinstance(adapter, Redirect) else ""
        return f"{self.venue}:{self.environment}:{elsewhere}"

    def ready(self) -> None:
        """Markets known, clocks compared, both not too long ago. Raises the library's errors when they never were."""
        share_markets(self)
        if not self._compared:
            self.compare_clocks()
        elif time.monotonic() - self._compared > TIME_KEPT:
            self._compared += PATIENCE
            with old_knowledge_does():
                self.compare_clocks()

    def compare_clocks(self) -> None:
        if self.api.has["fetchTime"]:
            self.api.load_time_difference()
        self._compared = time.monotonic()

    @property
    def ahead(self) -> int:
        """How far the venue's clock is ahead of ours, in milliseconds."""
        return -int(self.api.options.get("timeDifference") or 0)

    def now(self) -> int:
        """The venue's clock, in milliseconds."""
        return int(self.api.milliseconds()) + self.ahead

    def close(self) -> None:
        self.wire.close()


def _api(venue: str, environment: str, keys: Keys | None, wire: Wire) -> Any:
    return practised(getattr(ccxt, VENUES[venue].client)({"session": wire, **basics(venue, keys)}), venue, environment)


def basics(venue: str, keys: Keys | None) -> dict[str, Any]:
    """Settings of the library that every client of a venue has."""
    settings: dict[str, Any] = {"number": str, "timeout": TIMEOUT, "options": _options(venue)}
    if keys is not None:
        settings |= {"apiKey": keys.api_key, "secret": keys.secret, "password": keys.passphrase}
    return settings


def practised(api: Any, venue: str, environment: str) -> Any:
    """A client fresh from its constructor, made to speak to the right money and with the right clock."""
    if environment == TESTNET:
        practise(api, RECIPES[venue].demo)
    recipe = RECIPES[venue]
    api.has["fetchCurrencies"] = recipe.needs_coins
    if recipe.nonce == "clock":
        api.nonce = lambda: api.milliseconds() - int(api.options.get("timeDifference") or 0)
    elif recipe.nonce == "count":  # microseconds, so that several processes seldom take the same one
        api.nonce = lambda: time.time_ns() // 1000
    return api


def _options(venue: str) -> dict[str, Any]:
    return {
        "fetchCurrencies": False,
        "fetchMargins": False,
        "warnOnFetchOpenOrdersWithoutSymbol": False,
        "timeDifference": 0,
        **RECIPES[venue].options,
    }


def practise(api: Any, how: str) -> None:
    """Switch to practice money, before anything else is done with `api`."""
    if how == "demo":
        api.enable_demo_trading(True)
    elif how == "sandbox":
        api.set_sandbox_mode(True)
    else:
        raise ValueError(f"{api.id} has no practice money.")


# --- what is known of the markets -------------------------------------------------------------------------------------


class Master:
    """A venue's markets as this process knows them, until they are read anew; `api` has no keys."""

    def __init__(self, client: Client) -> None:
        self.api = _api(client.venue, client.environment, None, Wire())
        self.api.set_markets_from_exchange(client.api)
        self.at = time.monotonic()
        self.until = self.at + MARKETS_KEPT


_MASTERS: dict[str, Master] = {}
"""By where they were read: the same venue's name may lead elsewhere in development and tests."""
_LOCKS: dict[str, Lock] = {}
"""One per venue, so that one that does not answer keeps nobody else's accounts waiting."""


def share_markets(client: Client) -> None:
    """Give `client` the markets this process shares; one client reads them anew every hour for all."""
    name = client.place
    lock = _LOCKS.setdefault(name, Lock())
    if lock.acquire(blocking=name not in _MASTERS):  # while one reads them anew, the others go on with the old ones
        try:
            _refresh(client, name)
        finally:
            lock.release()
    master = _MASTERS[name]
    if client.api.markets is not master.api.markets:
        client.api.set_markets_from_exchange(master.api)


def _refresh(client: Client, name: str) -> None:
    master = _MASTERS.get(name)
    if master is None:
        _know_markets(client)
        _MASTERS[name] = Master(client)
    elif time.monotonic() > master.until:
        master.until = time.monotonic() + PATIENCE
        with old_knowledge_does():
            _know_markets(client)
            _MASTERS[name] = Master(client)


def read_anew(client: Client, older_than: float | None = None) -> None:
    """From the venue itself, unless what is known is younger than `older_than` seconds or is being read."""
    lock, master = _LOCKS[client.place], _MASTERS[client.place]
    young = TIME_KEPT if older_than is None else older_than
    if time.monotonic() - master.at > young and lock.acquire(blocking=False):
        try:
            master.at = time.monotonic()
            with old_knowledge_does():
                _read_markets(client)
                _MASTERS[client.place] = Master(client)
        finally:
            lock.release()


@contextmanager
def old_knowledge_does() -> Iterator[None]:
    """What was learnt before will do while the venue does not answer; it is asked again after a while."""
    try:
        yield
    except (ccxt.BaseError, CouldNotRead) as error:  # the latter: it is asked as often as it allows
        log.warning("a venue does not answer and is asked again later (%s)", type(error).__name__)


def _know_markets(client: Client) -> None:
    """From the cache, where another process left them, or from the venue."""
    kept = cache.get(_kept_as(client))
    if kept is None:
        _read_markets(client)
    else:
        markets, coins, helpers = kept
        client.api.set_markets(markets, coins)
        client.api.options.update(helpers)


def _read_markets(client: Client) -> None:
    """With what the library finds markets by besides: without it, it would not know whose an order is."""
    client.api.load_markets(True)
    api, coins = client.api, client.api.currencies if client.recipe.needs_coins else None
    helpers = {name: api.options[name] for name in api.options.get("marketHelperProps") or ()}
    cache.set(_kept_as(client), (list(api.markets.values()), coins, helpers), MARKETS_KEPT)


def _kept_as(client: Client) -> str:
    return f"markets:2:{ccxt.__version__}:{client.place}"


def forget_markets() -> None:
    """For tests, and after a venue changed its rules."""
    _MASTERS.clear()

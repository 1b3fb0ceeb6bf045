"""The stream over the wire: what happens at a stand-in venue wakes a look, and so does everything that goes wrong."""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import ccxt
import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone

from buddy.exchanges import ccxt_client, ccxt_stream, pace, stream
from buddy.exchanges.models import Account, Credentials, Keys
from buddy.exchanges.stream import Stream
from buddy.exchanges.venues import VENUES, Events
from buddy.store import store as store_of_marks
from emulator.handle import Hand, StandIn, running

from .frozen_line import FreezableLine

BTC = "BTC/USDT:USDT"
LONG_ENOUGH = 20
"""Seconds after which something that must happen has not."""
numbers = count(1)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with running() as venues:
        yield venues


@pytest.fixture(params=["binance", "binance-spot", "bingx", "bybit"])
def any_venue(request: pytest.FixtureRequest, stand_in: StandIn, at_hand: None) -> Iterator[Hand]:
    venue = getattr(stand_in, request.param)
    yield venue
    venue.clear_faults()


@pytest.fixture
def binance(stand_in: StandIn, at_hand: None) -> Iterator[Hand]:
    yield stand_in.binance
    stand_in.binance.clear_faults()


@pytest.fixture
def at_hand(stand_in: StandIn, settings: Any, store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.EXCHANGE_TRANSPORT_BASE = stand_in.base
    monkeypatch.setattr(stream, "ROUND", 0.1)
    monkeypatch.setattr(stream, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(stream, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(ccxt_stream, "GLANCE", 0.05)
    ccxt_client.forget_markets()
    yield
    ccxt_client.forget_markets()


def bitcoin_at(venue: Hand) -> str:
    return BTC.partition(":")[0] if VENUES[venue.venue].exits.is_spot else BTC


def key_at(venue: Hand) -> Keys:
    number = next(numbers)
    keys = Keys(f"canary-key-{number:04}", f"canary-secret-{number:04}")
    venue.open_account(keys.api_key, keys.secret)
    return keys


def account_at(venue: Hand, owner: Any, keys: Keys, **values: Any) -> Account:
    made = {"name": keys.api_key, "mode": "live", "price_source": "live", "venue": venue.venue, **values}
    account = Account.objects.create(owner=owner, **made)
    use(account, keys)
    return account


def use(account: Account, keys: Keys) -> None:
    row = Credentials(account=account, in_use=True)
    row.keep(keys)
    row.save()


class Woken:
    """The accounts that were woken, in order."""

    def __init__(self) -> None:
        self.queue: queue.Queue[int] = queue.Queue()

    def next(self) -> int:
        return self.queue.get(timeout=LONG_ENOUGH)

    def forget(self) -> None:
        """What was told so far, and what still comes at once."""
        while True:
            try:
                self.queue.get(timeout=0.15)
            except queue.Empty:
                return


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> Woken:
    found = Woken()
    monkeypatch.setattr(stream, "wake", found.queue.put)
    return found


@contextmanager
def listening(levels: Any = None) -> Iterator[Stream]:
    """The stream in a thread of its own."""
    loop, stop, one = asyncio.new_event_loop(), asyncio.Event(), Stream(levels)
    thread = threading.Thread(target=lambda: loop.run_until_complete(one.run(stop)))
    thread.start()
    try:
        yield one
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(LONG_ENOUGH)
        loop.close()
    assert not one.running


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG_ENOUGH
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def connections(venue: Hand, keys: Keys | None = None) -> int:
    """How often a listen key was asked for."""
    return sum(method == "POST" and path.endswith("listenKey") for method, path, _ in venue.requests())


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_speaks_is_marked_and_one_that_ended_is_not(
    any_venue: Hand, alice: Any, woken: Woken, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = account_at(any_venue, alice, key_at(any_venue))
    name = f"heard:{account.pk}"
    with listening():
        until(lambda: bool(store_of_marks().exists(name)))
        assert 0 < store_of_marks().ttl(name) <= pace.HEARD_FOR
        monkeypatch.setattr(stream, "FIRST_PAUSE", 60.0)
        monkeypatch.setattr(stream, "LONGEST_PAUSE", 60.0)
        any_venue.close_streams()
        until(lambda: not store_of_marks().exists(name))


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_falls_silent_is_marked_no_more_before_it_counts_as_dead(
    binance: Hand, alice: Any, woken: Woken, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = account_at(binance, alice, key_at(binance))
    monkeypatch.setattr(ccxt_stream, "SPEAKS", -1.0)
    with listening():
        woken.next()
        woken.forget()
        assert not store_of_marks().exists(f"heard:{account.pk}")


@pytest.mark.django_db(transaction=True)
def test_an_execution_at_the_venue_wakes_its_account(any_venue: Hand, alice: Any, woken: Woken) -> None:
    keys, others = key_at(any_venue), key_at(any_venue)
    account, other = account_at(any_venue, alice, keys), account_at(any_venue, alice, others)
    with listening():
        assert {woken.next(), woken.next()} == {account.pk, other.pk}  # both connections stand
        woken.forget()
        any_venue.place(keys.api_key, bitcoin_at(any_venue), "buy", "0.01")
        assert woken.next() == account.pk
        woken.forget()
        any_venue.place(others.api_key, bitcoin_at(any_venue), "buy", "0.01")
        assert woken.next() == other.pk
        until(lambda: set(pace.last_heard([account.pk, other.pk, 0])) == {account.pk, other.pk})


@pytest.mark.django_db(transaction=True)
def test_an_order_that_begins_to_rest_is_no_news_but_its_execution_and_its_end_are(
    any_venue: Hand, alice: Any, woken: Woken
) -> None:
    keys, others = key_at(any_venue), key_at(any_venue)
    account, other = account_at(any_venue, alice, keys), account_at(any_venue, alice, others)
    with listening():
        assert {woken.next(), woken.next()} == {account.pk, other.pk}
        woken.forget()
        order = any_venue.place(keys.api_key, bitcoin_at(any_venue), "buy", "0.01", kind="LIMIT", price="60000")
        any_venue.place(others.api_key, bitcoin_at(any_venue), "buy", "0.01")
        assert woken.next() == other.pk
        woken.forget()
        any_venue.cancel(keys.api_key, order_id=order["id"])
        assert woken.next() == account.pk


@pytest.mark.django_db(transaction=True)
def test_practice_money_is_listened_to_like_real_money(any_venue: Hand, alice: Any, woken: Woken) -> None:
    keys = key_at(any_venue)
    account = account_at(any_venue, alice, keys, mode="testnet")
    with listening():
        assert woken.next() == account.pk
        woken.forget()
        any_venue.place(keys.api_key, bitcoin_at(any_venue), "buy", "0.01")
        assert woken.next() == account.pk


@pytest.mark.django_db(transaction=True)
def test_a_cut_socket_is_a_look_and_what_comes_after_it_is_heard_again(
    any_venue: Hand, alice: Any, woken: Woken
) -> None:
    keys = key_at(any_venue)
    account = account_at(any_venue, alice, keys)
    with listening():
        woken.next()
        woken.forget()
        any_venue.close_streams()
        assert woken.next() == account.pk
        woken.forget()
        any_venue.place(keys.api_key, bitcoin_at(any_venue), "buy", "0.01")
        assert woken.next() == account.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["binance", "bingx"])
def test_a_listen_key_that_ran_out_is_a_look_and_a_new_connection(
    name: str, stand_in: StandIn, at_hand: None, alice: Any, woken: Woken
) -> None:
    venue = getattr(stand_in, name)
    keys = key_at(venue)
    account = account_at(venue, alice, keys)
    with listening():
        woken.next()
        woken.forget()
        venue.expire_streams(keys.api_key)
        assert woken.next() == account.pk
        woken.forget()
        venue.place(keys.api_key, BTC, "buy", "0.01")
        assert woken.next() == account.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["duplicate", "lose", "swap", "delay", "close"])
def test_events_twice_lost_late_or_out_of_order_wake_all_the_same(
    kind: str, binance: Hand, alice: Any, woken: Woken
) -> None:
    keys = key_at(binance)
    account = account_at(binance, alice, keys)
    with listening():
        woken.next()
        woken.forget()
        binance.stream_fault(kind, event="ORDER_TRADE_UPDATE", seconds=0.1)
        binance.place(keys.api_key, BTC, "buy", "0.01")
        assert woken.next() == account.pk


@pytest.mark.django_db(transaction=True)
def test_a_socket_that_answers_pings_and_tells_nothing_is_made_anew(
    binance: Hand, alice: Any, woken: Woken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccxt_stream, "QUIET", 0.3)
    account = account_at(binance, alice, key_at(binance))
    binance.stall_streams()
    before = connections(binance)
    with listening():
        until(lambda: connections(binance) >= before + 2)
        assert woken.next() == account.pk


@pytest.mark.django_db(transaction=True)
def test_a_line_that_died_without_a_word_is_noticed(
    binance: Hand, alice: Any, woken: Woken, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccxt_stream, "SILENCE", 1.0)
    monkeypatch.setitem(VENUES, "binance", replace(VENUES["binance"], events=Events(ping=200)))
    keys = key_at(binance)
    account = account_at(binance, alice, keys)
    with FreezableLine(binance.base) as line:
        settings.EXCHANGE_TRANSPORT_BASE = line.base
        with listening():
            woken.next()
            woken.forget()
            line.freeze()
            assert woken.next() == account.pk
            woken.forget()
            binance.place(keys.api_key, BTC, "buy", "0.01")
            assert woken.next() == account.pk


@pytest.mark.django_db(transaction=True)
def test_accounts_that_appear_change_their_key_or_go_are_noticed(binance: Hand, alice: Any, woken: Woken) -> None:
    with listening() as one:
        keys = key_at(binance)
        account = account_at(binance, alice, keys)
        assert woken.next() == account.pk
        account.credentials.all().delete()
        use(account, key_at(binance))
        (new,) = Credentials.objects.all()
        until(lambda: [job.credentials_id for job in one.running] == [new.pk])
        Account.objects.filter(pk=account.pk).update(state="halted")
        time.sleep(0.3)
        assert one.running  # what it holds is still protected
        Account.objects.filter(pk=account.pk).update(archived_at=timezone.now())
        until(lambda: not one.running)


@pytest.mark.django_db(transaction=True)
def test_a_venue_that_is_away_keeps_nobody_else_waiting(
    binance: Hand, stand_in: StandIn, alice: Any, woken: Woken
) -> None:
    account_at(binance, alice, key_at(binance))
    keys = key_at(stand_in.bingx)
    other = account_at(stand_in.bingx, alice, keys)
    binance.set_maintenance()
    with listening():
        until(lambda: woken.next() == other.pk)
        binance.set_maintenance(on=False)
        stand_in.bingx.place(keys.api_key, BTC, "buy", "0.01")
        until(lambda: woken.next() == other.pk)


@pytest.mark.django_db(transaction=True)
def test_a_refused_subscription_is_a_gap_that_is_tried_again_and_ends_nothing_else(
    stand_in: StandIn, at_hand: None, alice: Any, woken: Woken, caplog: pytest.LogCaptureFixture
) -> None:
    """There the library itself stumbles (KeyError), for it has forgotten the subscription before its caller does."""
    spot = stand_in.binance_spot
    number = next(numbers)
    unknown = Keys(f"canary-key-{number:04}", f"canary-secret-{number:04}")
    refused = account_at(spot, alice, unknown)
    other = account_at(spot, alice, key_at(spot))
    with caplog.at_level(logging.INFO, logger="buddy"), listening() as one:
        until(lambda: woken.next() == other.pk)
        until(lambda: sum(f"account_id={refused.pk}," in record.message for record in caplog.records) >= 3)
        assert {record.exc_info for record in caplog.records} == {None}
        assert len(one.running) >= 2
        assert not store_of_marks().exists(f"heard:{refused.pk}")
        spot.open_account(unknown.api_key, unknown.secret)
        woken.forget()
        until(lambda: bool(store_of_marks().exists(f"heard:{refused.pk}")))
        spot.place(unknown.api_key, bitcoin_at(spot), "buy", "0.01")
        until(lambda: woken.next() == refused.pk)


def test_a_venue_that_does_not_answer_keeps_no_other_from_being_known(stand_in: StandIn, at_hand: None) -> None:
    silent, well = (
        ccxt_client.Client(venue, "live", None, ccxt_client.transport(stand_in.base)) for venue in ("binance", "bingx")
    )
    asked, answered = threading.Event(), threading.Event()

    def load_markets(_reload: bool) -> None:
        asked.set()
        answered.wait()
        raise ccxt.NetworkError

    silent.api.load_markets = load_markets

    def wait() -> None:
        with pytest.raises(ccxt.NetworkError):
            ccxt_client.share_markets(silent)

    waiting = threading.Thread(target=wait)
    learning = threading.Thread(target=ccxt_client.share_markets, args=[well], daemon=True)
    waiting.start()
    assert asked.wait(LONG_ENOUGH)
    learning.start()
    learning.join(LONG_ENOUGH)
    known = not learning.is_alive()
    answered.set()
    waiting.join()
    assert known


@pytest.mark.django_db(transaction=True)
def test_nothing_secret_is_logged_whatever_goes_wrong(
    any_venue: Hand, alice: Any, woken: Woken, caplog: pytest.LogCaptureFixture
) -> None:
    keys = key_at(any_venue)
    account_at(any_venue, alice, keys)
    caplog.set_level(logging.INFO)
    with listening():
        woken.next()
        any_venue.close_streams()
        woken.next()
        any_venue.fault("status_before", path="*", times=6, status=503, body="no")
        while caplog.text.count("connection ended") < 3:
            any_venue.close_streams()
            woken.next()
    assert "canary" not in caplog.text
    assert not re.search(r"[0-9a-f]{64}|listenKey=|signature", caplog.text)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_leaves_the_connections_as_they_are(
    binance: Hand, alice: Any, woken: Woken, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = key_at(binance)
    account = account_at(binance, alice, keys)
    with listening() as one:
        woken.next()
        woken.forget()
        asked = threading.Event()

        def away() -> list[Any]:
            asked.set()
            raise stream.Error("away")

        monkeypatch.setattr(stream, "account_jobs", away)
        asked.wait(LONG_ENOUGH)
        binance.place(keys.api_key, BTC, "buy", "0.01")
        assert woken.next() == account.pk
        assert len(one.running) == 1


@pytest.mark.django_db(transaction=True)
def test_without_an_account_at_a_venue_nothing_is_opened(at_hand: None, alice: Any) -> None:
    Account.objects.create(owner=alice, name="Paper")
    rounds = threading.Event()
    with listening() as one:
        one.pool.submit(rounds.set)
        rounds.wait(LONG_ENOUGH)
        assert (one.lines, one.running) == (None, {})


LIGHT = """
import django, sys
django.setup()
from buddy.trading.management.commands.stream import Command
Command().check(tags=Command.requires_system_checks)
sys.exit(", ".join({"ccxt", "aiohttp", "polars"} & sys.modules.keys()) or 0)
"""


def program(*words: str, **environment: str) -> str:
    """What Python says to `words`; empty when all is well."""
    known = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", **environment}
    done = subprocess.run([sys.executable, *words], env=known, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def test_the_process_loads_nothing_heavy_by_itself() -> None:
    assert program("-c", LIGHT) == ""


def test_unsafe_settings_are_refused_before_anything_is_sent() -> None:
    unsafe = {"LIVE_TRADING": "true", "EXCHANGE_TRANSPORT_BASE": "http://203.0.113.1"}
    assert "buddy.E006" in program("manage.py", "stream", **unsafe)


def test_whether_one_runs_can_be_asked(store: str) -> None:
    cache.set(stream.PULSE, time.time())
    call_command("stream", "--check")
    cache.set(stream.PULSE, time.time() - 60)
    with pytest.raises(CommandError, match="No stream"):
        call_command("stream", "--check")

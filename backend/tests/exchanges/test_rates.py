"""Token buckets: shared through the store, a reserve for protection, and one word that stops everybody."""

from __future__ import annotations

from itertools import count

import pytest
from redis.exceptions import ConnectionError as StoreAway

from buddy.core.errors import CouldNotRead
from buddy.exchanges import rates
from buddy.exchanges.rates import Bucket, Limiter
from buddy.exchanges.recipe import Rate

numbers = count(1)


@pytest.fixture(params=["shared", "alone"])
def limiter(request: pytest.FixtureRequest, store: str, monkeypatch: pytest.MonkeyPatch) -> Limiter:
    """Through the store, and while it is away."""
    if request.param == "alone":

        def away(*_: object, **__: object) -> None:
            raise StoreAway

        monkeypatch.setattr(rates, "_script", lambda: away)
        monkeypatch.setattr(rates, "_lower", lambda: away)
        monkeypatch.setattr(rates, "_stop", lambda: away)
        monkeypatch.setattr(rates, "LOCAL", rates.Local())
    return Limiter(f"venue{next(numbers)}", sleep=lambda _: None)


@pytest.fixture
def bucket() -> Bucket:
    """Ten tokens, and a new one once in a long while."""
    return Bucket(f"test:{next(numbers)}", Rate(10, 0.001))


def test_ordinary_calls_leave_a_fifth_for_protection(limiter, bucket):
    for _ in range(8):
        limiter.take(1, [bucket])
    with pytest.raises(CouldNotRead):
        limiter.take(1, [bucket])
    for _ in range(2):
        limiter.take(1, [bucket], protective=True)
    with pytest.raises(CouldNotRead):
        limiter.take(1, [bucket], protective=True)


def test_a_call_heavier_than_the_bucket_waits_for_a_full_one_only(limiter, bucket):
    limiter.take(100, [bucket])
    with pytest.raises(CouldNotRead):
        limiter.take(1, [bucket], protective=True)


def test_nothing_is_taken_of_one_bucket_while_another_is_empty(limiter, bucket):
    empty = Bucket(f"test:{next(numbers)}", Rate(1, 0.001))
    limiter.take(1, [empty], protective=True)
    with pytest.raises(CouldNotRead):
        limiter.take(1, [bucket, empty], protective=True)
    for _ in range(10):
        limiter.take(1, [bucket], protective=True)


def test_tokens_come_back_with_time(limiter):
    bucket = Bucket(f"test:{next(numbers)}", Rate(10, 1e6))
    for _ in range(50):
        limiter.take(1, [bucket])


def test_told_to_stop_nobody_asks_not_even_for_protection(limiter, bucket):
    limiter.stop(60)
    with pytest.raises(CouldNotRead):
        limiter.take(1, [bucket], protective=True)
    with pytest.raises(CouldNotRead):
        Limiter(limiter.venue, sleep=lambda _: None).take(1, [bucket], protective=True)


def test_another_venue_goes_on(limiter, bucket):
    limiter.stop(60)
    Limiter(f"venue{next(numbers)}").take(1, [bucket])


def test_an_account_told_to_stop_stops_alone(limiter, bucket):
    one, other = (Limiter(limiter.venue, account=name, sleep=lambda _: None) for name in ("one", "other"))
    one.stop(60, everybody=False)
    with pytest.raises(CouldNotRead):
        one.take(1, [bucket], protective=True)
    other.take(1, [bucket])


def test_practice_money_that_is_told_to_stop_does_not_stop_real_money(limiter, bucket):
    live, test = (
        Limiter(limiter.venue, f"{limiter.venue}:{place}", sleep=lambda _: None) for place in ("live", "test")
    )
    test.stop(60)
    with pytest.raises(CouldNotRead):
        test.take(1, [bucket])
    live.take(1, [bucket])


def test_a_short_stop_does_not_end_a_long_one(limiter, bucket):
    limiter.stop(60)
    limiter.stop(-60)
    with pytest.raises(CouldNotRead):
        limiter.take(1, [bucket], protective=True)


def test_the_venues_own_count_is_believed_when_it_is_higher(limiter, bucket):
    limiter.spend(bucket, 0.9)
    limiter.take(1, [bucket], protective=True)
    with pytest.raises(CouldNotRead):
        limiter.take(1, [bucket], protective=True)


def test_the_venues_own_count_gives_nothing_back(limiter, bucket):
    for _ in range(10):
        limiter.take(1, [bucket], protective=True)
    limiter.spend(bucket, 0.1)
    with pytest.raises(CouldNotRead):
        limiter.take(1, [bucket], protective=True)

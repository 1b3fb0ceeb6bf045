"""A user may make so many requests in a window; whoever makes more is told when the next one begins."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from buddy import throttle


class Clock:
    now = 1_800_000_030.0

    def __call__(self) -> float:
        return self.now


class Three(throttle.UserThrottle):
    rate = "3/min"
    timer = Clock()


class Counted(APIView):
    throttle_classes = (Three,)

    def get(self, request: Any) -> Response:
        return Response("here")


def ask(user: Any) -> Any:
    request = APIRequestFactory().get("/")
    force_authenticate(request, user)
    return Counted.as_view()(request)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(Three, "timer", clock)
    return clock


def test_one_request_too_many_is_refused_until_the_next_window(alice: Any, clock: Clock) -> None:
    assert [ask(alice).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert ask(alice)["Retry-After"] == "30"
    clock.now += 30
    assert ask(alice).status_code == 200


def test_one_users_requests_are_not_counted_for_another(alice: Any, bob: Any) -> None:
    assert [ask(alice).status_code for _ in range(4)][-1] == 429
    assert ask(bob).status_code == 200


def test_a_count_is_forgotten_with_its_window(alice: Any) -> None:
    ask(alice)
    keys = list(throttle.store().scan_iter(match="*throttle*"))
    assert [0 < throttle.store().ttl(key) <= 60 for key in keys] == [True]


def test_nobody_is_refused_while_the_store_is_away(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    away = redis.Redis(port=1, socket_connect_timeout=0.2)
    monkeypatch.setattr(throttle, "store", lambda: away)
    assert [ask(alice).status_code for _ in range(5)] == [200] * 5

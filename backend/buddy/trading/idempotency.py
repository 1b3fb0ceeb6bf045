"""The Idempotency-Key of a view that can place an order: required, answered once, repeated word for word."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from buddy.problems import CONTENT_TYPE, Problem

from .claims import Answered, Bound, Claim, InFlight, KeyReused, claim
from .models import Trade

LONGEST_KEY = 100
Action = Callable[..., Response]


def idempotent(answer: Callable[[Trade], Response]) -> Callable[[Action], Action]:
    """Wrap a view's method; it gets `claim=`. `answer` tells a trade whose first request died before it could."""

    def decorate(action: Action) -> Action:
        @wraps(action)
        def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            taken = _take(request)
            if isinstance(taken, Answered):
                return _repeat(taken)
            if isinstance(taken, Bound):
                trade = Trade.objects.select_related("account").get(pk=taken.trade_id)
                return _keep(taken.claim, answer(trade))
            return _first(view, action, request, taken, args, kwargs)

        return once

    return decorate


def _take(request: Request) -> Claim | Answered | Bound:
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        detail = f"Send an Idempotency-Key header of 1 to {LONGEST_KEY} printable characters."
        raise Problem(400, "idempotency_key_required", detail)
    try:
        return claim(request.user.pk or 0, key, _fingerprint(request))
    except KeyReused as reused:
        detail = "This Idempotency-Key was used for another request. Send a new one."
        raise Problem(422, "idempotency_key_reused", detail) from reused
    except InFlight as flying:
        raise Problem(409, "conflict", "The first request with this key is still at work.", retry_after=1) from flying


def _fingerprint(request: Request) -> str:
    whole = f"{request.method} {request.path}\n".encode() + request.body
    return hashlib.sha256(whole).hexdigest()


def _first(view: Any, action: Action, request: Request, taken: Claim, args: Any, kwargs: Any) -> Response:
    """Do it and keep the answer; what failed without an effect may be tried again with the same key."""
    try:
        response = action(view, request, *args, claim=taken, **kwargs)
    except Exception as error:  # noqa: BLE001  whatever went wrong, the key must know it
        response = _problem(view, error, taken)
    if response.status_code >= 500:
        taken.drop()
        return response
    return _keep(taken, response)


def _problem(view: Any, error: Exception, taken: Claim) -> Response:
    try:
        response: Response = view.handle_exception(error)
    except Exception:
        taken.drop()
        raise
    return response


def _keep(taken: Claim, response: Response) -> Response:
    taken.answered(response.status_code, response.data)
    return response


def _repeat(answered: Answered) -> Response:
    kind = CONTENT_TYPE if answered.status >= 400 else None
    return Response(answered.answer, status=answered.status, content_type=kind)

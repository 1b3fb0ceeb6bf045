"""GET /health for anyone, counts and ages; GET /api/v1/health for whoever is signed in, with the accounts that are his.

Both say nothing that is not known: what cannot be found out is left out, and the light is red.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import desk
from .lights import Light, worst
from .parts import Part, light_of, parts, queues, tasks
from .serializers import HealthSerializer


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 while the web can serve (ok or degraded), 503 when it cannot."""
    found = {"parts": parts(), **_work()}
    summary = _or_none(lambda: desk.summary(desk.standings()))
    light = _light(found, None if summary is None else summary["light"])
    status = _status(found["parts"], light)
    answer = {"status": status, "light": light, **found, "accounts": summary}
    return JsonResponse(answer, status=503 if status == "down" else 200)


class HealthView(APIView):
    @extend_schema(operation_id="health", tags=["health"], responses=HealthSerializer)
    def get(self, request: Request) -> Response:
        found = {"parts": parts(), **_work()}
        mine = desk.standings(request.user.pk)
        light = _light(found, worst(each.light for each in mine))
        told: dict[str, Any] = {name: _rows(group) for name, group in found.items()}
        answer = {"light": light, "now": timezone.now(), **told, "accounts": [desk.story(each) for each in mine]}
        return Response(HealthSerializer(answer).data)


def _work() -> dict[str, dict[str, Part]]:
    return {"tasks": _or_none(tasks) or {}, "queues": _or_none(queues) or {}}


def _light(found: dict[str, dict[str, Part]], accounts: Light | None) -> Light:
    return worst([light_of(*found.values()), accounts or "red"])


def _status(found: dict[str, Part], light: Light) -> str:
    if not found["database"]["ok"]:
        return "down"
    return "ok" if light == "green" else "degraded"


def _or_none(ask: Callable[[], Any]) -> Any:
    """What cannot be asked; that the database or the store is away stands among the parts."""
    try:
        return ask()
    except (Error, RedisError):
        return None


def _rows(group: dict[str, Part]) -> list[dict[str, Any]]:
    return [{"name": name, "age_seconds": None, **part} for name, part in group.items()]

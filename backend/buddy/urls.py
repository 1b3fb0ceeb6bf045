"""Every address. The API lies under /api/v1/, signing in under /_allauth/, all the rest is the SPA."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularJSONAPIView

from buddy import problems, spa

APPS = [name for name in ("users", "events", "exchanges", "trading", "journal") if find_spec(f"buddy.{name}.urls")]

urlpatterns = [
    path("", include("buddy.health.urls")),
    path("_allauth/browser/v1/", include("buddy.users.doors")),
    *(path("api/v1/", include(f"buddy.{name}.urls")) for name in APPS),
    path("api/v1/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    re_path(r"^(?:api|_allauth|static|_app)(?:/.*)?$", problems.nothing_here),
    re_path(r"^(?P<path>.*)$", spa.show, name="spa"),
]

handler400 = "buddy.problems.bad_request"
handler403 = "buddy.problems.forbidden"
handler404 = "buddy.problems.not_found"
handler500 = "buddy.problems.server_error"

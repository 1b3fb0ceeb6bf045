"""The peer of the API figures: a bare Django REST framework view behind a session and CSRF, one query, nothing else.

Served by the same servers in the same way, in a process of its own: `uvicorn bench.plain:application`.
"""

from __future__ import annotations

import os
from typing import Any

import django
from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

if not settings.configured:
    settings.configure(
        SECRET_KEY="a peer keeps no secrets",  # noqa: S106
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "rest_framework",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("PLAIN_DB", ":memory:")}},
        REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.middleware.csrf import get_token
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class Ticket(serializers.Serializer[Any]):
    equity = serializers.DecimalField(max_digits=30, decimal_places=10)
    percent = serializers.DecimalField(max_digits=10, decimal_places=4)
    entry = serializers.DecimalField(max_digits=30, decimal_places=10)
    stop = serializers.DecimalField(max_digits=30, decimal_places=10)


class Size(APIView):
    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated,)

    def post(self, request: Any) -> Response:
        ticket = Ticket(data=request.data)
        ticket.is_valid(raise_exception=True)
        given = ticket.validated_data
        users = User.objects.filter(pk=request.user.pk).count()
        quantity = given["equity"] * given["percent"] / 100 / abs(given["entry"] - given["stop"]) * users
        return Response({"quantity": str(quantity)})


def enter(request: HttpRequest) -> HttpResponse:
    """Signs somebody in and sets the CSRF cookie."""
    login(request, User.objects.get_or_create(username="peer")[0], "django.contrib.auth.backends.ModelBackend")
    get_token(request)
    return HttpResponse("{}", content_type="application/json")


urlpatterns = [path("enter", enter), path("size", Size.as_view())]
call_command("migrate", verbosity=0)
application = WSGIMiddleware(get_wsgi_application(), workers=4)  # type: ignore[arg-type]

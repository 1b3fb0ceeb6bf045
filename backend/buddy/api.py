"""What every view of the API stands on: who asks, what may be sent, how lists are cut into pages.

The settings name these classes, so nothing here imports views (see `buddy.owned` for those).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions, pagination, parsers
from rest_framework.request import Request
from rest_framework.response import Response

MAX_DEPTH = 30


class TooLarge(exceptions.APIException):
    status_code = 413
    default_detail = "The document is too large."


class SessionAuthentication(authentication.SessionAuthentication):
    """Session cookie + CSRF token; a stranger gets 401, not 403."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class SessionCookie(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself untyped
    """How the OpenAPI document tells of `SessionAuthentication`."""

    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class JSONParser(parsers.JSONParser):
    """JSON that every store can hold: no NUL, no lone surrogate, no NaN, no absurd depth."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(raw) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge
        try:
            document = json.loads(raw.decode("utf-8"), parse_constant=_refused_constant)
            _check_storable(document, MAX_DEPTH)
        except RecursionError:
            raise exceptions.ParseError("The document is nested too deeply.") from None
        except ValueError as error:
            raise exceptions.ParseError(f"Not valid JSON: {error}") from None
        return document


def _refused_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number.")


def _check_storable(value: Any, depth: int) -> None:
    if depth == 0:
        raise RecursionError
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("a text holds a NUL character.")
        value.encode("utf-8")  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_storable(key, depth)
            _check_storable(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _check_storable(inner, depth - 1)


class Pages(pagination.CursorPagination):
    """`{"results": […], "next": cursor or null}`, `?cursor=…&limit=…`; newest first by default."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    cursor_query_param = "cursor"
    ordering = "-id"

    def get_page_size(self, request: Request) -> int:
        """Raises ValidationError for a `limit` that is no number from 1 to 200; an empty one is none."""
        asked = request.query_params.get(self.page_size_query_param) or str(self.page_size)
        if not (asked.isascii() and asked.isdigit() and len(asked) < 9 and 0 < int(asked) <= self.max_page_size):
            raise exceptions.ValidationError({"limit": [f"Give a whole number from 1 to {self.max_page_size}."]})
        return int(asked)

    def decode_cursor(self, request: Request) -> Any:
        """Raises NotFound for a cursor that is not of our making, which the database could not compare."""
        cursor = super().decode_cursor(request)
        place = getattr(cursor, "position", None)
        if place is not None and not self._could_be(place):
            raise exceptions.NotFound(self.invalid_cursor_message)
        return cursor

    def _could_be(self, place: str) -> bool:
        if self.ordering[0].endswith("id"):
            return place.isascii() and place.isdigit() and len(place) < 19
        return place.isprintable()

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.next_cursor()})

    def next_cursor(self) -> str | None:
        """The opaque cursor alone: the page asks for the next part where it asked for this one."""
        link = self.get_next_link()
        return parse_qs(urlsplit(link).query)[self.cursor_query_param][0] if link else None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {"type": "string", "nullable": True, "description": "Opaque cursor of the next part."}
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {"results": schema, "next": following},
        }

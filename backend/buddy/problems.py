"""One shape for everything that goes wrong: RFC 9457 problem documents with a field map.

`errors` is always an object: path of the field → list of `{message, cure, code}`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from buddy.core.errors import CoreError, Denied, Fault, InvalidPlan, Rejected, Temporary

CONTENT_TYPE = "application/problem+json"
API_PATHS = ("/api/", "/_allauth/")
Errors = Mapping[str, Iterable[Mapping[str, str]]]

log = logging.getLogger(__name__)

TITLES = {
    400: "The request is not right",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Refused",
    413: "Too large",
    415: "Unsupported media type",
    422: "The request cannot be carried out",
    429: "Too many requests",
    500: "Something broke on our side",
    503: "Not available right now",
}
CODES = {400: "invalid", 401: "signed_out", 403: "forbidden", 404: "not_found", 409: "conflict", 429: "throttled"}
CODES |= {405: "method_not_allowed", 406: "not_acceptable", 413: "too_large", 415: "unsupported_media_type"}
CODES |= {422: "invalid", 500: "broken", 503: "unavailable"}
CURES = {
    "required": "Fill it in.",
    "blank": "Fill it in.",
    "null": "Fill it in.",
    "unique": "Choose another one.",
    "invalid_choice": "Choose one of those offered.",
    "does_not_exist": "Choose one of your own.",
    "incorrect_type": "Give its number.",
    "max_length": "Make it shorter.",
    "min_length": "Make it longer.",
    "max_value": "Choose a smaller number.",
    "min_value": "Choose a larger number.",
    "max_digits": "Use fewer digits.",
    "max_decimal_places": "Use fewer decimals.",
    "max_string_length": "Use fewer digits.",
    "not_a_list": "Give a list.",
    "parse_error": "Send a JSON object.",
}


class Problem(exceptions.APIException):
    """Raise it anywhere below a view to answer with this very problem."""

    def __init__(
        self, status: int, code: str, detail: str, errors: Errors | None = None, retry_after: int | None = None
    ):
        self.status_code = status
        self.code = code
        self.errors = errors or {}
        self.wait = retry_after  # DRF's name for it
        super().__init__(detail, code)


class Conflict(Problem):
    """409: what was asked does not fit what there is now."""

    def __init__(self, detail: str, code: str = "conflict", errors: Errors | None = None) -> None:
        super().__init__(409, code, detail, errors)


def fault(message: str, cure: str, code: str) -> dict[str, str]:
    return {"message": message, "cure": cure, "code": code}


def document(status: int, code: str = "", detail: str = "", errors: Errors | None = None) -> dict[str, Any]:
    code = code or CODES.get(status, "problem")
    return {
        "type": f"/problems/{code}",
        "title": TITLES.get(status, "Problem"),
        "status": status,
        "detail": detail,
        "code": code,
        "errors": {field: list(faults) for field, faults in (errors or {}).items()},
    }


def answer(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler. None lets an unexpected error go on to `server_error`, with its traceback in the log."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        error = Problem(413, "too_large", "The document is too large.")
    elif isinstance(error, SuspiciousOperation):
        error = Problem(400, "invalid", "The request is malformed.")
    elif isinstance(error, CoreError):
        error = from_core(error)
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    return Response(_body(error), status=error.status_code, headers=_headers(error), content_type=CONTENT_TYPE)


def from_core(error: CoreError) -> Problem:
    """What an error of the trading rules means over HTTP."""
    if isinstance(error, InvalidPlan):
        return Problem(422, "invalid_plan", "The plan cannot be carried out as it is.", by_field(error.faults))
    if isinstance(error, Denied):
        return Problem(409, "denied", "Your own limits do not allow this.", _denials(error))
    if isinstance(error, Rejected):
        return Problem(409, "rejected", f"The exchange refused: {error}")
    if isinstance(error, Temporary):
        return Problem(503, "unavailable", str(error) or "The exchange cannot be read right now.", retry_after=2)
    return Problem(
        503, "outcome_unknown", "The exchange did not answer; we keep looking. Do not repeat it.", retry_after=5
    )


def by_field(faults: Iterable[Fault]) -> dict[str, list[dict[str, str]]]:
    errors: dict[str, list[dict[str, str]]] = {}
    for one in faults:
        errors.setdefault(one.field, []).append(fault(one.message, one.cure, one.code))
    return errors


def _denials(error: Denied) -> dict[str, list[dict[str, str]]]:
    errors: dict[str, list[dict[str, str]]] = {}
    for denial in error.denials:
        message, cure, code = (str(getattr(denial, name, "")) for name in ("message", "cure", "code"))
        errors.setdefault(getattr(denial, "field", "account"), []).append(fault(message or str(denial), cure, code))
    return errors


def _body(error: exceptions.APIException) -> dict[str, Any]:
    status = error.status_code
    if isinstance(error, Problem):
        return document(status, error.code, str(error.detail), error.errors)
    if isinstance(error, exceptions.ValidationError):
        return document(status, "invalid", "Some fields are not right.", dict(_field_errors(error.detail)))
    detail = error.detail if isinstance(error.detail, str) else ""
    return document(status, "", detail)


def _field_errors(detail: Any) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """DRF's nested details as (path, faults); what belongs to no field stands under "request"."""
    found: dict[str, list[dict[str, str]]] = {}
    for path, message in _leaves(detail, ()):
        code = getattr(message, "code", "invalid")
        found.setdefault(".".join(path) or "request", []).append(
            fault(str(message), CURES.get(code, "Correct it."), code)
        )
    yield from found.items()


def _leaves(detail: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from _leaves(value, path if key == "non_field_errors" else (*path, str(key)))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            yield from _leaves(value, path if isinstance(value, str) else (*path, str(index)))
    else:
        yield path, detail


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1 if wait != int(wait) else int(wait))
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    return headers


def response(status: int, code: str = "", detail: str = "", errors: Errors | None = None) -> JsonResponse:
    """The same for code outside DRF."""
    return JsonResponse(document(status, code, detail, errors), status=status, content_type=CONTENT_TYPE)


def _outside_api(request: HttpRequest, status: int) -> HttpResponse | None:
    if request.path.startswith(API_PATHS):
        return None
    return HttpResponse(TITLES[status] + ".", status=status, content_type="text/plain; charset=utf-8")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _outside_api(request, 400) or response(400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _outside_api(request, 403) or response(403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _outside_api(request, 404) or response(404, detail="There is nothing here.")


def nothing_here(request: HttpRequest) -> HttpResponse:
    """An address below the API's that leads nowhere is a problem document, not the SPA."""
    return not_found(request)


def server_error(request: HttpRequest) -> HttpResponse:
    detail = "It is in the log, and nothing was half-saved. Try again."
    return _outside_api(request, 500) or response(500, detail=detail)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    log.warning("CSRF: %s %s: %s", request.method, request.path, reason)
    return response(403, "csrf", "The form is too old. Reload the page and try again.")

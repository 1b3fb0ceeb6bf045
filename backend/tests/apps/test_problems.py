"""Whatever goes wrong comes back as a problem document with a field map, never as a broken page."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework import exceptions, serializers

from buddy import problems
from buddy.core import errors
from tests.conftest import client_of


def answered(error: Exception) -> tuple[int, dict[str, Any]]:
    found = problems.answer(error, {})
    assert found is not None
    return found.status_code, found.data


def test_every_fault_of_a_plan_stands_beside_its_field() -> None:
    faults = [
        errors.Fault("stop.price", "The stop is above the entry.", "Put it below.", "stop_side"),
        errors.Fault("stop.price", "Too many decimals.", "Use one.", "tick"),
        errors.Fault("risk", "No risk.", "Give one.", "required"),
    ]
    status, body = answered(errors.InvalidPlan(faults))
    assert (status, body["code"], set(body["errors"])) == (422, "invalid_plan", {"stop.price", "risk"})
    assert [one["code"] for one in body["errors"]["stop.price"]] == ["stop_side", "tick"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.Denied(["halted"]), 409, "denied"),
        (errors.Rejected("too small", "minimum"), 409, "rejected"),
        (errors.CouldNotRead("Binance does not answer."), 503, "unavailable"),
        (errors.OutcomeUnknown("time-out"), 503, "outcome_unknown"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.Throttled(7), 429, "throttled"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
        (problems.Conflict("It is closed already."), 409, "conflict"),
    ],
)
def test_an_error_is_named_by_what_the_caller_may_do_next(error: Exception, status: int, code: str) -> None:
    found, body = answered(error)
    assert (found, body["status"], body["code"]) == (status, status, code)
    assert set(body) == {"type", "title", "status", "detail", "code", "errors"}


def test_nested_field_errors_become_paths_each_with_a_cure() -> None:
    class Leg(serializers.Serializer[Any]):
        price = serializers.DecimalField(max_digits=9, decimal_places=2)

    class Document(serializers.Serializer[Any]):
        legs = Leg(many=True)
        name = serializers.CharField()

    checked = Document(data={"legs": [{"price": "1"}, {"price": "x"}]})
    checked.is_valid()
    _, body = answered(exceptions.ValidationError(checked.errors))
    assert set(body["errors"]) == {"legs.1.price", "name"}
    assert body["errors"]["name"] == [{"message": "This field is required.", "cure": "Fill it in.", "code": "required"}]


def test_when_to_come_back_is_said() -> None:
    found = problems.answer(exceptions.Throttled(6.2), {})
    assert found is not None
    assert found["Retry-After"] == "7"


def test_an_unexpected_error_is_left_to_the_log_and_told_without_details() -> None:
    assert problems.answer(ZeroDivisionError("secret"), {}) is None
    answer = problems.server_error(RequestFactory().get("/api/v1/me"))
    assert (answer.status_code, json.loads(answer.content)["code"]) == (500, "broken")
    assert b"secret" not in answer.content


def test_an_unknown_address_is_a_problem_below_the_api_and_the_app_elsewhere(db: None) -> None:
    client = Client()
    missing = client.get("/api/v1/nothing")
    assert (missing.status_code, missing["Content-Type"]) == (404, problems.CONTENT_TYPE)
    assert client.get("/journal/12").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"theme": NaN}',
        b'{"theme": "\\u0000"}',
        b'{"theme": "\\ud800"}',
        b"\xff\xfe",
        b"[" * 5000,
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b"1" * 5000,
        b"[]",
        b'"text"',
        b"null",
    ],
)
def test_a_body_no_store_could_hold_is_refused(api: Any, body: bytes) -> None:
    answer = api.generic("PATCH", "/api/v1/me", body, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, problems.CONTENT_TYPE)


def test_a_body_too_large_is_refused_unread(api: Any) -> None:
    answer = api.generic("PATCH", "/api/v1/me", b" " * 2_000_000, content_type="application/json")
    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_only_json_is_taken(api: Any, kind: str) -> None:
    assert api.generic("PATCH", "/api/v1/me", b"theme=dark", content_type=kind).status_code == 415


@pytest.mark.parametrize(
    "query", ["account=x", "account=-1", "account=%00", "trade=99999999999999999999999", "cursor=%ff"]
)
def test_a_bad_query_is_refused_not_broken(api: Any, query: str) -> None:
    answer = api.get(f"/api/v1/events?{query}")
    assert answer.status_code in (400, 404)
    assert answer["Content-Type"] == problems.CONTENT_TYPE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.sampled_from(["theme", "time_zone", "email", "x"]), JSON))
def test_no_body_breaks_it(alice: Any, body: dict[str, Any]) -> None:
    answer = client_of(alice).patch("/api/v1/me", json.dumps(body), content_type="application/json")
    assert answer.status_code in (200, 400)


def test_money_leaves_as_a_string() -> None:
    field = serializers.DecimalField(max_digits=40, decimal_places=18)
    assert isinstance(field.to_representation(Decimal("1.10")), str)

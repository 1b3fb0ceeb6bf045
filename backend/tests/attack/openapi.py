"""Schemathesis over the whole OpenAPI document, in this process, as a browser that is signed in.

Each operation is asked with what its description allows and with what it forbids; then operations are asked in a row,
each with what the one before answered. Whatever is asked, the answer must be as described: no 5xx but 503, nothing
for who is not signed in, 405 for what no operation does, refusals as problem documents.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import schemathesis
from django.conf import settings
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client
from schemathesis import transport
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.engine import events, from_schema
from schemathesis.engine.run import PhaseName
from schemathesis.generation.stateful.state_machine import APIStateMachine
from schemathesis.transport.wsgi import WSGI_TRANSPORT, WSGITransport

from tests.apps.bobs_desk import Desk
from tests.apps.test_bad_input import bodies

DOCUMENT = Path(__file__).parents[2] / "openapi.yaml"
ROWS = {
    "accounts": {"id": "account", "key": "foreign"},
    "journal": {"trade": "trade"},
    "trades": {"key": "open"},
    "setups": {"id": "setup"},
    "tags": {"id": "tag"},
}
"""Whose number a word in the address is, by the first part of the address."""
ANY_IS_TAKEN = {"negative_data_rejection": {"enabled": False}}
LENIENT_OPERATIONS = [
    # A plan that cannot be right is answered with all that is wrong with it.
    {"include-path": "/api/v1/plans/preview", "checks": ANY_IS_TAKEN},
    # Any bytes are a file to the description; which are a picture is tests/apps/test_screenshots.py's matter.
    {"include-path": "/api/v1/journal/{trade}/screenshot", "checks": ANY_IS_TAKEN},
]
CHECKS = {
    "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "503"]},
    "positive_data_acceptance": {"enabled": False},  # whether a plan fits the market is not in its description
    "missing_required_header": {"expected-statuses": ["400", "404"]},
}
LENIENT = re.compile(r"in body.*(Incorrect type|violates `type`)", re.DOTALL)
IN_QUERY = re.compile(r"parameters? ((?:`\w+`(?:, )?)+) in query")
Answer = Iterable[bytes]


@dataclass
class Tally:
    """How often each operation was asked, in which way, and all that was found."""

    cases: Counter[tuple[str, str]] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    rows: int = 0
    """How many rows of operations, each on the desk as it was."""
    findings: dict[str, str] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        findings = {**self.findings, **other.findings}
        cases = Counter({key: self.cases[key] + other.cases[key] for key in {*self.cases, *other.cases}})
        return Tally(cases, self.statuses + other.statuses, self.rows + other.rows, findings)

    def of_each(self) -> Counter[str]:
        """How often each operation of the document was asked; never is there too."""
        asked: Counter[str] = Counter()
        for (operation, _), count in self.cases.items():
            asked[operation] += count
        return asked

    def line(self) -> str:
        told = " ".join(f"{status}={count}" for status, count in sorted(self.statuses.items()))
        return f"cases={sum(self.cases.values())} rows={self.rows} findings={len(self.findings)} {told}"

    def table(self) -> str:
        """How often each operation was asked, the least first."""
        return "\n".join(f"{count:6} {operation}" for operation, count in reversed(self.of_each().most_common()))


def attack_in_rows(desk: Desk, *, cases: int, seed: int) -> Tally:
    """At least `cases` rows of operations, each asked with what those before it answered.

    The engine gives up, and calls it a success, once a row cannot be repeated word for word, and prices never can: it
    is set to work again, with another seed, until there were enough.
    """
    whole, turn = Tally(), 0
    while whole.rows < cases:
        found = attack(desk, ["stateful"], cases=cases - whole.rows, seed=seed + 1_000_000 * turn)
        assert found.rows, "it did nothing at all"
        whole, turn = whole + found, turn + 1
    return whole


def attack(desk: Desk, ways: Sequence[str], *, cases: int, seed: int) -> Tally:
    """Ask every operation in these ways: `coverage`, `fuzzing` (`cases` times each way), `stateful` (`cases` rows).

    Each request, or each row of them, finds the desk as it was.
    """
    undone = "stateful" not in ways
    document = schemathesis.openapi.from_path(DOCUMENT, config=_config(desk, ways, cases, seed, undone=undone))
    document.app = _browser(undone=undone)
    _aim(document, desk)
    tally = Tally(Counter({(one.ok().label, ""): 0 for one in document.get_all_operations() if isinstance(one, Ok)}))
    with _one_connection(), _rows_undone(), mock.patch.object(transport, "get", return_value=IN_PROCESS):
        for event in from_schema(document).execute():
            if isinstance(event, events.ScenarioFinished):
                _count(tally, event)
                tally.rows += event.phase is PhaseName.STATEFUL_TESTING
            elif isinstance(event, events.NonFatalError | events.FatalError):
                error = event.value if isinstance(event, events.NonFatalError) else event.exception
                tally.findings[f"{getattr(event, 'label', '')} {error!r}"[:300]] = str(error)
    return tally


@contextmanager
def _one_connection() -> Iterator[None]:
    """A request does not close the connection that its transaction is to be undone on."""
    both = (signals.request_started, signals.request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


@contextmanager
def _rows_undone() -> Iterator[None]:
    """What a row of operations did is undone before the next begins."""
    begin, end = APIStateMachine.__init__, APIStateMachine.teardown

    def begun(machine: APIStateMachine) -> None:
        machine.undoing = transaction.atomic()
        machine.undoing.__enter__()
        begin(machine)

    def ended(machine: APIStateMachine) -> None:
        end(machine)
        transaction.set_rollback(True)
        machine.undoing.__exit__(None, None, None)

    with mock.patch.multiple(APIStateMachine, __init__=begun, teardown=ended):
        yield


def _count(tally: Tally, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    for key, node in recorder.cases.items():
        meta = node.value.meta
        how = f"{event.phase.value} {meta.generation.mode.value if meta else ''}"
        tally.cases[node.value.operation.label, how] += 1
        if (told := recorder.interactions.get(key)) and told.response:
            tally.statuses[told.response.status_code] += 1
        for check in recorder.checks.get(key, []):
            if check.failure_info:
                name = f"{node.value.operation.label}: {check.name}: {check.failure_info.failure.title}"
                heard = told.response.content if told and told.response else b""
                tally.findings.setdefault(name, _story(node.value, check.failure_info.failure.message, heard))


def _story(case: Any, message: str, heard: bytes) -> str:
    sent = f"{case.method} {case.path} {case.path_parameters} {case.query} {case.body!r}"
    return f"{message[:2000]}\n{sent[:1500]}\n{heard[:500]!r}"


def _config(desk: Desk, ways: Sequence[str], cases: int, seed: int, *, undone: bool) -> SchemathesisConfig:
    client = Client()
    client.force_login(desk.owner)
    phases: dict[str, Any] = {name: {"enabled": name in ways} for name in ("examples", "coverage", "stateful")}
    # Rows are named by `_aim`; from the few of earlier answers alone, what only takes a number would soon run out.
    phases["fuzzing"] = {"enabled": "fuzzing" in ways, "extra-data-sources": {"responses": False}}
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "workers": 1,
            "continue-on-failure": True,
            "generation": {"mode": "all", "max-examples": cases, "no-shrink": True, "database": "none"},
            "phases": phases,
            "checks": CHECKS | {"use_after_free": {"enabled": not undone}},  # what is deleted is there again
            "operations": LENIENT_OPERATIONS,
            "auth": {"openapi": {"session": {"api_key": cookie}}},
        }
    )


class _InProcess(WSGITransport):
    """Schemathesis hands its probes what only a network could heed, and then stumbles over it."""

    def send(self, case: Any, **options: Any) -> Any:
        heeded = {name: value for name, value in options.items() if name not in ("max_redirects", "verify", "cert")}
        return super().send(case, **heeded)


IN_PROCESS = _InProcess()
IN_PROCESS._copy_serializers_from(WSGI_TRANSPORT)


def _browser(*, undone: bool) -> Callable[[dict[str, Any], Any], Answer]:
    """Our application behind a browser that holds the CSRF token; each request meets the desk as it was."""
    application = get_wsgi_application()
    token = _get_new_csrf_string()
    cookie = f"{settings.CSRF_COOKIE_NAME}={token}"

    def call(environ: dict[str, Any], start: Any) -> Answer:
        environ["HTTP_X_CSRFTOKEN"] = token
        environ["HTTP_COOKIE"] = "; ".join(filter(None, (environ.get("HTTP_COOKIE"), cookie)))
        if not undone:
            return list(application(environ, start))
        with transaction.atomic():
            answer = list(application(environ, start))
            transaction.set_rollback(True)
        return answer

    return call


def _aim(document: Any, desk: Desk) -> None:
    """Most numbers that could name a row do name one of the desk's; every other right plan could be carried out."""
    right, ids = bodies(desk)["POST trades"]["plan"], desk.ids  # as they were: a row may be gone by and by

    @document.hook  # type: ignore[untyped-decorator]
    def map_case(context: Any, case: Any) -> Any:
        names = ROWS.get(context.operation.path.split("/")[3], {})
        path, query, body = case.path_parameters, case.query, case.body
        if not case.meta.is_negative_at(ParameterLocation.PATH):
            case.path_parameters = {name: _aimed(value, ids, names.get(name)) for name, value in (path or {}).items()}
        case.query = {name: _aimed(value, ids, name) for name, value in (query or {}).items()}
        if isinstance(body, dict):
            case.body = {name: _aimed(value, ids, name) for name, value in body.items()}
            if case.meta.generation.mode.is_positive and "plan" in body and len(str(body)) % 2:
                case.body["plan"] = right
        return case

    @document.hook  # type: ignore[untyped-decorator]
    def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
        """A number where a text is wanted is taken for its digits, and the other way round; an empty filter is none."""
        return not (isinstance(failure, AcceptedNegativeData) and _is_meant(failure.message, case.query or {}))


def _is_meant(message: str, query: Mapping[str, Any]) -> bool:
    """Whether what was taken although it is not described is a lenience of ours."""
    wrong = IN_QUERY.search(message)
    empty = wrong is not None and not any(query.get(name) for name in re.findall(r"`(\w+)`", wrong[1]))
    return empty or LENIENT.search(message) is not None


def _aimed(value: Any, ids: dict[str, int], name: str | None) -> Any:
    """`value`, or where it could be the number of a row of this kind, four times of five that of the desk's."""
    if name not in ids or isinstance(value, bool):
        return value
    text = str(value)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**63) or int(text) % 5 == 0:
        return value
    return type(value)(ids[name])

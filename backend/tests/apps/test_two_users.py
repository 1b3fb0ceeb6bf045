"""What belongs to somebody else does not exist: every route, every method, every way to name a row.

The oracle: a request that names Bob's rows is answered to Alice word for word as one that names rows which never
existed, no row of Bob's changes, and no text of his is told. A route without a line here fails.
"""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from buddy.journal.listing import Place

from .bobs_desk import NOBODYS, OWNER_OF, VERBS, Desk, fingerprint, furnish, others, plan_at, routes, rows

NEVER = 2**40
"""The number of a row that never was."""
ROW_NAMES = {"account", "trade", "setup", "tag", "tags", "cursor"}
NUMBERS = {"limit", "year", "month", "minutes", "leverage", "max_leverage", "max_open_trades", "seed"}


@dataclass(frozen=True)
class Ask:
    """One request of Alice's. `$word` names a row of Bob's; so does the address, unless it is `at` a row of hers."""

    status: int = 404
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    at: str = "theirs"


def asking(**query: str) -> Ask:
    return Ask(query=query)


def listing(**query: str) -> Ask:
    """A filter by somebody else's row finds nothing."""
    return Ask(200, query)


SYMBOL, WINDOW = "BTC/USDT:USDT", {"year": "2025", "month": "6"}
SCOPE = [asking(account="$account"), listing(setup="$setup"), listing(tag="$tag")]
PLAN = {"account": "$account", "plan": "$plan"}
MATRIX: dict[str, list[Ask]] = {
    "GET accounts": [Ask(200)],
    "POST accounts": [Ask(201, body={"name": "bobs account", "price_source": "simulated"})],
    "GET accounts/<pk>": [Ask()],
    "PATCH accounts/<pk>": [Ask(body={"name": "mine now"})],
    "DELETE accounts/<pk>": [Ask()],
    "POST accounts/<pk>/check": [Ask()],
    "GET accounts/<pk>/foreign-positions": [Ask()],
    "POST accounts/<pk>/foreign-positions/<key>/adopt": [Ask(body={"stop": {"price": "1"}})],
    "POST accounts/<pk>/foreign-positions/<key>/close": [Ask()],
    "POST accounts/<pk>/foreign-positions/<key>/ignore": [Ask(body={"on": True})],
    "POST accounts/<pk>/halt": [Ask()],
    "PUT accounts/<pk>/key": [Ask(body={"api_key": "mine", "secret": "now"})],
    "POST accounts/<pk>/main": [Ask()],
    "POST accounts/<pk>/resume": [Ask(body={"state": "active"})],
    "POST accounts/practice": [Ask(201)],
    "GET events": [Ask(200), listing(account="$account"), listing(trade="$trade"), listing(cursor="$cursor")],
    "GET health": [Ask(200)],
    "GET instruments": [asking(account="$account")],
    "GET instruments/candles": [asking(account="$account", symbol=SYMBOL)],
    "GET instruments/quote": [asking(account="$account", symbol=SYMBOL)],
    "GET journal": [Ask(200), *SCOPE, listing(cursor="$place"), listing(q="bobs", status="all")],
    "GET journal/<trade>": [Ask()],
    "PATCH journal/<trade>": [
        Ask(body={"notes": "mine now"}),
        Ask(400, body={"setup": "$setup"}, at="mine"),
        Ask(400, body={"tags": ["$tag"]}, at="mine"),
    ],
    "DELETE journal/<trade>/screenshot": [Ask()],
    "GET journal/<trade>/screenshot": [Ask()],
    "POST journal/<trade>/screenshot": [Ask(body="picture")],
    "GET me": [Ask(200)],
    "PATCH me": [Ask(200, body={"id": "$bob", "email": "evil@example.org"})],
    "POST plans/preview": [Ask(body=PLAN)],
    "POST plans/rehearse": [Ask(body=PLAN)],
    "GET replays": [Ask(200)],
    "GET schema": [Ask(200)],
    "GET setups": [Ask(200), listing(cursor="$cursor")],
    "POST setups": [Ask(201, body={"name": "bobs setup"})],
    "GET setups/<pk>": [Ask()],
    "PATCH setups/<pk>": [Ask(body={"name": "mine now"})],
    "DELETE setups/<pk>": [Ask()],
    "GET stats/breakdown": [Ask(200, {"by": by}) for by in ("setup", "tag")]
    + [Ask(one.status, {**one.query, "by": "symbol"}) for one in SCOPE],
    "GET stats/calendar": [Ask(one.status, {**one.query, **WINDOW}) for one in SCOPE],
    "GET stats/equity": [Ask(200), *SCOPE],
    "GET stats/summary": [Ask(200), *SCOPE],
    "GET tags": [Ask(200), listing(cursor="$cursor")],
    "POST tags": [Ask(201, body={"name": "bobs tag"})],
    "GET tags/<pk>": [Ask()],
    "PATCH tags/<pk>": [Ask(body={"name": "mine now"})],
    "DELETE tags/<pk>": [Ask()],
    "GET venues": [Ask(200)],
    "GET trades": [Ask(200), listing(account="$account"), listing(cursor="$cursor")],
    "POST trades": [Ask(body=PLAN)],
    "GET trades/<key>": [Ask()],
    "POST trades/<key>/break-even": [Ask()],
    "POST trades/<key>/cancel": [Ask()],
    "POST trades/<key>/close": [Ask(body={"share": "0.5"})],
    "POST trades/<key>/end-by-word": [Ask(body={"price": None, "sentence": "I end BTC/USDT:USDT by my word"})],
    "POST trades/<key>/hands-off": [Ask(body={"on": True})],
    "PATCH trades/<key>/plan": [Ask(body={"plan": "$plan"})],
}
OF_ASKING = ("trading.IdempotentCall",)
"""What is written of a request that is refused: its answer, for when it is repeated."""
ASKS = [(route, number) for route, asks in MATRIX.items() for number in range(len(asks))]
KINDS = {"accounts": "account", "setups": "setup", "tags": "tag", "journal": "trade", "trades": "open"}


@pytest.fixture
def desks(alice: Any, bob: Any, tmp_path: Path, settings: Any) -> tuple[Desk, Desk]:
    """Alice's and Bob's, each with a row of every kind."""
    settings.MEDIA_ROOT = tmp_path
    return furnish(alice, "alices"), furnish(bob, "bobs")


@pytest.fixture
def names(desks: tuple[Desk, Desk]) -> dict[str, Any]:
    """What the words of the matrix stand for when they mean Bob's."""
    mine, theirs = desks
    pages = cursors(theirs)
    return {**theirs.ids, **pages, "bob": theirs.owner.pk, "plan": plan_at(mine.account), "mine": mine.ids}


def cursors(desk: Desk) -> dict[str, str]:
    """Places in Bob's own lists, as he would be given them."""
    assert desk.closed.closed_at
    return {
        "cursor": b64encode(f"p={desk.open.pk}".encode()).decode(),
        "place": Place(desk.closed.closed_at, desk.closed.pk).cursor(),
    }


def missing(names: dict[str, Any]) -> dict[str, Any]:
    """The same words, but of rows that never were."""
    return {name: NEVER if isinstance(value, int) else value for name, value in names.items()}


def put_in(shape: Any, names: dict[str, Any]) -> Any:
    if isinstance(shape, dict):
        return {key: put_in(value, names) for key, value in shape.items()}
    if isinstance(shape, list):
        return [put_in(value, names) for value in shape]
    return names[shape[1:]] if isinstance(shape, str) and shape.startswith("$") else shape


def send(client: Any, route: str, ask: Ask, names: dict[str, Any]) -> Any:
    method, address = route.split(" ")
    ids = names["mine"] if ask.at == "mine" else names
    address = address.replace("foreign-positions/<key>", f"foreign-positions/{ids['foreign']}")
    place, _, rest = address.partition("/<")
    if rest:
        address = f"{place}/{ids[KINDS[place]]}{rest.partition('>')[2]}"
    if query := put_in(ask.query, names):
        address += "?" + "&".join(f"{key}={value}" for key, value in query.items())
    form: dict[str, Any] = {"format": "json", "data": put_in(ask.body, names)}
    if ask.body == "picture":
        form = {"format": "multipart", "data": {"image": SimpleUploadedFile("a.png", b"\x89PNG")}}
    key = {"Idempotency-Key": uuid.uuid4().hex}
    return getattr(client, method.lower())(f"/api/v1/{address}", headers=key, **(form if method != "GET" else {}))


def said(answer: Any) -> Any:
    return json.loads(answer.content) if answer["Content-Type"].endswith("json") else answer.getvalue()


def test_no_route_is_forgotten() -> None:
    assert routes() == set(MATRIX)


def test_no_other_address_is_forgotten() -> None:
    """Health tells of processes, the rest is the SPA and what is not there; the live feed stands in front of Django."""
    assert others() == ["^(?:api|_allauth|static|_app)(?:/.*)?$", "^(?P<path>.*)$", "health"]


def test_no_table_is_forgotten() -> None:
    ours = {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if model.__module__.startswith("buddy.")
    }
    assert ours - {"users.User_groups", "users.User_user_permissions"} == set(OWNER_OF) | NOBODYS


def test_no_way_to_name_a_row_is_forgotten() -> None:
    """By the API's own description: whatever names a row, and whatever number we do not know, stands in the matrix."""
    for route, words in described().items():
        asked = {
            word for ask in MATRIX[route] for word in (*ask.query, *(ask.body if isinstance(ask.body, dict) else ()))
        }
        assert words <= asked, route


def described() -> dict[str, set[str]]:
    schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    found = {}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if "/schema" not in path:
                name = path.removeprefix("/api/v1/").replace("{id}", "<pk>").replace("{", "<").replace("}", ">")
                found[f"{method.upper()} {name}"] = set(_row_names(operation, schema))
    return found


def _row_names(operation: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    query = {one["name"]: one["schema"] for one in operation.get("parameters", []) if one["in"] == "query"}
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    body = schema["components"]["schemas"].get(content.get("$ref", "").rpartition("/")[2], {}).get("properties", {})
    fields = {**query, **body}
    numbers = {name for name, kind in fields.items() if kind.get("type") == "integer" and not kind.get("readOnly")}
    return (set(fields) & ROW_NAMES) | (numbers - NUMBERS)


@pytest.mark.parametrize(("route", "number"), ASKS)
def test_bobs_rows_do_not_exist_for_alice(api: Any, desks: Any, names: Any, route: str, number: int) -> None:
    ask, before, all_before = MATRIX[route][number], rows(desks[1].owner), fingerprint(*OF_ASKING)
    answer = send(api, route, ask, names)
    assert answer.status_code == ask.status, answer.content
    assert rows(desks[1].owner) == before
    if ask.status >= 400 or route.startswith("GET "):
        assert fingerprint(*OF_ASKING) == all_before
    text = b"" if ask.body and b"bobs" in json.dumps(ask.body).encode() else answer.getvalue()
    assert b"bobs" not in text
    assert "@example.org" not in str(text).replace(desks[0].owner.email, "")
    assert_same_as_never(api, route, ask, names, answer)


def assert_same_as_never(api: Any, route: str, ask: Ask, names: dict[str, Any], answer: Any) -> None:
    """Not even that a row exists may be learned."""
    if ask.status in (200, 201) and not {"$account", "$trade", "$setup", "$tag"} & {*ask.query.values()}:
        return
    never = send(api, route, ask, missing(names))
    assert never.status_code == answer.status_code
    assert said(never).keys() == said(answer).keys()
    assert all(said(never)[key] == said(answer)[key] for key in ("code", "detail", "results") if key in said(never))


def test_a_stranger_is_told_nothing(stranger: Any, desks: Any, names: Any) -> None:
    before = fingerprint()
    for route, asks in MATRIX.items():
        for ask in asks:
            answer = send(stranger, route, ask, names)
            assert (route, answer.status_code, answer["Content-Type"]) == (route, 401, "application/problem+json")
    assert fingerprint() == before


def test_what_no_route_does_is_refused(api: Any, stranger: Any, desks: Any, names: Any) -> None:
    """Every method that an address does not know: 405 to its owner, and 401 to a stranger as everywhere."""
    before, mine = fingerprint(), Ask(body={}, at="mine")
    all_there_could_be = {f"{verb.upper()} {route.split(' ')[1]}" for route in MATRIX for verb in VERBS}
    for route in sorted(all_there_could_be - set(MATRIX)):
        told = send(api, route, mine, names)
        assert (route, told.status_code, told.json()["code"]) == (route, 405, "method_not_allowed")
        assert (route, send(stranger, route, mine, names).status_code) == (route, 401)
    assert fingerprint() == before


def test_nothing_is_written_for_another_site(desks: Any, names: Any) -> None:
    """A page elsewhere has the browser's cookie but not our token."""
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(desks[1].owner)
    before = fingerprint()
    for route, asks in MATRIX.items():
        if not route.startswith("GET"):
            answer = send(client, route, asks[0], names)
            assert (route, answer.status_code, answer["Content-Type"]) == (route, 403, "application/problem+json")
    assert fingerprint() == before

"""What the OpenAPI document tells of every operation alike: how it refuses. The settings name `finish` as a hook."""

from __future__ import annotations

from typing import Any

from buddy.api import Pages
from buddy.problems import CONTENT_TYPE

Part = dict[str, Any]
TEXT: Part = {"type": "string"}
FAULT: Part = {
    "type": "object",
    "required": ["message", "cure", "code"],
    "properties": {"message": TEXT, "cure": TEXT, "code": TEXT},
    "additionalProperties": False,
}
PROBLEM: Part = {
    "type": "object",
    "description": "RFC 9457. `errors` names each field that is at fault, what is wrong with it and the cure.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "code": TEXT,
        "errors": {
            "type": "object",
            "additionalProperties": {
                "type": "array",
                "minItems": 1,
                "items": {"$ref": "#/components/schemas/ProblemFault"},
            },
        },
    },
    "additionalProperties": False,
}
REFUSALS = {"4XX": "What was asked is refused.", "503": "An exchange cannot be asked now, or has not answered yet."}
"""There is no other 5xx: one would be a defect."""


def finish(result: Part, **_: Any) -> Part:
    """Every operation may answer with a problem document, and with nothing else that is an error."""
    result["components"]["schemas"] |= {"Problem": PROBLEM, "ProblemFault": FAULT}
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refusals = {status: {"description": told, "content": content} for status, told in REFUSALS.items()}
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"] |= refusals
            for parameter in operation.get("parameters", []):
                _tell_all(parameter)
    return result


def _tell_all(parameter: Part) -> None:
    """What the generator does not know: numbers of rows begin at 1, an empty filter is none, pages have a size."""
    schema = parameter["schema"]
    if parameter["in"] == "path" and schema["type"] == "integer":
        schema["minimum"] = 1
    if parameter["in"] == "query":
        schema.pop("minLength", None)
    if parameter["name"] == "limit":
        schema.setdefault("minimum", 1)
        schema.setdefault("maximum", Pages.max_page_size)

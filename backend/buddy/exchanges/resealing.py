"""A new VAULT_KEY: whatever is sealed, sealed anew, a row at a time; killed in between, every row still opens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps

from . import vault


@dataclass(slots=True)
class Outcome:
    """How many rows were sealed anew, were it already, and could not be opened."""

    anew: int = 0
    current: int = 0
    closed: int = 0


def reseal() -> Outcome:
    """Every sealed row under the newest key. A row that somebody changes meanwhile is left as they wrote it."""
    outcome = Outcome()
    for row in _sealed_rows():
        try:
            fresh = row.sealed_anew()
        except vault.CannotOpen:
            outcome.closed += 1
            continue
        if not fresh:
            outcome.current += 1
            continue
        before = {name: getattr(row, name) for name in fresh}
        outcome.anew += type(row)._default_manager.filter(pk=row.pk, **before).update(**fresh)
    return outcome


def counted() -> tuple[int, int]:
    """How many sealed rows there are, and how many of them VAULT_KEY does not open."""
    rows = closed = 0
    for row in _sealed_rows():
        rows += 1
        try:
            row.keys()
        except vault.CannotOpen:
            closed += 1
    return rows, closed


def _sealed_rows() -> Iterator[Any]:
    """Of every table whose rows can seal themselves anew; only the columns for that, as others may not be there yet."""
    for model in apps.get_models():
        if fields := getattr(model, "SEALED", ()):
            yield from model._default_manager.only("account_id", *fields).order_by("pk").iterator()

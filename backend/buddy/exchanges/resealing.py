"""A new VAULT_KEY: whatever is sealed, sealed anew, a row at a time; killed in between, every row still opens."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS

from . import second_factor, vault


@dataclass(slots=True)
class Outcome:
    """How many rows were sealed anew, were it already, and could not be opened."""

    anew: int = 0
    current: int = 0
    closed: int = 0


def reseal() -> Outcome:
    """Every sealed row under the newest key. A row that somebody changes meanwhile is left as they wrote it."""
    outcome = Outcome()
    for row, sealed_anew in chain(((row, row.sealed_anew) for row in _sealed_rows()), second_factor.rows()):
        try:
            fresh = sealed_anew()
        except vault.CannotOpen:
            outcome.closed += 1
            continue
        if not fresh:
            outcome.current += 1
            continue
        before = {name: getattr(row, name) for name in fresh}
        outcome.anew += type(row)._default_manager.filter(pk=row.pk, **before).update(**fresh)
    return outcome


def counted(using: str = DEFAULT_DB_ALIAS, tables: Collection[str] | None = None) -> tuple[int, int]:
    """How many sealed rows there are, and how many of them VAULT_KEY does not open. `tables`: those that are there."""
    rows = closed = 0
    for row in _sealed_rows(using, tables):
        rows += 1
        try:
            row.keys()
        except vault.CannotOpen:
            closed += 1
    return rows, closed


def _sealed_rows(using: str = DEFAULT_DB_ALIAS, tables: Collection[str] | None = None) -> Iterator[Any]:
    """Of every table whose rows can seal themselves anew; only the columns for that, as others may not be there yet."""
    for model in apps.get_models():
        fields = getattr(model, "SEALED", ())
        if fields and (tables is None or model._meta.db_table in tables):
            yield from model._default_manager.using(using).only("account_id", *fields).order_by("pk").iterator()

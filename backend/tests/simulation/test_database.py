"""The database that lives are played on."""

from __future__ import annotations

import pytest
from django.db import connection

from simulation.sqlite.base import DatabaseWrapper


@pytest.mark.django_db
def test_who_is_killed_before_an_answer_is_read_holds_up_no_later_commit() -> None:
    """Whoever keeps what was raised keeps the cursor, too, with a statement that has only begun to write."""
    database = DatabaseWrapper(connection.settings_dict | {"NAME": ":memory:", "OPTIONS": {}})
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE wishes (id INTEGER PRIMARY KEY, text TEXT)")
    database.set_autocommit(False)
    with pytest.raises(KeyboardInterrupt) as kept:
        _is_killed_as_it_writes(database)
    database.commit()
    with database.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM wishes").fetchone() == (2,)
    assert kept.tb
    database.close()


def _is_killed_as_it_writes(database: DatabaseWrapper) -> None:
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO wishes (text) VALUES ('a'), ('b') RETURNING id")
        raise KeyboardInterrupt

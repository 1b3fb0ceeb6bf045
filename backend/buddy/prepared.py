"""Statements whose SQL is made once per process and then only run.

The ORM makes the SQL of a queryset anew each time, which costs several times what the database needs to answer it. A
look runs the same few dozen statements every two seconds, so they are kept here as they were compiled, with places for
their values. The queryset stays the only description of the statement; nothing is written in SQL.
"""

from __future__ import annotations

import inspect
import marshal
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.models import BooleanField, DateTimeField, DecimalField, Field, JSONField, Model, QuerySet
from django.db.models.base import ModelState
from django.db.models.expressions import RawSQL
from django.db.models.query import ModelIterable
from django.db.models.sql import InsertQuery, UpdateQuery

Row = TypeVar("Row")
Made = TypeVar("Made", bound=Model)
Values = dict[str, Any]
"""What a statement is run with, by name: whole numbers, texts, moments, or lists of the first two (never empty)."""

FIRST_MARK, FIRST_MEMBER = 32_011, 2_000_000_011
"""Marks stand for the values while the SQL is made: whole numbers, which every number and every text column takes.

On Postgres a number that its column cannot hold would be no condition but an empty answer, so single values, which may
be small integers, have small marks; members of lists are keys or texts.
"""
FIRST_MOMENT = datetime(2038, 1, 19, 3, 14, 7, 32_011, UTC)
"""The mark of a moment, which a column of moments takes."""
MEMBERS_AT_MOST = 200
"""In the lists of a statement that is kept; longer ones are rare and of many lengths."""
CONSTANT = (BooleanField, DateTimeField, DecimalField)
"""Fields whose values nobody can change: what was made of one is given to all who read the same of that column."""
KEPT_OF_A_COLUMN = 1_000
NEW = "new "
"""Before the name of a field whose new value it is: a condition may ask for the old one under the same name."""


class Place(NamedTuple):
    """Where a parameter comes from: a value by its name, or one member of a list."""

    name: str
    member: int | None = None

    def value(self, values: Values, here: Any) -> Any:
        value = values[self.name]
        if self.member is not None:
            return value[self.member]
        return here.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


class Statement(NamedTuple):
    """`arguments`: constants, and None at the `places` that values take. `reads`: a row as the queryset gives it."""

    sql: str
    arguments: tuple[Any, ...]
    places: tuple[tuple[int, Place], ...]
    model: type[Model]
    reads: Callable[[Sequence[Any]], Any]

    def filled(self, values: Values, here: Any) -> list[Any]:
        """What is sent with the SQL to the connection `here`."""
        found = list(self.arguments)
        for position, place in self.places:
            found[position] = place.value(values, here)
        return found


class _Kept:
    """One statement per database and per number of members of each list."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build = build
        self._names = tuple(inspect.signature(build).parameters)
        self._statements: dict[Any, Statement] = {}

    def _statement(self, vendor: str, values: Values, fields: Sequence[str] = ()) -> Statement:
        sizes = tuple([len(each) for each in values.values() if type(each) is list])
        key = (vendor, *values, sizes, *fields)
        found = self._statements.get(key)
        if found is None:
            found = self._compiled(values, fields)
            if sum(sizes) <= MEMBERS_AT_MOST:
                self._statements[key] = found
        return found

    def _compiled(self, values: Values, fields: Sequence[str]) -> Statement:
        marks, places = _marks(self._names, values)
        rows = self._build(**marks)
        query = _changing(rows, fields) if fields else rows.query
        compiler = query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        arguments = tuple(each if isinstance(each, Place) else places.get(str(each), each) for each in parameters)
        if lost := set(places.values()) - {each for each in arguments if isinstance(each, Place)}:
            raise ValueError(f"{sorted(place.name for place in lost)} would not reach the database.")
        constants = tuple(None if isinstance(each, Place) else each for each in arguments)
        taken = tuple((position, each) for position, each in enumerate(arguments) if isinstance(each, Place))
        return Statement(sql, constants, taken, rows.model, tuple if fields else _reader(rows, compiler))


def _marks(names: Sequence[str], values: Values) -> tuple[Values, dict[str, Place]]:
    """What the queryset is built with, and the place that each mark stands for."""
    marks: Values = {}
    places: dict[str, Place] = {}
    for number, name in enumerate(names, FIRST_MARK):
        if isinstance(values[name], list):
            first = FIRST_MEMBER + len(places)
            marks[name] = list(range(first, first + len(values[name])))
            places |= {str(mark): Place(name, mark - first) for mark in marks[name]}
        elif isinstance(values[name], datetime):
            marks[name] = FIRST_MOMENT + timedelta(seconds=number)
            places[str(connection.ops.adapt_datetimefield_value(marks[name]))] = Place(name)
        else:
            marks[name] = number
            places[str(number)] = Place(name)
    return marks, places


def _changing(rows: QuerySet[Any, Any], fields: Sequence[str]) -> Any:
    query: Any = rows.query.chain(UpdateQuery)
    query.add_update_values({name: RawSQL("%s", [Place(NEW + name)]) for name in fields})
    return query


def _reader(rows: QuerySet[Any, Any], compiler: Any) -> Callable[[Sequence[Any]], Any]:
    """An object per row as the queryset makes it, or a tuple for `values_list`."""
    columns = [column for column, _, _ in compiler.select]
    width, converters = (
        len(columns),
        [
            (position, _converter(chain, expression))
            for position, (chain, expression) in compiler.get_converters(columns).items()
        ],
    )

    def values(row: Sequence[Any]) -> list[Any]:
        found = list(row[:width])
        for position, convert in converters:
            found[position] = convert(found[position])
        return found

    if rows._iterable_class is not ModelIterable:
        return lambda row: tuple(values(row))
    model, alias, names = rows.model, rows.db, [column.target.attname for column in columns]
    if strange := {column.target.model.__name__ for column in columns if column.target.model is not model}:
        raise ValueError(f"A kept statement gives rows of {model.__name__} alone, not of {sorted(strange)} too.")

    def read(row: Sequence[Any]) -> Any:
        """Made as unpickling makes it: `__init__` asks each of dozens of fields how it wants to be set."""
        made: Any = object.__new__(model)
        made.__dict__.update(zip(names, values(row), strict=True))
        made._state = ModelState()
        made._state.adding, made._state.db = False, alias
        return made

    return read


def _converter(chain: Sequence[Callable[..., Any]], expression: Any) -> Callable[[Any], Any]:
    """What makes of the database's value of a column what its field gives."""

    def convert(value: Any) -> Any:
        for each in chain:
            value = each(value, expression, connection)
        return value

    if isinstance(expression.output_field, CONSTANT):
        return lru_cache(KEPT_OF_A_COLUMN)(convert)
    return _document(convert) if isinstance(expression.output_field, JSONField) else convert


def _document(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Whoever reads a document may change it, so each gets one of his own, from what takes least time to read."""

    @lru_cache(KEPT_OF_A_COLUMN)
    def kept(value: Any) -> bytes:
        return marshal.dumps(convert(value))

    return lambda value: marshal.loads(kept(value))  # noqa: S302  written a line above


class Select(_Kept, Generic[Row]):
    """The rows of a queryset that `build` makes from its values."""

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        super().__init__(build)

    def rows(self, **values: Any) -> list[Row]:
        here = connections[DEFAULT_DB_ALIAS]
        statement = self._statement(here.vendor, values)
        with here.cursor() as cursor:
            cursor.execute(statement.sql, statement.filled(values, here))
            return [statement.reads(row) for row in cursor.fetchall()]

    def first(self, **values: Any) -> Row | None:
        found = self.rows(**values)
        return found[0] if found else None


class Update(_Kept):
    """A conditional UPDATE of the rows of a queryset; how many rows it changed."""

    def __call__(self, fields: Values, **values: Any) -> int:
        here = connections[DEFAULT_DB_ALIAS]
        statement = self._statement(here.vendor, values, tuple(fields))
        column: Callable[[str], Any] = statement.model._meta.get_field
        new = {NEW + name: column(name).get_db_prep_save(value, here) for name, value in fields.items()}
        with transaction.mark_for_rollback_on_error(here.alias), here.cursor() as cursor:
            cursor.execute(statement.sql, statement.filled(values | new, here))
            return int(cursor.rowcount)


class Insert:
    """A new row, as `objects.create` writes it, but for signals, to which nothing here listens."""

    def __init__(self) -> None:
        self._statements: dict[tuple[str, type[Model]], tuple[str, list[Field[Any, Any]]]] = {}

    def __call__(self, row: Made) -> Made:
        here = connections[DEFAULT_DB_ALIAS]
        sql, fields = self._statement(here, row)
        values = [field.get_db_prep_save(field.pre_save(row, add=True), here) for field in fields]
        with transaction.mark_for_rollback_on_error(here.alias), here.cursor() as cursor:
            cursor.execute(sql, values)
            row.pk = cursor.fetchone()[0]
        row._state.adding, row._state.db = False, here.alias
        return row

    def _statement(self, here: Any, row: Model) -> tuple[str, list[Field[Any, Any]]]:
        key = (here.vendor, type(row))
        if key not in self._statements:
            fields = [field for field in row._meta.local_concrete_fields if not field.primary_key]
            query: Any = InsertQuery(type(row))
            query.insert_values(fields, [row])
            compiler = query.get_compiler(connection=here)
            compiler.returning_fields = [row._meta.pk]
            ((sql, _),) = compiler.as_sql()
            self._statements[key] = sql, fields
        return self._statements[key]


insert = Insert()

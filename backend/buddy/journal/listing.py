"""The journal's list, newest close first, page after page by key: page 5,000 costs what the first one does.

Whether a trade was won is decided in Python, by the rule the statistics use: on SQLite decimals are text, which SQL
cannot compare. A page with that filter reads on in batches until it is full.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Collate
from django.db.models.lookups import IContains, IRegex
from rest_framework import serializers

from buddy.core.performance import Outcome, outcome_of
from buddy.trading.models import Trade

from .models import Entry
from .scope import ScopeQuery, between, within

STATUSES = ("closed", "cancelled", "all")
BATCH = 500
MOST = 200
FOLDING_SINCE = 170_000
"""The Postgres version that brought a collation folding all of Unicode."""


class JournalQuery(ScopeQuery):
    status = serializers.ChoiceField(choices=STATUSES, default="closed")
    result = serializers.ChoiceField(choices=[str(outcome) for outcome in Outcome], required=False)
    q = serializers.CharField(required=False, max_length=200)
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=50)
    cursor = serializers.CharField(required=False, max_length=200)

    def validate_cursor(self, given: str) -> Place:
        try:
            return Place.read(given)
        except (ValueError, binascii.Error):
            raise serializers.ValidationError("This is no cursor of ours. Start again without it.") from None


@dataclass(frozen=True, slots=True)
class Place:
    """A row's place in the list."""

    moment: datetime
    id: int

    @classmethod
    def read(cls, cursor: str) -> Place:
        moment, _, key = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").partition("~")
        place = cls(datetime.fromisoformat(moment), int(key))
        if place.moment.tzinfo is None or not 0 <= place.id < 2**63:
            raise ValueError(cursor)
        return place

    def cursor(self) -> str:
        return base64.urlsafe_b64encode(f"{self.moment.isoformat()}~{self.id}".encode()).decode()


def page(mine: QuerySet[Trade], query: dict[str, Any]) -> tuple[list[Trade], str | None]:
    """One page of trades with their words, and the cursor of the next (None at the end)."""
    limit = query["limit"]
    places = list(_places(_wanted(mine, query), query, limit + 1))
    following = places[limit - 1].cursor() if len(places) > limit else None
    return _with_words([place.id for place in places[:limit]]), following


def _wanted(mine: QuerySet[Trade], query: dict[str, Any]) -> QuerySet[Any]:
    """A trade that never closed stands where it was made."""
    closed = query["status"] == "closed"
    trades: QuerySet[Any] = mine if query["status"] == "all" else mine.filter(status=query["status"])
    trades = trades.annotate(moment=F("closed_at") if closed else Coalesce("closed_at", "created_at"))
    trades = between(within(trades, query), query, "moment")
    return trades.filter(_mentions(query["q"])) if "q" in query else trades


def _mentions(words: str) -> Q:
    """In the notes, the symbol, the setup or a tag, whatever the case."""
    found = Q(pk__in=Entry.objects.filter(_contains("tags__name", words)).values("trade_id"))
    for place in ("symbol", "entry__notes", "entry__setup__name"):
        found |= _contains(place, words)
    return found


def _contains(place: str, words: str) -> Q:
    """`icontains` for every alphabet: SQLite's LIKE folds only ASCII, and so does Postgres under the C locale."""
    if connection.vendor == "sqlite":  # whose regular expressions are Python's
        return Q(IRegex(F(place), re.escape(words)))
    if getattr(connection, "pg_version", 0) >= FOLDING_SINCE:
        return Q(IContains(Collate(F(place), "pg_c_utf8"), words.upper()))
    return Q(IContains(F(place), words))


def _places(trades: QuerySet[Any], query: dict[str, Any], count: int) -> Iterator[Place]:
    """The first `count` places after the cursor whose trades have the wanted result."""
    result, after, found = query.get("result"), query.get("cursor"), 0
    size = BATCH if result else count
    while True:
        rows = list(_after(trades, after).values_list("moment", "id", "net", "r")[:size])
        for moment, key, net, r in rows:
            after = Place(moment, key)
            if result is None or (net is not None and outcome_of(net, r) == result):
                found += 1
                yield after
            if found == count:
                return
        if len(rows) < size:
            return


def _after(trades: QuerySet[Any], place: Place | None) -> QuerySet[Any]:
    ordered = trades.order_by(F("moment").desc(), "-id")
    if place is None:
        return ordered
    return ordered.filter(
        Q(moment__lt=place.moment) | Q(moment=place.moment, id__lt=place.id), moment__lte=place.moment
    )


def _with_words(keys: Sequence[int]) -> list[Trade]:
    rows = with_words(Trade.objects.filter(pk__in=keys)).in_bulk()
    return [rows[key] for key in keys]


def with_words(trades: QuerySet[Trade]) -> QuerySet[Trade]:
    """Trades with what the journal shows of them, without the documents it does not."""
    words = trades.select_related("account", "entry__setup", "entry__screenshot").prefetch_related("entry__tags")
    return words.defer("first_plan", "plan", "quantities", "directives", "memory")

"""Long lists of a venue read to their end, or not at all: half of one would be a gap that nobody sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from buddy.core.errors import CouldNotRead

from .ccxt_calls import Calls
from .ccxt_orders import filled_in
from .ccxt_words import Row
from .cursors import Track
from .recipe import Call, Pages, Recipe, Since, at

PAGES_AT_MOST = 20
SHORTEST = 1_000
"""Milliseconds: the shortest span that is halved when too much happened in it."""
AHEAD = 1_000
"""Milliseconds: our idea of the venue's clock lags a little, and what has just happened must not be missed."""

Ask = Callable[[int, Mapping[str, Any]], Sequence[Row]]
"""One page: since when (ms), and parameters of the page. Rows carry the token of the next page, where there is one."""
TimeOf = Callable[[Row], int]


def until_of(track: Track, now: int, pages: Pages) -> int:
    """How far one question may reach; after a long silence not up to now."""
    return min(now, track.horizon + pages.window - 1) if pages.window else now


def paged(
    ask: Ask, pages: Pages, since: int, until: int, time_of: TimeOf, token_of: Callable[[], Any] | None = None
) -> tuple[list[Row], int]:
    """Every row from `since` to `until`, and up to when they are all. Raises CouldNotRead for what has no end."""
    rows, more = list[Row](), dict[str, Any]()
    for _ in range(PAGES_AT_MOST):
        page = ask(since, more)
        rows += page
        token = token_of() if token_of else _token(page, pages)
        if len(page) < pages.size:
            return rows, until
        if pages.ascending:
            since = _further(page, since, time_of)
        elif pages.counted:  # the newest come first: what happens meanwhile is read twice, and nothing is left out
            more[pages.param] = len(rows)
        elif pages.param and token not in (None, ""):
            more[pages.param] = token
        else:
            raise TooMany("The venue does not tell how to read on.")
    if pages.ascending:
        return rows, since
    raise CouldNotRead("There is more than can be read at once.")


def _token(page: Sequence[Row], pages: Pages) -> Any:
    """The library sorts a page by time, oldest first, and the oldest is where the next page begins."""
    return next((found for row in page if (found := at(row, pages.field))), None) if pages.param else None


def _further(page: Sequence[Row], since: int, time_of: TimeOf) -> int:
    newest = max(time_of(row) for row in page)
    if newest <= since:
        raise CouldNotRead("More happened in a millisecond than can be read at once.")
    return newest


class TooMany(CouldNotRead):
    """More in this span of time than one page, and no way to the next: a shorter span may do."""


class Reader:
    """A plain endpoint's rows over a span of time."""

    def __init__(self, calls: Calls, call: Call, times: Since, pages: Pages) -> None:
        self.calls, self.call, self.times, self.pages = calls, call, times, pages
        self._token: Any = None

    def all(self, since: int, until: int, now: int, names: Mapping[str, str], time_of: TimeOf) -> tuple[list[Row], int]:
        """Every row from `since` on, and up to when: before `until` where there are too many to be told at once."""
        while True:
            try:
                return self._span(since, until, now, names, time_of)
            except TooMany:
                if until - since < SHORTEST:
                    raise
                until = since + (until - since) // 2

    def _span(
        self, since: int, until: int, now: int, names: Mapping[str, str], time_of: TimeOf
    ) -> tuple[list[Row], int]:
        ends = {self.times.end: until if until < now else now + AHEAD} if self.times.both or until < now else {}
        params = filled_in(self.call.params, dict(names)) | ends

        def ask(begin: int, more: Mapping[str, Any]) -> list[Row]:
            answer = self.calls.read(self.call.method, {**params, self.times.begin: begin, **more})
            self._token = at(answer, self.pages.field) if self.pages.param else None
            return rows_in(answer, self.call, self.calls.client.recipe)

        return paged(ask, self.pages, since, until, time_of, lambda: self._token)


def raw_rows(calls: Calls, call: Call, names: Mapping[str, str], more: Mapping[str, Any] | None = None) -> list[Row]:
    """The rows of a plain endpoint's answer."""
    answer = calls.read(call.method, filled_in(call.params, dict(names)) | dict(more or {}))
    return rows_in(answer, call, calls.client.recipe)


def rows_in(answer: Any, call: Call, recipe: Recipe) -> list[Row]:
    """Raises CouldNotRead when there is no list where it should be: that is not the same as an empty one."""
    rows = at(answer, call.rows)
    if call.keyed and isinstance(rows, dict):
        rows = [{**row, call.keyed: name} for name, row in rows.items() if isinstance(row, dict)]
    if rows is None and call.none_is_empty and at(answer, recipe.always_told) is not None:
        inside = at(answer, call.rows[:1])
        if inside is None or (len(call.rows) > 1 and isinstance(at(answer, call.rows[:-1]), dict)):
            return []
    if not isinstance(rows, list):
        raise CouldNotRead("The venue gave an answer we cannot read.")
    return [row for row in rows if isinstance(row, dict)]

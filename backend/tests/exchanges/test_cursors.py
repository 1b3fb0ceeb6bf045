"""Whatever a venue's lists do — late rows, pages twice, any order — each execution is told once and none is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from buddy.exchanges.cursors import LATE, STEP, Cursor, Track

BEGIN = 1_795_262_400_000

happened = st.lists(
    st.tuples(st.integers(0, 900_000), st.integers(0, LATE - 1)),  # when, and how much later it is listed
    max_size=30,
)
looks = st.lists(st.integers(1, 200_000), min_size=1, max_size=12)


@given(happened=happened, looks=looks, data=st.data())
def test_each_execution_is_told_once(happened, looks, data):
    rows = [(f"t{number}", BEGIN + when, BEGIN + when + late) for number, (when, late) in enumerate(happened)]
    cursor, told, now = Cursor.begin(BEGIN), [], BEGIN
    for pause in [*looks, 1_000_000, LATE]:
        now += pause
        listed = [(name, when) for name, when, seen in rows if seen <= now and when >= cursor.fills.horizon]
        listed = data.draw(
            st.permutations(listed + data.draw(st.lists(st.sampled_from(listed)) if listed else st.just([])))
        )
        new = cursor.fills.new(listed, lambda row: row[0], lambda row: row[1])
        told += [name for name, _ in new]
        assert [when for _, when in new] == sorted(when for _, when in new)
        fills = cursor.fills.after(listed, now, now)
        cursor = Cursor.read(cursor.moved(fills, cursor.income, ()).text(), now)
    assert sorted(told) == sorted(name for name, _, _ in rows)


@given(pause=st.integers(0, STEP + LATE - 1))
def test_a_quiet_account_is_not_written_to(pause):
    cursor = Cursor.begin(BEGIN)
    moved = cursor.moved(cursor.fills.after([], BEGIN + pause, BEGIN + pause), cursor.income, ())
    assert moved.text() == cursor.text()


def test_the_horizon_follows_in_the_end():
    later = BEGIN + STEP + LATE
    assert Track(BEGIN).after([], later, later).horizon == BEGIN + STEP


def test_half_a_list_moves_the_horizon_no_further_than_it_was_read():
    rows = [("a", BEGIN + 10), ("b", BEGIN + 20)]
    track = Track(BEGIN).after(rows, BEGIN + 20, BEGIN + 10 * STEP)
    assert track.horizon == BEGIN + 20
    assert track.new(rows, lambda row: row[0], lambda row: row[1]) == []


def test_half_a_list_of_known_rows_is_no_place_to_stay():
    known = Track(BEGIN).after([("a", BEGIN + 10)], BEGIN + 20, BEGIN + 20)
    assert known.after([("a", BEGIN + 10)], BEGIN + 10, BEGIN + 10 * STEP).horizon == BEGIN + 10


def test_a_cursor_is_plain_text_and_comes_back_the_same():
    cursor = Cursor.begin(BEGIN).moved(
        Track(BEGIN + 5).after([("x", BEGIN + 6)], BEGIN, BEGIN), Track(BEGIN), ["B", "A", "A"]
    )
    assert Cursor.read(cursor.text(), 0) == cursor
    assert len(cursor.text()) < 100

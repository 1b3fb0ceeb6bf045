"""The files of backups: what is sealed, what stands on the shelf under which name, and what is let go."""

from __future__ import annotations

import errno
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.backups import archive
from buddy.backups.archive import Archive, Media
from buddy.backups.refusals import Refused, Unsound
from buddy.backups.room import locked
from buddy.backups.rotation import Dated, Kept, chosen
from buddy.backups.sealing import KeyPair, check_recipients, read_identities, seal, unseal
from buddy.backups.shelf import Shelf

OPERATOR, OTHER = KeyPair.fresh(), KeyPair.fresh()
BEGIN = datetime(2025, 1, 1, 2, tzinfo=UTC)

dated = st.builds(
    lambda hours, proven: Dated(BEGIN + timedelta(hours=hours), proven), st.integers(0, 24 * 900), st.booleans()
)
shelves = st.lists(dated, max_size=120, unique_by=lambda one: one.taken_at)
numbers = st.builds(Kept, st.integers(1, 20), st.integers(0, 10), st.integers(0, 14))


@given(shelves, numbers)
def test_the_newest_and_the_last_proven_are_never_let_go(backups: list[Dated], kept: Kept) -> None:
    found = chosen(backups, kept)
    assert found <= set(backups)
    assert not backups or max(backups) in found
    assert {max(proven)} <= found if (proven := [one for one in backups if one.is_proven]) else True


@given(shelves, numbers)
def test_each_of_the_last_days_weeks_and_months_has_one_and_no_more_are_kept(backups: list[Dated], kept: Kept) -> None:
    found = chosen(backups, kept)
    days = sorted({one.taken_at.date() for one in backups})[-kept.daily :]
    assert set(days) <= {one.taken_at.date() for one in found}
    months = sorted({(one.taken_at.year, one.taken_at.month) for one in backups})
    assert set(months[len(months) - kept.monthly :]) <= {(one.taken_at.year, one.taken_at.month) for one in found}
    assert len(found) <= kept.daily + kept.weekly + kept.monthly + 2


@given(shelves, numbers)
def test_of_a_day_a_proven_one_is_kept_before_one_that_is_not(backups: list[Dated], kept: Kept) -> None:
    proven_days = {one.taken_at.date() for one in backups if one.is_proven}
    for day in sorted({one.taken_at.date() for one in backups})[-kept.daily :]:
        if day in proven_days:
            assert any(one.is_proven for one in chosen(backups, kept) if one.taken_at.date() == day)


@given(shelves, numbers)
def test_letting_go_twice_lets_go_of_nothing_more(backups: list[Dated], kept: Kept) -> None:
    once = chosen(backups, kept)
    assert chosen(once, kept) == once


def test_a_year_of_nights_leaves_two_weeks_two_months_and_a_year() -> None:
    """Rotated each night, as it is in life: what is needed later is never gone before."""
    backups: set[Dated] = set()
    for night in range(400):
        backups = chosen({*backups, Dated(BEGIN + timedelta(days=night), True)}, Kept())
    ages = sorted((BEGIN + timedelta(days=399) - one.taken_at).days for one in backups)
    assert ages[:14] == list(range(14))
    assert len(backups) <= 14 + 8 + 12
    assert ages[-1] >= 304


def test_rotation_deletes_files_and_their_marks_and_nothing_else(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    paths = [shelf.put(BEGIN + timedelta(days=day), writes(b"x")) for day in range(5)]
    shelf.mark_proven(paths[0], {})
    shelf.mark_proven(paths[1], {})
    (tmp_path / "notes.txt").touch()
    gone = shelf.rotate(Kept(daily=2, weekly=0, monthly=0))
    assert gone == [paths[0], paths[2]]
    assert shelf.backups() == [paths[1], paths[3], paths[4]]
    assert {path.name for path in tmp_path.iterdir()} == {
        "notes.txt",
        f"{paths[1].name}.proof.json",
        *(path.name for path in shelf.backups()),
    }


def writes(content: bytes) -> Any:
    return lambda out: out.write(content)


def test_one_that_fails_leaves_no_file_and_takes_the_place_of_none(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    good = shelf.put(BEGIN, writes(b"good"))

    def full(out: IO[bytes]) -> None:
        out.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        shelf.put(BEGIN, full)
    assert [path.name for path in tmp_path.iterdir()] == [good.name]
    assert good.read_bytes() == b"good"


def test_what_a_killed_run_has_left_is_swept_and_never_counted(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    (tmp_path / ".partial-buddy-20260101T000000Z.age").write_bytes(b"half")
    assert shelf.backups() == []
    shelf.sweep()
    assert list(tmp_path.iterdir()) == []


def test_it_is_found_by_its_name_by_a_path_and_as_the_latest(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    first, last = (shelf.put(BEGIN + timedelta(days=day), writes(b"x")) for day in range(2))
    (tmp_path / "copy.age").write_bytes(b"x")
    assert shelf.find("latest") == last
    assert shelf.find(first.name) == first
    assert shelf.find(str(tmp_path / "copy.age")) == tmp_path / "copy.age"
    with pytest.raises(Refused, match="no backup 'elsewhere'") as refused:
        shelf.find("elsewhere")
    assert last.name in refused.value.cure


def test_only_one_works_at_a_time_and_finds_nothing_of_the_last(tmp_path: Path) -> None:
    (tmp_path / "room-left").mkdir()
    (tmp_path / "room-left" / "archive.tar").write_bytes(b"in the open")
    with locked(tmp_path) as room:
        assert list(room.iterdir()) == []
        with pytest.raises(Refused, match="is running"), locked(tmp_path):
            pass
        assert room.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


@given(st.lists(st.binary(max_size=20_000), max_size=12))
def test_what_is_sealed_opens_as_it_was_whatever_its_pieces(pieces: list[bytes]) -> None:
    out = io.BytesIO()
    seal(pieces, [OPERATOR.recipient, OTHER.recipient], out)
    with temporary() as folder:
        (folder / "sealed").write_bytes(out.getvalue())
        for number, pair in enumerate((OPERATOR, OTHER)):
            unseal(folder / "sealed", [pair.identity], folder / f"{number}")
            assert (folder / f"{number}").read_bytes() == b"".join(pieces)


@contextmanager
def temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_what_goes_wrong_on_either_side_of_the_cipher_comes_out_as_it_is() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise Unsound("pg_dump failed.", "See why.")

    class Full(io.BytesIO):
        def write(self, content: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Unsound, match="pg_dump failed"):
        seal(pieces(), [OPERATOR.recipient], io.BytesIO())
    with pytest.raises(OSError, match="No space left"):
        seal([b"x" * 1_000_000], [OPERATOR.recipient], Full())


def test_a_file_that_is_no_backup_is_refused(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("text", b"hello\n" * 100)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Unsound, match="or no backup"):
            unseal(tmp_path / name, [OPERATOR.identity], tmp_path / f"{name}.open")
        with pytest.raises(Unsound, match="holds no backup"):
            Archive(tmp_path / name)


@pytest.mark.parametrize(
    ("recipients", "said"),
    [
        ([], "is empty"),
        ([OPERATOR.identity], "holds an identity"),
        (["age1" + "q" * 58], "is no recipient"),
        ([OPERATOR.recipient, "no@body"], "is no recipient"),
    ],
)
def test_backups_are_never_taken_without_a_recipient(recipients: list[str], said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        check_recipients(recipients)
    assert OPERATOR.identity not in str(refused.value)


def test_an_identity_file_is_read_as_age_keygen_writes_it() -> None:
    lines = ["# created: 2026-01-01", f"# public key: {OPERATOR.recipient}", OPERATOR.identity, ""]
    assert read_identities(lines) == [OPERATOR.identity]
    with pytest.raises(Refused, match="holds no identity"):
        read_identities(["# nothing"])
    with pytest.raises(Refused, match="is no identity"):
        read_identities([OPERATOR.recipient])


def test_an_identity_is_in_no_words_of_ours() -> None:
    assert OPERATOR.identity not in f"{OPERATOR!r} {OPERATOR}"


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../outside"])
def test_no_file_of_a_backup_lands_outside_the_media_folder(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for member, content in ((f"media/{name}", b"evil"), ("manifest.json", b'{"form": 1, "media": {}}')):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with pytest.raises(Unsound, match="outside"):
        Archive(tmp_path / "a.tar").restore_media(tmp_path / "media")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.tar"]


def written(folder: Path, target: Path) -> Archive:
    media = Media(folder)
    pieces = archive.write([b"one", b"two"], media, lambda: {"media": media.read})
    target.write_bytes(b"".join(pieces))
    return Archive(target)


odd = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
    lambda name: name not in (".", "..") and len(name.encode()) <= 240
)


@given(st.dictionaries(odd, st.binary(max_size=2_000), max_size=6))
def test_files_come_back_whatever_their_names(files: dict[str, bytes]) -> None:
    with temporary() as folder:
        (folder / "media").mkdir()
        for name, content in files.items():
            (folder / "media" / name).write_bytes(content)
        found = written(folder / "media", folder / "a.tar")
        found.check_media()
        assert found.restore_media(folder / "back") == len(files)
        assert {p.name: p.read_bytes() for p in (folder / "back").glob("*")} == files
        assert b"".join(found.dump()) == b"onetwo"


def test_a_name_that_is_no_unicode_comes_back(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    raw = os.fsencode(tmp_path / "media") + b"/caf\xe9.png"
    with open(raw, "wb") as out:
        out.write(b"x")
    found = written(tmp_path / "media", tmp_path / "a.tar")
    found.check_media()
    found.restore_media(tmp_path / "back")
    assert os.listdir(os.fsencode(tmp_path / "back")) == [b"caf\xe9.png"]


def test_a_file_other_than_what_was_written_down_is_found(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "one.png").write_bytes(b"was")
    found = written(tmp_path / "media", tmp_path / "a.tar")
    content = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(content.replace(b"was", b"now"))
    with pytest.raises(Unsound, match="not those that were written down"):
        Archive(tmp_path / "a.tar").check_media()
    found.close()


def test_an_archive_of_a_form_to_come_is_refused(tmp_path: Path) -> None:
    pieces = archive.write([], Media(tmp_path / "none"), lambda: {"media": {}, "form": archive.FORM + 1})
    (tmp_path / "a.tar").write_bytes(b"".join(pieces))
    with pytest.raises(Unsound, match="newer Trading Buddy"):
        Archive(tmp_path / "a.tar")

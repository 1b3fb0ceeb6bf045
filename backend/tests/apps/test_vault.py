"""Exchange keys at rest: sealed, bound to their place, and sealed anew under a new key without a moment of loss."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from io import StringIO
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from buddy import redact
from buddy.exchanges import resealing, vault
from buddy.exchanges.models import Account, Credentials, Keys

OLD, NEW, OTHER = ("the-old-key-" + "o" * 40, "the-new-key-" + "n" * 40, "another-key-" + "x" * 40)
KEYS = Keys("canary-api-key-7Hq2", "canary-secret-Zx81kPq", "canary-passphrase-pp")


@pytest.fixture
def under(settings: Any) -> Any:
    """Set VAULT_KEY."""

    def change(*keys: str) -> None:
        settings.VAULT_KEY = ",".join(keys)

    change(OLD)
    return change


def stored(owner: Any, name: str = "Testnet") -> Credentials:
    account = Account.objects.create(owner=owner, name=name, mode="testnet")
    row = Credentials(account=account)
    row.keep(KEYS)
    row.save()
    return Credentials.objects.get(pk=row.pk)


@given(text=st.text(max_size=300), place=st.text(max_size=40))
@how(max_examples=60, deadline=None)
def test_what_is_sealed_opens_at_its_place_and_nowhere_else(text: str, place: str) -> None:
    sealed = vault.seal(text, place)
    assert vault.open_sealed(sealed, place) == text
    with pytest.raises(vault.CannotOpen):
        vault.open_sealed(sealed, place + "x")


def test_the_same_text_is_never_sealed_alike() -> None:
    assert vault.seal("secret", "here") != vault.seal("secret", "here")


@given(at=st.integers(0, 10_000), flip=st.integers(1, 255))
@how(max_examples=100, deadline=None)
def test_no_changed_byte_goes_unnoticed(at: int, flip: int) -> None:
    head, _, body = vault.seal("a secret of some length", "here").rpartition(".")
    raw = bytearray(urlsafe_b64decode(body))
    raw[at % len(raw)] ^= flip
    with pytest.raises(vault.CannotOpen):
        vault.open_sealed(f"{head}.{urlsafe_b64encode(raw).decode()}", "here")


@pytest.mark.parametrize("nonsense", ["", ".", "..", "1", "1.x", "1.x.y", "2.abc.def", "secret in the open"])
def test_nonsense_does_not_open(nonsense: str) -> None:
    with pytest.raises(vault.CannotOpen):
        vault.open_sealed(nonsense, "here")


def test_a_row_tells_nothing_of_its_keys_and_gives_them_back(alice: Any) -> None:
    row = stored(alice)
    assert row.keys() == KEYS
    kept = str(Credentials.objects.values())
    assert not [word for word in (KEYS.api_key, KEYS.secret, KEYS.passphrase) if word in kept]
    assert "canary" not in f"{row.keys()!r} {row.keys()}"
    assert row.last4 == "7Hq2"


def test_of_a_short_key_nothing_is_shown(alice: Any) -> None:
    row = stored(alice)
    row.keep(Keys("short", "secret"))
    assert (row.last4, row.passphrase) == ("", "")


@pytest.mark.parametrize("swapped", Credentials.SEALED)
def test_a_sealed_text_copied_to_another_account_is_refused(alice: Any, swapped: str) -> None:
    mine, theirs = stored(alice), stored(alice, "Another")
    setattr(theirs, swapped, getattr(mine, swapped))
    with pytest.raises(vault.CannotOpen):
        theirs.keys()


def test_a_sealed_text_copied_to_another_field_is_refused(alice: Any) -> None:
    row = stored(alice)
    row.api_key = row.secret
    with pytest.raises(vault.CannotOpen):
        row.keys()


def test_what_passed_through_the_vault_is_struck_out_of_the_log() -> None:
    vault.seal("canary-passing-through", "here")
    assert redact.redact("it broke near canary-passing-through.") == "it broke near [redacted]."


def test_the_newest_key_seals_and_each_opens(alice: Any, under: Any) -> None:
    row = stored(alice)
    under(NEW, OLD)
    assert row.keys() == KEYS
    assert not vault.is_current(row.secret)
    assert vault.is_current(vault.seal("x", "here"))
    under(NEW)
    with pytest.raises(vault.CannotOpen, match="VAULT_KEY"):
        row.keys()


def test_rotating_seals_all_anew_and_then_the_old_key_may_go(alice: Any, under: Any) -> None:
    rows = [stored(alice, f"Account {n}") for n in range(3)]
    under(NEW, OLD)
    assert rotated() == "3 sealed anew, 0 were already.\n"
    assert rotated() == "0 sealed anew, 3 were already.\n"
    under(NEW)
    for row in rows:
        row.refresh_from_db()
        assert row.keys() == KEYS


def rotated() -> str:
    out = StringIO()
    call_command("rotate_vault", stdout=out)
    return out.getvalue()


def test_killed_midway_every_key_still_opens_and_the_rest_follows(
    alice: Any, under: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, done = [stored(alice, f"Account {n}") for n in range(4)], []
    seal_anew = Credentials.sealed_anew

    def dies(row: Credentials) -> dict[str, str]:
        if len(done) == 2:
            raise SystemExit("killed")
        done.append(row.pk)
        return seal_anew(row)

    under(NEW, OLD)
    monkeypatch.setattr(Credentials, "sealed_anew", dies)
    with pytest.raises(SystemExit):
        rotated()
    monkeypatch.undo()
    under(NEW, OLD)
    assert [row.keys() for row in Credentials.objects.all()] == [KEYS] * len(rows)
    assert rotated() == "2 sealed anew, 2 were already.\n"


def test_a_key_replaced_while_rotating_is_not_overwritten(
    alice: Any, under: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, fresh = stored(alice), Keys("a-newer-api-key", "a-newer-secret")
    seal_anew = Credentials.sealed_anew

    def meanwhile(seen: Credentials) -> dict[str, str]:
        row.keep(fresh)
        row.save()
        return seal_anew(seen)

    under(NEW, OLD)
    monkeypatch.setattr(Credentials, "sealed_anew", meanwhile)
    assert resealing.reseal().anew == 0
    assert Credentials.objects.get().keys() == fresh


def test_a_key_that_does_not_open_is_left_and_said(alice: Any, under: Any) -> None:
    stored(alice)
    under(OTHER)
    stored(alice, "Another")
    with pytest.raises(CommandError, match="1 could not be opened"):
        rotated()


def test_the_wrong_vault_key_is_refused_before_anything_starts(alice: Any, under: Any) -> None:
    assert faults() == []
    stored(alice)
    assert faults() == []
    under(NEW)
    (fault,) = faults()
    assert (fault.id, fault.is_serious()) == ("buddy.E020", True)
    assert "put the key" in str(fault.hint).lower()


def test_one_key_that_does_not_open_does_not_stop_the_others(alice: Any, under: Any) -> None:
    stored(alice)
    under(NEW)
    stored(alice, "Another")
    (fault,) = faults()
    assert (fault.id, fault.is_serious()) == ("buddy.W020", False)


def faults() -> list[Any]:
    return [fault for fault in run_checks(databases=["default"]) if str(fault.id).startswith("buddy.")]

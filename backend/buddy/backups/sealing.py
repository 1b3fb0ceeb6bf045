"""Encryption to a public key: the age format, so that age or rage opens a backup without us as well."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pyrage
from pyrage import x25519

from .refusals import Refused, Unsound

OF_AN_IDENTITY = "AGE-SECRET-KEY-"
OTHER_COPY = "Take another copy of this backup, or an older backup."


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An identity opens what was sealed for its recipient."""

    recipient: str
    identity: str = field(repr=False)

    @classmethod
    def fresh(cls) -> KeyPair:
        made = x25519.Identity.generate()
        return cls(str(made.to_public()), str(made))


def check_recipients(recipients: Sequence[str]) -> None:
    """Raises Refused for none, for what is none, and for an identity in the place of a recipient."""
    if not recipients:
        raise Refused(
            "BACKUP_RECIPIENT is empty, and nothing is kept unencrypted.",
            "Run `make backup-key`, keep the identity it prints away from this machine, and set BACKUP_RECIPIENT.",
        )
    for text in recipients:
        _recipient(text)


def seal(content: Iterable[bytes], recipients: Sequence[str], out: IO[bytes]) -> None:
    """Write `content` to `out`, for each of `recipients` to open. What `content` raises comes out as it is."""
    ends = _Ends(content, out)
    try:
        pyrage.encrypt_io(ends, ends, [_recipient(text) for text in recipients])
    except (pyrage.EncryptError, OSError):
        if ends.failure:
            raise ends.failure from None
        raise


def unseal(source: Path, identities: Sequence[str], target: Path) -> None:
    """Decrypt all of `source` into `target`, a new private file; nothing of it may be believed before this returns."""
    opened = [_identity(text) for text in identities]
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as sealed, os.fdopen(descriptor, "wb") as out:
        try:
            pyrage.decrypt_io(sealed, out, opened)
        except pyrage.DecryptError as error:
            raise _not_opened(source, error) from None
        except OSError as error:
            if error.errno is not None:  # the disk's, not the cipher's
                raise
            raise Unsound(f"{source.name} is damaged or cut short.", OTHER_COPY) from None


def read_identities(lines: Iterable[str]) -> list[str]:
    """Those in an identity file as `make backup-key` and age-keygen write it: comments aside, one a line."""
    found = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    if not found:
        raise Refused("The identity file holds no identity.", f"It has a line that begins with {OF_AN_IDENTITY}.")
    for text in found:
        _identity(text)
    return found


def _not_opened(source: Path, error: Exception) -> Refused:
    if "No matching keys" in str(error):
        return Refused(
            f"This identity does not open {source.name}.",
            "Name the identity that belongs to the BACKUP_RECIPIENT of the day it was taken.",
        )
    return Unsound(f"{source.name} is damaged, cut short, or no backup.", OTHER_COPY)


def _recipient(text: str) -> x25519.Recipient:
    if text.upper().startswith(OF_AN_IDENTITY):
        raise Refused(
            "BACKUP_RECIPIENT holds an identity, which opens every backup.",
            "Take it off this machine, and set BACKUP_RECIPIENT to the line that begins with age1.",
        )
    try:
        return x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise Refused(
            f"BACKUP_RECIPIENT holds {text[:12]!r}…, which is no recipient.", "Copy the whole line: age1…."
        ) from None


def _identity(text: str) -> x25519.Identity:
    try:
        return x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        raise Refused(
            "This is no identity.", f"Name the file with the line that begins with {OF_AN_IDENTITY}."
        ) from None


class _Ends:
    """The readable and the writable file that the library asks for. It tells of a failure there, but not of which."""

    def __init__(self, content: Iterable[bytes], out: IO[bytes]) -> None:
        self._content, self._out = iter(content), out
        self._rest = memoryview(b"")
        self.failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        with self._remembered():
            while not self._rest and (piece := next(self._content, None)) is not None:
                self._rest = memoryview(piece)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return bytes(taken)

    def write(self, content: bytes) -> int:
        with self._remembered():
            return self._out.write(content)

    def flush(self) -> None:
        with self._remembered():
            self._out.flush()

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        try:
            yield
        except BaseException as failure:
            self.failure = failure
            raise

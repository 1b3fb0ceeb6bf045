"""What the commands have in common: how they complain, and how they ask for a backup and the identity that opens it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import CommandError
from django.db import DatabaseError

from buddy.backups.refusals import Refused
from buddy.backups.sealing import read_identities
from buddy.redact import redact


@contextmanager
def complaining() -> Iterator[None]:
    """What an operator can mend is told in words, without a traceback."""
    try:
        yield
    except (Refused, OSError, DatabaseError) as trouble:
        raise CommandError(redact(str(trouble))) from None


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("backup", help="a file, the name of one in BACKUP_DIR, or latest")
    parser.add_argument(
        "--identity", required=True, help="the file that `make backup-key` printed; - reads it from stdin"
    )
    parser.add_argument(
        "--without-vault-key", action="store_true", help="do not ask whether VAULT_KEY opens the exchange keys"
    )


def identities(name: str) -> list[str]:
    """Read, and kept nowhere. Raises Refused."""
    if name == "-":
        return read_identities(sys.stdin)
    try:
        return read_identities(Path(name).read_text().splitlines())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise Refused(
            f"The identity file cannot be read: {reason}.", "Name it: --identity FILE, or - for stdin."
        ) from None

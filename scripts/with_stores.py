"""Runs a command with stores of its own, and leaves nothing behind.

    python -m scripts.with_stores [--postgres] -- COMMAND …

The command finds REDIS_URL (a real Valkey) and, with `--postgres`, DATABASE_URL (a real Postgres) in its environment.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.stores import Postgres, Valkey


def main() -> int:
    options, command = split(sys.argv[1:])
    with contextlib.ExitStack() as after:
        folder = Path(
            after.enter_context(tempfile.TemporaryDirectory(prefix="buddy-stores-", ignore_cleanup_errors=True))
        )
        valkey = Valkey(folder, socket=folder / "valkey.sock", durable=False)
        after.callback(valkey.stop)
        valkey.start()
        words = {"REDIS_URL": valkey.url}
        if "--postgres" in options:
            postgres = Postgres()
            after.callback(postgres.stop)
            postgres.start()
            words["DATABASE_URL"] = postgres.url
        return subprocess.run(command, env={**os.environ, **words}, check=False).returncode


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Our options, and the command after `--`."""
    if "--" not in words or words[-1] == "--":
        raise SystemExit(__doc__)
    at = words.index("--")
    return words[:at], words[at + 1 :]


if __name__ == "__main__":
    sys.exit(main())

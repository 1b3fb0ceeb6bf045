"""Writes backend/openapi.yaml and the frontend's client types from the code; `--check` tells whether they are true."""

from __future__ import annotations

import filecmp
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.bootstrap import BACKEND, BIN, FRONTEND, environment

SCHEMA = BACKEND / "openapi.yaml"
CLIENT = FRONTEND / "src" / "lib" / "api" / "schema.d.ts"


def run(*command: str, folder: Path) -> None:
    subprocess.run(command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, check=True)


def write(schema: Path, client: Path) -> None:
    run(
        str(BIN / "python"),
        "manage.py",
        "spectacular",
        "--validate",
        "--fail-on-warn",
        "--file",
        str(schema),
        folder=BACKEND,
    )
    run("npx", "--no-install", "openapi-typescript", str(schema), "--output", str(client), folder=FRONTEND)


def main() -> int:
    if "--check" not in sys.argv:
        write(SCHEMA, CLIENT)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        schema, client = Path(folder, "openapi.yaml"), Path(folder, "schema.d.ts")
        write(schema, client)
        stale = [str(old) for old, new in ((SCHEMA, schema), (CLIENT, client)) if not same(old, new)]
    if stale:
        print(
            f"The API has changed, but not: {', '.join(stale)}\n  → make api, and commit what it writes",
            file=sys.stderr,
        )
    return bool(stale)


def same(old: Path, new: Path) -> bool:
    return old.is_file() and filecmp.cmp(old, new, shallow=False)


if __name__ == "__main__":
    sys.exit(main())

"""Builds the single-page app unless it is built already from these very inputs."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time

from scripts.bootstrap import FRONTEND, environment

BUILD = FRONTEND / "build"
STAMP = BUILD / ".inputs"
SOURCES = ("src", "static")
FILES = ("package-lock.json", "package.json", "tsconfig.json", "vite.config.ts")


def inputs() -> str:
    """A hash of everything the build is made from."""
    digest = hashlib.sha256()
    trees = [path for folder in SOURCES for path in sorted((FRONTEND / folder).rglob("*")) if path.is_file()]
    for path in [*trees, *(FRONTEND / name for name in FILES)]:
        digest.update(str(path.relative_to(FRONTEND)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def build() -> int:
    wanted = inputs()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return 0
    print("[build] frontend …", flush=True)
    start = time.monotonic()
    done = subprocess.run(
        ["npm", "run", "--silent", "build"],
        cwd=FRONTEND,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
        return done.returncode
    STAMP.write_text(wanted)
    print(f"[build] frontend: {time.monotonic() - start:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(build())

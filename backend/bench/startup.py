"""`make run` to the first page: from a fresh clone with nothing installed, and the second time."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from scripts.bootstrap import ROOT
from scripts.stores import free_port

from .figures import Figure

PATIENCE = 600.0
COLD, WARM = 120.0, 6.0
"""Goals, seconds."""


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="buddy-clone-", ignore_cleanup_errors=True) as folder:
        clone = Path(folder) / "trading-buddy"
        clone_it = ["git", "clone", "--quiet", str(ROOT), str(clone)]
        subprocess.run(clone_it, check=True)  # noqa: S603  our own command
        for name, goal in (("cold", COLD), ("warm", WARM)):
            seconds = first_page(clone)
            told = f"≤ {goal:.0f} s"
            yield Figure(
                f"make run → first page, {name}", seconds, "s", seconds / goal, "the goal", told, seconds <= goal
            )


def first_page(clone: Path) -> float:
    """Seconds from the command to the first page served; everything is stopped again."""
    port = free_port()
    words = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    words |= {"PORT": str(port)}
    start = time.monotonic()
    process = subprocess.Popen(
        ["make", "run"],  # noqa: S607  make is whichever the trader's shell finds
        cwd=clone,
        env=words,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not served(port):
            if process.poll() is not None or time.monotonic() - start > PATIENCE:
                raise RuntimeError("make run did not serve a page")
            time.sleep(0.05)
        return time.monotonic() - start
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def served(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as page:
            return bool(page.status == 200 and b"<html" in page.read())
    except OSError:
        return False

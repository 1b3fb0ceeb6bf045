"""Trades with something under them taken away in the middle, and put back.

    python -m killing.cuts [--freeze SECONDS] [NAME …]

The store is flushed over and over, or stopped and started; the database is restarted before and after an order is
sent; a worker freezes for longer than its lease while another works; the network to the venue is cut. In the end
venue, database and journal agree like after every other story.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import django

from scripts.stores import Postgres, Valkey, free_port

from .line import Line
from .theatre import migrate, words_of

if TYPE_CHECKING:
    from .scenes import Cut

LONG = 15.0
"""Seconds of a freeze from which on the waits are the product's own."""
PRODUCT = {"LEASE_MS": "12000", "SEND_WITHIN": "10", "RECEIVE_WINDOW_MS": "5000"}
SHORT = {"LEASE_MS": "6500", "SEND_WITHIN": "3", "RECEIVE_WINDOW_MS": "5000"}
"""In the same order as the product's: a venue takes nothing that was signed 5 s ago, and that is within a lease."""


@dataclass
class Ground:
    """What stories stand on here."""

    postgres: Postgres
    valkey: Valkey
    line: Line


@contextmanager
def ground() -> Iterator[tuple[Ground, Path]]:
    """Stores of our own, named in the environment before Django is set up."""
    with ExitStack() as after:
        folder = Path(after.enter_context(tempfile.TemporaryDirectory(prefix="cut-", ignore_cleanup_errors=True)))
        postgres = Postgres()
        after.callback(postgres.stop)
        postgres.start()
        valkey = Valkey(folder / "valkey", socket=folder / "valkey.sock", durable=False)
        after.callback(valkey.stop)
        valkey.start()
        line = Line(free_port())
        after.callback(line.close)
        words = words_of(folder, postgres.url) | {"REDIS_URL": valkey.url}
        words["EXCHANGE_TRANSPORT_BASE"] = f"http://127.0.0.1:{line.port}"
        os.environ.update(words)
        migrate(words)
        yield Ground(postgres, valkey, line), folder


def play_all(stands_on: Ground, folder: Path, names: Sequence[str], freeze: float) -> int:
    """How many did not end as they must."""
    from .pace import quicken
    from .scenes import CUTS

    quicken()
    wanted = [cut for cut in CUTS if not names or cut.name in names]
    frozen = [cut for cut in wanted if cut.freezes_at]
    pace = PRODUCT if freeze >= LONG else SHORT
    broken = _play(stands_on, folder / "quick", [cut for cut in wanted if cut not in frozen], {}, freeze)
    return broken + _play(stands_on, folder / "frozen", frozen, pace, freeze)


def _play(stands_on: Ground, folder: Path, cuts: Sequence[Cut], pace: Mapping[str, str], freeze: float) -> int:
    """On a stage of their own, since its processes keep the pace they were loaded with."""
    from .scenes import play
    from .stage import standing

    if not cuts:
        return 0
    folder.mkdir()
    broken, lease = 0, int(pace.get("LEASE_MS", "0")) / 1000
    with standing(folder, dict(pace), stands_on.line.to[1]) as stage:
        for cut in cuts:
            result = play(stage, cut, stands_on, freeze, lease)
            said = "; ".join(result.violations) or "ok"
            print(f"{cut.name} naked_most={result.naked:.2f}s seconds={result.seconds:.1f} {said}", flush=True)
            if result.violations:
                broken += 1
                print(*result.evidence, *ends_of_logs(folder), sep="\n    ", flush=True)
    return broken


def ends_of_logs(folder: Path) -> list[str]:
    """What the processes said last."""
    lines = [(log.stem, log.read_text(errors="replace").splitlines()[-25:]) for log in sorted(folder.glob("*.log"))]
    return [f"{name}: {line}" for name, told in lines for line in told]


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("names", nargs="*", help="all, unless some are named")
    words.add_argument("--freeze", type=float, default=8.0, help="seconds; 15 or more is played with the real waits")
    asked = words.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ground() as (stands_on, folder):
        django.setup()
        return 1 if play_all(stands_on, folder, asked.names, asked.freeze) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Starts every part of Trading Buddy, keeps them running, and stops them in order.

    python -m scripts.supervisor                           what `make run` runs, until Ctrl-C; DEMO=binance in the
                                                           environment puts a stand-in of the venue beside it
    python -m scripts.supervisor --temporary -- COMMAND    COMMAND against a stack of its own: a free port, data that is
                                                           thrown away; it finds the address in E2E_BASE_URL, and
                                                           that of a stand-in venue in E2E_VENUES_URL

A part that dies is started again. A part outlives its supervisor in no case, not even a killed one.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from buddy import env as reader
from scripts.bootstrap import BACKEND, BIN, ROOT, environment
from scripts.stores import DidNotStart, Valkey, answers, free_port, stop_process

SOCKET_LIMIT = 100
"""A unix socket's path may have about 107 characters."""
PATIENCE = 60.0
"""Seconds until the first page must be there."""
STEADY = 10.0
"""Seconds after which a part counts as running well, and its next restart is immediate again."""
LONGEST_PAUSE = 5.0
LOG_LIMIT = 5_000_000
"""Bytes after which a log is set aside at the next start."""
PR_SET_PDEATHSIG = 1
LOCK = ".running"
DEMOS = {"binance": "Binance", "binance-spot": "Binance spot", "bingx": "BingX", "bybit": "Bybit"}
DEMO_NOTICE = """This is a demo: {venue} is a stand-in on this machine, with simulated prices and make-believe money.
        Sign up, and connect an account: {venue}, testnet,
            API key     {key}
            API secret  {secret}
        Everything in a demo is thrown away when the next one starts."""


class Part:
    """One process, its log, and how often it had to be started."""

    def __init__(self, name: str, command: list[str], log: Path, words: Mapping[str, str]) -> None:
        self.name, self.command, self.log, self.words = name, command, log, words
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.starts = 0
        self.pause = 0.0

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                cwd=BACKEND,
                env=dict(self.words),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the parts in order
                preexec_fn=die_with_parent,
            )
        self.started, self.starts = time.monotonic(), self.starts + 1

    @property
    def is_dead(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def revive(self) -> None:
        """Start again: at once the first time, with growing pauses when it keeps dying."""
        steady = time.monotonic() - self.started > STEADY
        self.pause = 0.0 if steady else min(LONGEST_PAUSE, self.pause * 2 or 0.2)
        time.sleep(self.pause)
        self.start()

    def stop(self, patience: float = 10.0) -> None:
        if self.process:
            stop_process(self.process, signal.SIGTERM, patience)


class Demo:
    """A stand-in venue on this machine with prices that move, and an account there full of make-believe money."""

    def __init__(self, venue: str, port: int) -> None:
        if venue not in DEMOS:
            raise DidNotStart(f"There is no stand-in for {venue!r}. Choose one of: {', '.join(DEMOS)}.")
        self.venue, self.port = venue, port
        self.key, self.secret = f"{venue}-demo-key", f"{venue}-demo-secret"

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def command(self) -> list[str]:
        where = ["--port", str(self.port), "--key", self.key, "--secret", self.secret]
        return ["manage.py", "emulate", self.venue, *where]

    @property
    def words(self) -> dict[str, str]:
        """Nothing of the desk that this machine may run in earnest is touched, whatever `.env` says."""
        ours = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SITE_URL", "ENVIRONMENT", "LIVE_TRADING"), "")
        return {**ours, "ENV_FILE": os.devnull, "EXCHANGE_TRANSPORT_BASE": self.base, "CANARY_ORDERS": "true"}

    @property
    def notice(self) -> str:
        return DEMO_NOTICE.format(venue=DEMOS[self.venue], key=self.key, secret=self.secret)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class Stack:
    """Everything that `make run` runs. Importable: tests start one on a free port and kill its parts."""

    def __init__(
        self, data: Path, port: int, *, host: str = "127.0.0.1", words: Mapping[str, str] | None = None, demo: str = ""
    ) -> None:
        """`demo`: a venue to put a stand-in of beside it, which all traffic to venues then goes to."""
        self.data, self.port, self.host = data.absolute(), port, host
        self.say: Callable[[str], None] = announce
        self.ending = threading.Event()
        self.keeper = threading.Thread(target=self._keep, daemon=True)
        self.logs = self.data / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        ours = {"DATA_DIR": str(self.data), "PORT": str(port), "DJANGO_SETTINGS_MODULE": "buddy.settings"}
        self.demo = Demo(demo, free_port()) if demo else None
        self.words = {**environment(), **(words or {}), **(self.demo.words if self.demo else {}), **ours}
        self.store = None if self.words.get("REDIS_URL") else self._embedded_store()
        if self.store:
            self.words["REDIS_URL"] = self.store.url
        self.parts = {part.name: part for part in self._parts()}

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def pid(self, name: str) -> int:
        """The process id of the part as it runs now."""
        process = self.parts[name].process
        assert process is not None, f"{name} was not started"
        return process.pid

    def start(self) -> None:
        """Comes back when pages are served; raises DidNotStart with the end of the log that says why."""
        try:
            if "valkey" in self.parts:
                self.parts["valkey"].start()
                self._wait(lambda: answers(self.store.socket), self.parts["valkey"])  # type: ignore[union-attr]
            if self.demo:
                self.parts["venue"].start()
            self._migrate()
            for name in ("web", "worker", "beat"):
                self.parts[name].start()
            self._wait(lambda: bool(self.health()), self.parts["web"])
            for name in ("watchdog", "stream", "backup"):  # only now: the first page need not wait for them
                if name in self.parts:
                    self.parts[name].start()
            if self.demo:
                self._wait(self.demo.answers, self.parts["venue"])
        except BaseException:
            self.stop()
            raise
        self.keeper.start()

    def stop(self) -> None:
        """In reverse order: nothing loses what it stands on."""
        self.ending.set()
        if self.keeper.is_alive():
            self.keeper.join(LONGEST_PAUSE + 1)
        for part in reversed(self.parts.values()):
            part.stop()

    def leave_out(self, name: str) -> None:
        """Stop one part for good."""
        self.parts.pop(name).stop()

    def health(self) -> dict[str, object]:
        """What /health says; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                return dict(json.load(answer))
        except (OSError, ValueError, urllib.error.HTTPError):
            return {}

    def wait_until_healthy(self, seconds: float = PATIENCE) -> None:
        """Until every part says that it is well."""
        deadline = time.monotonic() + seconds
        while self.health().get("status") != "ok":
            if time.monotonic() > deadline:
                raise DidNotStart(f"Not all parts are well after {seconds:.0f} s: {self.health()}")
            time.sleep(0.1)

    def _embedded_store(self) -> Valkey:
        path = self.data / "valkey.sock"
        if len(str(path)) > SOCKET_LIMIT:
            path = Path(tempfile.mkdtemp(prefix="buddy-")) / "valkey.sock"
        return Valkey(self.data / "valkey", socket=path)

    def _parts(self) -> list[Part]:
        web = [
            "-m",
            "uvicorn",
            "buddy.asgi:application",
            "--host",
            self.host,
            "--port",
            str(self.port),
            "--no-access-log",
        ]
        web += ["--no-proxy-headers"]  # else it believes X-Forwarded-For of whoever calls from this machine
        web += ["--no-server-header", "--timeout-graceful-shutdown", "2", "--log-level", "warning"]
        worker = ["-m", "celery", "--app", "buddy", "worker", "--pool", "threads", "--concurrency", "4"]
        worker += ["--queues", "watch,default,backtest", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        # Beat has a process of its own: inside the worker, nobody would start it again.
        beat = ["-m", "celery", "--app", "buddy", "beat", "--schedule", str(self.data / "beat"), "--pidfile", ""]
        commands = {"web": web, "worker": worker, "beat": beat}
        commands |= {name: ["manage.py", name] for name in ("watchdog", "stream")}
        if self.demo:
            commands = {"venue": self.demo.command, **commands}
        elif self.words.get("BACKUP_RECIPIENT"):
            commands["backup"] = ["manage.py", "backup", "--keep-taking"]
        parts = [self._part(name, [str(BIN / "python"), *words]) for name, words in commands.items()]
        if self.store:
            self.store.folder.mkdir(parents=True, exist_ok=True)
            parts.insert(0, self._part("valkey", self.store.command))
        return parts

    def _part(self, name: str, command: list[str]) -> Part:
        log = self.logs / f"{name}.log"
        if log.is_file() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        return Part(name, command, log, self.words)

    def _migrate(self) -> None:
        command = [str(BIN / "python"), "manage.py", "migrate", "--noinput", "--verbosity", "0"]
        done = subprocess.run(
            command, cwd=BACKEND, env=self.words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise DidNotStart(f"The database could not be migrated:\n{done.stderr[-3000:]}")

    def _wait(self, ready: Callable[[], bool], part: Part) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if part.is_dead or time.monotonic() > deadline:
                tail = "\n".join(part.log.read_text(errors="replace").splitlines()[-15:])
                raise DidNotStart(f"{part.name} did not start. The end of {part.log}:\n{tail}")
            time.sleep(0.05)

    def _keep(self) -> None:
        while not self.ending.wait(0.1):
            for part in list(self.parts.values()):
                if part.is_dead and not self.ending.is_set():
                    code = part.process.returncode if part.process else 0
                    self.say(f"{part.name} ended ({code}); starting it again")
                    part.revive()


def announce(text: str) -> None:
    """On our own output. Nobody may be reading it any more; that must not keep a part from being started again."""
    with contextlib.suppress(OSError):
        print(f"[buddy] {text}", flush=True)


def die_with_parent() -> None:
    """On Linux the kernel ends the part when its supervisor dies, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def alone(data: Path) -> object:
    """Holds the data folder for this supervisor; a second one on the same folder is refused."""
    data.mkdir(parents=True, exist_ok=True)
    lock = (data / LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit(
            f"Trading Buddy already runs on {data}.\n  → Stop it, or name another folder: DATA_DIR"
        ) from None
    return lock


def empty(data: Path) -> None:
    """A stand-in venue remembers nothing, so neither does the desk that trades on it."""
    for path in data.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def run() -> int:
    """`make run`."""
    reader.read_file(Path(os.environ.get("ENV_FILE", ROOT / ".env")))
    data = Path(ROOT, reader.text("DATA_DIR", "data"))
    port, host = reader.integer("PORT", 8000, at_least=1), reader.text("HOST", "127.0.0.1")
    demo = os.environ.get("DEMO", "")
    if demo:
        data = data / "demo"
    lock = alone(data)
    if demo:
        empty(data)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: stopping.set())
    try:
        stack = Stack(data, port, host=host, demo=demo)
        stack.start()
    except DidNotStart as reason:
        print(f"\n{reason}\n", file=sys.stderr)
        return 1
    stack.say(f"Trading Buddy is at {stack.url}   (data in {data}; Ctrl-C stops everything)")
    if stack.demo:
        stack.say(stack.demo.notice)
    stopping.wait()
    stack.say("stopping …")
    stack.stop()
    del lock
    return 0


def run_against(command: list[str]) -> int:
    """COMMAND against a stack of its own."""
    with tempfile.TemporaryDirectory(prefix="buddy-e2e-", ignore_cleanup_errors=True) as folder:
        signal.signal(signal.SIGTERM, _leave)
        words = {"ENV_FILE": os.devnull, "API_RATE": "100000/min", "SIGNUPS_PER_MINUTE": "1000"}
        stack = Stack(Path(folder), free_port(), words={**words, **_replays()}, demo="binance")
        stack.words["LIVE_TRADING"] = "true"  # with no money but the stand-in's
        stack.start()
        try:
            stack.wait_until_healthy()
            found = {**environment(), "E2E_BASE_URL": stack.url}
            found["E2E_VENUES_URL"] = stack.words["EXCHANGE_TRANSPORT_BASE"]
            return subprocess.run(command, cwd=ROOT, env=found, stdin=subprocess.DEVNULL, check=False).returncode
        finally:
            stack.stop()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(1)


def _replays() -> dict[str, str]:
    """Recorded candles for browser tests, where they are."""
    folder = Path(os.environ.get("SHARED_DIR") or ROOT.parent / "shared") / "market-data"
    return {"REPLAY_DIR": str(folder)} if folder.is_dir() else {}


def main() -> int:
    words = sys.argv[1:]
    if words[:2] == ["--temporary", "--"] and len(words) > 2:
        return run_against(words[2:])
    if words:
        raise SystemExit(__doc__)
    return run()


if __name__ == "__main__":
    sys.exit(main())

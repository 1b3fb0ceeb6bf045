"""Django's own checks: every model has its migration, and a production environment passes `check --deploy` spotless."""

from __future__ import annotations

import secrets
import subprocess
import sys
import tempfile

from scripts.bootstrap import BACKEND, BIN, environment


def production(folder: str) -> dict[str, str]:
    """What a production environment sets."""
    return {
        "ENV_FILE": "/dev/null",
        "ENVIRONMENT": "production",
        "SITE_URL": "https://desk.example.org",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "VAULT_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": "postgres://buddy:word@postgres:5432/buddy",
        "REDIS_URL": "redis://:word@valkey:6379/0",
        "DATA_DIR": folder,
        "TRUSTED_PROXIES": "1",
    }


def manage(*words: str, **extra: str) -> int:
    command = [str(BIN / "python"), "manage.py", *words]
    return subprocess.run(
        command, cwd=BACKEND, env={**environment(), **extra}, stdin=subprocess.DEVNULL, check=False
    ).returncode


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        local = manage("makemigrations", "--check", "--dry-run", ENV_FILE="/dev/null", DATA_DIR=folder)
        return local or manage("check", "--deploy", "--fail-level", "WARNING", **production(folder))


if __name__ == "__main__":
    sys.exit(main())

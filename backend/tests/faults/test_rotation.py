"""A new VAULT_KEY while other processes go on reading: every exchange key opens at every moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from buddy.exchanges.models import Account, Credentials, Keys
from tests.apps.test_live import _database_url as database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

OLD, NEW = "the-old-key-" + "o" * 40, "the-new-key-" + "n" * 40
ACCOUNTS = 12
AWHILE = 2.0
"""Seconds that everybody works at once."""


class Process:
    def __init__(self, work: str) -> None:
        words = {**os.environ, "DATABASE_URL": database_url(), "REDIS_URL": settings.REDIS_URL, "ENV_FILE": os.devnull}
        words |= {"VAULT_KEY": f"{NEW},{OLD}", "SECRET_KEY": settings.SECRET_KEY}
        words.pop("DJANGO_SETTINGS_MODULE", None)
        command = [sys.executable, "-m", "tests.faults.rotating", work]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=settings.BACKEND, env=words, stdin=pipe, stdout=pipe, text=True)

    def wait_until_ready(self) -> None:
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    def outcome(self) -> dict[str, Any]:
        told, _ = self.process.communicate(timeout=60)
        return dict(json.loads(told))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def started(store: str) -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for one in processes:
        if one.process.poll() is None:
            one.kill()


def keys(number: int, word: str = "") -> Keys:
    return Keys(f"key-of-account-{number}{word}", f"secret-of-account-{number}{word}", "passphrase")


def sealed(owner: Any, number: int) -> Credentials:
    account = Account.objects.create(owner=owner, name=f"Account {number}", mode="testnet")
    row = Credentials(account=account, in_use=True)
    row.keep(keys(number))
    row.save()
    return row


@override_settings(VAULT_KEY=OLD)
def test_no_read_fails_while_all_is_sealed_anew_and_keys_are_replaced(alice: Any, started: list[Process]) -> None:
    rows = [sealed(alice, number) for number in range(ACCOUNTS)]
    connection.close()
    started += [Process("read"), Process("read"), Process("rotate")]
    for one in started:
        one.wait_until_ready()
    replaced = replace_for_a_while(rows[: ACCOUNTS // 2])
    *readers, rotator = started
    rotator.kill()  # wherever it is
    for told in (reader.outcome() for reader in readers):
        assert told["wrong"] == []
        assert told["reads"] > ACCOUNTS
        assert told["seals"] == 2, "nothing was sealed anew while this process read"
    assert_the_old_key_may_go(rows, replaced)


def replace_for_a_while(rows: list[Credentials]) -> int:
    """A trader saves new keys meanwhile, and each is still there when the next one comes."""
    until, rounds = time.monotonic() + AWHILE, 0
    with override_settings(VAULT_KEY=f"{NEW},{OLD}"):
        while time.monotonic() < until:
            rounds += 1
            for number, row in enumerate(rows):
                row.refresh_from_db()
                assert row.keys() == keys(number, f"-{rounds - 1}" if rounds > 1 else "")
                row.keep(keys(number, f"-{rounds}"))
                row.save(update_fields=["api_key", "secret", "passphrase", "fingerprint", "last4"])
                time.sleep(0.02)
    return rounds


def assert_the_old_key_may_go(rows: list[Credentials], replaced: int) -> None:
    from buddy.exchanges.resealing import reseal

    with override_settings(VAULT_KEY=f"{NEW},{OLD}"):
        assert reseal().closed == 0
    with override_settings(VAULT_KEY=NEW):
        for number, row in enumerate(rows):
            row.refresh_from_db()
            word = f"-{replaced}" if number < len(rows) // 2 else ""
            assert row.keys() == keys(number, word)

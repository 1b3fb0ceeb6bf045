"""A process' death is proven by the kernel or not at all, and a lease of the dead is not waited for."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from buddy.exchanges.models import Account
from buddy.settings import BACKEND
from buddy.trading import living
from buddy.trading.lease import LEASE_MS, LeaseHeld, leased
from buddy.trading.moments import wall_ms

LIVES = """
    import sys, time
    from pathlib import Path
    from django.conf import settings
    settings.configure(DATA_DIR=Path(sys.argv[1]))
    from buddy.trading import living
    {before}
    print(living.name(), flush=True)
    time.sleep(600)
"""


@contextmanager
def process(folder: Path, before: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """One that says its name and lives on."""
    script = textwrap.dedent(LIVES).format(before=before)
    command = [sys.executable, "-c", script, str(folder)]
    with subprocess.Popen(command, cwd=BACKEND, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        try:
            yield started, started.stdout.readline().strip()
        finally:
            started.kill()


def end(started: subprocess.Popen[str]) -> None:
    started.kill()
    started.wait(10)


@pytest.fixture
def data(settings: Any) -> Path:
    """Where the processes of this desk have their data."""
    return Path(settings.DATA_DIR)


def test_whoever_runs_or_stands_still_is_not_dead_and_who_was_killed_is(data: Path) -> None:
    with process(data) as (other, name):
        assert not living.is_dead(name)
        other.send_signal(signal.SIGSTOP)
        os.waitpid(other.pid, os.WUNTRACED)
        assert not living.is_dead(name)
        other.send_signal(signal.SIGCONT)
        assert not living.is_dead(name)
        end(other)
        assert living.is_dead(name)
        assert living.is_dead(name)


def test_nobody_takes_himself_for_dead_nor_ends_his_own_proof_by_asking(data: Path) -> None:
    assert not living.is_dead(living.name())
    asks = f"assert not living.is_dead({living.name()!r})"
    with process(data, asks) as (_, name):
        assert not living.is_dead(name)


def test_a_name_that_is_none_proves_nothing() -> None:
    for name in ("", living.UNPROVABLE, "dead", "../living", "0" * 8 + "." + "0" * 12):
        assert not living.is_dead(name)


def test_who_has_his_data_elsewhere_is_not_proven_dead_not_even_by_a_copy(data: Path, tmp_path: Path) -> None:
    shutil.copy(data / living.FILE, tmp_path / living.FILE)
    with process(tmp_path) as (other, name):
        end(other)
    assert not living.is_dead(name)


def test_who_ran_before_the_machine_was_started_again_is_not_proven_dead(data: Path, tmp_path: Path) -> None:
    boot = tmp_path / "boot_id"
    boot.write_text("another boot, or another machine")
    with process(data, f"living.BOOT_ID = Path({str(boot)!r})") as (other, name):
        end(other)
    assert not living.is_dead(name)


def test_who_can_prove_nothing_works_all_the_same(tmp_path: Path) -> None:
    with process(tmp_path / "not there") as (_, name):
        assert name == living.UNPROVABLE


def test_a_fork_is_another_and_its_end_is_not_its_parents() -> None:
    ours, (read, write) = living.name(), os.pipe()
    child = os.fork()
    if not child:
        os.write(write, f"{living.name()} {living.is_dead(ours)}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs, believed = os.read(read, 100).decode().split()
    assert believed == "False"
    assert theirs != ours
    assert living.is_dead(theirs)
    with process(Path(living.settings.DATA_DIR), f"assert not living.is_dead({ours!r})") as (_, name):
        assert name


@pytest.mark.django_db(transaction=True)
def test_a_lease_of_the_dead_is_taken_over_at_once_and_one_of_the_frozen_is_not(alice: Any, data: Path) -> None:
    account = Account.objects.create(owner=alice, name="Practice")
    with process(data) as (other, name):
        held = {"lease_owner": f"{name}-0123456789abcdef", "lease_epoch": 7, "lease_until": wall_ms() + LEASE_MS}
        Account.objects.filter(pk=account.pk).update(**held)
        other.send_signal(signal.SIGSTOP)
        with pytest.raises(LeaseHeld), leased(account.pk):
            pass
        end(other)
        with leased(account.pk) as lease:
            assert lease.epoch == 8
            assert len(lease.owner) <= Account._meta.get_field("lease_owner").max_length

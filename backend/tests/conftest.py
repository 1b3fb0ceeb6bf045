"""What every test may ask for: users, clients signed in as them, and a real Valkey."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache

from scripts.stores import Valkey

# A property is right or wrong, however busy the machine is.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Valkey: the one REDIS_URL names, or one of this session's own."""
    if os.environ.get("REDIS_URL"):
        yield settings.REDIS_URL
        return
    valkey = Valkey(Path(settings.DATA_DIR), socket=Path(settings.DATA_DIR) / "valkey.sock", durable=False)
    valkey.start()
    yield valkey.url
    valkey.stop()


@pytest.fixture(autouse=True)
def _clean_store(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whoever touches the database may touch the store: it is there, and empty."""
    if not {"db", "transactional_db", "store"} & set(request.fixturenames):
        yield
        return
    request.getfixturevalue("store")
    cache.clear()
    yield


@pytest.fixture(autouse=True)
def _looks_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look after a click leaves the rest to the next after a moment; a busy machine is no reason for that here."""
    monkeypatch.setattr("buddy.trading.executor.LOOK_SECONDS", 60.0)


@pytest.fixture
def alice(db: None, django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("alice@example.org", PASSWORD)


@pytest.fixture
def bob(db: None, django_user_model: Any) -> Any:
    return django_user_model.objects.create_user("bob@example.org", PASSWORD)


@pytest.fixture
def api(alice: Any) -> Any:
    """An API client signed in as Alice."""
    return client_of(alice)


@pytest.fixture
def bobs_api(bob: Any) -> Any:
    return client_of(bob)


@pytest.fixture
def stranger() -> Any:
    """An API client that is not signed in."""
    from rest_framework.test import APIClient

    return APIClient()


def client_of(user: Any) -> Any:
    from rest_framework.test import APIClient

    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Recorded market data that lies beside the repository, or in SHARED_DIR."""
    folder = Path(os.environ.get("SHARED_DIR") or Path(__file__).parents[3] / "shared")
    if not folder.is_dir():
        pytest.skip(f"no recorded data: {folder} is absent (set SHARED_DIR)")
    return folder

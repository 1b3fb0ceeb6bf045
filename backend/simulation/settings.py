"""The product's settings on a database in memory, or on the Postgres that DATABASE_URL names; no store, no secrets."""

import os
import tempfile

_folder = tempfile.mkdtemp(prefix="buddy-simulation-")
os.environ["ENV_FILE"] = "/dev/null"
os.environ["DATA_DIR"] = _folder
os.environ["LIVE_TRADING"] = "true"
os.environ.setdefault("LOG_LEVEL", "ERROR")

from buddy.settings import *  # noqa: E402, F403
from buddy.settings import DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    options = DATABASES["default"]["OPTIONS"] | {"detect_types": 0}  # Django reads each value itself
    DATABASES["default"] |= {"NAME": ":memory:", "ENGINE": "simulation.sqlite", "OPTIONS": options}
CACHES = {"default": {"BACKEND": "simulation.store.Cache", "LOCATION": ""}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # argon2 is slow on purpose
LEASES_RENEWED = False  # by a thread, on the clock of this machine

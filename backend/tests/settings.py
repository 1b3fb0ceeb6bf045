"""The settings under test: the real ones, on a folder of their own.

DATABASE_URL and REDIS_URL may name outside stores.
"""

import os
import tempfile

_folder = tempfile.TemporaryDirectory(prefix="buddy-test-", ignore_cleanup_errors=True)
os.environ["ENV_FILE"] = "/dev/null"
os.environ["DATA_DIR"] = _folder.name
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("API_RATE", "100000/min")

from buddy.settings import *  # noqa: E402, F403
from buddy.settings import DATA_DIR, DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A real file, since in memory there is neither WAL nor a second connection.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # argon2 is slow on purpose

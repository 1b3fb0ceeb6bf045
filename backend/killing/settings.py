"""The product's settings on the stores that the environment names, with a beat that is in a hurry."""

import os

os.environ["ENV_FILE"] = os.devnull
os.environ["LIVE_TRADING"] = "true"
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("API_RATE", "100000/min")

from buddy.settings import *  # noqa: F403  the product's own, but for what follows
from buddy.settings import CELERY_BEAT_SCHEDULE as PRODUCT

LOOK_EVERY = float(os.environ.get("LOOK_EVERY", "0.2"))
CELERY_BEAT_SCHEDULE = {**PRODUCT, "watch": {**PRODUCT["watch"], "schedule": LOOK_EVERY}}

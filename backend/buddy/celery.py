"""The Celery application. Beat ticks carry no work of their own: they start one-line tasks."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "buddy.settings")
# Celery runs Django's checks and passes over what they find; they load every address and all that stands behind it,
# which is half of a worker's start. Whoever starts us runs them: `migrate`, before anything else.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("buddy")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["buddy"], related_name="health")

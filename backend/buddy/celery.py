"""The Celery application. Beat ticks carry no work of their own: they start one-line tasks."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "buddy.settings")

app = Celery("buddy")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["buddy"], related_name="health")

"""Who logs in. Never to be confused with an exchange account (`exchanges.Account`)."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Signs in by e-mail; the desk's own settings live here."""

    email = models.EmailField("e-mail address", unique=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    """IANA name; a trade belongs to the day of its last exit in this zone."""
    theme = models.CharField(max_length=8, choices=[("system", "System"), ("dark", "Dark"), ("light", "Light")], default="system")

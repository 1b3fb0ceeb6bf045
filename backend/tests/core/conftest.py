"""How long properties are tried: quickly by default, `--hypothesis-profile=thorough` before a release."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("thorough", max_examples=3_000, deadline=None)

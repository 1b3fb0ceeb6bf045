"""The product's own settings, and what makes its processes break (`breaking`)."""

from buddy.settings import *  # noqa: F403
from buddy.settings import INSTALLED_APPS as PRODUCTS

INSTALLED_APPS = [*PRODUCTS, "tests.attack.breaking.Breaking"]

"""Everything but the live feed, as WSGI; `asgi.py` serves it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "buddy.settings")

application = get_wsgi_application()

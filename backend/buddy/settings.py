"""All settings, from the environment. Every variable is explained in `.env.example`."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from buddy import env

BACKEND = Path(__file__).resolve().parent.parent
ROOT = BACKEND.parent
env.read_file(Path(os.environ.get("ENV_FILE", ROOT / ".env")))

# Where we are
ENVIRONMENT = env.choice("ENVIRONMENT", ("local", "production"), "local")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.boolean("DEBUG", default=False)
PORT = env.integer("PORT", 8000, at_least=1)
SITE_URL = env.text("SITE_URL", f"http://localhost:{PORT}").rstrip("/")
HTTPS = urlsplit(SITE_URL).scheme == "https"
DATA_DIR = Path(ROOT, env.text("DATA_DIR", "data")).absolute()
REPLAY_DIR = Path(ROOT, env.text("REPLAY_DIR", str(DATA_DIR / "replays"))).absolute()
FRONTEND_BUILD = ROOT / "frontend" / "build"

# Secrets: in production they must be given; locally they are made once and kept in the data folder.
_KEPT_IN = None if PRODUCTION else DATA_DIR / "secrets"
SECRET_KEY = env.secret("SECRET_KEY", kept_in=_KEPT_IN)
SECRET_KEY_FALLBACKS = env.listing("SECRET_KEY_FALLBACKS")
VAULT_KEY = env.secret("VAULT_KEY", kept_in=_KEPT_IN)
"""Seals exchange keys. Several, newest first: the newest seals, each of them opens (`manage.py rotate_vault`)."""

# Who may call, and how they reach us
SITE_HOST = urlsplit(SITE_URL).hostname or ""
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", tuple(dict.fromkeys((SITE_HOST, "localhost", "127.0.0.1", "[::1]"))))
CSRF_TRUSTED_ORIGINS = [SITE_URL] if HTTPS else []
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0)
"""How many proxies of ours stand in front: as many X-Forwarded-For entries are believed, counted from the right."""
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.headless",
    "rest_framework",
    "drf_spectacular",
    "buddy",
    "buddy.users",
    "buddy.events",
    "buddy.exchanges",
    "buddy.trading",
    "buddy.journal",
    "buddy.backups",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "buddy.spa.Policy",
    "buddy.spa.Files",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "buddy.urls"
WSGI_APPLICATION = "buddy.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

# Stores
DATABASE_URL = env.text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'buddy.sqlite3'}")
DATABASES = {"default": env.database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL", f"unix://{DATA_DIR / 'valkey.sock'}")
"""redis://, rediss:// or unix:///path?db=0. Holds nothing that matters: wake-ups, cache, pub/sub."""
CACHES = {
    "default": {
        "BACKEND": "buddy.cache.Cache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 3, "socket_connect_timeout": 3},
    }
}
EXCHANGE_TRANSPORT_BASE = env.text("EXCHANGE_TRANSPORT_BASE", "")
"""For development and tests: all traffic to venues goes to this address instead."""
LIVE_TRADING = env.boolean("LIVE_TRADING", default=False)
"""Whether accounts that trade with real money may be made and may enter trades."""
CANARY_ORDERS = env.boolean("CANARY_ORDERS", default=not EXCHANGE_TRANSPORT_BASE)
"""Whether accounts at venues prove at start and daily that an order can be placed, seen and cancelled there; at
stand-ins, which are told what to expect, only where that is asked for."""
RECENT_SIGN_IN = env.integer("RECENT_SIGN_IN_MINUTES", 10, at_least=1) * 60
"""Seconds since the last sign-in or confirmation of the password, for what puts real money at risk."""
LEASES_RENEWED = True
"""By a thread on this machine's clock, while a look waits for its venue."""
MEDIA_ROOT = DATA_DIR / "media"
SCREENSHOTS_MB = env.integer("SCREENSHOTS_MB", 2000, at_least=1)
"""What the screenshots of one user may fill."""

# Backups
BACKUP_DIR = Path(ROOT, env.text("BACKUP_DIR", str(DATA_DIR / "backups"))).absolute()
BACKUP_WORK_DIR = Path(ROOT, env.text("BACKUP_WORK_DIR", str(DATA_DIR / "backup-work"))).absolute()
"""On this machine's own disk: where a backup lies decrypted while it is proven or restored."""
BACKUP_RECIPIENT = env.listing("BACKUP_RECIPIENT")
"""Public keys (age1…): whoever has the identity of one of them opens a backup."""
BACKUP_EVERY_HOURS = env.integer("BACKUP_EVERY_HOURS", 24, at_least=1)
BACKUP_DAILY = env.integer("BACKUP_DAILY", 14, at_least=1)
BACKUP_WEEKLY = env.integer("BACKUP_WEEKLY", 8)
BACKUP_MONTHLY = env.integer("BACKUP_MONTHLY", 12)
POSTGRES_BIN = env.text("POSTGRES_BIN", "")
"""Where pg_dump and pg_restore are; empty: on the path."""

# Users: e-mail only; no verification, since a self-hosted desk may have no mail.
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["buddy.users.backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
SIGNUP_OPEN = env.boolean("SIGNUP_OPEN", default=True)
ACCOUNT_ADAPTER = "buddy.users.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "buddy.users.forms.SignUpForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": f"{env.integer('SIGNUPS_PER_MINUTE', 20, at_least=1)}/m/ip",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
}
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ["browser"]
HEADLESS_FRONTEND_URLS = {"account_signup": "/signup"}
MFA_ADAPTER = "buddy.exchanges.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

# Sessions, cookies and the browser's guards
_PREFIX = "__Host-" if HTTPS else ""
SESSION_ENGINE = "buddy.users.sessions"
SESSION_COOKIE_NAME = f"{_PREFIX}sessionid"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_NAME = f"{_PREFIX}csrftoken"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "buddy.problems.csrf_failure"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# The SPA: its files are served as they are, every other address outside the API is its index.html (buddy.spa).
WHITENOISE_AUTOREFRESH = False
STATIC_URL = "/static/"
STATICFILES_DIRS: list[Path] = []

# Content security: nothing inline but the SPA's own boot script, whose hash buddy.spa adds.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],  # chart libraries set style attributes
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# The live feed
LIVE_VIEWERS_PER_USER = env.integer("LIVE_VIEWERS_PER_USER", 30, at_least=1)

# The API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["buddy.api.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["buddy.api.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "buddy.api.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["buddy.throttle.UserThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "user": env.text("API_RATE", "1200/min"),
        "keys": "20/min",  # saving and checking keys asks a venue and keeps a worker busy
    },
    "NUM_PROXIES": TRUSTED_PROXIES,
    "EXCEPTION_HANDLER": "buddy.problems.answer",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
SPECTACULAR_SETTINGS = {
    "TITLE": "Trading Buddy",
    "VERSION": "1",
    "DESCRIPTION": "Decimals are strings, times are ISO 8601 UTC, errors are RFC 9457 problem documents.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "buddy.openapi.finish",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": ["entry", "stop", "take_profit", "close"],
        "OrderStatusEnum": "buddy.core.exchange.OrderStatus",
        "StopStatusEnum": "buddy.trading.serializers.STOP_STATUSES",
        "LegRoleEnum": ["entry", "take_profit"],
        "TradeStatusEnum": ["pending", "open", "closed", "cancelled"],
        "ModeEnum": ["paper", "testnet", "live"],
        "MarginModeEnum": ["isolated", "cross"],
        "PositionModeEnum": ["one_way", "hedge"],
        "RightEnum": ["yes", "no", "cannot_tell"],
        "PriceSourceEnum": "buddy.exchanges.serializers.SOURCES",
        "WithdrawalEnum": ["missed", "invalidated", "expired", "manual", "rejected", "stale"],
    },
}

# Background work
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 10, "socket_connect_timeout": 5, "socket_keepalive": True}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "watch": {
        "task": "buddy.trading.tasks.watch_all",
        "schedule": 2.0,
        "options": {"queue": "watch", "expires": 2},
    },
    "tick": {
        "task": "buddy.trading.tasks.tick",
        "schedule": 1.0,
        "options": {"queue": "watch", "expires": 1},
    },
    "forget": {
        "task": "buddy.trading.tasks.forget_old_calls",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 3600},
    },
    "link": {
        "task": "buddy.events.tasks.link_events",
        "schedule": 600.0,
        "options": {"queue": "default", "expires": 600},
    },
    "keys": {
        "task": "buddy.exchanges.tasks.watch_keys",
        "schedule": 600.0,
        "options": {"queue": "default", "expires": 600},
    },
    "refused": {
        "task": "buddy.trading.tasks.warn_of_refused_keys",
        "schedule": 60.0,
        "options": {"queue": "default", "expires": 60},
    },
    "heartbeat": {
        "task": "buddy.health.heartbeat",
        "schedule": 5.0,
        "options": {"queue": "watch", "expires": 5},
    },
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "buddy.redact.Formatter", "format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": [], "propagate": True},
        "uvicorn": {"handlers": [], "propagate": True},  # its own would write what went wrong as it is
        "uvicorn.access": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},
        "ccxt": {"level": "INFO"},  # below that it writes every header it sends
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}

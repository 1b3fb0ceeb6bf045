from django.apps import AppConfig


class BuddyConfig(AppConfig):
    name = "buddy"

    def ready(self) -> None:
        from buddy import celery, checks, redact  # noqa: F401 - shared tasks need the app, checks register themselves

        redact.guard_last_words()

from django.apps import AppConfig


class BuddyConfig(AppConfig):
    name = "buddy"

    def ready(self) -> None:
        from buddy import celery, checks  # noqa: F401 - shared tasks need the app, system checks register themselves

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "buddy.events"
    default_auto_field = "django.db.models.BigAutoField"

from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "buddy.users"
    default_auto_field = "django.db.models.BigAutoField"

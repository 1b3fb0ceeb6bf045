from __future__ import annotations

from zoneinfo import available_timezones

from django.apps import apps
from rest_framework import serializers

from buddy.users.models import User


class MeSerializer(serializers.ModelSerializer[User]):
    """The signed-in user and the desk's own settings."""

    has_account = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ("id", "email", "time_zone", "theme", "has_account")
        read_only_fields = ("id", "email")

    def get_has_account(self, user: User) -> bool:
        return apps.get_model("exchanges", "Account")._default_manager.filter(owner=user, archived_at=None).exists()

    def validate_time_zone(self, name: str) -> str:
        if name not in available_timezones():
            raise serializers.ValidationError("There is no such time zone.", "invalid_choice")
        return name

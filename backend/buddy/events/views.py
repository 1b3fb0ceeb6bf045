from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers

from buddy.events.models import Event
from buddy.events.serializers import EventSerializer
from buddy.owned import OwnedMixin


class EventFilter(serializers.Serializer[None]):
    account = serializers.IntegerField(required=False, min_value=1, max_value=2**62)
    trade = serializers.IntegerField(required=False, min_value=1, max_value=2**62)


@extend_schema(parameters=[EventFilter, OpenApiParameter("limit", int)])
class EventViewSet(mixins.ListModelMixin, OwnedMixin):
    """The user's timeline, newest first."""

    queryset = Event.objects.all()
    serializer_class = EventSerializer

    def get_queryset(self) -> QuerySet[Event]:
        wanted = EventFilter(data=self.request.query_params)
        wanted.is_valid(raise_exception=True)
        return super().get_queryset().filter(**{f"{name}_id": value for name, value in wanted.validated_data.items()})

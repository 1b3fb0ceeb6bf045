"""Views of the signed-in user's own rows: what belongs to somebody else does not exist (404)."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import mixins, viewsets
from rest_framework.request import Request

Row = TypeVar("Row", bound=Model)


class OwnedMixin(viewsets.GenericViewSet[Any]):
    """Every queryset starts from the owner; `owner_field` may be a path (`trade__owner`)."""

    owner_field = "owner"

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):  # the schema generator is nobody
            return rows.none()
        return rows.filter(**{self.owner_field: self.request.user})

    def get_object(self) -> Any:
        """Raises Http404 too for what is no number, or a larger one than a database holds."""
        key = str(self.kwargs[self.lookup_field])
        if not (key.isascii() and key.isdigit() and len(key) < 19):
            raise Http404
        return super().get_object()


class OwnedViewSet(
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    mixins.ListModelMixin,
    OwnedMixin,
):
    """A resource of the signed-in user: list, create, read, PATCH, delete."""

    http_method_names = ("get", "post", "patch", "delete", "head", "options")

    def perform_create(self, serializer: Any) -> None:
        serializer.save(**{self.owner_field: self.request.user})


def owned(model: type[Row], request: Request, **where: Any) -> Row:
    """The user's own row, or 404."""
    return get_object_or_404(model, owner=request.user, **where)

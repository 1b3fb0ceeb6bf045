from __future__ import annotations

from django.middleware.csrf import get_token
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.request import Request

from buddy.users.models import User
from buddy.users.serializers import MeSerializer


class MeView(RetrieveUpdateAPIView[User]):
    """Who is signed in. Reading it also sets the CSRF cookie that writing needs."""

    serializer_class = MeSerializer
    http_method_names = ("get", "patch", "head", "options")

    def get_object(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        get_token(request)

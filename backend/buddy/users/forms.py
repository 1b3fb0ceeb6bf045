"""What signing up asks for beyond allauth's own form."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from .models import User


class SignUpForm(forms.Form):
    """The base of allauth's form: it checks the password before there is a user whom it could be too much like."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        email, password = cleaned.get("email"), cleaned.get("password")
        if email and password:
            try:
                get_adapter().clean_password(password, user=User(email=email))
            except ValidationError as weak:
                self.add_error("password", weak)
        return cleaned

    def signup(self, request: HttpRequest, user: User) -> None:
        """Nothing more to keep of a newcomer; allauth insists on being able to ask."""

"""Which of allauth's addresses are open: those for signing up, in and out, for passwords and for a second factor.

The rest (changing e-mail addresses, telephones, links by mail) needs a mail server or a telephone, which a desk has
not: behind those doors allauth breaks, and one can claim somebody else's address there.
"""

from __future__ import annotations

from allauth.headless.account import views as account
from allauth.headless.base.views import ConfigView
from allauth.headless.constants import Client
from allauth.headless.mfa import views as mfa
from django.urls import path

DOORS = {
    "config": ConfigView,
    "auth/session": account.SessionView,
    "auth/signup": account.SignupView,
    "auth/login": account.LoginView,
    "auth/reauthenticate": account.ReauthenticateView,
    "auth/2fa/authenticate": mfa.AuthenticateView,
    "auth/2fa/reauthenticate": mfa.ReauthenticateView,
    "account/password/change": account.ChangePasswordView,
    "account/authenticators": mfa.AuthenticatorsView,
    "account/authenticators/totp": mfa.ManageTOTPView,
    "account/authenticators/recovery-codes": mfa.ManageRecoveryCodesView,
}

urlpatterns = [path(address, view.as_api_view(client=Client.BROWSER)) for address, view in DOORS.items()]

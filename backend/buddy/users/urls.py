from django.urls import path

from buddy.users.views import MeView

urlpatterns = [path("me", MeView.as_view(), name="me")]

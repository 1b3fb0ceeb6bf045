from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from . import views

router = SimpleRouter(trailing_slash=False)
router.register("accounts", views.AccountViewSet, basename="account")

urlpatterns = [
    *router.urls,
    path("venues", views.VenueView.as_view()),
    path("replays", views.ReplayView.as_view()),
    path("instruments", views.InstrumentView.as_view()),
    path("instruments/candles", views.CandleView.as_view()),
    path("instruments/quote", views.QuoteView.as_view()),
]

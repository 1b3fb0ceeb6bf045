from __future__ import annotations

from django.urls import path

from . import foreign_views, views

urlpatterns = [
    path("plans/preview", views.PreviewView.as_view()),
    path("plans/rehearse", views.RehearseView.as_view()),
    path("trades", views.TradesView.as_view()),
    path("trades/<int:key>", views.TradeView.as_view()),
    path("trades/<int:key>/plan", views.PlanView.as_view()),
    path("trades/<int:key>/cancel", views.CancelView.as_view()),
    path("trades/<int:key>/close", views.CloseView.as_view()),
    path("trades/<int:key>/break-even", views.BreakEvenView.as_view()),
    path("trades/<int:key>/end-by-word", views.EndByWordView.as_view()),
    path("trades/<int:key>/hands-off", views.HandsOffView.as_view()),
    path("accounts/<int:pk>/foreign-positions", foreign_views.ForeignPositionsView.as_view()),
    path("accounts/<int:pk>/foreign-positions/<int:key>/adopt", foreign_views.AdoptView.as_view()),
    path("accounts/<int:pk>/foreign-positions/<int:key>/close", foreign_views.ForeignCloseView.as_view()),
    path("accounts/<int:pk>/foreign-positions/<int:key>/ignore", foreign_views.IgnoreView.as_view()),
]

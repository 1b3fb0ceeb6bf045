from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("plans/preview", views.PreviewView.as_view()),
    path("plans/rehearse", views.RehearseView.as_view()),
    path("trades", views.TradesView.as_view()),
    path("trades/<int:key>", views.TradeView.as_view()),
    path("trades/<int:key>/plan", views.PlanView.as_view()),
    path("trades/<int:key>/cancel", views.CancelView.as_view()),
    path("trades/<int:key>/close", views.CloseView.as_view()),
    path("trades/<int:key>/break-even", views.BreakEvenView.as_view()),
    path("trades/<int:key>/hands-off", views.HandsOffView.as_view()),
]

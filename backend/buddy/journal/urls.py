from __future__ import annotations

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from .stats_views import BreakdownView, CalendarView, EquityView, SummaryView
from .views import EntryView, JournalView, ScreenshotView, SetupViewSet, TagViewSet

router = SimpleRouter(trailing_slash=False)
router.register("setups", SetupViewSet)
router.register("tags", TagViewSet)

urlpatterns = [
    path("journal", JournalView.as_view()),
    path("journal/<int:trade>", EntryView.as_view()),
    path("journal/<int:trade>/screenshot", ScreenshotView.as_view(), name="screenshot"),
    path("", include(router.urls)),
    path("stats/summary", SummaryView.as_view()),
    path("stats/calendar", CalendarView.as_view()),
    path("stats/equity", EquityView.as_view()),
    path("stats/breakdown", BreakdownView.as_view()),
]

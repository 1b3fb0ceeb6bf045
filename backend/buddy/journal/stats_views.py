"""The statistics over HTTP. Views name the question; `core.performance` holds every answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from buddy.core.market import ZERO
from buddy.core.performance import Cell, Day, EquityPoint, break_down, equity_curve, summarise, trading_days

from . import stats
from .axes import AXES, OF_WORDS, Axis
from .scope import InstrumentQuery, ScopeQuery, read_query, start_of, zone_of
from .stats_serializers import (
    BreakdownSerializer,
    CalendarSerializer,
    EquitySerializer,
    SummarySerializer,
    shown,
    written,
)


class CalendarQuery(InstrumentQuery):
    year = serializers.IntegerField(min_value=1970, max_value=9998)
    month = serializers.IntegerField(min_value=1, max_value=12)


class BreakdownQuery(ScopeQuery):
    by = serializers.ChoiceField(choices=list(AXES))


class SummaryView(APIView):
    @extend_schema(parameters=[ScopeQuery], responses=SummarySerializer)
    def get(self, request: Request) -> Response:
        scope, zone = read_query(request, ScopeQuery), zone_of(request.user)
        return Response(stats.remembered(request, "summary", scope, zone, lambda: self._answer(request, scope)))

    def _answer(self, request: Request, scope: dict[str, Any]) -> dict[str, Any]:
        accounts = stats.my_accounts(request, scope)
        currency, opening = stats.currency_of(accounts), stats.opening_equity(request, accounts, scope)
        trades = stats.closed_trades(stats.in_scope(request, scope))
        cap = accounts[0].max_risk_percent if len(accounts) == 1 else None
        figures = summarise(trades, opening, zone_of(request.user), kelly_cap=cap)
        named = {name: shown(figure) for name, figure in figures.items()}
        return {"currency": currency, "trades": len(trades), "figures": named}


class EquityView(APIView):
    @extend_schema(parameters=[ScopeQuery], responses=EquitySerializer)
    def get(self, request: Request) -> Response:
        scope, zone = read_query(request, ScopeQuery), zone_of(request.user)
        return Response(stats.remembered(request, "equity", scope, zone, lambda: self._answer(request, scope)))

    def _answer(self, request: Request, scope: dict[str, Any]) -> dict[str, Any]:
        accounts = stats.my_accounts(request, scope)
        stats.currency_of(accounts)
        opening = stats.opening_equity(request, accounts, scope)
        curve = equity_curve(stats.closed_trades(stats.in_scope(request, scope)), opening)
        return {"opening": written(opening), "points": [_point(point) for point in curve]}


def _point(point: EquityPoint) -> dict[str, Any]:
    return {
        "time": datetime.fromtimestamp(point.time_ms / 1000, UTC).isoformat().replace("+00:00", "Z"),
        "equity": written(point.equity),
        "net": written(point.net),
        "r": written(point.r),
        "cumulative_r": written(point.cumulative_r),
        "drawdown": written(point.drawdown),
        "trade": point.key,
    }


class CalendarView(APIView):
    @extend_schema(parameters=[CalendarQuery], responses=CalendarSerializer)
    def get(self, request: Request) -> Response:
        scope, zone = read_query(request, CalendarQuery), zone_of(request.user)
        return Response(stats.remembered(request, "calendar", scope, zone, lambda: self._answer(request, scope)))

    def _answer(self, request: Request, scope: dict[str, Any]) -> dict[str, Any]:
        stats.currency_of(stats.my_accounts(request, scope))
        zone, year, month = zone_of(request.user), scope["year"], scope["month"]
        days = [day for day in self._days_around(request, scope) if (day.date.year, day.date.month) == (year, month)]
        rs = [day.r for day in days if day.r is not None]
        return {
            "year": year,
            "month": month,
            "time_zone": str(zone),
            "days": [_day(day) for day in days],
            "net": written(sum((day.net for day in days), ZERO)),
            "r": written(sum(rs, ZERO)) if rs else None,
            "trades": sum(day.trades for day in days),
        }

    def _days_around(self, request: Request, scope: dict[str, Any]) -> tuple[Day, ...]:
        """The month and a little more, since one function alone decides which day a trade belongs to."""
        zone, first = zone_of(request.user), date(scope["year"], scope["month"], 1)
        start, end = start_of(first - timedelta(days=1), zone), start_of(first + timedelta(days=32), zone)
        rows = stats.in_scope(request, scope).filter(closed_at__gte=start, closed_at__lt=end)
        return trading_days(stats.closed_trades(rows), zone)


def _day(day: Day) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "net": written(day.net),
        "r": written(day.r),
        "trades": day.trades,
        "wins": day.wins,
        "losses": day.losses,
    }


class BreakdownView(APIView):
    @extend_schema(parameters=[BreakdownQuery], responses=BreakdownSerializer)
    def get(self, request: Request) -> Response:
        scope, zone = read_query(request, BreakdownQuery), zone_of(request.user)
        if scope["by"] in OF_WORDS:
            return Response(self._answer(request, scope))
        return Response(stats.remembered(request, "breakdown", scope, zone, lambda: self._answer(request, scope)))

    def _answer(self, request: Request, scope: dict[str, Any]) -> dict[str, Any]:
        stats.currency_of(stats.my_accounts(request, scope))
        axis = AXES[scope["by"]](stats.owner_of(request))
        cells = break_down(stats.closed_trades(stats.in_scope(request, scope)), axis.keys)
        return {"by": scope["by"], "rows": [_row(cell, axis) for cell in cells]}


def _row(cell: Cell, axis: Axis) -> dict[str, Any]:
    figures = {name: shown(figure) for name, figure in cell.figures.items()}
    return {"key": cell.key, "label": axis.label(cell.key), "n": cell.n, **figures}

"""Plans and trades over HTTP: parse, call, tell."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from buddy.api import Pages
from buddy.exchanges.models import Account
from buddy.prepared import Select
from buddy.problems import Conflict, Problem, fault

from . import by_word, executor
from .claims import Claim
from .idempotency import idempotent
from .models import Trade
from .preview import preview
from .rehearsal import rehearse
from .serializers import (
    AmendRequestSerializer,
    CloseRequestSerializer,
    EndByWordRequestSerializer,
    HandsOffRequestSerializer,
    PlanRequestSerializer,
    PreviewSerializer,
    RehearsalSerializer,
    RehearseRequestSerializer,
    TradeDetailSerializer,
    TradePageSerializer,
    TradeSerializer,
)
from .story import tell_trade, tell_trades, tell_whole_trade

KEY = OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True)
LARGEST_ID = 2**63 - 1
_ACCOUNT = Select(lambda owner, key: Account.objects.filter(owner_id=owner, archived_at=None, pk=key))


def asked(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The request's fields, or a problem that names each wrong one."""
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def my_account(request: Request, key: int) -> Account:
    """The user's own account; in a body or a query an unknown one is a fault of that field."""
    account = _ACCOUNT.first(owner=request.user.pk, key=key)
    if account is None:
        wrong = fault("There is no such account.", "Choose one of your own.", "does_not_exist")
        raise Problem(404, "not_found", "There is no such account.", {"account": [wrong]})
    return account


def my_trade(request: Request, key: int) -> Trade:
    """The user's own trade, or 404."""
    return get_object_or_404(Trade.objects.select_related("account"), owner_id=request.user.pk, pk=min(key, LARGEST_ID))


def told(trade: Trade, status: int = 200) -> Response:
    return Response(tell_trade(trade), status=status)


def created(trade: Trade) -> Response:
    return told(trade, 201)


class PreviewView(APIView):
    @extend_schema(operation_id="plans_preview", request=PlanRequestSerializer, responses=PreviewSerializer)
    def post(self, request: Request) -> Response:
        wanted = asked(PlanRequestSerializer, request)
        return Response(preview(my_account(request, wanted["account"]), wanted["plan"]))


class RehearseView(APIView):
    @extend_schema(operation_id="plans_rehearse", request=RehearseRequestSerializer, responses=RehearsalSerializer)
    def post(self, request: Request) -> Response:
        wanted = asked(RehearseRequestSerializer, request)
        account = my_account(request, wanted["account"])
        return Response(rehearse(account, wanted["plan"], wanted["timeframe"], wanted["minutes"]))


class TradeQuerySerializer(serializers.Serializer[Any]):
    account = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    status = serializers.CharField(
        required=False, help_text="Some of pending, open, closed, cancelled; commas between."
    )

    def validate_status(self, status: str) -> list[str]:
        wanted = [part.strip() for part in status.split(",") if part.strip()]
        if wrong := set(wanted) - set(Trade.Status.values):
            raise serializers.ValidationError(f"{sorted(wrong)[0][:20]} is none of {', '.join(Trade.Status.values)}.")
        return wanted


class TradesView(APIView):
    @extend_schema(
        operation_id="trades_list",
        parameters=[
            TradeQuerySerializer,
            OpenApiParameter("cursor", OpenApiTypes.STR),
            OpenApiParameter("limit", OpenApiTypes.INT),
        ],
        responses=TradePageSerializer,
    )
    def get(self, request: Request) -> Response:
        query = TradeQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        pages = Pages()
        page = pages.paginate_queryset(_matching(request, query.validated_data), request, view=self)
        return pages.get_paginated_response(tell_trades(page or []))

    @extend_schema(
        operation_id="trades_create",
        parameters=[KEY],
        request=PlanRequestSerializer,
        responses={201: TradeSerializer},
    )
    @idempotent(created)
    def post(self, request: Request, *, claim: Claim) -> Response:
        wanted = asked(PlanRequestSerializer, request)
        account = my_account(request, wanted["account"])
        return created(executor.open_trade(account, wanted["plan"], claim=claim))


def _matching(request: Request, query: dict[str, Any]) -> QuerySet[Trade]:
    trades = Trade.objects.filter(owner_id=request.user.pk).select_related("account")
    if "account" in query:
        trades = trades.filter(account_id=query["account"])
    return trades.filter(status__in=query["status"]) if "status" in query else trades


class TradeView(APIView):
    @extend_schema(operation_id="trades_retrieve", responses=TradeDetailSerializer)
    def get(self, request: Request, key: int) -> Response:
        return Response(tell_whole_trade(my_trade(request, key)))


class PlanView(APIView):
    @extend_schema(
        operation_id="trades_amend", parameters=[KEY], request=AmendRequestSerializer, responses=TradeSerializer
    )
    @idempotent(told)
    def patch(self, request: Request, key: int, *, claim: Claim) -> Response:
        wanted = asked(AmendRequestSerializer, request)
        return _acted(executor.amend_plan, my_trade(request, key), wanted["plan"], claim=claim)


class CancelView(APIView):
    @extend_schema(operation_id="trades_cancel", parameters=[KEY], request=None, responses=TradeSerializer)
    @idempotent(told)
    def post(self, request: Request, key: int, *, claim: Claim) -> Response:
        return _acted(executor.withdraw_entry, my_trade(request, key), claim=claim)


class CloseView(APIView):
    @extend_schema(
        operation_id="trades_close", parameters=[KEY], request=CloseRequestSerializer, responses=TradeSerializer
    )
    @idempotent(told)
    def post(self, request: Request, key: int, *, claim: Claim) -> Response:
        wanted = asked(CloseRequestSerializer, request)
        return _acted(executor.close, my_trade(request, key), wanted["share"], claim=claim)


class BreakEvenView(APIView):
    @extend_schema(operation_id="trades_break_even", parameters=[KEY], request=None, responses=TradeSerializer)
    @idempotent(told)
    def post(self, request: Request, key: int, *, claim: Claim) -> Response:
        return _acted(executor.break_even_now, my_trade(request, key), claim=claim)


class EndByWordView(APIView):
    @extend_schema(
        operation_id="trades_end_by_word",
        parameters=[KEY],
        request=EndByWordRequestSerializer,
        responses=TradeSerializer,
    )
    @idempotent(told)
    def post(self, request: Request, key: int, *, claim: Claim) -> Response:
        wanted, trade = asked(EndByWordRequestSerializer, request), my_trade(request, key)
        return _acted(by_word.end, trade, wanted["price"], wanted["sentence"], claim=claim)


class HandsOffView(APIView):
    @extend_schema(operation_id="trades_hands_off", request=HandsOffRequestSerializer, responses=TradeSerializer)
    def post(self, request: Request, key: int) -> Response:
        wanted = asked(HandsOffRequestSerializer, request)
        return _acted(executor.hands_off, my_trade(request, key), wanted["on"])


def _acted(action: Any, trade: Trade, *values: Any, **options: Any) -> Response:
    try:
        return told(action(trade, *values, **options))
    except executor.NotNow as reason:
        raise Conflict(str(reason)) from reason

"""Positions that are nobody's over HTTP: what there is, and the trader's decision."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from buddy.exchanges.models import Account
from buddy.problems import Conflict

from . import adoption
from .claims import Claim
from .executor import NotNow
from .foreign_serializers import (
    AdoptionSerializer,
    ForeignPositionSerializer,
    ForeignPositionsSerializer,
    IgnoreSerializer,
)
from .idempotency import idempotent
from .models import ForeignPosition, Trade
from .serializers import TradeSerializer
from .story import tell_foreign
from .views import KEY, LARGEST_ID, asked, created


def _my_account(request: Request, pk: int) -> Account:
    mine = Account.objects.filter(owner_id=request.user.pk, archived_at=None)
    return get_object_or_404(mine, pk=min(pk, LARGEST_ID))


def _rows(request: Request, pk: int) -> QuerySet[ForeignPosition]:
    return ForeignPosition.objects.filter(account=_my_account(request, pk), confirmed=True).select_related("account")


def _mine(request: Request, pk: int, key: int) -> ForeignPosition:
    return get_object_or_404(_rows(request, pk), pk=min(key, LARGEST_ID))


class ForeignPositionsView(APIView):
    @extend_schema(operation_id="foreign_positions_list", responses=ForeignPositionsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response({"results": tell_foreign(list(_rows(request, pk))), "next": None})


class AdoptView(APIView):
    @extend_schema(
        operation_id="foreign_positions_adopt",
        parameters=[KEY],
        request=AdoptionSerializer,
        responses={201: TradeSerializer},
    )
    @idempotent(created)
    def post(self, request: Request, pk: int, key: int, *, claim: Claim) -> Response:
        row = _mine(request, pk, key)
        return _made(adoption.adopt, row, asked(AdoptionSerializer, request), claim=claim)


class ForeignCloseView(APIView):
    @extend_schema(
        operation_id="foreign_positions_close", parameters=[KEY], request=None, responses={201: TradeSerializer}
    )
    @idempotent(created)
    def post(self, request: Request, pk: int, key: int, *, claim: Claim) -> Response:
        return _made(adoption.close, _mine(request, pk, key), claim=claim)


class IgnoreView(APIView):
    @extend_schema(
        operation_id="foreign_positions_ignore", request=IgnoreSerializer, responses=ForeignPositionSerializer
    )
    def post(self, request: Request, pk: int, key: int) -> Response:
        on = asked(IgnoreSerializer, request)["on"]
        return Response(tell_foreign([adoption.ignore(_mine(request, pk, key), on)])[0])


def _made(action: Any, row: ForeignPosition, *values: Any, claim: Claim) -> Response:
    try:
        trade: Trade = action(row.account, row.pk, *values, claim=claim)
    except NotNow as reason:
        raise Conflict(str(reason)) from reason
    return created(trade)

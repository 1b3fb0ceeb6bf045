"""Accounts, what can be replayed, and the market an account trades on."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from buddy.throttle import UserThrottle
from buddy.users.recent import insist_on_recent_sign_in

from . import accounts, real_money, serializers, story, venue_accounts
from .connect import source_for
from .models import Account
from .quotes import candle_rows, price_now


def page(rows: list[Any]) -> dict[str, Any]:
    return {"results": rows, "next": None}


def read(serializer: type[Serializer[Any]], given: Any) -> dict[str, Any]:
    """The checked fields of a body or a query; a problem names what is wrong."""
    asked = serializer(data=given)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def own_account(request: Request, pk: int | str) -> Account:
    """The user's own account, or 404."""
    account: Account | None = accounts.of(request.user).filter(pk=pk).first()
    if account is None:
        raise Http404
    return account


class KeyThrottle(UserThrottle):
    scope = "keys"


def slow_down(request: Request, view: APIView) -> None:
    """For what asks a venue while the trader waits. Raises Throttled."""
    throttle = KeyThrottle()
    if not throttle.allow_request(request, view):
        raise Throttled(throttle.wait())


def told(account: Account, status: int = 200) -> Response:
    return Response(serializers.AccountSerializer(story.account_story(account)).data, status=status)


ACCOUNT_LIST = forced_singular_serializer(serializers.AccountListSerializer)  # type: ignore[no-untyped-call]


@extend_schema(tags=["accounts"])
class AccountViewSet(viewsets.ViewSet):
    lookup_value_regex = "[0-9]{1,18}"
    serializer_class = serializers.AccountSerializer

    @extend_schema(responses=ACCOUNT_LIST, filters=False)
    def list(self, request: Request) -> Response:
        rows = [story.account_story(account) for account in accounts.of(request.user)]
        return Response(page(list(serializers.AccountSerializer(rows, many=True).data)))

    @extend_schema(
        request=serializers.NewAccountSerializer,
        responses={201: serializers.AccountSerializer},
        description=(
            "A paper account, or one at a venue, whose key is probed first: 400 names what is wrong with it, 503 "
            "(`key_unchecked`) that nothing could be learned. Real money: 409 `live_trading_off`, 403 `sign_in_again`."
        ),
    )
    def create(self, request: Request) -> Response:
        fields = read(serializers.NewAccountSerializer, request.data)
        mode = fields.setdefault("mode", Account.Mode.PAPER)
        if mode == Account.Mode.PAPER:
            return told(accounts.open_account(request.user, fields), 201)
        slow_down(request, self)
        if mode == Account.Mode.LIVE:
            real_money.insist_on_permission()
            real_money.insist_on_sentence(fields["name"], fields.get("sentence", ""))
            insist_on_recent_sign_in(request)
        return told(venue_accounts.open_at_venue(request.user, fields), 201)

    @extend_schema(responses=serializers.AccountSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return told(own_account(request, pk))

    @extend_schema(request=serializers.ChangesSerializer, responses=serializers.AccountSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        account = own_account(request, pk)
        return told(accounts.change(account, read(serializers.ChangesSerializer, request.data)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        accounts.archive(own_account(request, pk))
        return Response(status=204)

    @extend_schema(request=None, responses={201: serializers.AccountSerializer, 200: serializers.AccountSerializer})
    @action(methods=["post"], detail=False)
    def practice(self, request: Request) -> Response:
        account, fresh = accounts.practice(request.user)
        return told(account, 201 if fresh else 200)

    @extend_schema(request=None, responses=serializers.AccountSerializer)
    @action(methods=["post"], detail=True)
    def main(self, request: Request, pk: str) -> Response:
        return told(accounts.make_main(own_account(request, pk)))

    @extend_schema(
        request=None,
        responses=serializers.AccountSerializer,
        description="Try the prices; at a venue, probe the key: its rights, the clock, the money, the position mode.",
    )
    @action(methods=["post"], detail=True)
    def check(self, request: Request, pk: str) -> Response:
        account = own_account(request, pk)
        if account.is_paper:
            return told(accounts.check(account))
        slow_down(request, self)
        return told(venue_accounts.check(account))

    @extend_schema(
        request=serializers.NewKeySerializer,
        responses=serializers.AccountSerializer,
        description="Another key. The old one stays in use until the new one has passed its probe.",
    )
    @action(methods=["put"], detail=True)
    def key(self, request: Request, pk: str) -> Response:
        account = own_account(request, pk)
        fields = read(serializers.NewKeySerializer, request.data)
        slow_down(request, self)
        if account.mode == Account.Mode.LIVE:
            insist_on_recent_sign_in(request)
        return told(venue_accounts.replace_key(account, fields))

    @extend_schema(request=None, responses=serializers.AccountSerializer)
    @action(methods=["post"], detail=True)
    def halt(self, request: Request, pk: str) -> Response:
        return told(accounts.halt(own_account(request, pk)))

    @extend_schema(
        request=serializers.ResumeSerializer,
        responses=serializers.AccountSerializer,
        description="Entries again (`active`), or exits only (`reducing`). Real money asks what a new account does.",
    )
    @action(methods=["post"], detail=True)
    def resume(self, request: Request, pk: str) -> Response:
        account = own_account(request, pk)
        fields = read(serializers.ResumeSerializer, request.data)
        if real_money.is_at_risk(account, fields["state"]):
            real_money.insist_on_permission()
            real_money.insist_on_sentence(account.name, fields.get("sentence", ""))
            insist_on_recent_sign_in(request)
        return told(accounts.resume(account, fields["state"]))


@extend_schema(tags=["accounts"])
class VenueView(APIView):
    @extend_schema(responses=serializers.VenueListSerializer, operation_id="venues_list")
    def get(self, request: Request) -> Response:
        return Response(serializers.VenueListSerializer(story.venues()).data)


@extend_schema(tags=["accounts"])
class ReplayView(APIView):
    @extend_schema(responses=serializers.RecordingListSerializer, operation_id="replays_list")
    def get(self, request: Request) -> Response:
        rows = list(story.recordings_in(story.replay_folder()))
        return Response(page(list(serializers.RecordingSerializer(rows, many=True).data)))


@extend_schema(tags=["market"])
class InstrumentView(APIView):
    @extend_schema(
        parameters=[serializers.InstrumentQuerySerializer],
        responses=serializers.InstrumentListSerializer,
        operation_id="instruments_list",
    )
    def get(self, request: Request) -> Response:
        asked = read(serializers.InstrumentQuerySerializer, request.query_params)
        account = own_account(request, asked["account"])
        source = source_for(account)
        wanted = asked.get("q", "").upper()
        found = [one for one in source.instruments() if wanted in one.symbol.upper()][: asked["limit"]]
        rows = [story.instrument_story(account, one, source) for one in found]
        return Response(page(list(serializers.InstrumentSerializer(rows, many=True).data)))


@extend_schema(tags=["market"])
class CandleView(APIView):
    @extend_schema(
        parameters=[serializers.CandleQuerySerializer],
        responses=serializers.CandlesSerializer,
        operation_id="instruments_candles",
    )
    def get(self, request: Request) -> Response:
        asked = read(serializers.CandleQuerySerializer, request.query_params)
        return Response(candle_rows(own_account(request, asked["account"]), asked))


@extend_schema(tags=["market"])
class QuoteView(APIView):
    @extend_schema(
        parameters=[serializers.SymbolQuerySerializer],
        responses=serializers.QuoteSerializer,
        operation_id="instruments_quote",
    )
    def get(self, request: Request) -> Response:
        asked = read(serializers.SymbolQuerySerializer, request.query_params)
        quote = price_now(own_account(request, asked["account"]), asked["symbol"])
        return Response(serializers.QuoteSerializer(quote).data)

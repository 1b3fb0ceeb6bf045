"""The journal over HTTP: the list, the trader's words, setups, tags and the screenshot."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from buddy.api import Pages
from buddy.owned import OwnedViewSet
from buddy.problems import Conflict, fault
from buddy.trading.models import Trade

from . import screenshots
from .listing import JournalQuery, page, with_words
from .models import Screenshot, Setup, Tag
from .pictures import MOST_BYTES, read_picture, refused
from .scope import LARGEST_ID, read_query
from .serializers import (
    JournalPageSerializer,
    JournalRowSerializer,
    ScreenshotSerializer,
    ScreenshotUploadSerializer,
    SetupSerializer,
    TagSerializer,
    WordsSerializer,
)
from .words import write

FRAME_BYTES = 64 * 1024
"""Room for what surrounds the file in a multipart body."""


def my_trade(request: Request, key: int) -> Trade:
    """The user's own trade, or 404."""
    return get_object_or_404(with_words(Trade.objects.filter(owner_id=request.user.pk)), pk=min(key, LARGEST_ID))


class JournalView(APIView):
    @extend_schema(operation_id="journal_list", parameters=[JournalQuery], responses=JournalPageSerializer)
    def get(self, request: Request) -> Response:
        query = read_query(request, JournalQuery)
        trades, following = page(Trade.objects.filter(owner_id=request.user.pk), query)
        return Response({"results": [JournalRowSerializer(trade).data for trade in trades], "next": following})


class EntryView(APIView):
    @extend_schema(responses=JournalRowSerializer)
    def get(self, request: Request, trade: int) -> Response:
        return Response(JournalRowSerializer(my_trade(request, trade)).data)

    @extend_schema(request=WordsSerializer, responses=JournalRowSerializer)
    def patch(self, request: Request, trade: int) -> Response:
        mine = my_trade(request, trade)
        words = WordsSerializer(data=request.data, partial=True, context={"owner": request.user})
        words.is_valid(raise_exception=True)
        write(mine, words.validated_data)
        return Response(JournalRowSerializer(my_trade(request, trade)).data)


class NamePages(Pages):
    page_size = 200
    ordering = "name"


class NameViewSet(OwnedViewSet):
    """A list of names of one's own, each only once whatever its case."""

    pagination_class = NamePages
    what = ""

    def perform_create(self, serializer: Any) -> None:
        self._save(serializer, owner=self.request.user)

    def perform_update(self, serializer: Any) -> None:
        self._save(serializer)

    def _save(self, serializer: Any, **more: Any) -> None:
        name = serializer.validated_data.get("name", "")
        self._refuse_twins(name, except_for=serializer.instance)
        try:
            with transaction.atomic():
                serializer.save(**more)
        except IntegrityError:  # another tab was faster
            raise self._duplicate(name) from None

    def _refuse_twins(self, name: str, except_for: Setup | Tag | None) -> None:
        others = self.get_queryset().exclude(pk=except_for.pk if except_for else None)
        for other in others.values_list("name", flat=True):
            if other.casefold() == name.casefold():
                raise self._duplicate(other)

    def _duplicate(self, name: str) -> Conflict:
        message = f"There is already a {self.what} named “{name}”."
        return Conflict(
            message, "duplicate", {"name": [fault(message, "Use that one, or choose another name.", "duplicate")]}
        )


class SetupViewSet(NameViewSet):
    queryset: QuerySet[Setup] = Setup.objects.all()
    serializer_class = SetupSerializer
    what = "setup"


class TagViewSet(NameViewSet):
    queryset: QuerySet[Tag] = Tag.objects.all()
    serializer_class = TagSerializer
    what = "tag"


class AnyAccept(DefaultContentNegotiation):
    """The answer is a picture whatever the browser says it likes; problems are JSON."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ScreenshotView(APIView):
    parser_classes = [MultiPartParser]
    content_negotiation_class = AnyAccept

    @extend_schema(responses={(200, kind): OpenApiTypes.BINARY for kind in ("image/webp", "image/png")})
    def get(self, request: Request, trade: int) -> HttpResponseBase:
        picture = self._screenshot(request, trade).image
        etag = f'"{picture.name}"'
        same = get_conditional_response(request, etag=etag)
        try:
            return _guarded(same or FileResponse(picture.open("rb"), as_attachment=True), etag)
        except FileNotFoundError:
            raise Http404 from None

    @extend_schema(request={"multipart/form-data": ScreenshotUploadSerializer}, responses={201: ScreenshotSerializer})
    def post(self, request: Request, trade: int) -> Response:
        length = str(request.META.get("CONTENT_LENGTH", ""))
        if length.isdecimal() and int(length) > MOST_BYTES + FRAME_BYTES:
            raise refused("too_large", "The file is larger than 10 MB.", "Send a smaller one.", status=413)
        mine = my_trade(request, trade)
        upload = request.FILES.get("image")
        if upload is None:
            raise refused("required", "There is no picture in this request.", "Send it as the field “image”.")
        kept = screenshots.keep(mine, read_picture(upload, upload.size))
        return Response(ScreenshotSerializer(kept).data, status=201)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, trade: int) -> Response:
        screenshots.drop(self._screenshot(request, trade))
        return Response(status=204)

    def _screenshot(self, request: Request, trade: int) -> Screenshot:
        return get_object_or_404(
            Screenshot, entry__trade__owner_id=request.user.pk, entry__trade_id=min(trade, LARGEST_ID)
        )


def _guarded(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    """A picture and nothing else, for this user's eyes only."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response

"""Screenshots: what is taken in comes out as clean pixels, and nothing but pictures is taken in."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from buddy.journal import pictures, screenshots
from buddy.journal.models import Screenshot
from buddy.journal.pictures import read_picture
from buddy.problems import Problem

from .records import account_of, closed, faults

SIZE = (64, 40)


def picture(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = SIZE, **options: Any) -> bytes:
    written = io.BytesIO()
    colour: Any = (200, 30, 60, 128)[: len(mode)] if mode in ("LA", "RGB", "RGBA") else 1
    Image.new(mode, size, colour).save(written, kind, **options)
    return written.getvalue()


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG file made of exactly these chunks."""
    parts = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def header(width: int, height: int) -> bytes:
    return struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)


@pytest.fixture
def trade(alice: Any) -> Any:
    return closed(account_of(alice))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def send(api: Any, trade: Any, content: bytes, name: str = "chart.png", kind: str = "image/png") -> Any:
    upload = SimpleUploadedFile(name, content, kind)
    return api.post(f"/api/v1/journal/{trade.pk}/screenshot", {"image": upload}, format="multipart")


def stored() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def fetched(api: Any, trade: Any, **headers: str) -> Any:
    return api.get(f"/api/v1/journal/{trade.pk}/screenshot", headers=headers)


# --- the good ones ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_stored_anew_and_served_to_its_owner(api: Any, trade: Any, kind: str) -> None:
    answer = send(api, trade, picture(kind))
    assert answer.status_code == 201, answer.content
    assert (answer.json()["width"], answer.json()["height"]) == SIZE
    row = api.get(f"/api/v1/journal/{trade.pk}").json()
    assert row["screenshot"] == answer.json()
    served = api.get(answer.json()["url"], headers={"Accept": "image/avif,image/webp"})
    image = Image.open(io.BytesIO(served.getvalue()))
    assert (image.format, image.size) == ("WEBP", SIZE)
    assert served["Content-Type"] == "image/webp"


def test_a_png_loses_no_pixel(api: Any, trade: Any) -> None:
    noisy = Image.effect_noise(SIZE, 80).convert("RGB")
    sent = io.BytesIO()
    noisy.save(sent, "PNG")
    send(api, trade, sent.getvalue())
    assert Image.open(stored()[0]).convert("RGB").tobytes() == noisy.tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
def test_every_kind_of_pixel_is_understood(mode: str) -> None:
    content = picture(mode=mode)
    assert read_picture(io.BytesIO(content), len(content)).width == SIZE[0]


def test_transparency_stays() -> None:
    content = picture(mode="RGBA")
    clean = Image.open(io.BytesIO(read_picture(io.BytesIO(content), len(content)).content))
    assert clean.convert("RGBA").getpixel((0, 0)) == (200, 30, 60, 128)


def test_a_side_too_long_for_webp_is_kept_as_png() -> None:
    content = picture(size=(16_384, 3))
    kept = read_picture(io.BytesIO(content), len(content))
    assert (kept.suffix, Image.open(io.BytesIO(kept.content)).format) == (".png", "PNG")


def test_metadata_is_gone_and_the_picture_upright(api: Any, trade: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "taken at home"
    exif.get_ifd(0x8825)[1] = "N"
    answer = send(api, trade, picture("JPEG", exif=exif, comment=b"SECRET", icc_profile=b"SECRET" * 30), "x.jpg")
    assert (answer.json()["width"], answer.json()["height"]) == SIZE[::-1]
    kept = stored()[0].read_bytes()
    assert b"SECRET" not in kept
    assert b"home" not in kept
    assert not {"exif", "icc_profile", "xmp", "comment"} & set(Image.open(stored()[0]).info)


def test_what_hides_in_or_behind_a_picture_is_not_kept(api: Any, trade: Any) -> None:
    texts = PngInfo()
    texts.add_text("note", "<script>alert(1)</script>")
    send(api, trade, picture(pnginfo=texts) + b"PK\x03\x04<script>alert(2)</script>", "chart.html")
    kept = stored()[0].read_bytes()
    assert b"script" not in kept
    assert b"PK\x03\x04" not in kept


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as packed:
        packed.writestr("canary.html", "<script>canary()</script>")
    return written.getvalue()


def hidden_in_a_jpeg() -> bytes:
    """Right behind the first marker, where a page or a script would look for it."""
    script = b"/*canary*/=1;alert(1)/*<script>canary()</script>"
    return b"\xff\xd8" + b"\xff\xfe" + struct.pack(">H", len(script) + 2) + script + picture("JPEG")[2:]


def swollen_exif() -> bytes:
    """A JPEG of which nine megabytes are EXIF."""
    part = b"Exif\0\0" + b"canary" * 10_000
    return b"\xff\xd8" + (b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part) * 150 + picture("JPEG")[2:]


def chunks_of(content: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG with chunks of ours behind its header."""
    extra = b"".join(png([one])[8:] for one in more)
    return content[:33] + extra + content[33:]


POLYGLOTS = {
    "an archive behind a PNG": lambda: picture() + archive(),
    "an archive in a chunk of a PNG": lambda: chunks_of(picture(), (b"zIPx", archive())),
    "a page in a chunk of a PNG": lambda: chunks_of(picture(), (b"htMl", b"<html><script>canary()</script>")),
    "a script in a JPEG": hidden_in_a_jpeg,
    "nine megabytes of EXIF": swollen_exif,
    "a PDF behind a WebP": lambda: picture("WEBP") + b"%PDF-1.4 canary <script>canary()</script>",
}


@pytest.mark.parametrize("what", POLYGLOTS)
def test_of_what_is_a_picture_and_something_else_the_picture_alone_is_kept(api: Any, trade: Any, what: str) -> None:
    answer = send(api, trade, POLYGLOTS[what](), "chart.png.html", "text/html")
    assert answer.status_code == 201, answer.content
    served = fetched(api, trade)
    kept = served.getvalue()
    assert (kept, len(stored())) == (stored()[0].read_bytes(), 1)
    assert (served["Content-Type"], Image.open(io.BytesIO(kept)).size) == ("image/webp", SIZE)
    assert not [word for word in (b"canary", b"script", b"PK\x03\x04", b"%PDF", b"EXIF", b"ICCP") if word in kept]
    assert len(kept) < 10_000


NAMES = ["..\\..\\chart.png", "/etc/passwd", "chart.png.exe", "chart.svg", "a\r\nX-Evil: 1.png", "x" * 4000 + ".png"]


@pytest.mark.parametrize("name", [*NAMES, ".htaccess", "chart.php\x00.png", "‮gnp.exe", "CON.png", ""])
def test_no_name_matters(api: Any, trade: Any, name: str) -> None:
    answer = send(api, trade, picture(), name or "x")
    assert answer.status_code == 201, answer.content
    assert [(path.parent.name, path.suffix, len(path.stem)) for path in stored()] == [("screenshots", ".webp", 32)]
    assert stored()[0].stem in fetched(api, trade)["Content-Disposition"]


def test_the_name_is_ours(api: Any, trade: Any) -> None:
    send(api, trade, picture(), "../../../etc/chart.php")
    assert [path.parent.name for path in stored()] == ["screenshots"]
    assert stored()[0].suffix == ".webp"
    assert len(stored()[0].stem) == 32


def test_it_is_served_as_a_picture_and_nothing_else(api: Any, trade: Any) -> None:
    send(api, trade, picture())
    served = fetched(api, trade)
    assert served["X-Content-Type-Options"] == "nosniff"
    assert served["Content-Disposition"].startswith("attachment; filename=")
    assert "sandbox" in served["Content-Security-Policy"]
    assert served["Cache-Control"] == "private, no-cache"
    assert fetched(api, trade, **{"If-None-Match": served["ETag"]}).status_code == 304


# --- replacing and dropping -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_new_screenshot_takes_the_place_of_the_old(api: Any, trade: Any) -> None:
    first = send(api, trade, picture()).json()["url"]
    second = send(api, trade, picture(size=(10, 20))).json()
    assert second["url"] != first
    assert (len(stored()), Screenshot.objects.get().width) == (1, 10)


@pytest.mark.django_db(transaction=True)
def test_a_deleted_screenshot_leaves_no_file(api: Any, trade: Any) -> None:
    send(api, trade, picture())
    assert api.delete(f"/api/v1/journal/{trade.pk}/screenshot").status_code == 204
    assert (stored(), fetched(api, trade).status_code) == ([], 404)
    assert api.delete(f"/api/v1/journal/{trade.pk}/screenshot").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_failed_save_keeps_the_old_picture_and_leaves_no_new_one(api: Any, trade: Any, monkeypatch: Any) -> None:
    send(api, trade, picture())
    before = stored()

    def broken(*_: Any, **__: Any) -> Any:
        raise OSError("disk full")

    monkeypatch.setattr(Screenshot.objects, "update_or_create", broken)
    with pytest.raises(OSError, match="disk full"):
        screenshots.keep(trade, read_picture(io.BytesIO(picture()), 100))
    assert stored() == before
    assert fetched(api, trade).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_refused_picture_leaves_the_old_one(api: Any, trade: Any) -> None:
    send(api, trade, picture())
    assert send(api, trade, b"GIF89a").status_code == 422
    assert len(stored()) == 1


def test_a_lost_file_is_a_missing_picture(api: Any, trade: Any) -> None:
    send(api, trade, picture())
    stored()[0].unlink()
    assert fetched(api, trade).status_code == 404


# --- the bad ones -----------------------------------------------------------------------------------------------------

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BOMB = png([(b"IHDR", header(60_000, 60_000)), (b"IDAT", zlib.compress(b"\0" * 10_000_000, 9)), (b"IEND", b"")])
TEXT_BOMB = png(
    [
        (b"IHDR", header(8, 8)),
        (b"zTXt", b"x\0\0" + zlib.compress(b"\0" * 50_000_000, 9)),
        (b"IDAT", zlib.compress(b"\0" * 200)),
        (b"IEND", b""),
    ]
)
PROFILE_BOMB = chunks_of(picture(), (b"iCCP", b"x\0\0" + zlib.compress(b"\0" * 50_000_000, 9)))
REFUSED = {
    "an empty file": (b" ", "not_a_picture"),
    "a web page": (b"<!doctype html><script>alert(1)</script>", "not_a_picture"),
    "a vector drawing": (SVG, "not_a_picture"),
    "an animation": (picture("GIF", mode="P"), "not_a_picture"),
    "a bitmap": (picture("BMP"), "not_a_picture"),
    "a TIFF": (picture("TIFF"), "not_a_picture"),
    "a page that begins like a GIF": (b"GIF89a/*" + SVG, "not_a_picture"),
    "only the first bytes of a PNG": (picture()[:20], "not_a_picture"),
    "a PNG cut short": (picture(size=(400, 400))[:-300], "not_a_picture"),
    "a JPEG cut short": (picture("JPEG", size=(400, 400))[:700], "not_a_picture"),
    "a WebP cut short": (picture("WEBP", size=(400, 400))[:60], "not_a_picture"),
    "a PNG with a wrong checksum": (picture().replace(b"IDAT", b"IDAT!", 1), "not_a_picture"),
    "a pixel bomb": (BOMB, "too_many_pixels"),
    "one pixel row too many": (png([(b"IHDR", header(5_000, 5_001)), (b"IEND", b"")]), "too_many_pixels"),
    "a text bomb": (TEXT_BOMB, "not_a_picture"),
    "a profile bomb": (PROFILE_BOMB, "not_a_picture"),
    "a program": (b"MZ" + bytes(500), "not_a_picture"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_picture_is_refused_with_a_reason(api: Any, trade: Any, what: str) -> None:
    content, code = REFUSED[what]
    answer = send(api, trade, content)
    assert answer.status_code == 422, answer.content
    assert faults(answer) == {"image": [code]}
    assert stored() == []


def test_a_file_over_ten_megabytes_is_refused(api: Any, trade: Any) -> None:
    answer = send(api, trade, picture() + bytes(pictures.MOST_BYTES))
    assert (answer.status_code, faults(answer)) == (413, {"image": ["too_large"]})


def test_a_body_far_over_ten_megabytes_is_not_even_read(api: Any, trade: Any) -> None:
    address = f"/api/v1/journal/{trade.pk}/screenshot"
    answer = api.generic("POST", address, b"", "multipart/form-data; boundary=x", CONTENT_LENGTH=str(10**12))
    assert answer.status_code == 413


def test_a_request_without_a_picture_says_so(api: Any, trade: Any) -> None:
    answer = api.post(f"/api/v1/journal/{trade.pk}/screenshot", {"image": "text"}, format="multipart")
    assert (answer.status_code, faults(answer)) == (422, {"image": ["required"]})


def test_pictures_that_fill_all_there_is_are_refused_until_one_goes(api: Any, alice: Any, settings: Any) -> None:
    settings.SCREENSHOTS_MB = 1
    noise = Image.effect_noise((700, 700), 90).convert("RGB")
    written = io.BytesIO()
    noise.save(written, "PNG")
    account = account_of(alice)
    first, second = closed(account), closed(account)
    assert send(api, first, written.getvalue()).status_code == 201
    Screenshot.objects.update(size=1_000_000 - 100)
    answer = send(api, second, written.getvalue())
    assert (answer.status_code, faults(answer)) == (413, {"image": ["quota"]})
    assert len(stored()) == 1
    assert send(api, first, written.getvalue()).status_code == 201, "the one that is replaced makes room"
    assert Screenshot.objects.get().size == len(max(stored(), key=lambda path: path.stat().st_mtime_ns).read_bytes())
    api.delete(f"/api/v1/journal/{first.pk}/screenshot")
    assert send(api, second, written.getvalue()).status_code == 201


def test_an_animation_is_kept_as_its_first_picture(api: Any, trade: Any) -> None:
    """APNG and WebP may move; what is kept does not."""
    frames = [Image.new("RGB", SIZE, colour) for colour in ("red", "blue")]
    for kind in ("PNG", "WEBP"):
        written = io.BytesIO()
        frames[0].save(written, kind, save_all=True, append_images=frames[1:])
        assert send(api, trade, written.getvalue()).status_code == 201
        kept = Image.open(max(stored(), key=lambda path: path.stat().st_mtime_ns))
        assert getattr(kept, "n_frames", 1) == 1


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data"])
def test_any_other_body_is_refused(api: Any, trade: Any, kind: str) -> None:
    answer = api.generic("POST", f"/api/v1/journal/{trade.pk}/screenshot", b"{}", kind)
    assert answer.status_code in (400, 415), answer.content
    faults(answer)


@effort(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["PNG", "JPEG", "WEBP"]), holes=st.lists(st.tuples(st.integers(0), st.integers(0, 255))))
def test_damaged_pictures_are_taken_whole_or_refused_never_a_crash(kind: str, holes: list[tuple[int, int]]) -> None:
    content = bytearray(picture(kind))
    for place, byte in holes:
        content[place % len(content)] = byte
    with contextlib.suppress(Problem):
        kept = read_picture(io.BytesIO(content), len(content))
        assert Image.open(io.BytesIO(kept.content)).size == (kept.width, kept.height)


# --- two users --------------------------------------------------------------------------------------------------------


def test_a_screenshot_is_shown_to_nobody_else(api: Any, bobs_api: Any, stranger: Any, trade: Any) -> None:
    send(api, trade, picture())
    assert fetched(bobs_api, trade).status_code == 404
    assert send(bobs_api, trade, picture()).status_code == 404
    assert bobs_api.delete(f"/api/v1/journal/{trade.pk}/screenshot").status_code == 404
    assert fetched(stranger, trade).status_code == 401
    assert fetched(api, trade).status_code == 200

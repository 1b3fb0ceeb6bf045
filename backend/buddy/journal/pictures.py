"""Screenshots: decoded, freed of everything but pixels, and written anew. What cannot be decoded is refused.

Nothing of the uploaded file itself is kept: no metadata, no name, no bytes behind the picture.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO

from PIL import Image, ImageOps

from buddy.problems import Problem, fault

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
FORMATS = ("PNG", "JPEG", "WEBP")
WEBP_SIDE = 16_383
"""The longest side the WebP format has room for."""


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    suffix: str
    width: int
    height: int


def read_picture(upload: IO[bytes], size: int) -> Picture:
    """A clean copy of an uploaded picture. Raises Problem, naming the fault, for anything else."""
    if size > MOST_BYTES:
        raise refused("too_large", "The file is larger than 10 MB.", "Send a smaller one.", status=413)
    try:
        with Image.open(upload, formats=FORMATS) as image:
            _check_size(image)
            return _written_anew(_pixels(image), lossy=image.format == "JPEG")
    except Problem:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_many_pixels() from None
    except Exception as error:  # hostile bytes make decoders fail in any way there is
        raise refused(
            "not_a_picture", "This is not a whole PNG, JPEG or WebP picture.", "Save it anew as PNG."
        ) from error


def refused(code: str, message: str, cure: str, status: int = 422) -> Problem:
    return Problem(status, code, message, {"image": [fault(message, cure, code)]})


def too_many_pixels() -> Problem:
    return refused("too_many_pixels", "The picture has more than 25 megapixels.", "Crop it or scale it down.")


def _check_size(image: Image.Image) -> None:
    """Only the header has been read so far: a bomb never gets to be unpacked."""
    if image.width * image.height > MOST_PIXELS:
        raise too_many_pixels()


def _pixels(image: Image.Image) -> Image.Image:
    """Upright and without any metadata: pixels copied into a new image."""
    image.load()
    upright = ImageOps.exif_transpose(image)
    mode = "RGBA" if upright.has_transparency_data else "RGB"
    clean = Image.new(mode, upright.size)
    clean.paste(upright.convert(mode))
    return clean


def _written_anew(clean: Image.Image, *, lossy: bool) -> Picture:
    """WebP, without loss where the original had none; PNG where a side is too long for WebP."""
    written = io.BytesIO()
    suffix = ".webp" if max(clean.size) <= WEBP_SIDE else ".png"
    if suffix == ".png":
        clean.save(written, "PNG", compress_level=6)
    elif lossy:
        clean.save(written, "WEBP", quality=90, method=2)
    else:
        clean.save(written, "WEBP", lossless=True, quality=30, method=1)
    return Picture(written.getvalue(), suffix, *clean.size)

"""Pictures small enough for a page that holds a hundred of them."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from glutseg.output.overlay import AXIAL, SIZE, with_status
from glutseg.report.model import Picture
from glutseg.result import Status

THUMBNAIL_WIDTH_PX = 320
MAX_THUMBNAIL_BYTES = 14_000
QUALITIES = (78, 68, 58, 48, 38, 28)
"""Of JPEG: the first with which a picture stays small enough; noise needs the lower ones."""
MAX_PIXELS = 50_000_000
MAX_FIGURE_BYTES = 3_000_000


@dataclass(frozen=True)
class Size:
    """How large the pictures of a page of so many cases are; without a width there are only thumbnails."""

    max_cases: float
    width_px: int | None
    max_bytes: int


SIZES = (Size(110, 1120, 80_000), Size(400, 760, 25_000), Size(float("inf"), None, 0))
"""On the page a picture is a third larger than its bytes: 110 cases stay below 15 MB, 400 below 25."""


def size_for(n_cases: int) -> Size:
    """The largest pictures with which the page stays handy."""
    return next(size for size in SIZES if n_cases <= size.max_cases)


def case_pictures(
    path: Path, words: str, size: Size, status: Status
) -> tuple[Picture | None, Picture | None]:
    """The picture of a case and its thumbnail, the measured slice alone; None where it cannot be read.

    Parameters
    ----------
    status : as people decided; the picture is given this one
    """
    try:
        with Image.open(path, formats=["PNG"]) as stored:
            if stored.width * stored.height > MAX_PIXELS:
                return None, None
            image = with_status(stored.convert("RGB"), status)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None, None
    axial = image.crop(AXIAL.corners) if image.size == SIZE else image
    thumbnail = _jpeg(axial, THUMBNAIL_WIDTH_PX, MAX_THUMBNAIL_BYTES, words)
    large = None if size.width_px is None else _jpeg(image, size.width_px, size.max_bytes, words)
    return large, thumbnail


def figure_picture(path: Path, words: str) -> Picture | None:
    """A figure as it is; None where it is not there or is no PNG of sensible size."""
    try:
        if path.stat().st_size > MAX_FIGURE_BYTES:
            return None
        content = path.read_bytes()
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            width, height = image.size
            image.verify()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return Picture(_address(content, "image/png"), words, width, height)


def _jpeg(image: Image.Image, width_px: int, max_bytes: int, words: str) -> Picture:
    height_px = round(image.height * width_px / image.width)
    small = image.resize((width_px, height_px), Image.Resampling.LANCZOS)
    content = b""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality, optimize=True)
        content = buffer.getvalue()
        if len(content) <= max_bytes:
            break
    return Picture(_address(content, "image/jpeg"), words, width_px, height_px)


def _address(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"

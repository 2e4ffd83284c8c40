"""A picture to draw on: grey images, smooth lines, text. The same drawing gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

FONT = Path(__file__).with_name("DejaVuSans.ttf")
"""Comes with glutseg, so that every machine draws the same; made by scripts/make_font.py."""
FINER = 4
"""Lines are drawn so much larger and made smaller again, which makes their edges smooth."""
COMPRESS_LEVEL = 3
HALO_COLOUR = "black"

Path2d = npt.NDArray[np.float64]
"""The corners of a line, (n, 2) as (x, y)."""


class Box(NamedTuple):
    """A part of the picture, from its upper left corner."""

    left: float
    top: float
    width: float
    height: float

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.left, self.top, self.left + self.width, self.top + self.height

    def fitted(self, width: float, height: float) -> Box:
        """The largest box of this shape in the middle of it."""
        scale = min(self.width / width, self.height / height)
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        return Box(
            round(self.left + (self.width - width) / 2),
            round(self.top + (self.height - height) / 2),
            width,
            height,
        )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The point that lies at these shares of width and height."""
        return self.left + x * self.width, self.top + y * self.height


@dataclass(frozen=True)
class Pen:
    """How a line looks.

    Attributes
    ----------
    halo : width of the dark line under it
    dashes : lengths that are drawn and left out, in turn
    """

    colour: str
    width: float
    halo: float = 0.0
    dashes: tuple[float, float] | None = None


class Canvas:
    """All lengths are in pixels of a picture of ``size``; it is stored ``zoom`` times as large."""

    def __init__(self, size: tuple[int, int], colour: str, zoom: int = 1) -> None:
        self.zoom = zoom
        self.picture = Image.new("RGB", (size[0] * zoom, size[1] * zoom), colour)
        self._draw = ImageDraw.Draw(self.picture)

    @classmethod
    def over(cls, picture: Image.Image) -> Canvas:
        """A canvas to draw on a copy of a picture that is stored as large as it is."""
        canvas = cls((1, 1), HALO_COLOUR)
        canvas.picture = picture.convert("RGB")
        canvas._draw = ImageDraw.Draw(canvas.picture)
        return canvas

    def fill(self, box: Box, colour: str) -> None:
        """Cover a box."""
        self._draw.rectangle([corner * self.zoom for corner in box.corners], colour)

    def grey(self, pixels: npt.NDArray[np.uint8], box: Box) -> None:
        """Show (row, column) in a box, resampled smoothly."""
        left, top, width, height = (round(length * self.zoom) for length in box)
        grey = Image.fromarray(np.ascontiguousarray(pixels))
        self.picture.paste(grey.resize((width, height), Image.Resampling.BICUBIC), (left, top))

    def lines(self, paths: Iterable[Path2d], pen: Pen) -> None:
        """Draw lines with one pen."""
        paths = [path * self.zoom for path in paths]
        if pen.dashes is not None:
            on, off = (length * self.zoom for length in pen.dashes)
            paths = [dash for path in paths for dash in _dashes(path, on, off)]
        if not paths:
            return
        corners = np.concatenate(paths)
        margin = (max(pen.width, pen.halo) * self.zoom) / 2 + 1
        start = np.floor(corners.min(axis=0) - margin).astype(int)
        size = np.ceil(corners.max(axis=0) + margin).astype(int) - start
        for colour, width in ((HALO_COLOUR, pen.halo), (pen.colour, pen.width)):
            if width:
                covered = _covered(((path - start) for path in paths), size, width * self.zoom)
                self.picture.paste(colour, (int(start[0]), int(start[1])), covered)

    def text(
        self,
        place: tuple[float, float],
        text: str,
        size: float,
        colour: str,
        *,
        anchor: str = "lm",
        halo: int = 0,
        max_width: float | None = None,
    ) -> None:
        """Write one line; what is wider than allowed ends in an ellipsis.

        Parameters
        ----------
        anchor : of the text at its place, as Pillow names it: left, middle or right, then ascender,
            middle or descender
        """
        font = _font(size * self.zoom)
        if max_width is not None:
            text = _shortened(text, font, max_width * self.zoom)
        x, y = place
        self._draw.text(
            (x * self.zoom, y * self.zoom),
            text,
            colour,
            font,
            anchor,
            stroke_width=halo * self.zoom,
            stroke_fill=HALO_COLOUR,
        )

    def png(self) -> bytes:
        """The picture as a file."""
        buffer = io.BytesIO()
        self.picture.save(buffer, "PNG", compress_level=COMPRESS_LEVEL)
        return buffer.getvalue()


def wrapped(text: str, size: float, width: float) -> list[str]:
    """A text in lines of this width at most, unless a word is longer."""
    font, lines = _font(size), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if not lines[-1] or font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    # the other layout engine is not there on every machine
    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    while len(text) > 1 and font.getlength(text) > width:
        text = f"{text[:-2]}…"
    return text


def _covered(paths: Iterable[Path2d], size: npt.NDArray[np.int_], width: float) -> Image.Image:
    """How much of every pixel the lines cover, from 0 to 255."""
    large = Image.new("L", (FINER * int(size[0]), FINER * int(size[1])))
    draw = ImageDraw.Draw(large)
    for path in paths:
        centres = FINER * path - 0.5
        draw.line(centres.ravel().tolist(), 255, round(FINER * width), joint="curve")
    return large.reduce(FINER)


def _dashes(path: Path2d, on: float, off: float) -> Iterator[Path2d]:
    """The pieces of a line that are drawn."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    for start in np.arange(0.0, along[-1], on + off):
        end = min(start + on, along[-1])
        within = along[(along > start) & (along < end)]
        stations = np.concatenate([[start], within, [end]])
        yield np.column_stack([np.interp(stations, along, path[:, axis]) for axis in (0, 1)])

"""The picture of a case: what was measured, where, and what a reader should look at.

Radiological display: the patient's right is on the viewer's left, the front is at the top.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL.Image import Image
from skimage.measure import find_contours

from glutseg.image import LABELS, CtImage, Int16Array, LabelArray, Mask
from glutseg.output.canvas import Box, Canvas, Path2d, Pen
from glutseg.output.caption import draw_caption, draw_status
from glutseg.output.other_outline import NO_OTHERS, BoolArray, OtherOutlines, far_from
from glutseg.output.style import BACKGROUND, INK, LEVEL_COLOUR, OTHER_COLOURS, QUIET_INK, SIDE_COLOURS
from glutseg.output.view import View, case_view, view_at
from glutseg.result import CaseResult, Status

WINDOW_HU = (-125, 225)
"""W 350 L 50: fat dark grey, muscle light grey, the planes between muscles visible."""
SCALE_BAR_MM = 50.0
SIZE = (1500, 920)
"""Pixels of the picture, as of all places in it."""
AXIAL = Box(15, 55, 960, 635)
AXIAL_ALONE = Box(15, 55, 1470, 635)
CORONAL = Box(1005, 55, 480, 414)
SAGITTAL = Box(1005, 488, 480, 414)
OUTLINE_WIDTH, OTHER_WIDTH, HALO_WIDTH = 2.0, 1.5, 3.6
OTHER_DASHES = (7.5, 3.0)
LEVEL_PEN = Pen(LEVEL_COLOUR, 2.0, dashes=(10.0, 5.0))
SLICE_ZOOM = 2
"""A slice alone is for print as well."""


@dataclass(frozen=True)
class _Plane:
    """A cut through the volume as it is shown, rows from top to bottom."""

    hu: Int16Array
    labels: LabelArray | None
    row_mm: float
    column_mm: float
    marks: tuple[str, str]
    is_cut: bool = False
    """Outlined around the level only: the muscles go on beyond, so their outlines are left open there."""


@dataclass(frozen=True)
class _Shown:
    """A plane in its box on the canvas."""

    canvas: Canvas
    plane: _Plane
    box: Box

    def contours(self, inside: BoolArray, where: BoolArray | None = None) -> list[Path2d]:
        """The borders of a region, where asked, on the canvas."""
        rows, columns = inside.shape
        found = find_contours(inside.astype(float), 0.5, mask=where) if min(inside.shape) > 1 else []
        scale, corner = (self.box.width / columns, self.box.height / rows), self.box[:2]
        return [(path[:, ::-1] + 0.5) * scale + corner for path in found]


def draw_overlay(
    image: CtImage, mask: Mask | None, result: CaseResult, other_outlines: OtherOutlines = NO_OTHERS
) -> bytes:
    """PNG of the measured slice with both outlines, two thumbnails with the level, and the figures.

    Parameters
    ----------
    image, mask : on one grid
    result : with a level; may have failed after it
    other_outlines : drawn thin where they differ from the mask

    Raises
    ------
    ValueError
        When the result has no level.
    """
    view = case_view(image, mask, result, other_outlines)
    canvas = Canvas(SIZE, BACKGROUND)
    is_alone = len(view.hu) == 1  # a single slice has no other cuts
    axial = _show(canvas, _axial(view), AXIAL_ALONE if is_alone else AXIAL)
    _show_others(axial, view)
    _scale_bar(axial)
    for cut, box in () if is_alone else ((_coronal, CORONAL), (_sagittal, SAGITTAL)):
        _show_level(_show(canvas, cut(view, is_cut=not result.has_whole_muscles), box), view)
    draw_caption(canvas, result)
    return canvas.png()


def with_status(overlay: Image, status: Status) -> Image:
    """An overlay with another status in its caption; a picture of another size is returned as it is.

    The overlay of a run shows the automatic status for good, and people decide afterwards.
    """
    if overlay.size != SIZE:
        return overlay
    canvas = Canvas.over(overlay)
    draw_status(canvas, status)
    return canvas.picture


def draw_slice(image: CtImage, mask: Mask | None, slice_index: int) -> Image:
    """One slice with the outlines on it, cropped to the body.

    Parameters
    ----------
    image, mask : on one grid
    """
    plane = _axial(view_at(image, mask, slice_index))
    box = _fitted(plane, Box(0, 0, AXIAL.width, AXIAL.height))._replace(left=0, top=0)
    canvas = Canvas((round(box.width), round(box.height)), BACKGROUND, SLICE_ZOOM)
    _scale_bar(_show(canvas, plane, box))
    return canvas.picture


def _axial(view: View) -> _Plane:
    _, sy, sx = view.spacing_mm
    labels = None if view.labels is None else view.labels[view.slice_index]
    return _Plane(view.hu[view.slice_index], labels, sy, sx, marks=("R", "L"))


def _coronal(view: View, *, is_cut: bool) -> _Plane:
    sz, _, sx = view.spacing_mm
    labels = None if view.labels is None else view.labels[::-1, view.row]
    return _Plane(view.hu[::-1, view.row], labels, sz, sx, ("R", "L"), is_cut)


def _sagittal(view: View, *, is_cut: bool) -> _Plane:
    sz, sy, _ = view.spacing_mm
    labels = None if view.labels is None else view.labels[::-1, :, view.column]
    return _Plane(view.hu[::-1, :, view.column], labels, sz, sy, ("A", "P"), is_cut)


def _fitted(plane: _Plane, box: Box) -> Box:
    rows, columns = plane.hu.shape
    return box.fitted(columns * plane.column_mm, rows * plane.row_mm)


def _show(canvas: Canvas, plane: _Plane, box: Box) -> _Shown:
    """The plane in the middle of the box, with outlines and marks."""
    shown = _Shown(canvas, plane, _fitted(plane, box))
    canvas.grey(_windowed(plane.hu), shown.box)
    if plane.labels is not None:
        for label, colour in _colours(plane.labels):
            inside = plane.labels == label
            outline = shown.contours(inside, where=_between_ends(inside) if plane.is_cut else None)
            canvas.lines(outline, Pen(colour, OUTLINE_WIDTH, HALO_WIDTH))
    for x, mark, anchor in ((0.01, plane.marks[0], "la"), (0.99, plane.marks[1], "ra")):
        canvas.text(shown.box.at(x, 0.01), mark, 21, INK, anchor=anchor, halo=1)
    return shown


def _between_ends(inside: BoolArray) -> BoolArray | None:
    """The rows of a region without the borders above and below it; None where it has hardly any rows."""
    (rows,) = np.nonzero(inside.any(axis=1))
    if len(rows) < 3:
        return None
    where = np.zeros(inside.shape, dtype=bool)
    where[rows[0] : rows[-1] + 1] = True
    return where


def _windowed(hu: Int16Array) -> npt.NDArray[np.uint8]:
    low, high = WINDOW_HU
    grey = (np.clip(hu, low, high) - float(low)) * (255 / (high - low))
    return np.asarray(np.rint(grey), dtype=np.uint8)


def _colours(labels: LabelArray) -> Iterator[tuple[int, str]]:
    """The labels that are there, with their colours."""
    for muscle, sides in LABELS.items():
        for side, label in sides.items():
            if (labels == label).any():
                yield label, OTHER_COLOURS.get(muscle, SIDE_COLOURS[side])


def _show_others(axial: _Shown, view: View) -> None:
    """The other outlines, thin and only where they leave the measured ones."""
    plane = axial.plane
    if plane.labels is None:
        return
    is_drawn = False
    for (muscle, side), other in reversed(tuple(view.other_outlines.items())):  # the maximus on top
        far = far_from(plane.labels == LABELS[muscle][side], (plane.row_mm, plane.column_mm))
        outline = axial.contours(other, where=far)
        colour = OTHER_COLOURS.get(muscle, SIDE_COLOURS[side])
        axial.canvas.lines(outline, Pen(colour, OTHER_WIDTH, HALO_WIDTH, OTHER_DASHES))
        is_drawn |= bool(outline)
    if is_drawn:
        words = "thin: outline of the second method, where it differs"
        axial.canvas.text(axial.box.at(0.01, 0.98), words, 14, QUIET_INK, anchor="ld", halo=1)


def _show_level(shown: _Shown, view: View) -> None:
    n_slices = len(view.hu)
    y = (n_slices - view.slice_index - 0.5) / n_slices
    level = np.array([shown.box.at(0, y), shown.box.at(1, y)])
    shown.canvas.lines([level], LEVEL_PEN)
    if shown.plane.is_cut and view.labels is not None:
        shown.canvas.text(shown.box.at(0.02, 0.98), _outlined_words(view), 14, INK, anchor="ld", halo=1)


def _outlined_words(view: View) -> str:
    """How far above and below the level there are outlines; empty where there are none."""
    labels = view.labels
    slices = np.flatnonzero(labels.any(axis=(1, 2))) if labels is not None else np.empty(0)
    if not len(slices):
        return ""
    up, down = (abs(int(end) - view.slice_index) * view.spacing_mm[0] for end in (slices[-1], slices[0]))
    reach = f"± {up:.0f}" if round(up) == round(down) else f"+ {up:.0f}, − {down:.0f}"
    return f"outlined: {reach} mm around the level"


def _scale_bar(axial: _Shown) -> None:
    """A bar of 5 cm in the lower right corner, below the patient where the table is."""
    width_mm = axial.plane.hu.shape[1] * axial.plane.column_mm
    end, y = axial.box.at(0.975, 0.965)
    bar = np.array([(end - SCALE_BAR_MM / width_mm * axial.box.width, y), (end, y)])
    axial.canvas.lines([bar], Pen(INK, 4.0))
    axial.canvas.text((end, y - 6), "5 cm", 15, INK, anchor="rd", halo=1)

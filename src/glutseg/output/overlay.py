"""The picture of a case: what was measured, where, and what a reader should look at.

Radiological display: the patient's right is on the viewer's left, the front is at the top.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke

from glutseg.image import LABELS, CtImage, Int16Array, LabelArray, Mask
from glutseg.output.caption import draw_caption
from glutseg.output.other_outline import NO_OTHERS, OtherOutlines, far_from
from glutseg.output.style import BACKGROUND, INK, LEVEL_COLOUR, OTHER_COLOURS, QUIET_INK, SIDE_COLOURS
from glutseg.output.view import View, case_view, view_at
from glutseg.result import CaseResult

WINDOW_HU = (-125, 225)
"""W 350 L 50: fat dark grey, muscle light grey, the planes between muscles visible."""
SCALE_BAR_MM = 50.0
FIGURE_INCHES = (15.0, 9.2)
DPI = 100
OTHER_DASHES = (0, (5, 2))
HALO = [Stroke(linewidth=2.6, foreground="black"), Normal()]


@dataclass(frozen=True)
class _Plane:
    """A cut through the volume as it is shown: rows from top to bottom unless ``upwards``."""

    hu: Int16Array
    labels: LabelArray | None
    row_mm: float
    column_mm: float
    upwards: bool
    marks: tuple[str, str]


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
    figure = Figure(figsize=FIGURE_INCHES, dpi=DPI, facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    axial = figure.add_axes((0.01, 0.25, 0.64, 0.69))
    _show(axial, _axial(view))
    _show_others(axial, view)
    _scale_bar(axial, view)
    coronal = figure.add_axes((0.67, 0.49, 0.32, 0.45))
    _show(coronal, _coronal(view))
    sagittal = figure.add_axes((0.67, 0.02, 0.32, 0.45))
    _show(sagittal, _sagittal(view))
    for axes in (coronal, sagittal):
        axes.axhline(view.slice_index, color=LEVEL_COLOUR, linewidth=1.2, linestyle=(0, (6, 3)))
    draw_caption(figure, result)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor=BACKGROUND, metadata={"Software": None})
    return buffer.getvalue()


def draw_slice(axes: Axes, image: CtImage, mask: Mask | None, slice_index: int) -> None:
    """One slice with the outlines on it, cropped to the body, on axes of the caller's.

    Parameters
    ----------
    image, mask : on one grid
    """
    view = view_at(image, mask, slice_index)
    _show(axes, _axial(view))
    _scale_bar(axes, view)


def _axial(view: View) -> _Plane:
    _, sy, sx = view.spacing_mm
    labels = None if view.labels is None else view.labels[view.slice_index]
    return _Plane(view.hu[view.slice_index], labels, sy, sx, upwards=False, marks=("R", "L"))


def _coronal(view: View) -> _Plane:
    sz, _, sx = view.spacing_mm
    labels = None if view.labels is None else view.labels[:, view.row]
    return _Plane(view.hu[:, view.row], labels, sz, sx, upwards=True, marks=("R", "L"))


def _sagittal(view: View) -> _Plane:
    sz, sy, _ = view.spacing_mm
    labels = None if view.labels is None else view.labels[:, :, view.column]
    return _Plane(view.hu[:, :, view.column], labels, sz, sy, upwards=True, marks=("A", "P"))


def _show(axes: Axes, plane: _Plane) -> None:
    axes.imshow(
        plane.hu,
        cmap="gray",
        vmin=WINDOW_HU[0],
        vmax=WINDOW_HU[1],
        aspect=plane.row_mm / plane.column_mm,
        origin="lower" if plane.upwards else "upper",
        interpolation="bilinear",
    )
    axes.set_axis_off()
    if plane.labels is not None:
        for muscle, sides in LABELS.items():
            for side, label in sides.items():
                inside = (plane.labels == label).astype(np.uint8)
                if inside.any() and min(inside.shape) > 1:
                    colour = OTHER_COLOURS.get(muscle, SIDE_COLOURS[side])
                    outline = axes.contour(inside, levels=[0.5], colors=[colour], linewidths=1.5)
                    outline.set_path_effects(HALO)
    for x, mark, align in ((0.01, plane.marks[0], "left"), (0.99, plane.marks[1], "right")):
        text = axes.text(x, 0.98, mark, transform=axes.transAxes, color=INK, fontsize=15, ha=align, va="top")
        text.set_path_effects(HALO)


def _show_others(axes: Axes, view: View) -> None:
    """The other outlines, thin and only where they leave the measured ones."""
    if view.labels is None:
        return
    labels, (_, row_mm, column_mm) = view.labels[view.slice_index], view.spacing_mm
    is_drawn = False
    for (muscle, side), other in reversed(tuple(view.other_outlines.items())):  # the maximus on top
        is_near = ~far_from(labels == LABELS[muscle][side], (row_mm, column_mm))
        seen = np.ma.masked_array(other.astype(np.uint8), mask=is_near)
        colour = OTHER_COLOURS.get(muscle, SIDE_COLOURS[side])
        if np.ma.ptp(seen) == 1:
            line = axes.contour(
                seen,
                levels=[0.5],
                colors=[colour],
                linewidths=1.1,
                linestyles=[OTHER_DASHES],
                corner_mask=False,
            )
            line.set_path_effects(HALO)
            is_drawn |= any(np.size(path.vertices) for path in line.get_paths())
    if is_drawn:
        words = "thin: another outline of the same muscle, where it differs"
        axes.text(0.01, 0.02, words, transform=axes.transAxes, color=QUIET_INK, fontsize=10, va="bottom")


def _scale_bar(axes: Axes, view: View) -> None:
    """A bar of 5 cm in the lower right corner, below the patient where the table is."""
    _, height, width = view.hu.shape
    end, y = 0.975 * width, 0.965 * height
    start = end - SCALE_BAR_MM / view.spacing_mm[2]
    axes.plot([start, end], [y, y], color=INK, linewidth=3, solid_capstyle="butt")
    axes.text(end, y - 0.012 * height, "5 cm", color=INK, fontsize=11, ha="right", va="bottom")

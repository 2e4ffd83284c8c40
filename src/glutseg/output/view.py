"""What of an image is shown: cropped to the body, and the planes to cut along."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from glutseg.image import SIDES, CtImage, Int16Array, LabelArray, Mask
from glutseg.output.other_outline import NO_OTHERS, OtherOutlines
from glutseg.result import CaseResult

BODY_HU = -200
"""Above the air around the patient and below fat (-120 to -80)."""
MARGIN_MM = 8.0
REACH_MM = 220.0
"""Shown above and below the level: of a whole-body scan, the pelvis is what matters."""
THIN_MM = 6.0
"""What is thinner than this around the body is table, blanket or tube."""


@dataclass(frozen=True)
class View:
    """Arrays (z, y, x), cropped to the body; indices count in them.

    ``other_outlines`` are those of the slice, (row, column), cropped as it is.
    """

    hu: Int16Array
    labels: LabelArray | None
    spacing_mm: tuple[float, float, float]
    slice_index: int
    row: int
    column: int
    other_outlines: OtherOutlines = field(default_factory=dict)


def case_view(
    image: CtImage, mask: Mask | None, result: CaseResult, other_outlines: OtherOutlines = NO_OTHERS
) -> View:
    """Crop to the body on the measured slice; cut through the middle of the muscle, or of the body.

    Raises
    ------
    ValueError
        When the result has no level.
    """
    if result.level is None:
        msg = "a picture needs a level"
        raise ValueError(msg)
    return view_at(image, mask, result.level.slice_index, other_outlines)


def view_at(
    image: CtImage, mask: Mask | None, slice_index: int, other_outlines: OtherOutlines = NO_OTHERS
) -> View:
    """The view of a slice."""
    spacing_mm = image.geometry.spacing_mm
    box = _body_box(image.hu[slice_index], spacing_mm[1:])
    reach = round(REACH_MM / spacing_mm[0])
    bottom = max(0, slice_index - reach)
    shown = (slice(bottom, slice_index + reach + 1), *box)
    hu = image.hu[shown]
    labels = None if mask is None else mask.labels[shown]
    row, column = _cut(labels, slice_index - bottom, hu.shape)
    others = {which: outline[box] for which, outline in other_outlines.items()}
    return View(hu, labels, spacing_mm, slice_index - bottom, row, column, others)


def _body_box(hu2d: Int16Array, spacing_mm: tuple[float, float]) -> tuple[slice, slice]:
    body = hu2d > BODY_HU
    radius_px = max(1, round(THIN_MM / 2 / min(spacing_mm)))
    opened = ndimage.binary_opening(body, iterations=radius_px)
    labelled, n = ndimage.label(opened)
    if n == 0:
        return slice(0, hu2d.shape[0]), slice(0, hu2d.shape[1])
    largest = 1 + int(np.argmax(np.bincount(labelled.ravel())[1:]))
    found = ndimage.find_objects(labelled)[largest - 1]
    margins = [round(MARGIN_MM / s) for s in spacing_mm]
    bounds = [
        slice(max(0, part.start - margin), min(n_pixels, part.stop + margin))
        for part, margin, n_pixels in zip(found, margins, hu2d.shape, strict=True)
    ]
    return bounds[0], bounds[1]


def _cut(labels: npt.NDArray[np.uint8] | None, slice_index: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Row of the coronal cut (middle of both muscles) and column of the sagittal one (the left's)."""
    if labels is None or not np.isin(labels[slice_index], list(SIDES.values())).any():
        return shape[1] * 2 // 3, shape[2] * 2 // 3  # about where the left muscle is in most patients
    left, right = (labels[slice_index] == label for label in SIDES.values())
    one = left if left.any() else right
    return int(np.median(np.nonzero(left | right)[0])), int(np.median(np.nonzero(one)[1]))

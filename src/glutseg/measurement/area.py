"""One muscle on one slice: how large, of what, how dense."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.measure import find_contours

from glutseg.errors import GlutsegError
from glutseg.image import LABELS, CtImage, Mask, Muscle, Side
from glutseg.protocol import TissueRule
from glutseg.result import SliceMeasurement

NO_MUSCLE = SliceMeasurement(*[math.nan] * 9)
"""What is known of a side without a single pixel: nothing, not an area of zero."""


def measure_side(
    hu2d: npt.NDArray[Any],
    mask2d: npt.NDArray[Any],
    pixel_spacing_mm: tuple[float, float],
    tissue: TissueRule,
) -> SliceMeasurement:
    """Measure one muscle of one side on one slice.

    Parameters
    ----------
    hu2d : (y, x), Hounsfield units
    mask2d : (y, x), non-zero inside the fascia of the muscle
    pixel_spacing_mm : (y, x)
    tissue : HU windows (inclusive at both ends) of lean muscle and intermuscular fat

    Returns
    -------
    SliceMeasurement
        All NaN where the mask is empty; ``sd_hu`` (n - 1) is NaN on a single pixel.

    Raises
    ------
    ValueError
        When the two arrays differ in shape or are not two-dimensional.
    """
    if hu2d.shape != mask2d.shape or hu2d.ndim != 2:
        msg = f"expected two slices of one shape, got {hu2d.shape} and {mask2d.shape}"
        raise ValueError(msg)
    inside = mask2d.astype(bool)
    values = hu2d[inside].astype(np.float64)
    if values.size == 0:
        return NO_MUSCLE
    pixel_mm2 = pixel_spacing_mm[0] * pixel_spacing_mm[1]
    lean = within(values, tissue.muscle_hu)
    imat = within(values, tissue.imat_hu)
    return SliceMeasurement(
        area_mm2=values.size * pixel_mm2,
        polygon_area_mm2=polygon_area_px(inside) * pixel_mm2,
        lean_area_mm2=int(lean.sum()) * pixel_mm2,
        imat_area_mm2=int(imat.sum()) * pixel_mm2,
        mean_hu=float(values.mean()),
        sd_hu=float(values.std(ddof=1)) if values.size > 1 else math.nan,
        min_hu=float(values.min()),
        max_hu=float(values.max()),
        lean_mean_hu=float(values[lean].mean()) if lean.any() else math.nan,
    )


def measure_slice(
    volume: CtImage, mask: Mask, slice_index: int, tissue: TissueRule, muscle: Muscle = "maximus"
) -> dict[Side, SliceMeasurement]:
    """One muscle, both sides, on one slice of a volume and its mask.

    Parameters
    ----------
    volume, mask : on one axial grid
    slice_index : from 0 at the feet
    tissue : HU windows

    Returns
    -------
    dict
        "left" and "right"; all NaN for a side without a pixel.

    Raises
    ------
    GlutsegError
        ``geometry-mismatch`` when the two are not on one grid; ``level-outside``, ``level-in-gap`` and
        ``slice-not-read`` for a slice without a measurable image.
    """
    check_grid(volume, mask)
    volume.check_slice(slice_index)
    hu2d, labels2d = volume.hu[slice_index], mask.labels[slice_index]
    spacing_mm = volume.geometry.spacing_mm[1:]
    return {
        side: measure_side(hu2d, labels2d == label, spacing_mm, tissue)
        for side, label in LABELS[muscle].items()
    }


def check_grid(volume: CtImage, mask: Mask) -> None:
    """Raise ``geometry-mismatch`` where a volume and a mask are not on one grid."""
    if not volume.geometry.matches(mask.geometry):
        raise GlutsegError("geometry-mismatch", "the volume and the mask are on different grids")


def polygon_area_px(mask2d: npt.NDArray[Any]) -> float:
    """Area (pixels) within the outlines half-way between inside and outside pixels.

    Marching squares at 0.5 cuts each corner of the pixel staircase by an eighth of a pixel, so this
    is a little smaller than the count, as the area of a hand-drawn outline is. Holes are subtracted.
    """
    padded = np.pad(mask2d.astype(np.float64), 1)  # so that outlines close at the picture's edge
    return abs(sum(_signed_area(c) for c in find_contours(padded, 0.5)))


def _signed_area(contour: npt.NDArray[np.float64]) -> float:
    """Shoelace formula; outlines of holes run the other way round and come out with the other sign."""
    y, x = contour[:, 0], contour[:, 1]
    return float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2


def within(values: npt.NDArray[Any], window_hu: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Where HU lie in a window, both its ends included."""
    return (values >= window_hu[0]) & (values <= window_hu[1])

"""What a person's hand is helped with: growing again from clicks, and slices between and beside drawn ones.

All on plain arrays of one muscle, so that a screen, a script or a test can call it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi
from skimage.segmentation import watershed

BoolArray = npt.NDArray[np.bool_]
Point = tuple[int, int]
"""(y, x), a pixel of the slice."""

CORE_MM = 5.0
"""What lies this deep within the outline stays, unless a click says that it is outside."""
REACH_MM = 40.0
"""The region may grow this far beyond the outline and the clicks."""
CLICK_MM = 1.5
"""A click stands for a disc of this radius."""
LOCAL_MM = 40.0
"""Around a click, what it may change; the rest of the outline stays as it was drawn."""
AWAY_MM = 8.0
"""Around a click outside, what was inside is open again."""
SMOOTHING_MM = 1.0


def regrow(
    hu2d: npt.NDArray[np.int16],
    inside2d: BoolArray,
    spacing_mm: tuple[float, float],
    *,
    inside: Sequence[Point] = (),
    outside: Sequence[Point] = (),
    window_hu: tuple[float, float] = (-190.0, 200.0),
) -> BoolArray:
    """Grow a muscle again on one slice, from its middle and from clicks, against what lies around.

    Two regions grow along the ground between them, the muscle and the rest, and meet on the steepest
    change of density (watershed). A click changes what is near it only: clicks inside add, clicks
    outside take away, both together move the border. Without any click the whole outline is found anew.

    Parameters
    ----------
    hu2d, inside2d : (y, x), the slice and the outline so far; it may be empty
    spacing_mm : (y, x)
    inside, outside : clicks
    window_hu : smoothed density that the muscle may have; what is out of it does not grow

    Returns
    -------
    ndarray of bool
        (y, x); unchanged where there is neither an outline nor a click inside.
    """
    clicked_in = _discs(inside, hu2d.shape, spacing_mm, CLICK_MM)
    clicked_out = _discs(outside, hu2d.shape, spacing_mm, CLICK_MM)
    core = _deeper_than(inside2d, spacing_mm, CORE_MM) & ~_discs(outside, hu2d.shape, spacing_mm, AWAY_MM)
    muscle = (core | clicked_in) & ~clicked_out
    if not muscle.any():
        return inside2d.copy()
    near = ~_deeper_than(~(inside2d | clicked_in), spacing_mm, REACH_MM)
    box = _box(near)
    smooth = ndi.gaussian_filter(hu2d[box].astype(np.float32), [SMOOTHING_MM / s for s in spacing_mm])
    allowed = (smooth >= window_hu[0]) & (smooth <= window_hu[1])
    steep = np.hypot(*np.gradient(smooth, *spacing_mm))
    markers = np.zeros(smooth.shape, np.int32)
    markers[~near[box] | ~allowed | clicked_out[box]] = 2
    markers[muscle[box]] = 1
    grown = np.zeros(hu2d.shape, bool)
    grown[box] = watershed(steep, markers) == 1
    found = _joined(np.asarray(ndi.binary_fill_holes(grown)) & ~clicked_out, muscle)
    if not inside and not outside:
        return found
    local = _discs((*inside, *outside), hu2d.shape, spacing_mm, LOCAL_MM)
    if not outside:
        found |= inside2d
    elif not inside:
        found &= inside2d
    return np.where(local, found, inside2d)


def interpolate(first: BoolArray, last: BoolArray, n_between: int) -> BoolArray:
    """Outlines for the slices between two drawn ones, by their signed distances.

    Parameters
    ----------
    first, last : (y, x)
    n_between : slices between them

    Returns
    -------
    ndarray of bool
        (n_between, y, x); towards an empty slice the outline shrinks to nothing.
    """
    near, far = _signed_distance(first), _signed_distance(last)
    if not last.any():
        far = near - near.max()
    elif not first.any():
        near = far - far.max()
    shares = np.arange(1, n_between + 1) / (n_between + 1)
    return np.asarray([(1 - share) * near + share * far > 0 for share in shares], bool).reshape(
        n_between, *first.shape
    )


def edited_slices(labels: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8], label: int) -> list[int]:
    """Slices on which one muscle is no longer as it was."""
    return [k for k in range(len(labels)) if ((labels[k] == label) != (before[k] == label)).any()]


def _signed_distance(mask: BoolArray) -> npt.NDArray[np.float64]:
    """In pixels, positive inside."""
    if not mask.any():
        return np.full(mask.shape, -1.0)
    return np.asarray(ndi.distance_transform_edt(mask) - ndi.distance_transform_edt(~mask))


def _deeper_than(mask: BoolArray, spacing_mm: tuple[float, float], depth_mm: float) -> BoolArray:
    if not mask.any():
        return np.zeros(mask.shape, bool)
    return np.asarray(ndi.distance_transform_edt(mask, sampling=spacing_mm) > depth_mm)


def _discs(
    points: Sequence[Point], shape: tuple[int, ...], spacing_mm: tuple[float, float], radius_mm: float
) -> BoolArray:
    out = np.zeros(shape, bool)
    for y, x in points:
        dy = (np.arange(shape[0]) - y)[:, None] * spacing_mm[0]
        dx = (np.arange(shape[1]) - x)[None, :] * spacing_mm[1]
        out |= dy**2 + dx**2 <= radius_mm**2
        out[y, x] = True
    return out


def _box(mask: BoolArray) -> tuple[slice, slice]:
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _joined(grown: BoolArray, seeds: BoolArray) -> BoolArray:
    """Only the pieces that hold a seed."""
    pieces, n = ndi.label(grown)
    held = np.zeros(n + 1, bool)
    held[np.unique(pieces[seeds])] = True
    held[0] = False
    return np.asarray(held[pieces])

"""How alike two outlines are: Dice, 95 % Hausdorff distance, mean surface distance.

The surface of a mask are its pixels with a face on the outside; distances are between their middles, in
mm. The 95 % Hausdorff distance is the larger of the two directed 95th percentiles, the mean surface
distance the mean of the two directed means (as in Maier-Hein et al., Nat Methods 2024;21:195).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

BoolArray = npt.NDArray[np.bool_]
HAUSDORFF_PERCENT = 95.0


@dataclass(frozen=True)
class Overlap:
    """``dice`` from 0 to 1; ``hd95_mm`` and ``mean_distance_mm`` are None where a mask is empty."""

    dice: float
    hd95_mm: float | None
    mean_distance_mm: float | None


def overlap(a: BoolArray, b: BoolArray, spacing_mm: tuple[float, ...]) -> Overlap | None:
    """Compare two masks of one shape, in two or three dimensions.

    Parameters
    ----------
    a, b : (y, x) or (z, y, x)
    spacing_mm : per axis, in the order of the array's

    Returns
    -------
    Overlap or None
        None where both masks are empty: nothing was outlined, so nothing agrees or disagrees.
    """
    if a.shape != b.shape or a.ndim != len(spacing_mm):
        msg = f"masks of shapes {a.shape} and {b.shape} with spacing {spacing_mm}"
        raise ValueError(msg)
    total = int(a.sum()) + int(b.sum())
    if not total:
        return None
    dice = 2 * int((a & b).sum()) / total
    if not a.any() or not b.any():
        return Overlap(dice, None, None)
    box = ndimage.find_objects((a | b).astype(np.uint8))[0]
    surface_a, surface_b = surface(a)[box], surface(b)[box]
    there = _distances_mm(surface_a, surface_b, spacing_mm)
    back = _distances_mm(surface_b, surface_a, spacing_mm)
    hd95_mm = max(float(np.percentile(d, HAUSDORFF_PERCENT)) for d in (there, back))
    return Overlap(dice, hd95_mm, float(there.mean() + back.mean()) / 2)


def surface(mask: BoolArray) -> BoolArray:
    """Pixels of a mask with a face on the outside.

    The edge of the picture is outside. The first and the last slice of a volume are not: where a slab
    of a muscle is compared, it ends there by choice and not because of an outline.
    """
    sides = [(1, 1), (1, 1)]
    padded = np.pad(mask, sides if mask.ndim == 2 else [(0, 0), *sides])
    if mask.ndim == 3:
        padded = np.pad(padded, [(1, 1), (0, 0), (0, 0)], mode="edge")
    inner: BoolArray = ndimage.binary_erosion(padded)[(slice(1, -1),) * mask.ndim]
    return mask & ~inner


def _distances_mm(of: BoolArray, to: BoolArray, spacing_mm: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """From each surface pixel of the one to the nearest of the other."""
    distance: npt.NDArray[np.float64] = ndimage.distance_transform_edt(~to, sampling=spacing_mm)
    return distance[of]

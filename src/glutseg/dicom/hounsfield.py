"""Convert stored pixel values to Hounsfield units."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

from glutseg.image import Int16Array

LOWEST_HU = -1024
"""Value of air outside the field of view, where scanners write anything from -1024 to -8192."""

HIGHEST_HU = 32767
"""Upper limit of int16: metal on an extended scale keeps its values above 3071."""

TISSUE_HU = (-500, 3000)
"""A padding value between these is ignored: some headers state 0 though 0 HU is a value of tissue."""

AIR_HU = -900
"""Below, it does not matter whether a pixel is air or padding."""


Padding = tuple[int, int] | None
"""Lowest and highest stored value that means "no pixel here"."""


def to_hu(stored: npt.NDArray[Any], slope: float, intercept: float, padding: Padding = None) -> Int16Array:
    """Rescale to int16 HU, rounded half away from zero and clipped to [-1024, 32767].

    Parameters
    ----------
    stored : any integer array
    slope, intercept : Rescale Slope and Rescale Intercept
    padding : lowest and highest stored value that means "no pixel here"; becomes -1024 HU
    """
    if slope == 1 and intercept == int(intercept) and abs(intercept) < 1e6 and stored.dtype.itemsize <= 2:
        hu = stored.astype(np.int32)
        hu += int(intercept)
    else:
        exact = stored * np.float64(slope) + intercept
        hu = np.trunc(exact + np.copysign(0.5, exact))
    np.clip(hu, LOWEST_HU, HIGHEST_HU, out=hu)
    result = hu.astype(np.int16)
    if padding is not None:
        low, high = (_as_stored(v, stored.dtype) for v in padding)
        if _is_outside_tissue(low * slope + intercept, high * slope + intercept):
            result[is_padded(stored, padding)] = LOWEST_HU
    return result


def count_padding_inside(
    stored: npt.NDArray[Any], unpadded: npt.NDArray[Any], slope: float, intercept: float, padding: Padding
) -> int:
    """The number of pixels that became padding within the picture, though they are no air without it.

    "No pixel here" lies around the round field of a scanner and reaches the edge of the picture; a padding
    value in the middle is a value of tissue.
    """
    if padding is None:
        return 0
    low, high = (_as_stored(v, stored.dtype) for v in padding)
    is_used = _is_outside_tissue(low * slope + intercept, high * slope + intercept)
    padded = is_padded(stored, padding)
    if not is_used or not padded.any():
        return 0
    padded[padded] = unpadded[padded] * np.float64(slope) + intercept > AIR_HU
    if not padded.any():
        return 0
    pieces, _ = ndi.label(padded)
    at_edge = np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])
    return int(np.count_nonzero(padded & ~np.isin(pieces, at_edge)))


def is_padded(stored: npt.NDArray[Any], padding: Padding) -> npt.NDArray[np.bool_]:
    """Return a mask of the stored values that are padding."""
    if padding is None:
        return np.zeros(stored.shape, dtype=bool)
    low, high = (_as_stored(v, stored.dtype) for v in padding)
    return np.asarray((stored >= low) & (stored <= high), dtype=bool)


def _as_stored(value: int, dtype: np.dtype[Any]) -> int:
    """Convert a padding value to the signedness of the pixels: some writers state 63536 for -2000."""
    if dtype.itemsize == 2 and dtype.kind == "i" and 32768 <= value < 65536:
        return value - 65536
    if dtype.itemsize == 2 and dtype.kind == "u" and -32768 <= value < 0:
        return value + 65536
    return value


def _is_outside_tissue(a: float, b: float) -> bool:
    """Whether the range between two HU values contains no tissue."""
    low, high = min(a, b), max(a, b)
    return (low <= high < TISSUE_HU[0]) or low > TISSUE_HU[1]

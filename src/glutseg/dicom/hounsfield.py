"""Stored pixel values to Hounsfield units."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from glutseg.image import Int16Array

LOWEST_HU = -1024
"""Air outside the field of view; scanners write anything from -1024 to -8192 there, all of it no tissue."""

HIGHEST_HU = 32767
"""All that int16 holds: metal on an extended scale keeps its values above 3071."""

TISSUE_HU = (-500, 3000)
"""A padding value between these is not believed: headers name 0 where 0 HU is water, as in every muscle."""


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


def is_padded(stored: npt.NDArray[Any], padding: Padding) -> npt.NDArray[np.bool_]:
    """Where stored values are padding."""
    if padding is None:
        return np.zeros(stored.shape, dtype=bool)
    low, high = (_as_stored(v, stored.dtype) for v in padding)
    return np.asarray((stored >= low) & (stored <= high), dtype=bool)


def _as_stored(value: int, dtype: np.dtype[Any]) -> int:
    """A padding value in the pixels' own sign: writers give 63536 where they mean -2000."""
    if dtype.itemsize == 2 and dtype.kind == "i" and 32768 <= value < 65536:
        return value - 65536
    if dtype.itemsize == 2 and dtype.kind == "u" and -32768 <= value < 0:
        return value + 65536
    return value


def _is_outside_tissue(a: float, b: float) -> bool:
    """Whether no tissue lies between two HU; beyond what int16 holds it is clipped anyway."""
    low, high = min(a, b), max(a, b)
    return (low <= high < TISSUE_HU[0]) or low > TISSUE_HU[1]

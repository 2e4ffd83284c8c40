"""Where another outline of the same muscle runs apart from the measured one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from glutseg.image import Muscle, Side

BoolArray = npt.NDArray[np.bool_]
OtherOutlines = Mapping[tuple[Muscle, Side], BoolArray]
"""On the measured slice, (row, column), by muscle and side."""
NO_OTHERS: OtherOutlines = {}
APART_MM = 1.5
"""Nearer than this the two are one line in a picture. Chosen: two pixels of most scans."""


def far_from(outline: BoolArray, spacing_mm: tuple[float, float]) -> BoolArray:
    """The pixels that do not lie at the outline's border, inside and outside; all where it is empty.

    Parameters
    ----------
    outline : (row, column)
    spacing_mm : of rows and columns
    """
    if not outline.any():
        return np.ones(outline.shape, dtype=bool)
    from scipy import ndimage

    outside_mm = ndimage.distance_transform_edt(~outline, sampling=spacing_mm)
    inside_mm = ndimage.distance_transform_edt(outline, sampling=spacing_mm)
    near_mm = max(APART_MM, np.hypot(*spacing_mm))  # pixels at the border are never far from it
    return np.asarray(np.maximum(outside_mm, inside_mm) > near_mm, dtype=bool)

"""Where another outline of the same muscle runs apart from the measured one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from glutseg.image import LABELS, CtImage, Mask, Muscle, Side

BoolArray = npt.NDArray[np.bool_]
OtherOutlines = Mapping[tuple[Muscle, Side], BoolArray]
"""On the measured slice, (row, column), by muscle and side."""
NO_OTHERS: OtherOutlines = {}
APART_MM = 1.5
"""Nearer than this the two are one line in a picture. Chosen: two pixels of most scans."""


def others_on_slice(image: CtImage, slice_index: int, others: OtherOutlines) -> Mask:
    """The other outlines as a mask of the measured slice alone; where two overlap, the maximus is kept."""
    labels = np.zeros((1, *image.hu.shape[1:]), np.uint8)
    for (muscle, side), outline in reversed(tuple(others.items())):
        labels[0][outline] = LABELS[muscle][side]
    only = slice(slice_index, slice_index + 1)
    return Mask(labels, image.geometry.crop((only, slice(None), slice(None))))


def far_from(outline: BoolArray, spacing_mm: tuple[float, float]) -> BoolArray:
    """The pixels that do not lie at the outline's border, inside and outside; all where it is empty.

    Parameters
    ----------
    outline : (row, column)
    spacing_mm : of rows and columns
    """
    if not outline.any():
        return np.ones(outline.shape, dtype=bool)
    near_mm = max(APART_MM, np.hypot(*spacing_mm))  # pixels at the border are never far from it
    around = _around(outline, [math.ceil(near_mm / s) for s in spacing_mm])
    inside_mm, outside_mm = (
        ndimage.distance_transform_edt(region, sampling=spacing_mm)
        for region in (outline[around], ~outline[around])
    )
    far = np.ones(outline.shape, dtype=bool)
    far[around] = np.maximum(outside_mm, inside_mm) > near_mm
    return far


def _around(outline: BoolArray, margins_px: Sequence[int]) -> tuple[slice, ...]:
    """The rows and columns of a region and so many beside it."""
    (found,) = ndimage.find_objects(outline.astype(np.uint8))
    return tuple(
        slice(max(0, part.start - margin), part.stop + margin)
        for part, margin in zip(found, margins_px, strict=True)
    )

"""Body, bone and metal by density."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage as ndi

BODY_HU = -300
"""Skin and everything within lies above, air and most cushions below."""
BONE_HU = 160
"""Trabecular bone of old patients reaches down to about 100 HU, contrast-filled vessels up to 400;
a smoothed 160 HU keeps closed bone shells and few vessels."""
METAL_HU = 2500
"""Dense cortical bone ends near 2000 HU."""

BoolArray = npt.NDArray[np.bool_]


def largest_component(mask: BoolArray) -> BoolArray:
    """The largest face-connected part of ``mask``; all False where it is empty."""
    labels, n = ndi.label(mask)
    if n <= 1:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == int(sizes.argmax()), dtype=bool)


def body_mask(hu: npt.NDArray[Any], spacing_mm: tuple[float, float, float]) -> BoolArray:
    """The patient without table, cushions and air; (z, y, x) bool.

    Thin things (table tops, tubes, sheets) are removed by an opening of about 5 mm before the
    largest part is taken, so that a patient lying on the table is not joined to it.
    """
    soft = hu > BODY_HU
    radius = max(1, round(5.0 / spacing_mm[1]))
    opened = np.stack([ndi.uniform_filter(s.astype(np.float32), 2 * radius + 1) > 0.75 for s in soft])
    core = largest_component(opened)
    grown = np.stack([ndi.binary_dilation(c, iterations=radius + 1) for c in core]) & soft
    return np.stack([ndi.binary_fill_holes(s) for s in grown])

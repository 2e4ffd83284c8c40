"""Detect slices that are inconsistent with both neighbours, such as damaged images.

A flipped bit in a losslessly compressed image usually decodes without an error to an image that is garbage
from that pixel on. Anatomy changes little from slice to slice: no slice of a real scan differs from both its
neighbours more than these differ from each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glutseg.errors import Flag
from glutseg.image import Int16Array

WINDOW_HU = (-200, 300)
"""HU are clipped to soft tissue, so that neither metal nor noise in air matters."""

STRIDE = 2
"""Every second row and column is compared."""
N_BANDS = 8
"""Damage begins in the middle of an image, so bands of rows are compared, not whole slices."""

NOISE_HU = 5.0
"""Added to the difference of the neighbours, which may be zero (air, phantoms)."""

MAX_DIFFERENCE_RATIO = 1.5
"""Largest ratio of the difference from the nearer neighbour to that between the two neighbours. The highest
in five series (one real, one with metal streaks) is 0.82; in damaged JPEG lossless images, 1.9 to 100."""


MAX_NAMED = 5
"""Number of slices that a flag lists."""


def inconsistent_slice_flags(
    hu: Sequence[Int16Array] | Int16Array, slice_indices: Sequence[int] | None = None
) -> tuple[Flag, ...]:
    """Return the flag ``slice-inconsistent`` if a slice is inconsistent with its neighbours.

    Parameters
    ----------
    hu : slices (y, x) in order
    slice_indices : their indices in the series; by default 0, 1, 2, …
    """
    found = inconsistent_slices(hu)
    if not found:
        return ()
    more = " …" if len(found) > MAX_NAMED else ""
    named = ", ".join(str(n if slice_indices is None else slice_indices[n]) for n in found[:MAX_NAMED])
    message = f"{len(found)} of {len(hu)} slices differ from both neighbours: {named}{more} (counted from 0)"
    return (Flag("slice-inconsistent", message),)


def inconsistent_slices(hu: Sequence[Int16Array] | Int16Array) -> tuple[int, ...]:
    """Return the indices of slices (z, y, x) that differ from both neighbours more than these do.

    The first and the last slice have one neighbour only and are never returned.
    """
    bands = [_bands(image) for image in hu]
    return tuple(n for n in range(1, len(bands) - 1) if _is_inconsistent(*bands[n - 1 : n + 2]))


def _bands(image: Int16Array) -> list[Int16Array]:
    return np.array_split(np.clip(image[::STRIDE, ::STRIDE], *WINDOW_HU), N_BANDS)


def _is_inconsistent(below: list[Int16Array], bands: list[Int16Array], above: list[Int16Array]) -> bool:
    for a, b, c in zip(below, bands, above, strict=True):
        if not b.size:
            continue
        if min(_difference(a, b), _difference(b, c)) > MAX_DIFFERENCE_RATIO * (_difference(a, c) + NOISE_HU):
            return True
    return False


def _difference(a: Int16Array, b: Int16Array) -> float:
    return float(np.abs(a - b).mean())
